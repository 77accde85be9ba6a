"""Help for the agent who serves: proposals that rest on something, other words, and what messages say."""

from typing import Any

import orjson
from sqlalchemy import select

from actors import Agent, Stage, Visitor, code_of, data_of
from assisting.conftest import Model
from faults.waiting import until
from kefu.assisting.models import MessageAnalysis, Suggestion
from kefu.assisting.suggesting import MOST
from kefu.kit.db import Database
from kefu.log.log import read
from kefu.sessions.models import stream_of
from routing.scene import ON_ONE

QUESTION = "How do I return something? Order 20418"


async def help_for(agent: Agent, visitor: Visitor) -> dict[str, Any]:
    found: dict[str, Any] = data_of(await agent.get(f"/api/sessions/{visitor.name}/help"))
    return found


async def proposals(agent: Agent, visitor: Visitor) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = data_of(await agent.post(f"/api/sessions/{visitor.name}/suggestions"))["suggestions"]
    return found


async def kept(db: Database, suggestion_id: str) -> Suggestion:
    async with db.read() as tx:
        return (await tx.execute(select(Suggestion).where(Suggestion.id == suggestion_id))).scalar_one()


@ON_ONE
async def test_without_a_model_proposals_are_the_shops_own_words_with_their_sources(
    agent: Agent, visitor: Visitor
) -> None:
    reply = {"title": "Return label", "content": "I send you a return label by mail.", "category": "after_sales"}
    lead = await visitor.stage.agent("lead", "supervisor")
    data_of(await lead.post("/api/quick-replies", reply | {"is_shared": True}), 201)
    await visitor.says(QUESTION)
    await agent.takes_over(visitor)
    found = await proposals(agent, visitor)
    assert 3 <= len(found) <= MOST
    best = found[0]
    assert best["text"].startswith("You may return goods within 30 days.")
    assert best["confidence"] == best["sources"][0]["score"]
    assert {source["kind"] for one in found for source in one["sources"]} >= {"passage", "rule"}
    assert len({one["confidence"] for one in found}) > 1
    assert [one["confidence"] for one in found] == sorted((one["confidence"] for one in found), reverse=True)
    assert "order number" not in " ".join(one["text"] for one in found)
    assert (await help_for(agent, visitor))["suggestions"] == found


@ON_ONE
async def test_a_model_is_only_as_sure_as_the_passages_that_it_names(
    agent: Agent, visitor: Visitor, model: Model
) -> None:
    replies = [
        {"text": "You may return goods within 30 days to our warehouse in Lille.", "passages": [1]},
        {"text": "We will send you a free helicopter tomorrow, promised.", "passages": [1]},
        {"text": "Something about nothing.", "passages": [99]},
    ]
    model.script = lambda _: orjson.dumps({"replies": replies}).decode()
    await visitor.says(QUESTION)
    await agent.takes_over(visitor)
    by_text = {one["text"]: one for one in await proposals(agent, visitor)}
    good, bad, none = (by_text[reply["text"]] for reply in replies)
    assert good["made_by"] == {"kind": "model", "name": "script"}
    assert good["confidence"] > 3 * bad["confidence"]
    assert (none["confidence"], none["sources"]) == (0, [])
    assert "Returning goods" in model.asked[-1].messages[1].content


async def test_a_message_to_an_agent_leaves_proposals_behind_and_the_newest_wins(
    db: Database, agent: Agent, visitor: Visitor
) -> None:
    await agent.takes_over(visitor)
    last = max([await visitor.says(f"How do I return something? {n}") for n in range(4)])

    async def are_there() -> bool:
        return bool((await help_for(agent, visitor))["suggestions"])

    await until(are_there, 20)
    assert {one["for_seq"] for one in (await help_for(agent, visitor))["suggestions"]} == {last}
    async with db.read() as tx:
        said = await read(tx, stream_of(visitor.name), public_only=False)
    assert {one.facts["role"] for one in said if one.type == "message.posted"} == {"user"}


async def test_each_message_is_read_once_and_says_who_read_it_and_how_sure(
    db: Database, agent: Agent, visitor: Visitor
) -> None:
    texts = ["I am furious, you lied to me!", "电池充电的时候冒烟，很急！！", "Please add a dark mode to the app"]
    seqs = [await visitor.says(text) for text in texts]

    async def are_read() -> bool:
        return len((await help_for(agent, visitor))["analyses"]) == len(texts)

    await until(are_read, 20)
    angry, urgent, wishing = (await help_for(agent, visitor))["analyses"]
    assert [one["seq"] for one in (angry, urgent, wishing)] == seqs
    assert (angry["sentiment"]["label"], angry["sentiment"]["source"]["kind"]) == ("negative", "rule")
    assert "furious" in angry["sentiment"]["words"]
    assert urgent["urgency"]["label"] == "high"
    assert wishing["requirement"]["label"] == "yes"
    assert len({one["intent"]["sure"] for one in (angry, urgent, wishing)}) > 1
    async with db.read() as tx:
        rows = list(await tx.scalars(select(MessageAnalysis)))
    assert [(row.sentiment, row.wishes) for row in sorted(rows, key=lambda row: row.seq)][::2] == [
        ("negative", False),
        ("neutral", True),
    ]


async def test_what_became_of_a_proposal_is_kept(db: Database, agent: Agent, visitor: Visitor) -> None:
    await visitor.says("How do I return something?")
    await agent.takes_over(visitor)
    first, second, third = (await proposals(agent, visitor))[:3]
    sent = await agent.writes(visitor, first["text"], "m1", suggestion_id=first["id"])
    await agent.writes(visitor, first["text"], "m1", suggestion_id=first["id"])
    await agent.writes(visitor, second["text"] + " Bye", "m2", suggestion_id=second["id"])
    path = f"/api/sessions/{visitor.name}/suggestions"
    for _ in range(2):
        data_of(await agent.post(f"{path}/{third['id']}/reject"))

    async def are_kept() -> bool:
        return (await kept(db, second["id"])).outcome is not None

    await until(are_kept, 20)
    used = await kept(db, first["id"])
    assert (used.outcome, used.distance, used.outcome_by) == ("adopted", 0, agent.id)
    assert used.sent_seq == data_of(sent)["seq"]
    edited = await kept(db, second["id"])
    assert (edited.outcome, edited.distance) == ("edited", 4)
    assert (await kept(db, third["id"])).outcome == "rejected"
    assert code_of(await agent.post(f"{path}/{first['id']}/reject")) == "SUGGESTION_DECIDED"
    assert code_of(await agent.post(f"{path}/sug_{'0' * 20}/reject")) == "SUGGESTION_NOT_FOUND"
    assert (await agent.post(f"{path}/nonsense/reject")).status_code == 422
    async with db.read() as tx:
        said = [one.type for one in await read(tx, stream_of(visitor.name), public_only=False)]
    assert (said.count("suggestion.used"), said.count("suggestion.rejected")) == (2, 1)
    async with db.read() as tx:
        public = [one.type for one in await read(tx, stream_of(visitor.name), public_only=True)]
    assert not [one for one in public if one.startswith("suggestion")]


@ON_ONE
async def test_without_a_model_words_are_not_put_another_way_but_a_summary_is_made(
    agent: Agent, visitor: Visitor
) -> None:
    await visitor.says("Where is my parcel?")
    await agent.takes_over(visitor)
    path = f"/api/sessions/{visitor.name}"
    refused = await agent.post(f"{path}/rewrite", {"text": "No.", "style": "polite"}, **{"Accept-Language": "zh"})
    assert (refused.status_code, code_of(refused)) == (409, "NO_MODEL")
    assert "尚未配置模型" in refused.json()["error"]["message"]
    assert code_of(await agent.post(f"{path}/translate", {"text": "No.", "to": "zh"})) == "NO_MODEL"
    summary = data_of(await agent.post(f"{path}/summary", {"to": "en"}))
    assert "Where is my parcel?" in summary["text"]
    assert summary["made_by"]["kind"] == "rule"
    assert (await help_for(agent, visitor))["has_model"] is False


@ON_ONE
async def test_a_model_puts_words_another_way_and_its_failure_is_told(
    agent: Agent, visitor: Visitor, model: Model
) -> None:
    await visitor.says("hello")
    await agent.takes_over(visitor)
    model.script = lambda ask: f"{ask.purpose}: fine"
    path = f"/api/sessions/{visitor.name}"
    for style in ("polite", "brief", "empathetic"):
        said = data_of(await agent.post(f"{path}/rewrite", {"text": "No.", "style": style}))
        assert said == {"text": "rewrite: fine", "made_by": {"kind": "model", "name": "script"}}
    assert data_of(await agent.post(f"{path}/translate", {"text": "No.", "to": "zh"}))["text"] == "translate: fine"
    assert data_of(await agent.post(f"{path}/summary", {"to": "zh"}))["text"] == "summary: fine"
    model.script = lambda _: ""
    failed = await agent.post(f"{path}/rewrite", {"text": "No.", "style": "brief"})
    assert (failed.status_code, code_of(failed)) == (503, "PROVIDER_FAILED")
    for wrong in ({"text": "", "style": "brief"}, {"text": "x" * 6000, "style": "brief"}, {"text": "x", "style": "?"}):
        assert (await agent.post(f"{path}/rewrite", wrong)).status_code == 422


@ON_ONE
async def test_help_is_for_those_who_may_see_the_session(stage: Stage, agent: Agent, visitor: Visitor) -> None:
    other = await stage.agent("bob")
    await agent.takes_over(visitor)
    for path in ("help", "recommendations?q=return"):
        assert (await other.get(f"/api/sessions/{visitor.name}/{path}")).status_code == 403
        assert (await agent.get(f"/api/sessions/{visitor.name}/{path}")).status_code == 200
    assert (await other.post(f"/api/sessions/{visitor.name}/suggestions")).status_code == 403
    assert (await visitor.post(f"/api/sessions/{visitor.name}/suggestions")).status_code == 403
    assert (await agent.get("/api/sessions/nobody/help")).status_code in {403, 404}
    hits = data_of(await agent.get(f"/api/sessions/{visitor.name}/recommendations?q=How do I return something"))
    assert hits[0]["title"] == "Returning goods"
