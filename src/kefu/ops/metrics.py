"""Who may read the metrics, and what is only counted when they are read."""

import hmac
import ipaddress

from prometheus_client import Gauge, generate_latest
from starlette.datastructures import State
from starlette.requests import Request

from kefu.kit.config import Settings
from kefu.kit.errors import Forbidden, NotSignedIn

# Which a web server in front adds: what it passes on comes from who knows where.
PASSED_ON = ("x-forwarded-for", "x-real-ip", "forwarded")

STREAMS = Gauge("kefu_streams_open", "Streams that this process serves")


def check_reader(request: Request, settings: Settings) -> None:
    """With METRICS_TOKEN its bearer, otherwise who connects directly from this machine or a private network.

    Raises NotSignedIn, Forbidden.
    """
    token = settings.metrics_token.get_secret_value()
    if token:
        given = request.headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {token}".encode()):
            raise NotSignedIn
    elif any(name in request.headers for name in PASSED_ON) or not _is_near(request):
        raise Forbidden


def _is_near(request: Request) -> bool:
    try:
        address = ipaddress.ip_address(request.client.host if request.client else "")
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_private


def written(state: State) -> bytes:
    """Prometheus's text format."""
    STREAMS.set(state.hub.count())
    return generate_latest()
