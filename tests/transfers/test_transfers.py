"""A session goes from one agent to another: asked, answered, forced, taken back, overtaken, or forgotten."""

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from actors import Agent, Stage, Visitor, code_of, data_of
from kefu.jobs.models import Job
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.sessions.fold import fold_all
from kefu.sessions.states import Move
from kefu.workers import bulk_worker
from sessions.records import bring, columns_of, log_of, row_of
from transfers.desk import answers, asked, asks, hired, history, on_duty, pending


@pytest.fixture
async def mei(db: Database, stage: Stage) -> Agent:
    return await hired(db, stage, "mei")


@pytest.fixture
async def bob(db: Database, stage: Stage) -> Agent:
    return await hired(db, stage, "bob")


@pytest.fixture
async def held(visitor: Visitor, mei: Agent) -> Visitor:
    """A visitor whom Mei serves."""
    await mei.takes_over(visitor)
    return visitor


async def types_of(db: Database, visitor: Visitor) -> list[str]:
    return [one.type for one in await log_of(db, visitor.name)]


async def test_a_colleague_who_accepts_has_the_session_and_the_visitor_sees_one_line(
    db: Database, held: Visitor, mei: Agent, bob: Agent
) -> None:
    desk, stream = await bob.watches_the_desk(), await held.follows(held.name)
    await desk.sees("stream.ready")
    request_id = await asked(mei, held, bob, reason="language", note="Speaks Dutch")
    told = await desk.sees("transfer.changed", request_id=request_id, status="pending")
    assert (told["from_agent"], told["session"]) == ({"id": mei.id, "name": "Mei"}, held.name)
    assert await pending(bob) == ([request_id], [])
    assert await pending(mei) == ([], [request_id])

    session = data_of(await answers(bob, request_id, "accept", "Gladly"))

    assert session["assigned_agent"] == {"id": bob.id, "name": "Bob"}
    assert (session["status"], session["epoch"]) == ("manual_live", 2)
    seen = await stream.sees("session.transferred", agent={"id": bob.id, "name": "Bob"}, epoch=2)
    assert seen["from_agent"] == {"id": mei.id, "name": "Mei"}
    assert not {"reason", "note"} & seen.keys()
    assert await pending(bob) == await pending(mei) == ([], [])
    (record,) = await history(bob, held)
    assert (record["accepted"], record["decision"], record["reason"]) == (True, "accepted", "language")
    assert (record["note"], record["response_note"]) == ("Speaks Dutch", "Gladly")
    late = await mei.writes(held, "I was just about to…")
    assert (late.status_code, code_of(late)) == (403, "NOT_HOLDER")
    await bob.says(held, "Goedemiddag")
    assert columns_of(fold_all(held.name, await log_of(db, held.name))) == await row_of(db, held.name)


async def test_a_visitor_sees_nothing_of_requests_by_any_road(held: Visitor, mei: Agent, bob: Agent) -> None:
    stream = await held.follows(held.name)
    for action in ("decline", "accept"):
        await answers(bob, await asked(mei, held, bob, note="difficult"), action, "hm")
    await stream.sees("session.transferred")
    replay = (await held.get(f"/api/sessions/{held.name}/events?wait=0")).json()["data"]["events"]
    whole = data_of(await held.get(f"/api/sessions/{held.name}"))
    public = {"session.opened", "session.taken_over", "session.transferred"}
    assert {one["type"] for one in stream.events} == {one["type"] for one in replay} == public
    assert "difficult" not in f"{whole}{replay}{stream.frames}"
    for path in ("transfer-requests/pending", f"sessions/{held.name}/transfer-history", "agents/available"):
        assert (await held.get(f"/api/{path}")).status_code == 403
    assert (await held.post(f"/api/sessions/{held.name}/transfer", {"to_agent_id": bob.id})).status_code == 403


async def test_a_colleague_may_decline_and_the_session_stays(held: Visitor, mei: Agent, bob: Agent) -> None:
    desk = await mei.watches_the_desk()
    request_id = await asked(mei, held, bob)
    session = data_of(await answers(bob, request_id, "decline", "At lunch"))
    assert session["assigned_agent"]["id"] == mei.id
    await desk.sees("transfer.changed", status="declined", note="At lunch")
    again = await answers(bob, request_id, "decline")
    assert again.status_code == 200
    refused = await answers(bob, request_id, "accept")
    assert (refused.status_code, code_of(refused)) == (409, "REQUEST_ENDED")
    assert await asked(mei, held, bob) != request_id


async def test_a_request_is_taken_back_by_who_asked_the_holder_or_a_lead(
    db: Database, stage: Stage, held: Visitor, mei: Agent, bob: Agent
) -> None:
    boss, eve = await stage.agent("boss", "supervisor"), await stage.agent("eve")
    for who in (mei, boss):
        request_id = await asked(boss, held, bob)
        foreign = await eve.post(f"/api/transfer-requests/{request_id}/cancel")
        assert (foreign.status_code, code_of(foreign)) == (403, "PERMISSION_DENIED")
        for _ in range(2):
            assert data_of(await who.post(f"/api/transfer-requests/{request_id}/cancel"))["status"] == "cancelled"
        late = await answers(bob, request_id, "accept")
        assert (late.status_code, code_of(late)) == (409, "REQUEST_ENDED")
    assert (await types_of(db, held)).count("transfer.cancelled") == 2


async def test_only_the_holder_or_a_lead_asks_and_only_somebody_who_can(
    db: Database, stage: Stage, visitor: Visitor, mei: Agent, bob: Agent
) -> None:
    eve, inspector = await hired(db, stage, "eve", status="offline"), await hired(db, stage, "ins", "inspector")
    early = await asks(mei, visitor, bob)
    assert (early.status_code, code_of(early)) == (409, "INVALID_STATUS")
    await mei.takes_over(visitor)
    log = await log_of(db, visitor.name)
    path = f"/api/sessions/{visitor.name}/transfer"
    refused = [
        (await asks(bob, visitor, eve), 403, "HIDDEN_SESSION"),
        (await asks(mei, visitor, mei), 409, "TRANSFER_TO_HOLDER"),
        (await asks(mei, visitor, eve), 409, "AGENT_OFFLINE"),
        (await asks(mei, visitor, inspector), 404, "AGENT_NOT_FOUND"),
        (await asks(mei, visitor, bob, reason="  "), 422, "REASON_REQUIRED"),
        (await asks(mei, visitor, bob, force=True), 403, "FORBIDDEN"),
        (await asks(inspector, visitor, bob), 403, "FORBIDDEN"),
        (await mei.post(path, {"to_agent_id": bob.id}), 422, "REASON_REQUIRED"),
        (await mei.post(path, {"to_agent_id": "nobody", "reason": "x"}), 404, "AGENT_NOT_FOUND"),
        (await mei.post(path, {"to_agent_id": 7, "reason": "x"}), 422, "VALIDATION_FAILED"),
        (await mei.post(path, {"to_agent_id": bob.id, "reason": "x" * 201}), 422, "VALIDATION_FAILED"),
        (
            await mei.post("/api/sessions/none/transfer", {"to_agent_id": bob.id, "reason": "x"}),
            404,
            "SESSION_NOT_FOUND",
        ),
        (await answers(bob, "none", "accept"), 404, "REQUEST_NOT_FOUND"),
        (await answers(bob, "none", "perhaps"), 422, "VALIDATION_FAILED"),
        (await mei.post("/api/transfer-requests/none/cancel"), 404, "REQUEST_NOT_FOUND"),
        (await mei.get("/api/sessions/none/transfer-history"), 404, "SESSION_NOT_FOUND"),
    ]
    for answer, status, code in refused:
        assert (answer.status_code, code_of(answer)) == (status, code), answer.request.url
    assert await log_of(db, visitor.name) == log


async def test_one_request_at_a_time_and_a_repeat_is_the_same_one(
    db: Database, stage: Stage, held: Visitor, mei: Agent, bob: Agent
) -> None:
    eve = await hired(db, stage, "eve")
    request_id = await asked(mei, held, bob)
    assert await asked(mei, held, bob) == request_id
    second = await asks(mei, held, eve)
    assert (second.status_code, code_of(second)) == (409, "TRANSFER_PENDING")
    assert second.json()["error"]["details"]["agent"]["id"] == bob.id
    foreign = await answers(eve, request_id, "accept")
    assert (foreign.status_code, code_of(foreign)) == (403, "PERMISSION_DENIED")


async def test_nobody_takes_more_than_they_may_have(
    db: Database, stage: Stage, held: Visitor, mei: Agent, bob: Agent
) -> None:
    request_id = await asked(mei, held, bob)
    await on_duty(db, bob, max_sessions=1)
    await bob.takes_over(await stage.visitor())
    full = await answers(bob, request_id, "accept")
    assert (full.status_code, code_of(full)) == (409, "AGENT_FULL")
    assert "1" in full.json()["error"]["message"]
    eve = await hired(db, stage, "eve", max_sessions=0)
    assert code_of(await asks(mei, await taken_by(stage, mei), eve)) == "AGENT_FULL"


async def taken_by(stage: Stage, agent: Agent) -> Visitor:
    visitor = await stage.visitor()
    await agent.takes_over(visitor)
    return visitor


async def test_a_lead_gives_a_session_to_whom_they_choose_at_once(
    db: Database, stage: Stage, held: Visitor, mei: Agent, bob: Agent
) -> None:
    boss, eve = await stage.agent("boss", "supervisor"), await stage.agent("eve")
    request_id = await asked(mei, held, bob)
    forced = data_of(await asks(boss, held, eve, force=True))
    assert (forced["status"], forced["forced"], forced["to_agent_name"]) == ("accepted", True, "Eve")
    assert (await held.reads())["assigned_agent"]["id"] == eve.id
    late = await answers(bob, request_id, "accept")
    assert (late.status_code, code_of(late)) == (409, "SESSION_ALREADY_TAKEN")
    assert late.json()["error"]["details"]["agent"]["id"] == eve.id
    assert [one["decision"] for one in await history(boss, held)] == ["accepted", "expired"]
    assert (await types_of(db, held))[2:] == [
        "transfer.requested",
        "transfer.expired",
        "transfer.requested",
        "transfer.accepted",
        "session.transferred",
    ]


@pytest.mark.parametrize(("move", "ended_by"), [("release", "released"), ("close", "closed")])
async def test_a_request_that_is_overtaken_ends_in_the_same_moment(
    db: Database, held: Visitor, mei: Agent, bob: Agent, move: str, ended_by: str
) -> None:
    desk = await bob.watches_the_desk()
    request_id = await asked(mei, held, bob)
    data_of(await mei.acts(move, held))
    await desk.sees("transfer.changed", request_id=request_id, status="expired", ended_by=ended_by)
    assert await pending(bob) == ([], [])
    late = await answers(bob, request_id, "accept")
    assert (late.status_code, code_of(late)) == (409, "INVALID_STATUS")
    assert (await types_of(db, held))[-1] == "transfer.expired"


async def test_a_request_for_the_session_of_an_agent_who_is_lost_is_over(
    db: Database, held: Visitor, mei: Agent, bob: Agent
) -> None:
    request_id = await asked(mei, held, bob)
    await bring(db, held.name, Move.LOSE_AGENT)
    late = await answers(bob, request_id, "accept")
    assert (late.status_code, code_of(late)) == (409, "INVALID_STATUS")
    (record,) = await history(bob, held)
    assert (record["decision"], record["ended_by"]) == ("expired", "agent_lost")


class TestWhenNobodyAnswers:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"transfer_expire_seconds": 1})

    async def test_the_request_expires_once_and_both_are_told(
        self, app: FastAPI, db: Database, held: Visitor, mei: Agent, bob: Agent
    ) -> None:
        desk, other = await mei.watches_the_desk(), await bob.watches_the_desk()
        request_id = await asked(mei, held, bob)
        workers = [bulk_worker(app.state.db, app.state.settings) for _ in range(2)]
        for worker in workers:
            worker.start()
        for one in (desk, other):
            await one.sees("transfer.changed", request_id=request_id, status="expired", ended_by="timeout")
        for worker in workers:
            await worker.stop()
        late = await answers(bob, request_id, "accept")
        assert (late.status_code, code_of(late)) == (409, "REQUEST_EXPIRED")
        assert (await types_of(db, held)).count("transfer.expired") == 1
        async with db.read() as tx:
            jobs = select(func.count()).where(Job.kind == "expire_transfer")
            assert (await tx.execute(jobs)).scalar_one() == 0


async def test_colleagues_are_listed_with_what_they_do_and_their_room(
    db: Database, stage: Stage, visitor: Visitor, mei: Agent
) -> None:
    await mei.takes_over(visitor)
    await hired(db, stage, "bob", status="lunch", languages=["nl"])
    await stage.agent("ins", "inspector")
    everybody = data_of(await mei.get("/api/agents/available?everybody=true"))["items"]
    team = {one["username"]: one for one in everybody}
    assert (team["mei"]["current_sessions"], team["mei"]["room"], team["mei"]["on_duty"]) == (1, 199, True)
    assert (team["bob"]["status"], team["bob"]["on_duty"], team["bob"]["languages"]) == ("lunch", False, ["nl"])
    assert (team["ins"]["status"], team["ins"]["may_serve"]) == ("online", False)
