"""The shadow mode of a shop: people answer, and the bot only notes what it would have said.

When an agent's reply lands, a job asks the bot what the visitor had asked, as it would have heard it. Its draft and
evidence become an internal event (`bot.drafted`) of the session, with how far it agrees with the reply.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Integer, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.answering.ports import Answer, Answerer, Turn
from kefu.answering.service import turn_of
from kefu.jobs.queue import Taken, finish, finish_alone
from kefu.kit.db import Database
from kefu.knowledge.models import Article
from kefu.knowledge.words import cut
from kefu.log.log import BOT, Fact
from kefu.quality.models import ShadowDraft
from kefu.sessions.answers import Asked
from kefu.sessions.models import Session
from kefu.sessions.queries import find, history
from kefu.sessions.service import locked, record
from kefu.sessions.work import DraftInShadow

LOOK_BACK = 60
LINK = re.compile(r"/articles/([A-Za-z0-9_\-]{1,40})")


@dataclass(frozen=True, slots=True)
class Missed:
    """What stood before the reply `seq`, as a turn of the bot, and what the reply says."""

    seq: int
    turn: Turn
    reply: str


class Shadow:
    """Handles `DraftInShadow`. Repeating it is safe: a draft is written together with the end of its job."""

    def __init__(self, db: Database, answerer: Answerer) -> None:
        self._db = db
        self._answerer = answerer

    async def __call__(self, job: Taken) -> None:
        work = DraftInShadow(**job.payload)
        async with self._db.read() as tx:
            asked = await _asked(tx, work)
        answer = await self._draft(asked.turn) if asked else None
        if asked is None or answer is None:
            await finish_alone(self._db, job.id)
            return
        async with self._db.write() as tx:
            session = await locked(tx, work.session)
            if not session.merged_into:
                await _note(tx, session, asked, answer)
            await finish(tx, job.id)

    async def _draft(self, turn: Turn) -> Answer | None:
        last = None
        async for piece in self._answerer.answer(turn):
            last = piece if isinstance(piece, Answer) else None
        return last


async def _asked(tx: AsyncSession, work: DraftInShadow) -> Missed | None:
    """None when the visitor had asked nothing new."""
    session = await find(tx, work.session)
    said = await history(tx, work.session, LOOK_BACK, public_only=True)
    reply = next((one for one in said if one.seq == work.seq), None)
    if session is None or reply is None:
        return None
    before = [one for one in said if one.seq < work.seq]
    asked = Asked(
        name=session.name,
        shop=session.shop,
        locale=session.locale,
        visitor=session.visitor_id,
        page=None,
        said=before,
    )
    turn = turn_of(asked)
    return Missed(work.seq, turn, reply.facts["content"]) if turn.question else None


async def _intent(tx: AsyncSession, answer: Answer) -> str:
    """The category of the best article; empty when there is none."""
    best = next(iter(answer.evidence.passages), None)
    return await tx.scalar(select(Article.category).where(Article.id == best.article_id)) or "" if best else ""


async def _note(tx: AsyncSession, session: Session, asked: Missed, answer: Answer) -> None:
    compared = {
        "intent": await _intent(tx, answer),
        "agreement": agreement(answer.text, asked.reply),
        "same_article": same_article(answer, asked.reply),
    }
    drafted = {
        "reply_seq": asked.seq,
        "content": answer.text,
        "sources": [asdict(source) for source in answer.sources],
        **asdict(answer.evidence),
        **compared,
    }
    (event,) = await record(tx, session, Fact("bot.drafted", BOT, drafted, audience="internal"))
    row = {"session": session.name, "seq": asked.seq, "shop": session.shop, "answered": answer.answered}
    tx.add(ShadowDraft(**row, **compared, at=event.at))


def agreement(draft: str, reply: str) -> float:
    """0…1: of the words of both that say something, how many they have in common (Dice)."""
    one, other = _words(draft), _words(reply)
    return round(2 * len(one & other) / (len(one) + len(other)), 4) if one and other else 0.0


def _words(text: str) -> set[str]:
    return {word.term for word in cut(LINK.sub(" ", text)) if not word.is_stop}


def same_article(answer: Answer, reply: str) -> bool | None:
    """Whether an article that the reply links to is among the bot's sources; None when it links to none."""
    linked = set(LINK.findall(reply))
    return bool(linked & {source.article_id for source in answer.sources}) if linked else None


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of one intent: replies, how many the bot would have answered, and how far those answers agree with them.

    `linked`: replies that link to an article; of `same` of them the bot cites it too.
    """

    intent: str
    drafts: int
    answered: int
    agreement: float
    linked: int
    same: int


async def agreements(tx: AsyncSession, shop: str, since: int) -> Sequence[Agreement]:
    """By intent, the commonest first, since `since` (ms)."""
    answered = func.coalesce(func.sum(cast(ShadowDraft.answered, Integer)), 0)
    mean = func.coalesce(func.avg(ShadowDraft.agreement).filter(ShadowDraft.answered), 0.0)
    same = func.coalesce(func.sum(cast(ShadowDraft.same_article, Integer)), 0)
    query = (
        select(ShadowDraft.intent, func.count(), answered, mean, func.count(ShadowDraft.same_article), same)
        .where(ShadowDraft.shop == shop, ShadowDraft.at >= since)
        .group_by(ShadowDraft.intent)
        .order_by(func.count().desc(), ShadowDraft.intent)
    )
    return [
        Agreement(intent, drafts, count, round(float(share), 4), linked, agreed)
        for intent, drafts, count, share, linked, agreed in (await tx.execute(query)).all()
    ]
