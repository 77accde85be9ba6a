"""The bot's turn, from the visitor's message to the answer in the log (spec B2, S4)."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

from kefu.answering.off_topic import OFFER, Offer, is_off_topic
from kefu.answering.ports import Answer, Answerer, Said, Speech, TakenBack, Turn
from kefu.answering.wording import ONLY_FILES
from kefu.bus.ports import Bus, Notice
from kefu.jobs.queue import Taken, finish, finish_alone
from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.kit.ids import new_id
from kefu.log.log import Entry
from kefu.realtime.hub import ephemeral
from kefu.sessions.models import Session, stream_of
from kefu.sessions.page import page_of
from kefu.sessions.queries import find, history
from kefu.sessions.service import Stale, may_answer, post_by_bot
from kefu.sessions.work import AnswerVisitor

LOOK_BACK = 40  # far enough to find ten replies among what the visitor wrote
# What a program sends in one go is one question; nobody notices the pause.
GATHER_SECONDS = 0.01
# How many turns read at a time, and how many write, however many run: in a flood the others wait for each other, not
# people for them. On SQLite, whose one writer people need too, it is one. Who writes does not queue with who reads: of
# many questions the first answers come while the last ones are still looked at.
AT_ONCE = 2


@dataclass(slots=True)
class Running:
    """An answer to message `seq` on its way, and the draft in which it is shown.

    The message itself, heard of however late, does not make it void. `patience`: while it speaks, what ends the wait
    for the next word.
    """

    seq: int
    is_void: bool = False
    draft_id: str = field(default_factory=partial(new_id, "d"))
    patience: asyncio.Timeout | None = None

    def stop(self) -> None:
        if not self.is_void and self.patience is not None:
            self.patience.reschedule(asyncio.get_running_loop().time())
        self.is_void = True


class Bot:
    """Handles `AnswerVisitor`.

    Repeating it is safe: an answer that was given, or is no longer wanted, ends the job and writes nothing.

    What makes a running answer void (an agent, a newer message) stops it as soon as this process hears of it; the fence
    in `sessions.service.post_by_bot` holds in any case.
    """

    def __init__(self, db: Database, bus: Bus, answerer: Answerer) -> None:
        self._db = db
        self._bus = bus
        self._answerer = answerer
        self._running: dict[str, Running] = {}
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
        if not is_answered:
            await finish_alone(self._db, job.id)

    async def _answer(self, job: Taken, work: AnswerVisitor, running: Running) -> bool:
        """Whether an answer was written; if not, none is wanted any more."""
        async with self._reading, self._db.read() as tx:
            session = await find(tx, work.session)
            is_wanted = session is not None and may_answer(session, work)
            said = await history(tx, work.session, LOOK_BACK, public_only=True) if is_wanted else []
            page = await page_of(tx, work.session) if is_wanted else None
        if session is None or not is_wanted or running.is_void:
            return False
        turn = replace(_turn(session, said), context=page)
        answerer = Offer(OFFER, "off-topic") if is_off_topic(said, now_ms()) else self._answerer
        if not turn.question:
            answerer = Offer(ONLY_FILES, "only-files")
        try:
            answer = await self._speak(answerer.answer(turn), work, running)
            if answer is not None:
                await self._write(job, work, running.draft_id, answer)
                return True
        except Stale:
            pass
        except BaseException:
            self._drop(work, running.draft_id)
            raise
        self._drop(work, running.draft_id)
        return False

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

    async def _write(self, job: Taken, work: AnswerVisitor, draft_id: str, answer: Answer) -> None:
        said: dict[str, Any] = {
            "content": answer.text,
            "draft_id": draft_id,
            "answered": answer.answered,
            "sources": [asdict(source) for source in answer.sources],
        }
        async with self._writing, self._db.write() as tx:
            await post_by_bot(tx, work, said, {"draft_id": draft_id, **asdict(answer.evidence)})
            await finish(tx, job.id)

    def _drop(self, work: AnswerVisitor, draft_id: str) -> None:
        self._bus.publish(ephemeral(stream_of(work.session), "answer.dropped", draft_id=draft_id))

    def _hear(self, notice: Notice) -> None:
        running = self._running.get(notice.stream)
        if running is not None and notice.public and notice.seq > running.seq and notice.type != "session.rated":
            running.stop()


def _turn(session: Session, entries: Sequence[Entry]) -> Turn:
    """What the visitor wrote since anybody last answered is one question. Of files it knows nothing."""
    said = [one.facts for one in entries]
    answered = max((n for n, facts in enumerate(said, 1) if facts["role"] != "user"), default=0)
    return Turn(
        shop=session.shop,
        locale="zh" if session.locale == "zh" else "en",
        question="\n".join(facts["content"] for facts in said[answered:] if facts["content"]),
        session_name=session.name,
        history=[Said(facts["role"], facts["content"]) for facts in said[:answered] if facts["content"]],
        visitor=session.visitor_id,
    )
