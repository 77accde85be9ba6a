"""The session's row is the fold of its log (spec S2), and the hot path writes what the slow one writes."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from kefu.collaboration import tags
from kefu.jobs.models import Job
from kefu.jobs.queue import finish
from kefu.kit.db import Database
from kefu.kit.errors import KefuError
from kefu.kit.ids import new_id
from kefu.log.log import VISITOR, Entry
from kefu.sessions import identifying, ratings, service
from kefu.sessions.answers import post_answer, post_by_bot
from kefu.sessions.fold import fold_all
from kefu.sessions.post import Posted, post
from kefu.sessions.states import Move, Status
from kefu.sessions.tagged import tags_of
from kefu.sessions.work import AnswerVisitor
from kefu.shops.customers import Customer
from kefu.shops.service import first_shop
from sessions.records import all_of, bring, bring_to, columns_of, log_of, open_session, row_of

MEI = service.Member("agent_1", "Mei")
LI = service.Member("agent_2", "李雷", is_lead=True)
TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=200
) | st.sampled_from(["在吗？", "x" * 5000, '"quoted" \\ {$1}', "🚲" * 90])
CLAIM = Customer("ada", name="Ada", doubt="no_proof")
ADA = Customer("ada", name="Ada", email="ada@shop.example", verified_by="token")
ADA_BY_HASH = Customer("ada", verified_by="hash")
IDS = st.sampled_from([None, "one", "two", "three"])
COMMANDS = st.one_of(
    st.tuples(st.just("visitor posts"), TEXTS, st.sampled_from(["one", "two", "three", "four"])),
    st.tuples(st.just("visitor posts slowly"), TEXTS, IDS),
    st.tuples(st.just("agent posts"), st.sampled_from([MEI, LI]), TEXTS, IDS),
    st.tuples(st.sampled_from(["bot answers", "bot answers slowly"]), st.booleans()),
    st.tuples(st.just("escalate"), st.sampled_from(["manual", "fail_loop"]), TEXTS),
    st.tuples(st.sampled_from(["take over", "release", "close"]), st.sampled_from([MEI, LI])),
    st.tuples(st.sampled_from(["tag", "untag"]), st.sampled_from(["tag_vip", "tag_refund", "tag_urgent"])),
    st.tuples(st.just("rate"), st.integers(1, 5)),
    st.tuples(st.just("sign"), st.sampled_from([CLAIM, ADA, ADA_BY_HASH, None])),
    st.tuples(st.just("move"), st.sampled_from([Move.TRANSFER, Move.LOSE_AGENT, Move.RETURN, Move.DEFER])),
)


EVIDENCE = {"draft_id": "d_1", "provider": "test", "passages": [{"text": "它在盒子里。"}]}


def said(text: str, *, answered: bool) -> dict[str, Any]:
    return {"content": text, "draft_id": "d_1", "answered": answered, "sources": []}


async def newest(db: Database, name: str) -> AnswerVisitor:
    """What the handler of the newest message is asked, in the epoch of this moment."""
    row = await row_of(db, name)
    return AnswerVisitor(name, row["last_visitor_seq"], row["epoch"])


Answering = Callable[[Database, AnswerVisitor, dict[str, Any], int], Awaitable[None]]


async def answer_slowly(db: Database, work: AnswerVisitor, answer: dict[str, Any], job: int) -> None:
    async with db.write() as tx:
        await post_by_bot(tx, work, answer, EVIDENCE)
        await finish(tx, job)


async def answer(db: Database, work: AnswerVisitor, answer: dict[str, Any], job: int) -> None:
    await post_answer(db, work, answer, EVIDENCE, job)


async def sign(db: Database, name: str, customer: Customer | None) -> None:
    """In, or out for None."""
    async with db.write() as tx:
        session = await service.locked(tx, name)
        if customer:
            await identifying.sign_in(tx, session, customer)
        else:
            await identifying.sign_out(tx, session)


async def run(db: Database, name: str, command: tuple[Any, ...]) -> None:
    """Raises KefuError for a command that is refused."""
    match command:
        case "visitor posts", content, client_msg_id:
            await post(db, name, content, client_msg_id, (await row_of(db, name))["identity_epoch"])
        case ("bot answers" | "bot answers slowly") as how, answered:
            write = answer if how == "bot answers" else answer_slowly
            await write(db, await newest(db, name), said("It is in the box.", answered=answered), 0)
        case "move", what:
            await bring(db, name, what)
        case "sign", customer:
            await sign(db, name, customer)
        case _:
            async with db.write() as tx:
                await run_in(tx, name, command)


async def run_in(tx: Any, name: str, command: tuple[Any, ...]) -> None:
    match command:
        case "visitor posts slowly", content, client_msg_id:
            await service.post_by_visitor(tx, name, content, client_msg_id)
        case "agent posts", member, content, client_msg_id:
            await service.post_by_agent(tx, name, member, service.Reply(content, client_msg_id))
        case "escalate", reason, details:
            await service.escalate(tx, name, VISITOR, reason, details)
        case "take over", member:
            await service.take_over(tx, name, member)
        case "release", member:
            await service.release(tx, name, member, "resolved")
        case "tag", tag:
            await tags.tag_session(tx, name, [tag], LI)
        case "untag", tag:
            await tags.untag_session(tx, name, tag, LI)
        case "rate", score:
            await ratings.rate(tx, name, ratings.Verdict(score))
        case "close", member:
            await service.close(tx, name, member, "resolved")


async def carried(db: Database, name: str) -> set[str]:
    """The tags as the table beside the rows has them."""
    async with db.read() as tx:
        return {row.tag for row in await tags_of(tx, name)}


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(commands=st.lists(COMMANDS, min_size=1, max_size=30))
async def test_folding_the_log_again_gives_the_same_row(db: Database, commands: list[tuple[Any, ...]]) -> None:
    name = new_id("s")
    async with db.write() as tx:
        await first_shop(tx)
    await open_session(db, name)
    for command in commands:
        before = await all_of(db, name)
        try:
            await run(db, name, command)
        except KefuError:
            assert await all_of(db, name) == before
    row, log = await all_of(db, name)
    assert columns_of(fold_all(name, log)) == row
    assert await carried(db, name) == set(row["tags"])
    assert [one.seq for one in log] == list(range(1, len(log) + 1))
    assert [one.at for one in log] == sorted(one.at for one in log)
    ids = [one.client_msg_id for one in log if one.client_msg_id]
    assert len(ids) == len(set(ids))


TIMES = {"at", "run_at", "created_at", "updated_at", "last_message_at", "closed_at", "escalated_at"}
TIMES |= {"manual_started_at", "manual_ended_at", "replied_at"}
OWN = {"name", "conversation_id", "visitor_id", "nickname", "stream", "id"}


async def jobs_of(db: Database, name: str) -> list[dict[str, Any]]:
    async with db.read() as tx:
        jobs = (await tx.execute(select(Job).order_by(Job.id))).scalars()
        rows = [{column.name: getattr(job, column.name) for column in Job.__table__.columns} for job in jobs]
    for row in rows:
        row["payload"] = orjson.loads(row["payload"])
    return [row for row in rows if row["payload"].pop("session") == name]


async def written(db: Database, name: str) -> Any:
    """Everything that was written, without times and names."""

    def plain(row: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in row.items() if key not in TIMES | OWN}

    row, log = await all_of(db, name)
    events = [plain({field: getattr(one, field) for field in Entry.__slots__}) for one in log[1:]]
    return plain(row), events, [plain(job) for job in await jobs_of(db, name)]


async def post_slowly(db: Database, name: str, content: str, client_msg_id: str) -> Posted:
    async with db.write() as tx:
        entry, session = await service.post_by_visitor(tx, name, content, client_msg_id)
        return Posted(entry, session.status)


async def test_the_hot_path_writes_what_the_slow_path_writes(db: Database) -> None:
    texts = ["hello", "在吗？这款车能上飞机吗？", '"quoted" \\ {$1} ' * 20, "🚲" * 100, "x" * 5000, "hello"]
    for status in Status:
        for path, write in (("hot", post), ("slow", post_slowly)):
            name = f"{status}-{path}"
            await open_session(db, name)
            await bring_to(db, name, status)
            for n, text in enumerate(texts):
                posted = await write(db, name, text, f"id-{n % 5}")
                entries = {one.client_msg_id: one for one in await log_of(db, name)}
                assert posted.entry == entries[f"id-{n % 5}"]
                assert posted.status == (await row_of(db, name))["status"]
        assert await written(db, f"{status}-hot") == await written(db, f"{status}-slow")


async def test_the_hot_path_of_the_bot_writes_what_the_slow_path_writes(db: Database) -> None:
    for status in Status:
        for path, write in (("hot", answer), ("slow", answer_slowly)):
            name = f"{status}-{path}"
            await open_session(db, name)
            assert await _answers(db, name, write) == [False, False, True] * len(SAID)
            await post(db, name, "and now?", "last")
            work = await newest(db, name)
            await bring_to(db, name, status)
            assert await _is_written(db, work, write, "Yes.") == (status == Status.BOT_ACTIVE)
            assert not await _is_written(db, work, write, "Yes.")
        assert await written(db, f"{status}-hot") == await written(db, f"{status}-slow")


SAID = ["hello", "在吗？", '"quoted" \\ {$1} ?2' * 20, "🚲" * 100, "x" * 5000]


async def _answers(db: Database, name: str, write: Answering) -> list[bool]:
    """To each message one of another epoch, one to another message and the right one: which were written."""
    outcomes = []
    for n, text in enumerate(SAID):
        await post(db, name, text, f"id-{n}")
        work = await newest(db, name)
        wrong = replace(work, epoch=work.epoch + 1), replace(work, seq=work.seq - 1)
        outcomes += [await _is_written(db, one, write, text) for one in (*wrong, work)]
    return outcomes


async def _is_written(db: Database, work: AnswerVisitor, write: Answering, text: str) -> bool:
    async with db.read() as tx:
        jobs = (await tx.execute(select(Job))).scalars()
        job = next((job.id for job in jobs if orjson.loads(job.payload) == asdict(work)), 0)
    try:
        await write(db, work, said(text, answered=len(text) % 2 > 0), job)
    except service.Stale:
        return False
    return True


async def test_the_hot_path_never_runs_back_in_time(db: Database) -> None:
    """The clock of this process may be behind that of another one."""
    await open_session(db, "s")
    async with db.write() as tx:
        session = await service.locked(tx, "s")
        session.updated_at += 60_000
    ahead = (await row_of(db, "s"))["updated_at"]
    posted = await post(db, "s", "hello", "one")
    row, log = await all_of(db, "s")
    assert posted.entry.at == log[-1].at == row["updated_at"] == row["last_message_at"] == ahead
    await answer(db, await newest(db, "s"), said("Hello!", answered=True), 0)
    row, log = await all_of(db, "s")
    assert {one.at for one in log[-3:]} == {row["updated_at"], row["last_message_at"]} == {ahead}


async def test_both_paths_announce_what_they_wrote(db: Database) -> None:
    heard: list[Entry] = []
    lanes: list[str] = []
    db.signals.listen("log", heard.extend)
    db.signals.listen("jobs", lanes.append)
    await open_session(db, "s")
    await post(db, "s", "hello", "one")
    await post_slowly(db, "s", "hello", "two")
    await post(db, "s", "a repeat", "one")
    await answer(db, await newest(db, "s"), said("你好", answered=True), 0)
    assert heard == await log_of(db, "s")
    assert lanes == ["talk", "talk"]
    async with db.write() as tx:
        await tx.execute(delete(Job))
    await bring_to(db, "s", Status.MANUAL_LIVE)
    await post(db, "s", "is somebody there?", "three")
    assert lanes == ["talk", "talk"]
    assert await jobs_of(db, "s") == []
