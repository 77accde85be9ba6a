"""The feed for integrators over HTTP: pages of the whole log, and waiting for the next one."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from kefu.bus.ports import Bus, Notice
from kefu.kit.db import Database
from kefu.kit.pages import BadCursor, from_cursor, to_cursor
from kefu.log.feed import PAGE_LIMIT, START, Place, Placed, follow, is_beyond
from kefu.realtime.hub import Hub
from kefu.sessions.contacts import without_contacts

LONGEST_WAIT = 30
POLL_SECONDS = 1.0
GATHER_SECONDS = 0.02


def place_of(cursor: str) -> Place:
    """Raises ValueError for what is no cursor of the feed."""
    if not cursor:
        return START
    try:
        place = Place(*from_cursor(cursor, (int, int)))
    except BadCursor:
        raise ValueError("no cursor") from None
    if min(place) < 0:
        raise ValueError("no cursor")
    return place


def _known(cursor: str) -> str:
    place_of(cursor)
    return cursor


class FeedQuery(BaseModel):
    """`after`: a cursor of an earlier answer, empty for the beginning; `wait`: seconds to wait when nothing is new."""

    after: Annotated[str, StringConstraints(max_length=200), AfterValidator(_known)] = ""
    limit: Annotated[int, Field(ge=1, le=PAGE_LIMIT)] = 100
    wait: Annotated[int, Field(ge=0, le=LONGEST_WAIT)] = 0


class FeedEvent(BaseModel):
    """An event of the log with its cursor; what else it carries depends on its type."""

    model_config = ConfigDict(extra="allow")

    cursor: str
    stream: str
    audience: str
    seq: int
    type: str
    at: str
    actor: dict[str, Any]


class FeedPage(BaseModel):
    """`next`: where to go on, also when there are no events. `caught_up`: there was no more at this moment."""

    events: list[FeedEvent]
    next: str
    caught_up: bool


class FeedData(BaseModel):
    success: Literal[True] = True
    data: FeedPage


class Feed:
    """Reads pages, and wakes who waits for one: what this process hears of at once, what others wrote within a second.

    Nobody holds a transaction or a connection while waiting.
    """

    def __init__(self, db: Database, bus: Bus, hub: Hub) -> None:
        self._db = db
        self._hub = hub
        self._rung: asyncio.Future[None] | None = None
        bus.listen(self._hear)

    def _hear(self, notice: Notice) -> None:
        if notice.seq and self._rung is not None:
            self._rung.set_result(None)
            self._rung = None

    async def page(self, query: FeedQuery, *, sees_contacts: bool) -> FeedPage:
        """The next page, or an empty one after `query.wait` seconds; at once when the process is about to stop.

        Raises BadCursor for one that lies beyond the log.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + query.wait
        while True:
            rung = self._rung = self._rung or loop.create_future()  # before reading: what comes after that rings it
            found = await self._read(place_of(query.after), query.limit)
            left = deadline - loop.time()
            if found or left <= 0 or self._hub.is_draining:
                return _page_of(found, query, sees_contacts=sees_contacts)
            await asyncio.wait([rung], timeout=min(left, POLL_SECONDS))
            if rung.done():  # what still runs beside that commit holds it back for a moment
                await asyncio.sleep(min(left, GATHER_SECONDS))

    async def _read(self, after: Place, limit: int) -> Sequence[Placed]:
        async with self._db.read() as tx:
            found = await follow(tx, after, limit)
            if not found and await is_beyond(tx, after):
                raise BadCursor(fields=[{"field": "after", "reason": "beyond the log"}])
        return found


def _page_of(found: Sequence[Placed], query: FeedQuery, *, sees_contacts: bool) -> FeedPage:
    shown = [one.entry if sees_contacts else without_contacts(one.entry) for one in found]
    events = [FeedEvent.model_validate(entry.shown | _where(one)) for entry, one in zip(shown, found, strict=True)]
    last = events[-1].cursor if events else query.after or to_cursor([*START])
    return FeedPage(events=events, next=last, caught_up=len(events) < query.limit)


def _where(one: Placed) -> dict[str, str]:
    return {"cursor": to_cursor([*one.place]), "stream": one.entry.stream, "audience": one.entry.audience}
