"""What a reader gets before it goes on live: the log after its cursor, then what holds at this moment."""

from starlette.datastructures import State

from kefu.bus.local import Notice
from kefu.kit.db import Database
from kefu.log.log import Entry, read
from kefu.realtime.hub import Hub, ephemeral
from kefu.sessions.models import Session, stream_of
from kefu.sessions.queries import find, place_in_queue
from kefu.sessions.service import SessionNotFound
from kefu.sessions.states import Status


async def page(db: Database, name: str, cursor: int, *, sees_internal: bool) -> tuple[Session, list[Entry]]:
    """The session, and at most READ_LIMIT entries after the cursor.

    The session's seq is read before the rows, so nothing between the two is skipped. A cursor beyond the log (a
    database restored from a backup, or a forged one) begins again from the start. Raises SessionNotFound.
    """
    async with db.read() as tx:
        session = await find(tx, name)
        if session is None:
            raise SessionNotFound(session_name=name)
        cursor = cursor if cursor <= session.seq else 0
        return session, await read(tx, stream_of(name), cursor, public_only=not sees_internal)


def ready(session: Session, cursor: int) -> Notice:
    """Says that the reader has the log up to `cursor`."""
    name = stream_of(session.name)
    return ephemeral(name, "stream.ready", seq=cursor, status=session.status, epoch=session.epoch)


async def present(state: State, session: Session) -> list[Notice]:
    """What holds at this moment and is in no log: the running draft, the place in the queue."""
    hub: Hub = state.hub
    name, now = stream_of(session.name), []
    if draft := hub.drafts.of(session):
        now.append(ephemeral(name, "answer.delta", **draft))
    if session.status == Status.PENDING_MANUAL:
        async with state.db.read() as tx:
            position, waiting = await place_in_queue(tx, session)
        now.append(ephemeral(name, "queue.position", position=position, waiting=waiting))
    return now
