"""Keeps proposals for the agent who serves, and what became of them. Nothing here is ever sent by itself."""

from collections.abc import Sequence
from typing import ClassVar

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.ai.ports import ModelOf
from kefu.assisting.models import MessageAnalysis, Suggestion
from kefu.assisting.reading import is_held
from kefu.assisting.suggesting import Asked, Proposal, asked_of, material_for, propose
from kefu.assisting.work import PrepareHelp
from kefu.jobs.queue import Taken, finish, finish_alone
from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.kit.errors import Conflict, NotFound
from kefu.kit.i18n import Text
from kefu.kit.ids import new_id
from kefu.knowledge.vectors import Asker, NearOf, by_words_alone
from kefu.log.log import Actor, Entry, Fact, read_last
from kefu.sessions.models import Session, stream_of
from kefu.sessions.queries import find, history
from kefu.sessions.service import SessionNotFound, locked, record

LOOK_BACK = 40
# Of proposals that nobody decided on, so many are kept in a session.
KEPT = 20
ANALYSES = 20


class SuggestionNotFound(NotFound):
    code = "SUGGESTION_NOT_FOUND"
    text: ClassVar[Text] = {"en": "There is no such suggestion.", "zh": "找不到该建议。"}


class SuggestionDecided(Conflict):
    """`outcome`: what became of it."""

    code = "SUGGESTION_DECIDED"
    text: ClassVar[Text] = {"en": "This suggestion was used or rejected already.", "zh": "该建议已被采用或拒绝。"}


class Proposing:
    """Handles `PrepareHelp`, and proposes when an agent asks. Repeating it is safe: the newest message has one set."""

    def __init__(self, db: Database, model_of: ModelOf | None, near_of: NearOf = by_words_alone) -> None:
        self._db = db
        self._model_of = model_of
        self._near_of = near_of

    async def __call__(self, job: Taken) -> None:
        work = PrepareHelp(**job.payload)
        async with self._db.read() as tx:
            session = await find(tx, work.session)
            is_wanted = session is not None and is_held(session) and session.last_visitor_seq == work.seq
            is_there = bool(await newest(tx, work.session, work.seq))
        if not is_wanted or is_there:
            await finish_alone(self._db, job.id)
            return
        asked, proposals = await self._propose(work.session)
        async with self._db.write() as tx:
            # Whoever asked meanwhile has a set already; a newer message has a job of its own.
            if (await locked(tx, work.session)).last_visitor_seq == work.seq and not await newest(
                tx, work.session, work.seq
            ):
                await keep(tx, asked, proposals)
            await finish(tx, job.id)

    async def now(self, name: str) -> list[Suggestion]:
        """A new set for the newest message. Raises SessionNotFound."""
        asked, proposals = await self._propose(name)
        async with self._db.write() as tx:
            await locked(tx, name)
            return await keep(tx, asked, proposals)

    async def _propose(self, name: str) -> tuple[Asked, list[Proposal]]:
        async with self._db.read() as tx:
            session = await find(tx, name)
            if session is None:
                raise SessionNotFound(session_name=name)
            asked = asked_of(session, await messages_of(tx, name))
        (near,) = await self._near_of(Asker(session.shop, asked.locale), [asked.question])
        async with self._db.read() as tx:
            found, replies = await material_for(tx, asked, near)
        return asked, await propose(self._model_of, asked, found, replies)


async def messages_of(tx: AsyncSession, name: str) -> Sequence[Entry]:
    return await history(tx, name, LOOK_BACK, public_only=True)


async def keep(tx: AsyncSession, asked: Asked, proposals: Sequence[Proposal]) -> list[Suggestion]:
    """Under the session's lock. What nobody decided on goes, but for the newest."""
    at = now_ms()
    rows = [
        Suggestion(
            id=new_id("sug"),
            session=asked.session.name,
            for_seq=asked.seq,
            at=at,
            rank=rank,
            text=one.text,
            confidence=one.confidence,
            sources=one.sources,
            made_by=one.made_by,
        )
        for rank, one in enumerate(proposals)
    ]
    tx.add_all(rows)
    await tx.flush()
    open_ones = select(Suggestion.id).where(Suggestion.session == asked.session.name, Suggestion.outcome.is_(None))
    old = await tx.scalars(open_ones.order_by(Suggestion.at.desc(), Suggestion.rank).offset(KEPT))
    await tx.execute(delete(Suggestion).where(Suggestion.id.in_(list(old))))
    return rows


async def newest(tx: AsyncSession, name: str, for_seq: int) -> list[Suggestion]:
    """The newest set for that message, the surest first."""
    query = select(Suggestion).where(Suggestion.session == name, Suggestion.for_seq == for_seq)
    found = list(await tx.scalars(query.order_by(Suggestion.at.desc(), Suggestion.rank)))
    return [one for one in found if one.at == found[0].at]


async def analyses(tx: AsyncSession, name: str) -> list[MessageAnalysis]:
    """Of the newest messages, oldest first."""
    query = select(MessageAnalysis).where(MessageAnalysis.session == name)
    return list(await tx.scalars(query.order_by(MessageAnalysis.seq.desc()).limit(ANALYSES)))[::-1]


async def reject(tx: AsyncSession, name: str, suggestion_id: str, actor: Actor) -> None:
    """The agent does not want it. A repeat changes nothing. Raises SuggestionNotFound, SuggestionDecided."""
    session = await locked(tx, name)
    row = await tx.get(Suggestion, suggestion_id, populate_existing=True)
    if row is None or row.session != name:
        raise SuggestionNotFound
    if row.outcome == "rejected":
        return
    if row.outcome is not None:
        raise SuggestionDecided(outcome=row.outcome)
    values = {"outcome": "rejected", "outcome_by": actor.id, "outcome_at": now_ms()}
    await tx.execute(update(Suggestion).where(Suggestion.id == suggestion_id).values(values))
    await record(tx, session, Fact("suggestion.rejected", actor, {"suggestion_id": suggestion_id}, "internal"))


async def packet_of(tx: AsyncSession, session: Session) -> Entry | None:
    """The newest packet, of whichever time a person was asked for."""
    found = await read_last(tx, stream_of(session.name), 1, types=("handoff.packet",), public_only=False)
    return found[0] if found else None
