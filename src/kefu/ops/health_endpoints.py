"""How each part is, for the team."""

from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from starlette.datastructures import State

from kefu import __version__
from kefu.accounts.identity import AgentIdentity, allowed
from kefu.kit.clock import now_ms
from kefu.ops import health
from kefu.ops.health import Fact, Part, Status

router = APIRouter(tags=["operate"])


class PartOut(BaseModel):
    """`facts` differ from part to part."""

    status: Status
    latency_ms: float
    facts: dict[str, Fact]


class DetailedHealth(BaseModel):
    """`status`: degraded when any part is not well; down when the database is."""

    success: Literal[True] = True
    status: Literal["healthy", "degraded", "down"]
    version: str
    parts: dict[str, PartOut]


@router.get("/api/health/detailed")
async def detailed(request: Request, _: Annotated[AgentIdentity, Depends(allowed("stats.read"))]) -> DetailedHealth:
    """Database, Redis, jobs, queue, disk, provider, backup: each with how long asking took, three seconds at most."""
    state = request.app.state
    parts = await health.everything(
        {
            "database": partial(health.database, state.db),
            "redis": partial(health.redis, state.redis),
            "jobs": partial(health.jobs, state.db),
            "queue": partial(_queue, state),
            "streams": partial(_streams, state),
            "disk": partial(health.disk, state.settings),
            "provider": partial(health.provider, state.settings),
            "backup": partial(health.backup, state.db, state.settings),
        }
    )
    return DetailedHealth(
        status=_of_all(parts), version=__version__, parts={name: _out(one) for name, one in parts.items()}
    )


def _of_all(parts: dict[str, Part]) -> Literal["healthy", "degraded", "down"]:
    if parts["database"].status == "down":
        return "down"
    return "healthy" if all(one.status in {"ok", "unused"} for one in parts.values()) else "degraded"


def _out(part: Part) -> PartOut:
    return PartOut(status=part.status, latency_ms=part.latency_ms, facts=dict(part.facts))


async def _queue(state: State) -> Part:
    """Visitors who wait for a person."""
    stats = await state.store.get_stats()
    waits = None if stats.oldest_wait is None else round((now_ms() - stats.oldest_wait) / 1000)
    return Part("ok", {"waiting": stats.waiting, "oldest_seconds": waits})


async def _streams(state: State) -> Part:
    return Part("ok", {"open": state.hub.count()})
