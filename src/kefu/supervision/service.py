"""The policies at the bot's side: before it answers, and before what it answered is said (spec P1, P2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson
from prometheus_client import Counter
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.duty import LOST_AFTER_MS
from kefu.accounts.models import Agent
from kefu.bus.telling import tell
from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.log.log import BOT, SYSTEM, Entry, Fact, from_row, read_last
from kefu.sessions.models import Session, stream_of
from kefu.sessions.service import Stale, locked, may_answer, moved, record
from kefu.sessions.states import Move
from kefu.sessions.work import AnswerVisitor
from kefu.shops.hours import Hours
from kefu.supervision.rules import Book, Moment, Ruling, Scene, asks_for_person
from kefu.supervision.talk import DECIDED, EVIDENCED, WATCHED, WITHHELD, Step, step, told, unjudged
from kefu.supervision.versions import DEFAULT_BYTES, in_force_for, ready_book

# Of a session's log so much is looked at, the newest first.
LOOK_BACK = 1000
TAGS_LIMIT = 20
VIP_TAG = "tag_vip"
FIRED = "policy.fired"
JUDGED = Counter("kefu_policy_judgements", "What policies were asked about, by what came of it", ["point", "outcome"])


HEAD = """
SELECT s.shop, s.is_vip, s.tags, shops.hours, v.number, v.policies
FROM sessions AS s LEFT JOIN shops ON shops.id = s.shop
LEFT JOIN (SELECT number, policies FROM policy_versions ORDER BY number DESC LIMIT 1) AS v ON v.number > 0
WHERE s.name = $1
"""
EVENTS = """
SELECT stream, seq, type, audience, actor, payload, client_msg_id, at FROM events
WHERE stream = $1 AND type IN ('{types}') ORDER BY seq DESC LIMIT $2
"""
LOG, WITH_COSTS = (EVENTS.format(types="', '".join(types)) for types in (WATCHED, (*WATCHED, EVIDENCED)))


@dataclass(frozen=True)
class Watch:
    """A session as the policies in force see it at one moment."""

    book: Book
    scene: Scene
    entries: Sequence[Entry]

    @cached_property
    def steps(self) -> list[Step]:
        return [step(one) for one in self.entries]

    def question(self) -> list[Ruling]:
        """What hits in what the visitor wrote and nobody judged yet, up to the first that asks for a person."""
        rulings: list[Ruling] = []
        for about, talk in unjudged(self.steps):
            rulings += self.book.judge(Moment(self.scene, talk, about))
            if asks_for_person(rulings):
                break
        return rulings

    def answer(self, seq: int, said: dict[str, Any], evidence: dict[str, Any]) -> list[Ruling]:
        """What hits in the answer to message `seq` that the bot would give now."""
        talk, about = told(self.steps), next(one for one in self.steps if one.seq == seq)
        facts = {**evidence, **said, "role": "assistant", "reply_to": seq}
        answer = Step(0, "message.posted", about.at, facts)
        talk.take(answer)
        return self.book.judge(Moment(self.scene, talk, about, answer))

    def finds_nobody(self) -> bool:
        """Whether a person was to be asked for in vain because of something that has no answer yet."""
        talk = told(self.steps)
        return talk.closed_about > talk.settled


async def watch_of(db: Database, name: str, otherwise: Hours) -> Watch | None:
    """What `look` finds, by the statements of the bot's hot path. None without such a session. Raises Busy."""
    rows = await db.fetch(HEAD, name)
    if not rows:
        return None
    shop, is_vip, tags, hours, number, policies = rows[0]
    book = ready_book(number or 0, policies.encode() if number else DEFAULT_BYTES)
    own = Hours.model_validate_json(hours) if hours else otherwise
    scene = Scene(shop, bool(is_vip) or VIP_TAG in orjson.loads(tags), own)
    entries = await db.fetch(WITH_COSTS if book.asks_costs else LOG, stream_of(name), LOOK_BACK)
    return Watch(book, scene, [from_row(row, db.sealing) for row in reversed(entries)])


async def look(tx: AsyncSession, session: Session, hours: Hours) -> Watch:
    """`hours` hold for a shop that has none of its own."""
    book, own = await in_force_for(tx, session.shop, hours)
    types = (*WATCHED, EVIDENCED) if book.asks_costs else WATCHED
    entries = await read_last(tx, stream_of(session.name), LOOK_BACK, types=types, public_only=False)
    return Watch(book, scene_of(session, own), entries)


def scene_of(session: Session, hours: Hours) -> Scene:
    return Scene(session.shop, session.is_vip or VIP_TAG in session.tags, hours)


async def judge_question(tx: AsyncSession, work: AnswerVisitor, hours: Hours) -> Watch | None:
    """Write down what hits in the question and do what it says. None when a person was asked for, so the bot is not.

    Looks again under the session's lock, so of two who do it at once the second finds nothing. Raises Stale.
    """
    session = await _answerable(tx, work)
    rulings = (await look(tx, session, hours)).question()
    await _carry_out(tx, session, rulings)
    return None if asks_for_person(rulings) else await look(tx, session, hours)


async def judge_answer(
    tx: AsyncSession, work: AnswerVisitor, hours: Hours, said: dict[str, Any], evidence: dict[str, Any]
) -> bool:
    """The same for an answer; one because of which a person is asked for is withheld, and kept for agents to see.

    Raises Stale.
    """
    session = await _answerable(tx, work)
    rulings = (await look(tx, session, hours)).answer(work.seq, said, evidence)
    is_withheld = asks_for_person(rulings)
    kept = Fact(WITHHELD, BOT, {**evidence, **said, "reply_to": work.seq}, audience="internal")
    await _carry_out(tx, session, rulings, *([kept] if is_withheld else []))
    return is_withheld


async def _answerable(tx: AsyncSession, work: AnswerVisitor) -> Session:
    session = await locked(tx, work.session)
    if not may_answer(session, work):
        raise Stale(epoch=session.epoch)
    return session


async def _carry_out(tx: AsyncSession, session: Session, rulings: Sequence[Ruling], *before: Fact) -> None:
    facts = [*before]
    for one in rulings:
        JUDGED.labels(one.moment.point, one.effect).inc()
        facts += [Fact(DECIDED, SYSTEM, one.facts, audience="internal"), *_deeds(session, one)]
        if one.effect == "told":
            await _tell_team(tx, session, one)
    if facts:
        await record(tx, session, *facts)


def _deeds(session: Session, ruling: Ruling) -> list[Fact]:
    """What follows from it in the session's log. A tag that is there, or for which there is no room, is not given.

    That a person was asked for the visitor sees too, and so not by which policy.
    """
    policy = ruling.policy
    if ruling.effect == "escalated":
        asked = {"reason": policy.reason, "severity": policy.severity, "details": ""}
        return [moved(session, Move.ESCALATE, SYSTEM, **asked)]
    if ruling.effect != "tagged" or policy.tag in session.tags or len(session.tags) >= TAGS_LIMIT:
        return []
    return [Fact("tag.added", SYSTEM, {"tag": policy.tag, "is_auto": True}, audience="internal")]


async def _tell_team(tx: AsyncSession, session: Session, ruling: Ruling) -> None:
    """Everybody who is here."""
    here = select(Agent.id).where(
        Agent.is_active, Agent.status != "offline", Agent.last_seen_at > now_ms() - LOST_AFTER_MS
    )
    names = ruling.policy.name.model_dump()
    for agent_id in (await tx.scalars(here)).all():
        tell(tx, agent_id, FIRED, session=session.name, name=session.nickname or "", policy=names)
