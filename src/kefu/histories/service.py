"""Joining two sessions of one visitor, and dividing one. No log is rewritten: see `parts.py` for how they are read."""

from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.files.service import in_words
from kefu.histories.parts import parts_of, read_parts
from kefu.kit.errors import Conflict
from kefu.kit.i18n import Text
from kefu.kit.ids import new_id
from kefu.log.log import COLUMNS, Entry, Fact, read_last
from kefu.log.models import Event
from kefu.sessions.fold import PREVIEW, blank
from kefu.sessions.models import Session, stream_of
from kefu.sessions.service import Member, identity_of, locked, moved, record, refuse_merged
from kefu.sessions.states import Move, Status

SPLITS_LIMIT = 1000


class SameSession(Conflict):
    code = "SAME_SESSION"
    text: ClassVar[Text] = {
        "en": "A conversation cannot be merged with itself.",
        "zh": "会话不能与自身合并。",
    }


class VisitorsDiffer(Conflict):
    code = "VISITORS_DIFFER"
    text: ClassVar[Text] = {
        "en": "These conversations are of different visitors.",
        "zh": "这两个会话属于不同的访客。",
    }


class ShopsDiffer(Conflict):
    code = "SHOPS_DIFFER"
    text: ClassVar[Text] = {
        "en": "These conversations belong to different shops.",
        "zh": "这两个会话属于不同的店铺。",
    }


class AlreadyMerged(Conflict):
    """`session_name` was merged before; `into`: where it goes on."""

    code = "ALREADY_MERGED"
    text: ClassVar[Text] = {
        "en": "This conversation was merged into another one already.",
        "zh": "该会话此前已合并到另一个会话。",
    }


class NotSplittable(Conflict):
    """`seq` is no message of the session's own, or nothing was said before it."""

    code = "NOT_SPLITTABLE"
    text: ClassVar[Text] = {
        "en": "The conversation cannot be divided at this place.",
        "zh": "无法从此处拆分会话。",
    }


class AlreadySplit(Conflict):
    """`into`: the session to which what was said there moved."""

    code = "ALREADY_SPLIT"
    text: ClassVar[Text] = {
        "en": "This part moved to another conversation already.",
        "zh": "这部分内容此前已拆分到另一个会话。",
    }


async def merge(tx: AsyncSession, name: str, into: str, member: Member) -> Session:
    """Let the session go on in `into`, which is returned. Repeating it changes nothing.

    The rows are locked in the order of their names, so that two who merge each into the other do not wait for ever.
    What is posted comes before the merge and is read in the kept one, or is refused with where to go. Whom the source
    waits for or is served by, the kept one then waits for or is served by, unless a person serves it already.

    Raises SessionNotFound, SameSession, VisitorsDiffer, ShopsDiffer, AlreadyMerged.
    """
    if name == into:
        raise SameSession
    rows = {each: await locked(tx, each) for each in sorted((name, into))}
    source, kept = rows[name], rows[into]
    if source.merged_into == into:
        return kept
    for one in (source, kept):
        if one.merged_into:
            raise AlreadyMerged(session_name=one.name, into=one.merged_into)
    if not source.visitor_id or source.visitor_id != kept.visitor_id:
        raise VisitorsDiffer
    if source.shop != kept.shop:
        raise ShopsDiffer
    stretch = {"source": name, "up_to": source.seq, "began_at": await _began_at(tx, source)}
    await record(tx, kept, Fact("session.merged", member.actor, stretch))
    await _serve_on(tx, kept, source, member)
    end = [] if source.status == Status.CLOSED else [moved(source, Move.CLOSE, member.actor, reason="merged")]
    await record(tx, source, Fact("session.merged_into", member.actor, {"into": into}), *end)
    return kept


async def split(tx: AsyncSession, name: str, from_seq: int, member: Member) -> Session:
    """Let what was said from the message `from_seq` on go on in a new session, which is returned.

    The new one is held by, or waits for, whom the source is held by or waits for: by the same agent both, whatever
    their limit, since nobody comes to serve more. What is posted while this runs stays in the source.

    Raises SessionNotFound, SessionMerged, NotSplittable, AlreadySplit (also to who repeats it).
    """
    source = await locked(tx, name)
    refuse_merged(source)
    await _check_place(tx, source, from_seq)
    first, last = await _ends(tx, source, from_seq)
    session = blank(new_id("s"))
    tx.add(session)
    stretch = {"from_seq": from_seq, "to_seq": source.seq}
    preview = {"role": last.facts["role"], "text": in_words(last.facts)[:PREVIEW], "at": last.at}
    origin = {"source": name, **stretch, "began_at": first.at, "last": preview}
    await record(
        tx,
        session,
        Fact("session.opened", member.actor, _opening(source)),
        *identity_of(source, source.visitor_id),
        Fact("session.split_from", member.actor, origin),
    )
    await _serve_on(tx, session, source, member)
    if source.status == Status.CLOSED:
        await record(tx, session, moved(session, Move.CLOSE, member.actor, reason="split"))
    await record(tx, source, Fact("session.split_off", member.actor, {"into": session.name, **stretch}))
    return session


async def _began_at(tx: AsyncSession, source: Session) -> int:
    """When the first word of it was said, in ms."""
    first = await read_parts(tx, await parts_of(tx, source.name, source.seq), 1, Event.type == "message.posted")
    return first[0][1].at if first else source.created_at


def _opening(source: Session) -> dict[str, Any]:
    return {
        "shop": source.shop,
        "locale": source.locale,
        "conversation_id": new_id("conv"),
        "visitor_id": source.visitor_id,
        "nickname": source.nickname,
    }


async def _serve_on(tx: AsyncSession, session: Session, source: Session, member: Member) -> None:
    """Give the (locked) session the person that the source has or waits for, and open it again if the source is."""
    if session.status == Status.CLOSED and source.status != Status.CLOSED:
        await record(tx, session, moved(session, Move.REOPEN, member.actor))
    if source.status == Status.MANUAL_LIVE and session.status not in {Status.MANUAL_LIVE, Status.CLOSED}:
        agent = {"id": source.agent_id, "name": source.agent_name}
        await record(tx, session, moved(session, Move.TAKE_OVER, member.actor, agent=agent))
    waits = source.status in {Status.PENDING_MANUAL, Status.AFTER_HOURS_EMAIL}
    if waits and session.status == Status.BOT_ACTIVE:
        wish = {
            "reason": source.escalation_reason or "manual",
            "details": source.escalation_details or "",
            "severity": source.escalation_severity or "high",
        }
        await record(tx, session, moved(session, Move.ESCALATE, member.actor, **wish))


async def _check_place(tx: AsyncSession, source: Session, from_seq: int) -> None:
    """Only what no split has moved can be split. Raises AlreadySplit."""
    splits = await read_last(tx, stream_of(source.name), SPLITS_LIMIT, types=("session.split_off",), public_only=False)
    for one in splits:
        if one.facts["to_seq"] >= from_seq:
            raise AlreadySplit(into=one.facts["into"])


async def _ends(tx: AsyncSession, source: Session, from_seq: int) -> tuple[Entry, Entry]:
    """The first and the last message that move. Raises NotSplittable."""
    said = select(*COLUMNS).where(Event.stream == stream_of(source.name), Event.type == "message.posted")
    before = (await tx.execute(said.where(Event.seq < from_seq).limit(1))).first()
    first = (await tx.execute(said.where(Event.seq == from_seq))).first()
    if before is None or first is None:
        raise NotSplittable(seq=from_seq)
    last = (await tx.execute(said.order_by(Event.seq.desc()).limit(1))).one()
    return Entry(*first), Entry(*last)
