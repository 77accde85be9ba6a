"""The bot's turn, from the visitor's message to the answer in the log (spec B2, S4)."""

import asyncio
from contextlib import aclosing
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from prometheus_client import Histogram

from kefu.answering.off_topic import OFFER, Offer, is_off_topic
from kefu.answering.ports import Answer, Answerer, Said, Speech, TakenBack, Turn
from kefu.answering.wording import NOBODY_HERE, ONLY_FILES
from kefu.bus.ports import Bus, Notice
from kefu.jobs.queue import Taken, finish, finish_alone
from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.kit.ids import new_id
from kefu.realtime.hub import ephemeral
from kefu.sessions.answers import Asked, asked_of, post_answer, post_by_bot
from kefu.sessions.models import stream_of
from kefu.sessions.service import Stale
from kefu.sessions.shadow import leave_to_people
from kefu.sessions.work import AnswerVisitor
from kefu.shops.hours import Hours
from kefu.shops.service import SHADOW_BEGUN, of_shop
from kefu.supervision.service import Watch, judge_answer, judge_question, watch_of

LOOK_BACK = 40  # far enough to find ten replies among what the visitor wrote
# What a program sends in one go is one question; nobody notices the pause.
GATHER_SECONDS = 0.01
# How many turns read at a time, and how many write, however many run: in a flood the others wait for each other, not
# people for them. On SQLite, whose one writer people need too, it is one. Who writes does not queue with who reads: of
# many questions the first answers come while the last ones are still looked at.
AT_ONCE = 2
TOOK = Histogram(
    "kefu_answer_duration_seconds",
    "From the visitor's message to the whole answer of the bot",
    ["outcome"],
    buckets=(0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 40, 80),
)


@dataclass(slots=True)
class Running:
    """An answer to message `seq` on its way, and the draft in which it is shown.

    The message itself, heard of however late, does not make it void. `is_silenced`: people answer in this shop.
    `patience`: while it speaks, what ends the wait for the next word.
    """

    seq: int
    shop: str = ""
    is_void: bool = False
    is_silenced: bool = False
    draft_id: str = field(default_factory=partial(new_id, "d"))
    patience: asyncio.Timeout | None = None

    def stop(self) -> None:
        if not self.is_void and self.patience is not None:
            self.patience.reschedule(asyncio.get_running_loop().time())
        self.is_void = True


class Bot:
    """Handles `AnswerVisitor`.

    Repeating it is safe: an answer that was given, or is no longer wanted, ends the job and writes nothing.

    What makes a running answer void (an agent, a newer message, shadow mode) stops it as soon as this process hears of
    it; the fence in `sessions.answers` holds in any case. Policies are asked before it begins and before it is said.
    """

    def __init__(self, db: Database, bus: Bus, answerer: Answerer, hours: Hours) -> None:
        """`hours` hold for a shop that has none of its own."""
        self._db = db
        self._hours = hours
        self._bus = bus
        self._answerer = answerer
        self._running: dict[str, Running] = {}
        self._switches = 0
        at_once = 1 if db.is_sqlite else AT_ONCE
        self._reading, self._writing = asyncio.Semaphore(at_once), asyncio.Semaphore(at_once)
        bus.listen(self._hear)

    async def __call__(self, job: Taken) -> None:
        work = AnswerVisitor(**job.payload)
        running = self._running[stream_of(work.session)] = Running(work.seq)
        try:
            await asyncio.sleep(GATHER_SECONDS)
            is_answered = not running.is_void and await self._answer(job, work, running)
        finally:
            if self._running.get(stream_of(work.session)) is running:
                self._running.pop(stream_of(work.session))
        if running.is_silenced:
            if not await self._left_to_people(job, work):
                await self(job)  # the shop was changed back meanwhile
        elif not is_answered:
            await finish_alone(self._db, job.id)

    async def _answer(self, job: Taken, work: AnswerVisitor, running: Running) -> bool:
        """Whether an answer was written; if not, none is wanted any more."""
        asked = await self._look(work, running)
        watch = await self._watch(work) if asked else None
        if asked is None or watch is None or running.is_void:
            return False
        is_answered = False
        try:
            if watch.question() and (watch := await self._judge(job, work)) is None:
                return True
            turn = turn_of(asked)
            answer = await self._speak(self._answerer_of(turn, asked, watch).answer(turn), work, running)
            if answer is not None:
                if await self._write(job, work, running.draft_id, answer, watch):
                    return True
                is_answered = True
        except Stale:
            running.is_silenced = True  # if that is why, which is looked at under the lock
        except BaseException:
            self._drop(work, running.draft_id)
            raise
        self._drop(work, running.draft_id)
        return is_answered

    async def _judge(self, job: Taken, work: AnswerVisitor) -> Watch | None:
        """None when a policy asks for a person; there is nothing to answer then."""
        async with self._writing, self._db.write() as tx:
            watch = await judge_question(tx, work, self._hours)
            if watch is None:
                await finish(tx, job.id)
        return watch

    def _answerer_of(self, turn: Turn, asked: Asked, watch: Watch) -> Answerer:
        if watch.finds_nobody():
            return Offer(NOBODY_HERE, "nobody-here")
        if not turn.question:
            return Offer(ONLY_FILES, "only-files")
        return Offer(OFFER, "off-topic") if is_off_topic(asked.said, now_ms()) else self._answerer

    async def _watch(self, work: AnswerVisitor) -> Watch | None:
        async with self._reading:
            return await watch_of(self._db, work.session, self._hours)

    async def _look(self, work: AnswerVisitor, running: Running) -> Asked | None:
        """What the bot is asked, or None when no answer of it is wanted."""
        switches = self._switches
        async with self._reading:
            asked = await asked_of(self._db, work, LOOK_BACK)
        if switches != self._switches:  # heard of too early to know whom it concerns
            return await self._look(work, running)
        if asked is None or running.is_void:
            return None
        running.shop, running.is_silenced = asked.shop, asked.is_shadow
        return None if asked.is_shadow else asked

    async def _speak(self, answer: Speech, work: AnswerVisitor, running: Running) -> Answer | None:
        """Stream the draft to the followers. None when it became void on the way, which ends the wait at once."""
        try:
            async with asyncio.timeout(None) as running.patience, aclosing(answer) as pieces:
                return await self._show(pieces, work, running)
        except TimeoutError:
            if not running.is_void:
                raise
            return None
        finally:
            running.patience = None

    async def _show(self, pieces: Speech, work: AnswerVisitor, running: Running) -> Answer | None:
        offset = 0
        async for piece in pieces:
            if running.is_void:
                return None
            if isinstance(piece, Answer):
                return piece
            if isinstance(piece, TakenBack):
                self._drop(work, running.draft_id)
                running.draft_id, offset = new_id("d"), 0
                continue
            facts = {"draft_id": running.draft_id, "reply_to": work.seq, "offset": offset, "text": piece.text}
            self._bus.publish(ephemeral(stream_of(work.session), "answer.delta", **facts))
            offset += len(piece.text)
            await asyncio.sleep(0)  # each follower takes it before the next: a torrent must not cut them as slow
        return None

    async def _write(self, job: Taken, work: AnswerVisitor, draft_id: str, answer: Answer, watch: Watch) -> bool:
        """Whether it was said: a policy may withhold it."""
        said: dict[str, Any] = {
            "content": answer.text,
            "draft_id": draft_id,
            "answered": answer.answered,
            "sources": [asdict(source) for source in answer.sources],
        }
        evidence = {"draft_id": draft_id, **asdict(answer.evidence)}
        if not watch.answer(work.seq, said, evidence):
            async with self._writing:
                await post_answer(self._db, work, said, evidence, job.id)
            _count(job, answer)
            return True
        async with self._writing, self._db.write() as tx:
            is_withheld = await judge_answer(tx, work, self._hours, said, evidence)
            if not is_withheld:
                await post_by_bot(tx, work, said, evidence)
            await finish(tx, job.id)
        _count(job, answer, is_withheld=is_withheld)
        return not is_withheld

    async def _left_to_people(self, job: Taken, work: AnswerVisitor) -> bool:
        """Whether that ended the turn."""
        async with self._writing, self._db.write() as tx:
            if is_over := await leave_to_people(tx, work):
                await finish(tx, job.id)
        return is_over

    def _drop(self, work: AnswerVisitor, draft_id: str) -> None:
        self._bus.publish(ephemeral(stream_of(work.session), "answer.dropped", draft_id=draft_id))

    def _hear(self, notice: Notice) -> None:
        if notice.type == SHADOW_BEGUN:
            self._switches += 1
            for one in self._running.values():
                if one.shop and notice.stream == of_shop(one.shop):
                    one.is_silenced = True
                    one.stop()
        running = self._running.get(notice.stream)
        if running is not None and notice.public and notice.seq > running.seq and notice.type != "session.rated":
            running.stop()


def _count(job: Taken, answer: Answer, *, is_withheld: bool = False) -> None:
    outcome = "withheld" if is_withheld else "answered" if answer.answered else "unanswered"
    TOOK.labels(outcome).observe(max(now_ms() - job.created_at, 0) / 1000)


def turn_of(asked: Asked) -> Turn:
    """What the visitor wrote since anybody last answered is one question. Of files it knows nothing."""
    said = [one.facts for one in asked.said]
    answered = max((n for n, facts in enumerate(said, 1) if facts["role"] != "user"), default=0)
    return Turn(
        shop=asked.shop,
        locale=asked.locale,
        question="\n".join(facts["content"] for facts in said[answered:] if facts["content"]),
        session_name=asked.name,
        history=[Said(facts["role"], facts["content"]) for facts in said[:answered] if facts["content"]],
        visitor=asked.visitor,
        context=asked.page,
    )
