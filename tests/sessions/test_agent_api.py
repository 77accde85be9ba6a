"""What agents may do with a session: take it over, write, release, close, find it in the list."""

import base64
from typing import Any

import httpx2
import pytest

from actors import Agent, Stage, Visitor, code_of, data_of
from kefu.kit.db import Database
from kefu.sessions.states import Status
from sessions.records import bring_to, has_packet, log_of, row_of

FORGED = (
    '[1099511627776,1,"x"]', '[-1099511627776,1,"x"]', '[1,1,"a\\u0000b"]', "[1,1]", '[true,1,"x"]', '[1.5,1,"x"]',
    '{"a":1}', "[]", '[1,4611686018427387905,"x"]', "nonsense",
)  # fmt: skip


async def test_an_agent_takes_over_from_the_bot_the_queue_and_the_mailbox(stage: Stage, db: Database) -> None:
    agent = await stage.agent()
    for status in (Status.BOT_ACTIVE, Status.PENDING_MANUAL, Status.AFTER_HOURS_EMAIL):
        visitor = await stage.visitor()
        await bring_to(db, visitor.name, status)
        session = await agent.takes_over(visitor)
        assert (session["status"], session["epoch"]) == ("manual_live", 1)
        assert session["assigned_agent"] == {"id": agent.id, "name": "Mei"}
        assert session["manual_start_at"] == session["updated_at"]


async def test_who_takes_over_is_read_from_the_token_never_from_the_body(stage: Stage) -> None:
    agent, visitor = await stage.agent(), await stage.visitor()
    answer = await agent.acts("takeover", visitor, {"agent_id": "somebody", "agent_name": "Somebody"})
    assert data_of(answer)["assigned_agent"]["id"] == agent.id


async def test_the_refusal_names_the_winner_in_the_callers_language(stage: Stage) -> None:
    visitor, mei, bo = await stage.visitor(), await stage.agent("mei"), await stage.agent("bob")
    await mei.takes_over(visitor)
    messages = []
    for language in ("zh", "en"):
        answer = await bo.post(f"/api/sessions/{visitor.name}/takeover", **{"Accept-Language": language})
        assert (answer.status_code, code_of(answer)) == (409, "ALREADY_TAKEN")
        messages.append(answer.json()["error"]["message"])
    assert messages == ["该会话已由【Mei】接入。", "Mei has this conversation already."]


async def test_release_gives_the_session_back_and_the_bot_goes_on(visitor: Visitor, agent: Agent) -> None:
    await agent.takes_over(visitor)
    await visitor.says("are you there?")
    await agent.says(visitor, "yes")
    session = await agent.releases(visitor)
    assert (session["status"], session["epoch"], session["assigned_agent"]) == ("bot_active", 2, None)
    assert session["last_manual_end_at"] == session["updated_at"]
    released = await visitor.sees("session.released", reason="resolved", epoch=2, to="bot_active")
    assert released["actor"]["id"] == agent.id
    asked = await visitor.says("and now?")
    await visitor.sees("message.posted", role="assistant", reply_to=asked)


async def test_only_the_holder_or_a_lead_writes_releases_and_closes(stage: Stage, db: Database) -> None:
    mei, bo, boss = await stage.agent("mei"), await stage.agent("bob"), await stage.agent("boss", "supervisor")
    for act in ("write", "release", "close"):
        visitor = await stage.visitor()
        await mei.takes_over(visitor)
        log = await log_of(db, visitor.name)

        async def do(who: Agent, act: str = act, visitor: Visitor = visitor) -> httpx2.Response:
            return await (who.writes(visitor, "hello") if act == "write" else who.acts(act, visitor))

        refused = await do(bo)
        assert (refused.status_code, code_of(refused)) == (403, "NOT_HOLDER")
        assert refused.json()["error"]["details"] == {"agent": {"id": mei.id, "name": "Mei"}}
        assert await log_of(db, visitor.name) == log
        assert (await do(boss)).status_code == 200


async def test_a_session_that_nobody_holds_may_be_closed_by_any_agent(stage: Stage, db: Database) -> None:
    agent, visitor = await stage.agent(), await stage.visitor()
    session = await agent.closes(visitor, "spam")
    assert session["status"] == "closed"
    assert (await log_of(db, visitor.name))[-1].facts["reason"] == "spam"
    assert (await row_of(db, visitor.name))["closed_at"] is not None


async def test_an_agents_message_is_stored_once_and_seen_by_the_visitor(visitor: Visitor, agent: Agent) -> None:
    early = await agent.writes(visitor, "hello")
    assert (early.status_code, code_of(early)) == (409, "INVALID_STATUS")
    await agent.takes_over(visitor)
    first = data_of(await agent.writes(visitor, "您好", "a-1"))
    assert data_of(await agent.writes(visitor, "again", "a-1")) == first
    seen = await visitor.sees("message.posted", role="agent")
    assert (seen["content"], seen["seq"], seen["client_msg_id"]) == ("您好", first["seq"], "a-1")
    assert seen["actor"] == {"kind": "agent", "id": agent.id, "name": "Mei"}
    without_id = data_of(await agent.writes(visitor, "no id"))
    assert without_id["client_msg_id"].startswith("m_")


async def test_roles_may_do_what_their_permissions_say(stage: Stage) -> None:
    visitor, inspector = await stage.visitor(), await stage.agent("inspector", "inspector")
    assert (await inspector.get("/api/sessions")).status_code == 200
    assert (await inspector.get(f"/api/sessions/{visitor.name}")).status_code == 200
    refused = [
        await inspector.acts("takeover", visitor),
        await inspector.acts("release", visitor),
        await inspector.acts("close", visitor),
        await inspector.writes(visitor, "hello"),
        await inspector.post("/api/manual/escalate", {"session_name": visitor.name}),
        await inspector.post(f"/api/sessions/{visitor.name}/typing", {"active": True}),
        await visitor.get("/api/sessions"),
        await visitor.post(f"/api/sessions/{visitor.name}/takeover"),
        await visitor.post(f"/api/sessions/{visitor.name}/release"),
        await visitor.post(f"/api/sessions/{visitor.name}/close"),
    ]
    for answer in refused:
        assert (answer.status_code, code_of(answer)) == (403, "FORBIDDEN"), answer.request.url


class TestTheList:
    @pytest.fixture
    async def agent(self, stage: Stage) -> Agent:
        return await stage.agent()

    @pytest.fixture
    async def visitors(self, stage: Stage, db: Database, agent: Agent) -> dict[str, Visitor]:
        """One in each state, `live` held by the agent."""
        found = {status.value: await stage.visitor(session_id=f"s-{status}") for status in Status}
        for status in Status:
            if status == Status.MANUAL_LIVE:
                await agent.takes_over(found[status])
            else:
                await bring_to(db, f"s-{status}", status)
        return found

    @staticmethod
    async def names(agent: Agent, query: str) -> list[str]:
        data = data_of(await agent.get(f"/api/sessions?{query}"))
        assert data["total"] == len(data["sessions"]) or data["has_more"] or "cursor" in query
        return [one["session_name"].removeprefix("s-") for one in data["sessions"]]

    @pytest.mark.usefixtures("visitors")
    async def test_shows_who_waits_first_and_counts_every_state(self, agent: Agent) -> None:
        data = data_of(await agent.get("/api/sessions"))
        assert data["counts"] == {status.value: 1 for status in Status}
        assert (data["mine"], data["unassigned"]) == (1, 1)
        assert (data["total"], data["next_cursor"], data["has_more"], data["limit"]) == (5, None, False, 50)
        order = ["pending_manual", "manual_live", "after_hours_email", "bot_active", "closed"]
        assert [one["status"] for one in data["sessions"]] == order
        assert set(data["sessions"][0]) == {
            "session_name", "shop", "status", "seq", "epoch", "locale", "user_profile", "priority",
            "last_message_preview", "escalation", "assigned_agent", "assigned_until", "created_at", "updated_at",
            "message_count", "visitor_message_count", "mail_status", "tags", "rating", "unread",
        }  # fmt: skip

    async def test_is_filtered_by_state_agent_and_keyword(self, agent: Agent, visitors: dict[str, Visitor]) -> None:
        await agent.says(visitors["manual_live"], "100%_sure \\ 电池")
        for status in Status:
            assert await self.names(agent, f"status={status}") == [status]
        assert await self.names(agent, "agent=mine") == ["manual_live"]
        assert await self.names(agent, f"agent={agent.id}") == ["manual_live"]
        assert await self.names(agent, "agent=unassigned") == ["pending_manual"]
        assert await self.names(agent, "agent=nobody") == []
        for keyword in ("电池", "100%25_SURE", "%5C", "mei"):
            assert await self.names(agent, f"keyword={keyword}") == ["manual_live"]
        for keyword in ("1000_sure", "100%25sure", "nothing"):
            assert await self.names(agent, f"keyword={keyword}") == []
        assert await self.names(agent, "keyword=s-closed&status=closed") == ["closed"]

    @pytest.mark.parametrize("sort", ["default", "newest", "oldest", "waitTime"])
    async def test_pages_hold_each_session_once_in_order(self, stage: Stage, agent: Agent, sort: str) -> None:
        for _ in range(7):
            await stage.visitor()
        whole = await self.names(agent, f"sort={sort}")
        assert len(whole) == 7
        paged: list[str] = []
        cursor: str | None = ""
        for _ in range(3):
            data = data_of(await agent.get(f"/api/sessions?sort={sort}&limit=3&cursor={cursor}"))
            paged += [one["session_name"].removeprefix("s-") for one in data["sessions"]]
            assert data["has_more"] is (len(paged) < 7)
            cursor = data["next_cursor"]
        assert paged == whole
        assert cursor is None

    async def test_orders_are_what_their_names_say(self, stage: Stage, agent: Agent, db: Database) -> None:
        first, second, third = [await stage.visitor(session_id=f"s-{n}") for n in range(3)]
        for one in (second, first):
            await one.asks_for_a_person()
            await has_packet(db, one.name)  # which changes the session, too
        await agent.closes(third)
        assert await self.names(agent, "sort=newest") == ["2", "0", "1"]
        assert await self.names(agent, "sort=oldest") == ["1", "0", "2"]
        assert await self.names(agent, "sort=waitTime&status=pending_manual") == ["1", "0"]

    async def test_a_forged_cursor_is_refused_or_harmless(self, agent: Agent) -> None:
        for key in FORGED:
            cursor = base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")
            answer = await agent.get(f"/api/sessions?cursor={cursor}")
            if answer.status_code != 200:
                assert (answer.status_code, code_of(answer)) == (422, "BAD_CURSOR"), key

    async def test_a_cursor_of_another_order_is_refused(self, stage: Stage, agent: Agent) -> None:
        for _ in range(2):
            await stage.visitor()
        cursor = data_of(await agent.get("/api/sessions?limit=1"))["next_cursor"]
        answer = await agent.get(f"/api/sessions?limit=1&sort=newest&cursor={cursor}")
        assert (answer.status_code, code_of(answer)) == (422, "BAD_CURSOR")

    async def test_a_query_that_makes_no_sense_names_its_fields(self, agent: Agent) -> None:
        for query, field in [
            ("limit=0", "limit"),
            ("limit=101", "limit"),
            ("limit=x", "limit"),
            ("status=gone", "status.0"),
            ("status=closed,gone", "status.1"),
            ("customer_type=x", "customer_type"),
            ("shop=A%20B", "shop"),
            ("tag=%27", "tag"),
            ("time_start=x", "time_start"),
            ("time_start=nan", "time_start"),
            ("time_end=-1", "time_end"),
            ("time_end=1e300", "time_end"),
            ("sort=best", "sort"),
            ("agent=a%20b", "agent"),
            ("keyword=a%00b", "keyword"),
            (f"keyword={'x' * 101}", "keyword"),
            (f"cursor={'x' * 401}", "cursor"),
        ]:
            answer = await agent.get(f"/api/sessions?{query}")
            fields: list[dict[str, Any]] = answer.json()["error"]["details"]["fields"]
            assert (answer.status_code, [one["field"] for one in fields]) == (422, [field]), query
