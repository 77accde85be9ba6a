"""Who may read the metrics, and what is only counted when they are read."""

import asyncio
import hmac
import ipaddress
from contextlib import suppress

from prometheus_client import Gauge, generate_latest
from sqlalchemy.exc import DBAPIError
from starlette.datastructures import State
from starlette.requests import Request

from kefu.backups.work import last_backups
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.kit.errors import Forbidden, NotSignedIn, Unavailable

# Which a web server in front adds: what it passes on comes from who knows where.
PASSED_ON = ("x-forwarded-for", "x-real-ip", "forwarded")
# For what the database is asked when somebody reads: they read again soon.
LOOK_SECONDS = 1.0

STREAMS = Gauge("kefu_streams_open", "Streams that this process serves")
BACKUP_AT = Gauge(
    "kefu_backup_last_success_timestamp_seconds",
    "Everything committed before this moment is in a backup: in a whole one (database), or with the WAL since (wal)",
    ["part"],
)
BACKUP_BYTES = Gauge("kefu_backup_size_bytes", "Size of the last backup, sealed", ["part"])


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


async def written(state: State) -> bytes:
    """Prometheus's text format. What the database does not say in time stands as it was."""
    STREAMS.set(state.hub.count())
    with suppress(TimeoutError, Unavailable, DBAPIError):
        async with asyncio.timeout(LOOK_SECONDS):
            await _look_at_backups(state.db)
    return generate_latest()


async def _look_at_backups(db: Database) -> None:
    async with db.read() as tx:
        for part, last in (await last_backups(tx)).items():
            BACKUP_AT.labels(part).set(last.at / 1000)
            BACKUP_BYTES.labels(part).set(last.bytes)
