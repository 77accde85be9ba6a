"""How far something that follows the whole log has come (`FeedMark`)."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.log.feed import START, Place
from kefu.sessions.models import FeedMark

MOVE = text(
    "INSERT INTO feed_marks (follower, xid, position) VALUES (:follower, :xid, :position) "
    "ON CONFLICT (follower) DO UPDATE SET xid = excluded.xid, position = excluded.position "
    "WHERE feed_marks.xid = :from_xid AND feed_marks.position = :from_position RETURNING follower"
)


class Overtaken(Exception):
    """Somebody else wrote what follows this place, or began anew."""


async def place_of(tx: AsyncSession, follower: str) -> Place:
    mark = await tx.get(FeedMark, follower)
    return Place(mark.xid, mark.position) if mark else START


async def move(tx: AsyncSession, follower: str, place: Place, to: Place) -> None:
    """Raises Overtaken, which undoes the transaction, unless the mark still stands at `place`."""
    where = {"from_xid": place.xid, "from_position": place.position}
    moved = await tx.execute(MOVE, {"follower": follower, "xid": to.xid, "position": to.position, **where})
    if moved.first() is None:
        raise Overtaken
