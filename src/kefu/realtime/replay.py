"""What a reader gets before it goes on live: the log after its cursor, then what holds at this moment."""

from starlette.datastructures import State

from kefu.bus.ports import Notice
from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.log.log import Entry
from kefu.realtime.follower import Follower
from kefu.realtime.hub import Hub, ephemeral
from kefu.realtime.passing import read_notice
from kefu.sessions.contacts import without_contacts
from kefu.sessions.models import stream_of
from kefu.sessions.queue import place_of
from kefu.sessions.service import SessionNotFound
from kefu.sessions.since import Head, since
from kefu.sessions.states import Status


async def page(db: Database, name: str, cursor: int, follower: Follower) -> tuple[Head, list[Entry]]:
    """The session, and at most READ_LIMIT entries after the cursor as the follower may see them, both of one moment.

    A cursor beyond the log (a database restored from a backup, or a forged one) begins again from the start. Raises
    SessionNotFound, Busy.
    """
    found = await since(db, name, cursor, public_only=not follower.sees_internal)
    if found is None:
        raise SessionNotFound(session_name=name)
    head, entries = found
    if cursor > head.seq:
        return await page(db, name, 0, follower)
    return head, entries if follower.sees_contacts else [without_contacts(one) for one in entries]


def ready(head: Head, cursor: int) -> Notice:
    """Says that the reader has the log up to `cursor`."""
    return ephemeral(stream_of(head.name), "stream.ready", seq=cursor, status=head.status, epoch=head.epoch)


async def present(state: State, head: Head, *, sees_internal: bool) -> list[Notice]:
    """What holds now and is in no log: how far each side has read, the running draft, the queue, who is here."""
    hub: Hub = state.hub
    name = stream_of(head.name)
    marks = (("visitor", head.read_by_visitor), ("agent", head.read_by_agents))
    now = [read_notice(head.name, kind, seq) for kind, seq in marks if seq]
    if draft := hub.drafts.of(head):
        now.append(ephemeral(name, "answer.delta", **draft))
    if head.status == Status.PENDING_MANUAL:
        async with state.db.read() as tx:
            place = await place_of(tx, head.name, head.shop, now_ms())
        if place is not None:
            now.append(ephemeral(name, "queue.position", **place.facts))
    return now + state.presence.now(name) if sees_internal else now
