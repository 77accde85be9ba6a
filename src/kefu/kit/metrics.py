"""What Prometheus counts of every request, without the cost of its own histogram, and how labels stay few."""

from bisect import bisect_left
from collections.abc import Iterable

from prometheus_client import REGISTRY
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector
from starlette.types import Scope

# Seconds.
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
NAME = "kefu_request_duration_seconds"
LABELS = ("method", "route", "status")
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


MOST_NAMES = 50
_names: dict[str, set[str]] = {}


def few(label: str, name: str) -> str:
    """The value of a label that people choose, as a model's name is: the first MOST_NAMES, and `other` from then on."""
    known = _names.setdefault(label, set())
    if name not in known:
        if len(known) >= MOST_NAMES:
            return "other"
        known.add(name)
    return name


class Requests(Collector):
    """How many of each kind, and how long they took. A stream takes as long as its reader stays."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str, int], list[float]] = {}

    def count(self, scope: Scope, status: int, seconds: float) -> None:
        """By the route's template, never by what the caller wrote: there must be few kinds."""
        kind = scope["method"], getattr(scope.get("route"), "path", "none"), status
        seen = self._seen.get(kind)
        if seen is None:
            if kind[0] not in METHODS:
                kind = "other", *kind[1:]
            seen = self._seen.setdefault(kind, [0.0] * (len(BOUNDS) + 2))
        seen[bisect_left(BOUNDS, seconds)] += 1
        seen[-1] += seconds

    def collect(self) -> Iterable[HistogramMetricFamily]:
        family = HistogramMetricFamily(NAME, "Requests by route, method and status", labels=LABELS)
        for (method, route, status), (*buckets, total) in list(self._seen.items()):
            counted, reached = [], 0.0
            for bound, count in zip((*map(str, BOUNDS), "+Inf"), buckets, strict=True):
                reached += count
                counted.append((bound, reached))
            family.add_metric([method, route, str(status)], counted, total)
        yield family


REQUESTS = Requests()
REGISTRY.register(REQUESTS)
