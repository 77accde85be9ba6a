"""Who may read the metrics, and what is only counted when they are read."""

import hmac
import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path

from cryptography import x509
from prometheus_client import CollectorRegistry, Gauge, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from starlette.datastructures import State
from starlette.requests import Request

from kefu import __version__
from kefu.kit.config import Settings
from kefu.kit.errors import Forbidden, NotSignedIn
from kefu.ops.health import space_of
from kefu.ops.installation import Installation

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


def written(state: State, now: Installation | None) -> bytes:
    """Prometheus's text format: of this process, and of the whole installation where the database tells them."""
    STREAMS.set(state.hub.count())
    process = generate_latest()
    return process + generate_latest(_Told(_of_installation(now), _of_process(state)))


class _Told(CollectorRegistry):
    """What is known only now: nothing is left of it when it is no more."""

    def __init__(self, *families: Iterable[Metric]) -> None:
        super().__init__()
        self._families = families

    def collect(self) -> Iterator[Metric]:
        return chain(*self._families)


def _gauge(name: str, about: str, values: Mapping[tuple[str, ...], float], *labels: str) -> Metric:
    family = GaugeMetricFamily(f"kefu_{name}", about, labels=labels)
    for of, value in values.items():
        family.add_metric(of, value)
    return family


def _by(values: Mapping[str, float]) -> dict[tuple[str, ...], float]:
    return {(name,): value for name, value in values.items()}


def _of_installation(now: Installation | None) -> Iterator[Metric]:
    yield _gauge("database_up", "1 while the database answers this process in time", {(): now is not None})
    if now is None:
        return
    yield _gauge("sessions_open", "Sessions that are not closed", _by(now.sessions), "status")
    yield _gauge("queue_oldest_wait_seconds", "Of who waits longest for a person", {(): now.oldest_wait})
    yield _gauge("agents_on_duty", "Agents whom customers may be given to", {(): now.agents})
    yield _gauge("shops_serving", "Shops within their service hours", {(): now.open_shops})
    yield _gauge("jobs_due", "Jobs that wait to be done", _by(now.due), "lane")
    yield _gauge("jobs_oldest_due_seconds", "Since the first should have begun", _by(now.oldest_due), "lane")
    yield _gauge("jobs_dead", "Jobs that were given up", _by(now.dead), "lane")
    whole = "Everything committed before is in a backup: in a whole one (database), or with the WAL since (wal)"
    yield _gauge("backup_last_success_timestamp_seconds", whole, _by(now.backed_up), "part")
    yield _gauge("backup_size_bytes", "Of the last backup, sealed", _by(now.backup_sizes), "part")
    yield _gauge("budget_used_ratio", "Of the shop that used most of its budget", _by(now.budgets), "period")


def _of_process(state: State) -> Iterator[Metric]:
    settings: Settings = state.settings
    yield _gauge("build_info", "1, with the version of this process", {(__version__,): 1}, "version")
    held: dict[tuple[str, ...], float] = {}
    for pool, (used, free) in state.db.connections().items():
        held |= {(pool, "used"): used, (pool, "free"): free}
    yield _gauge("database_connections", "Connections that this process holds", held, "pool", "state")
    if state.redis is not None:
        yield _gauge("redis_connections", "Connections that this process uses", {(): state.redis.connections})
    disk = space_of(settings.data_dir)
    yield _gauge("disk_size_bytes", "Of the disk of the data folder", {(): disk.total})
    yield _gauge("disk_free_bytes", "Left on the disk of the data folder", {(): disk.free})
    if (ends := certificate_ends(settings.tls_certificate_file)) is not None:
        yield _gauge("certificate_expires_timestamp_seconds", "When TLS_CERTIFICATE_FILE expires", {(): ends})


def certificate_ends(file: Path | None) -> float | None:
    """Unix seconds; 0 for one that cannot be read, None when none is named."""
    if file is None:
        return None
    try:
        return x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc.timestamp()
    except (OSError, ValueError):
        return 0.0
