"""What each reader has read, and replies that are sent only in knowledge of what others wrote (spec S5, H8)."""

import asyncio
import random
from importlib import import_module
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import select, text, update

from actors import Agent, Stage, Visitor, code_of, data_of
from kefu.kit.db import Database
from kefu.kit.ids import new_id
from kefu.sessions import service
from kefu.sessions.models import ReadMark, Session, stream_of
from kefu.sessions.post import post
from kefu.sessions.reading import Seen, StaleView
from kefu.sessions.since import since
from sessions.records import log_of, row_of


@pytest.fixture
def stage(db: Database, client: httpx2.AsyncClient) -> Stage:
    return Stage(db, client)


async def marks_of(db: Database, visitor: Visitor) -> dict[str, tuple[int, int]]:
    """By reader: seq and read_count."""
    async with db.read() as tx:
        rows = (await tx.execute(select(ReadMark).where(ReadMark.session == visitor.name))).scalars()
        return {row.reader: (row.seq, row.read_count) for row in rows}


async def listed(agent: Agent, visitor: Visitor) -> Any:
    sessions = data_of(await agent.get("/api/sessions"))["sessions"]
    return next(one for one in sessions if one["session_name"] == visitor.name)


async def test_unread_is_what_the_other_side_wrote_since_the_mark(stage: Stage, visitor: Visitor, agent: Agent) -> None:
    other = await stage.agent("bob", "supervisor")
    await agent.takes_over(visitor)
    said = [await visitor.says(f"message {n}") for n in range(3)]
    answer = await agent.says(visitor, "hello")
    assert (await listed(agent, visitor))["unread"] == 3
    assert (await listed(agent, visitor))["visitor_message_count"] == 3
    assert await agent.has_read(visitor, said[1]) == {"seq": said[1], "unread": 1}
    assert (await listed(agent, visitor))["unread"] == (await agent.reads(visitor))["unread"] == 1
    assert (await listed(other, visitor))["unread"] == 3
    assert await agent.has_read(visitor, answer) == {"seq": answer, "unread": 0}
    await visitor.says("and another")
    assert (await listed(agent, visitor))["unread"] == 1
    shown = await visitor.reads()
    assert (shown["unread"], shown["read_marks"]) == (1, {"visitor": 0, "agents": answer})
    assert await visitor.has_read(answer) == {"seq": answer, "unread": 0}
    assert (await agent.reads(visitor))["read_marks"] == {"visitor": answer, "agents": answer}


async def test_a_mark_only_moves_forward_and_ends_where_the_log_ends(
    db: Database, visitor: Visitor, agent: Agent
) -> None:
    await agent.takes_over(visitor)
    first, last = await visitor.says("one"), await visitor.says("two")
    assert await agent.has_read(visitor, 2**53) == {"seq": last, "unread": 0}
    for earlier in (first, 1, last):
        assert await agent.has_read(visitor, earlier) == {"seq": last, "unread": 0}
    assert await marks_of(db, visitor) == {agent.id: (last, 2)}


async def test_two_tabs_that_race_leave_the_mark_at_the_furthest(db: Database, visitor: Visitor, agent: Agent) -> None:
    await agent.takes_over(visitor)
    said = [await visitor.says(f"message {n}") for n in range(12)]
    chance = random.Random(3)
    for _ in range(5):
        await asyncio.gather(*(agent.has_read(visitor, seq) for seq in chance.sample(said, len(said))))
        assert await marks_of(db, visitor) == {agent.id: (said[-1], 12)}


async def test_who_may_not_read_marks_nothing(stage: Stage, db: Database, visitor: Visitor, agent: Agent) -> None:
    path, other = f"/api/sessions/{visitor.name}/read", await stage.visitor()
    answers = [
        (await stage.http.post(path, json={"seq": 1}), 401, "TOKEN_REQUIRED"),
        (await other.post(path, {"seq": 1}), 403, "FOREIGN_SESSION"),
        (await agent.post("/api/sessions/s_nobody/read", {"seq": 1}), 404, "SESSION_NOT_FOUND"),
        *[
            (await agent.post(path, body), 422, "VALIDATION_FAILED")
            for body in ({}, {"seq": 0}, {"seq": -1}, {"seq": "1"}, {"seq": 1.5}, {"seq": 2**53 + 1}, {"seq": None})
        ],
    ]
    for answer, status, code in answers:
        assert (answer.status_code, code_of(answer)) == (status, code)
    assert await marks_of(db, visitor) == {}


async def test_the_visitors_messages_of_an_older_database_are_counted(
    stage: Stage, db: Database, visitor: Visitor, agent: Agent
) -> None:
    await visitor.says("one")
    await agent.takes_over(visitor)
    await agent.says(visitor, "hello")
    await visitor.says("two")
    await stage.visitor()
    async with db.write() as tx:
        await tx.execute(update(Session).values(visitor_message_count=77))
        await tx.execute(text(import_module("kefu.migrations.versions.0003_read_marks").FILL.replace(":", r"\:")))
    async with db.read() as tx:
        counts = (await tx.execute(select(Session.name, Session.visitor_message_count))).all()
    assert sorted(count for _, count in counts) == [0, 2]
    assert dict(counts)[visitor.name] == 2


async def test_followers_who_come_together_read_what_each_would_alone(db: Database, stage: Stage) -> None:
    async def read_alone(name: str, after: int, *, public_only: bool) -> tuple[int, list[int]]:
        log = [one for one in await log_of(db, name) if one.seq > after]
        return (await row_of(db, name))["seq"], [one.seq for one in log if one.audience == "public" or not public_only][
            :3
        ]

    agent = await stage.agent()
    visitors = [await stage.visitor() for _ in range(5)]
    for n, visitor in enumerate(visitors):
        for said in range(n):
            await visitor.says(f"message {said}")
        await agent.takes_over(visitor)
    asked = [(one.name, after, public) for one in visitors for after in (0, 2, 99) for public in (True, False)] * 2
    asking = [since(db, name, after, public_only=public, limit=3) for name, after, public in asked]
    found = await asyncio.gather(*asking, since(db, "nobody", 0, public_only=True))
    assert found.pop() is None
    for (name, after, public), one in zip(asked, found, strict=True):
        assert one is not None
        head, entries = one
        assert (head.seq, [entry.seq for entry in entries]) == await read_alone(name, after, public_only=public)
        assert {entry.stream for entry in entries} <= {stream_of(name)}
        assert (head.name, head.status) == (name, "manual_live")


class TestAReply:
    @pytest.fixture
    async def seen(self, visitor: Visitor, agent: Agent) -> int:
        """How far the agent, who has the session, has read."""
        await agent.takes_over(visitor)
        return await visitor.says("hello?")

    async def test_is_sent_when_nobody_else_wrote_since(
        self, db: Database, visitor: Visitor, agent: Agent, seen: int
    ) -> None:
        first = data_of(await agent.writes(visitor, "yes?", seen_seq=seen))
        data_of(await agent.writes(visitor, "are you there?", seen_seq=seen))
        assert (await marks_of(db, visitor))[agent.id] == (seen, 1), "what was read before it is read"
        assert data_of(await agent.writes(visitor, "anyway", seen_seq=2**53))["seq"] == first["seq"] + 2

    async def test_is_refused_with_what_the_visitor_wrote(
        self, db: Database, visitor: Visitor, agent: Agent, seen: int
    ) -> None:
        late = [await visitor.says(f"wait {n}") for n in range(23)]
        log, marks = await log_of(db, visitor.name), await marks_of(db, visitor)
        refused = await agent.writes(visitor, "done", "a-1", seen_seq=seen)
        assert (refused.status_code, code_of(refused)) == (409, "STALE_VIEW")
        details = refused.json()["error"]["details"]
        assert details["seq"] == late[-1]
        assert details["missed"] == [one.shown for one in log][-20:]
        assert (await log_of(db, visitor.name), await marks_of(db, visitor)) == (log, marks)
        sent = data_of(await agent.writes(visitor, "done", "a-1", seen_seq=late[-1]))
        assert sent["client_msg_id"] == "a-1"

    async def test_is_refused_with_what_a_colleague_wrote(
        self, stage: Stage, visitor: Visitor, agent: Agent, seen: int
    ) -> None:
        boss = await stage.agent("boss", "supervisor")
        await boss.says(visitor, "I do this")
        refused = await agent.writes(visitor, "I do this", seen_seq=seen)
        assert (refused.status_code, code_of(refused)) == (409, "STALE_VIEW")
        (missed,) = refused.json()["error"]["details"]["missed"]
        assert (missed["content"], missed["actor"]["id"]) == ("I do this", boss.id)
        body = {"session_name": visitor.name, "role": "agent", "content": "I do this", "seen_seq": seen}
        chinese = await agent.post("/api/manual/messages", body, **{"Accept-Language": "zh"})
        assert chinese.json()["error"]["message"] == "您查看之后会话有新消息。"

    async def test_is_not_refused_for_what_the_bot_said(self, visitor: Visitor, agent: Agent) -> None:
        asked: int = data_of(await visitor.post("/api/chat", {"message": "hello?", "user_id": visitor.name}))["seq"]
        await agent.takes_over(visitor)
        data_of(await agent.writes(visitor, "hello", seen_seq=asked))

    async def test_that_is_forced_is_sent_and_leaves_a_trace(
        self, db: Database, visitor: Visitor, agent: Agent, seen: int
    ) -> None:
        await visitor.says("wait")
        await visitor.says("no")
        sent = data_of(await agent.writes(visitor, "done", seen_seq=seen, force=True))
        *_, posted, forced = await log_of(db, visitor.name)
        assert (posted.seq, forced.type, forced.audience) == (sent["seq"], "reply.forced", "internal")
        assert forced.facts == {"seen_seq": seen, "missed": 2, "message_seq": sent["seq"]}
        assert forced.shown["actor"]["id"] == agent.id
        data_of(await agent.writes(visitor, "more", seen_seq=forced.seq, force=True))
        assert (await log_of(db, visitor.name))[-1].type == "message.posted", "nothing was missed, nothing was forced"

    async def test_that_was_stored_is_answered_as_before_whatever_came_since(
        self, db: Database, visitor: Visitor, agent: Agent, seen: int
    ) -> None:
        first = data_of(await agent.writes(visitor, "yes?", "a-1", seen_seq=seen))
        await visitor.says("wait")
        log = await log_of(db, visitor.name)
        for force in (False, True):
            assert data_of(await agent.writes(visitor, "yes?", "a-1", seen_seq=seen, force=force)) == first
        assert await log_of(db, visitor.name) == log

    async def test_without_a_word_of_what_was_seen_is_sent(self, visitor: Visitor, agent: Agent, seen: int) -> None:
        assert await agent.says(visitor, "hello") == seen + 1

    async def test_with_a_seen_seq_that_is_none_is_422(self, visitor: Visitor, agent: Agent, seen: int) -> None:
        for wrong in (-1, "1", 1.5, 2**53 + 1, True):
            answer = await agent.writes(visitor, "hello", seen_seq=wrong)
            assert (answer.status_code, code_of(answer)) == (422, "VALIDATION_FAILED"), wrong
        answer = await agent.writes(visitor, "hello", seen_seq=seen, force="yes")
        assert answer.json()["error"]["details"]["fields"][0]["field"] == "force"


class OverHttp:
    """How people act in a race. A reply returns its seq, or None when it was stale."""

    def __init__(self, holder: Agent, lead: Agent) -> None:
        self._agents = [holder, lead]

    async def replies(self, who: int, visitor: Visitor, seen: int, *, force: bool = False) -> int | None:
        answer = await self._agents[who].writes(visitor, "mine", seen_seq=seen, force=force)
        if answer.status_code == 409:
            assert code_of(answer) == "STALE_VIEW"
            return None
        seq: int = data_of(answer)["seq"]
        return seq

    async def posts(self, visitor: Visitor) -> int:
        return await visitor.says("wait")


class Directly:
    """The same commands without HTTP around them: many more in the same time."""

    def __init__(self, db: Database, holder: Agent, lead: Agent) -> None:
        self._db = db
        self._members = [service.Member(holder.id, "Mei"), service.Member(lead.id, "Boss", is_lead=True)]

    async def replies(self, who: int, visitor: Visitor, seen: int, *, force: bool = False) -> int | None:
        view, reply = Seen(seen, force=force), service.Reply("mine", new_id("m"))
        try:
            async with self._db.write() as tx:
                stored = await service.post_by_agent(tx, visitor.name, self._members[who], reply, view)
        except StaleView:
            return None
        return stored.seq

    async def posts(self, visitor: Visitor) -> int:
        return (await post(self._db, visitor.name, "wait", new_id("m"))).entry.seq


async def colleagues(people: OverHttp | Directly, visitor: Visitor, seen: int, *, force: bool) -> int:
    """The holder and a lead reply to the same view at once: one is sent, both when forced. Returns the log's end."""
    order = random.sample([0, 1], 2)
    sent = await asyncio.gather(*(people.replies(who, visitor, seen, force=force) for who in order))
    stored = sorted(seq for seq in sent if seq is not None)
    assert stored == ([seen + 1, seen + 2] if force else [seen + 1])
    return seen + 1 + 2 * force


async def agent_and_visitor(people: OverHttp | Directly, visitor: Visitor, seen: int) -> int:
    """The visitor's message is stored in any case; the reply only when it came first."""
    reply, said = await asyncio.gather(people.replies(0, visitor, seen), people.posts(visitor))
    assert (reply, said) in {(seen + 1, seen + 2), (None, seen + 1)}
    return said


TABLES = 20


@pytest.mark.parametrize(("way", "rounds"), [("over HTTP", 10), ("directly", 40)])
async def test_of_two_who_reply_to_the_same_view_at_once_one_is_sent(
    app: FastAPI, stage: Stage, db: Database, way: str, rounds: int
) -> None:
    """A thousand races; of five two are with the visitor, and one is forced."""
    holder, lead = await stage.agent("mei"), await stage.agent("boss", "supervisor")
    people = OverHttp(holder, lead) if way == "over HTTP" else Directly(app.state.db, holder, lead)

    async def table() -> None:
        visitor = await stage.visitor()
        await holder.takes_over(visitor)
        seen: int = (await row_of(db, visitor.name))["seq"]
        for n in range(rounds):
            if n % 5 < 2:
                seen = await agent_and_visitor(people, visitor, seen)
            else:
                seen = await colleagues(people, visitor, seen, force=n % 5 == 4)
        log = await log_of(db, visitor.name)
        assert [one.seq for one in log] == list(range(1, seen + 1))

    await asyncio.gather(*(table() for _ in range(TABLES)))
