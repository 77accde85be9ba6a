"""Whatever is done to a session, in whatever order: its row is the fold of its log, and who follows live has seen that.

The table of states is obeyed, and what is refused changes nothing.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from sqlalchemy import func, select

from accounts.team import with_keys
from kefu.bus.local import LocalBus
from kefu.jobs.models import Job
from kefu.kit.db import Database
from kefu.kit.errors import KefuError
from kefu.kit.ids import new_id
from kefu.log.log import SYSTEM, VISITOR, Entry, Fact, read
from kefu.realtime.follower import Follower
from kefu.realtime.hub import Hub, ephemeral, notice_of
from kefu.sessions import service
from kefu.sessions.answers import post_answer, post_by_bot
from kefu.sessions.fold import fold, fold_all
from kefu.sessions.idle import close_some
from kefu.sessions.models import stream_of
from kefu.sessions.post import post
from kefu.sessions.states import MOVES, RAISES_EPOCH, Move, Status
from kefu.sessions.work import AnswerVisitor
from sessions.records import all_of, bring, columns_of, open_session

BOUNDED = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    phases=[Phase.generate],  # add Phase.shrink to make a failure short: it may take minutes
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
MEI = service.Member("agent_1", "Mei")
LI = service.Member("agent_2", "李雷", is_lead=True)
MEMBERS = st.sampled_from([MEI, LI])
TEXTS = st.sampled_from(["in the box?", "在吗？", '"quoted" \\ {$1}', "🚲" * 90])
IDS = st.sampled_from(["one", "two", "three", "four", "five", "six"])
EVER = 2**50
OFFERS = {"session.assigned", "session.unassigned"}

Command = Callable[[Any], Awaitable[Any]]


class Watching:
    """A follower who comes and goes; `events`: what reached it from the log."""

    def __init__(self, db: Database, hub: Hub, name: str, *, sees_internal: bool) -> None:
        self._db, self._hub, self._stream = db, hub, stream_of(name)
        self._follower: Follower | None = None
        self.sees_internal = sees_internal
        self.events: list[dict[str, Any]] = []
        self._sent = 0

    async def come(self) -> None:
        """Join first, then read the log after the cursor, as the streams do."""
        self._follower = Follower(sees_internal=self.sees_internal)
        channel = self._hub.join(self._stream, self._follower)
        async with self._db.read() as tx:
            missed = await read(tx, self._stream, self._sent, public_only=not self.sees_internal)
        self.events += [one.shown for one in missed]
        self._sent = max([self._sent, *(one.seq for one in missed)])
        channel.seq = max(channel.seq or 0, self._sent) or None

    def leave(self) -> None:
        assert self._follower is not None
        self._hub.leave(self._stream, self._follower)
        self._follower = None

    @property
    def is_here(self) -> bool:
        return self._follower is not None

    async def look(self) -> None:
        """Take what came; a notice of our own is the last of it."""
        assert self._follower is not None
        self._hub.hear(ephemeral(self._stream, "typing"))
        for seq, frame in await self._follower.take():
            if seq > self._sent:
                self._sent = seq
                self.events.append(orjson.loads(frame.partition(b"data: ")[2]))


class Conversation(RuleBasedStateMachine):
    def __init__(self, loop: asyncio.Runner, db: Database, hub: Hub) -> None:
        super().__init__()
        self._loop, self._db = loop, db
        self.name = new_id("s")
        self.row: dict[str, Any] = {}
        self.log: list[Entry] = []
        self.asked: list[AnswerVisitor] = []
        self.stored: dict[str, Entry] = {}
        self.watching = [Watching(db, hub, self.name, sees_internal=sees) for sees in (False, True)]
        self._loop.run(self._begin())

    async def _begin(self) -> None:
        for one in self.watching:
            await one.come()
        await open_session(self._db, self.name)
        await self._check()

    def teardown(self) -> None:
        """No later idle close shall find it."""
        for one in self.watching:
            if one.is_here:
                one.leave()
        self._loop.run(self._in_transaction(partial(close_some, before=EVER)))

    # What is done

    @rule(content=TEXTS, own=IDS)
    def the_visitor_writes(self, content: str, own: str) -> None:
        self._store(own, lambda: post(self._db, self.name, content, own))

    @rule(content=TEXTS, own=IDS)
    def the_visitor_writes_on_the_slow_path(self, content: str, own: str) -> None:
        self._store(own, lambda: self._command(service.post_by_visitor, content, own))

    @rule(member=MEMBERS, content=TEXTS, own=IDS)
    def an_agent_writes(self, member: service.Member, content: str, own: str) -> None:
        self._store(own, lambda: self._command(service.post_by_agent, member, service.Reply(content, own)))

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), answered=st.booleans(), is_hot=st.booleans())
    def the_bot_answers_a_question_of_any_time(self, data: st.DataObject, *, answered: bool, is_hot: bool) -> None:
        work = data.draw(st.sampled_from(self.asked[-3:]))
        said = {"content": "It is.", "draft_id": "d_1", "answered": answered, "sources": []}
        before = self.row
        done = self._do(
            (lambda: post_answer(self._db, work, said, {"draft_id": "d_1"}, 0))
            if is_hot
            else (lambda: self._in_transaction(lambda tx: post_by_bot(tx, work, said, {"draft_id": "d_1"})))
        )
        is_fresh = before["epoch"] == work.epoch and before["last_visitor_seq"] == work.seq
        is_owed = before["status"] == Status.BOT_ACTIVE and before["answered_seq"] < work.seq
        assert done == (is_fresh and is_owed), "the fence"

    @rule(reason=st.sampled_from(["manual", "fail_loop"]))
    def somebody_asks_for_a_person(self, reason: str) -> None:
        done = self._do(lambda: self._command(service.escalate, VISITOR, reason))
        assert done == (self.row["status"] == Status.PENDING_MANUAL)

    @rule(member=MEMBERS)
    def an_agent_takes_over(self, member: service.Member) -> None:
        done = self._do(lambda: self._command(service.take_over, member))
        assert done == (self.row["status"] == Status.MANUAL_LIVE and self.row["agent_id"] == member.id)

    @rule(member=MEMBERS)
    def an_agent_releases(self, member: service.Member) -> None:
        self._do(lambda: self._command(service.release, member, "resolved"))

    @rule(member=MEMBERS)
    def an_agent_comes_and_goes(self, member: service.Member) -> None:
        """What makes an answer stale although the bot is active again."""
        self.an_agent_takes_over(member)
        self.an_agent_releases(member)

    @rule(member=MEMBERS)
    def an_agent_closes(self, member: service.Member) -> None:
        self._do(lambda: self._command(service.close, member, "resolved"))

    @rule(is_idle=st.booleans())
    def the_system_closes_what_is_idle(self, *, is_idle: bool) -> None:
        """Older than its last event, or not."""
        was_closed, before = self.row["status"] == Status.CLOSED, self.row["updated_at"] + is_idle
        self._do(lambda: self._in_transaction(lambda tx: close_some(tx, before)))
        assert self.row["status"] == Status.CLOSED or not is_idle
        assert was_closed or is_idle or self.row["status"] != Status.CLOSED

    @rule(what=st.sampled_from([Move.TRANSFER, Move.LOSE_AGENT, Move.RETURN, Move.DEFER]))
    def another_move_is_made(self, what: Move) -> None:
        known = len(self.log)
        done = self._do(lambda: bring(self._db, self.name, what))
        assert [one.type for one in self.log[known:]] == [what] * done

    @rule(member=MEMBERS, is_offered=st.booleans())
    def it_is_offered_or_the_offer_is_withdrawn(self, member: service.Member, *, is_offered: bool) -> None:
        if self.row["status"] != Status.PENDING_MANUAL:
            return
        agent = {"id": member.id, "name": member.name}
        offered = Fact("session.assigned", SYSTEM, {"agent": agent, "until": EVER}, audience="internal")
        withdrawn = Fact("session.unassigned", SYSTEM, {"agent": agent, "reason": "timeout"}, audience="internal")

        async def record(tx: Any) -> None:
            await service.record(tx, await service.locked(tx, self.name), offered if is_offered else withdrawn)

        assert self._do(lambda: self._in_transaction(record))
        assert (self.row["agent_id"], self.row["assigned_until"]) == ((member.id, EVER) if is_offered else (None, None))

    @rule(n=st.sampled_from([0, 1]))
    def a_follower_goes_or_comes_back(self, n: int) -> None:
        one = self.watching[n]
        if one.is_here:
            one.leave()
        else:
            self._loop.run(one.come())
        self._loop.run(self._check())

    # What must hold

    def _command(self, command: Callable[..., Awaitable[Any]], *arguments: object) -> Awaitable[Any]:
        return self._in_transaction(lambda tx: command(tx, self.name, *arguments))

    async def _in_transaction(self, command: Command) -> Any:
        async with self._db.write() as tx:
            return await command(tx)

    def _store(self, own: str, write: Callable[[], Awaitable[Any]]) -> None:
        """A message with an id of its sender: a repeat is answered with the first, and changes nothing."""
        before, outcome = self.log, []
        known = self.stored.get(own)

        async def remember() -> None:
            outcome.append(await write())

        if not self._do(remember):
            return
        (answer,) = outcome
        entry: Entry = getattr(answer, "entry", None) or (answer[0] if isinstance(answer, tuple) else answer)
        assert entry == (known or self.log[-1])
        assert (known is None) or self.log == before
        self.stored[own] = entry
        if known is None and entry.facts["role"] == "user":
            self.asked.append(AnswerVisitor(self.name, entry.seq, self.row["epoch"]))

    def _do(self, command: Callable[[], Awaitable[Any]]) -> bool:
        """Whether it was done; one that was refused must have changed nothing."""

        async def run() -> bool:
            before = self.row, self.log, await self._jobs()
            try:
                await command()
            except KefuError:
                await self._check()
                assert (self.row, self.log, await self._jobs()) == before
                return False
            await self._check()
            return True

        return self._loop.run(run())

    async def _jobs(self) -> int:
        async with self._db.read() as tx:
            return await tx.scalar(select(func.count()).select_from(Job)) or 0

    async def _check(self) -> None:
        known = len(self.log)
        self.row, log = await all_of(self._db, self.name)
        assert log[:known] == self.log, "what is written stays"
        self.log = log
        assert columns_of(fold_all(self.name, log)) == self.row
        assert [one.seq for one in log] == list(range(1, len(log) + 1))
        stood = fold_all(self.name, log[:known])
        for one in log[known:]:
            obeyed(stood.status, stood.epoch, one)
            fold(stood, one)
        for follower in self.watching:
            if follower.is_here:
                await follower.look()
                assert follower.events == [
                    one.shown for one in log if follower.sees_internal or one.audience == "public"
                ]


def obeyed(status: str, epoch: int, one: Entry) -> None:
    """Each move is in the table, from where the session stood, and raises the epoch when it must."""
    facts = one.facts
    if one.type in set(Move):
        what = Move(one.type)
        assert facts["from"] == status
        assert MOVES[Status(status), what] == facts["to"]
        assert facts["epoch"] == epoch + (what in RAISES_EPOCH)
    else:
        assert one.type in {"session.opened", "message.posted", "answer.evidenced", *OFFERS}
        assert status != Status.CLOSED, "nothing is said in a closed session"


def publish(bus: LocalBus, entries: list[Entry]) -> None:
    for one in entries:
        bus.publish(notice_of(one))


def test_a_session_holds_to_its_word_whatever_is_done_to_it(sqlite_template: Path, tmp_path: Path) -> None:
    shutil.copyfile(sqlite_template, tmp_path / "kefu.db")
    with asyncio.Runner() as loop:
        db, bus = with_keys(Database(f"sqlite:///{tmp_path / 'kefu.db'}")), LocalBus()
        hub = Hub(db, bus)
        db.signals.listen("log", partial(publish, bus))

        class Here(Conversation):
            def __init__(self) -> None:
                super().__init__(loop, db, hub)

        run_state_machine_as_test(Here, settings=BOUNDED)
        loop.run(db.close())
