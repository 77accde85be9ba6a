"""Tags: the team's list, what sessions carry, and what rules add."""

import asyncio
from typing import Any

from sqlalchemy import func, select

from actors import Agent, Stage, Visitor, code_of, data_of
from collaboration.asking import delete, put
from faults.waiting import until
from kefu.collaboration.rules import give_tags
from kefu.jobs.models import Job
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.sessions import service
from kefu.workers import bulk_worker
from sessions.records import log_of, row_of


async def tags(visitor: Visitor, agent: Agent, *tag_ids: str) -> Any:
    answer = await agent.post(f"/api/sessions/{visitor.name}/tags", {"tag_ids": list(tag_ids)})
    return data_of(answer)["tags"]


async def untags(visitor: Visitor, agent: Agent, tag_id: str) -> Any:
    return data_of(await delete(agent, f"/api/sessions/{visitor.name}/tags/{tag_id}"))["tags"]


async def new_tag(lead: Agent, **fields: object) -> Any:
    return data_of(await lead.post("/api/tags", fields), 201)["tag"]


async def test_there_are_presets_in_four_groups_in_the_callers_language(agent: Agent) -> None:
    found = data_of(await agent.get("/api/tags", **{"Accept-Language": "zh"}))
    assert [group["name"] for group in found["groups"]][:4] == ["咨询类型", "问题类型", "处理结果", "客户情绪"]
    assert len(found["system_tags"]) == 16 == len(found["tags"])
    by_id = {tag["id"]: tag for tag in found["tags"]}
    assert (by_id["tag_urgent"]["name"], by_id["tag_urgent"]["color"]) == ("紧急", "#EF4444")
    english = data_of(await agent.get("/api/tags", **{"Accept-Language": "en"}))
    assert {tag["id"]: tag["name"] for tag in english["tags"]}["tag_urgent"] == "Urgent"


async def test_a_session_carries_its_tags_in_its_row_its_log_and_every_list(
    db: Database, visitor: Visitor, agent: Agent
) -> None:
    desk = await agent.watches_the_desk()
    assert await tags(visitor, agent, "tag_vip", "tag_refund", "tag_vip") == ["tag_vip", "tag_refund"]
    assert await tags(visitor, agent, "tag_vip") == ["tag_vip", "tag_refund"]
    one = data_of(await agent.post(f"/api/sessions/{visitor.name}/tags", {"tag_id": "tag_angry"}))
    assert one["tags"] == ["tag_vip", "tag_refund", "tag_angry"]
    assert await untags(visitor, agent, "tag_vip") == ["tag_refund", "tag_angry"]
    assert await untags(visitor, agent, "tag_vip") == ["tag_refund", "tag_angry"]
    added = [(one.type, one.facts["tag"], one.audience) for one in (await log_of(db, visitor.name))[1:]]
    assert added == [
        ("tag.added", "tag_vip", "internal"),
        ("tag.added", "tag_refund", "internal"),
        ("tag.added", "tag_angry", "internal"),
        ("tag.removed", "tag_vip", "internal"),
    ]
    assert (await agent.reads(visitor))["tags"] == ["tag_refund", "tag_angry"]
    (listed,) = data_of(await agent.get("/api/sessions?tag=tag_refund"))["sessions"]
    assert listed["tags"] == ["tag_refund", "tag_angry"]
    assert data_of(await agent.get("/api/sessions?tag=tag_vip"))["total"] == 0
    carried = data_of(await agent.get(f"/api/sessions/{visitor.name}/tags"))["tags"]
    assert [(tag["tag_id"], tag["added_by"]["id"], tag["is_auto"]) for tag in carried] == [
        ("tag_refund", agent.id, False),
        ("tag_angry", agent.id, False),
    ]
    wanted = ["tag_refund", "tag_angry"]
    await desk.until(lambda: any(one.get("session", {}).get("tags") == wanted for one in desk.frames))


async def test_a_visitor_sees_no_tag(visitor: Visitor, agent: Agent) -> None:
    await tags(visitor, agent, "tag_angry")
    await agent.takes_over(visitor)
    watch = await visitor.follows(visitor.name)
    await watch.sees("session.taken_over")
    assert code_of(await visitor.get(f"/api/sessions/{visitor.name}/tags")) == "FORBIDDEN"
    assert not [one for one in watch.frames if one["type"].startswith("tag.")]
    assert (await visitor.reads())["tags"] == []
    await agent.releases(visitor)
    assert (await visitor.asks_for_a_person())["tags"] == []


async def test_two_who_add_the_same_tag_at_once_add_it_once_and_no_session_carries_more_than_twenty(
    db: Database, stage: Stage, visitor: Visitor, agent: Agent
) -> None:
    lead = await stage.agent("lead", "supervisor")
    await asyncio.gather(*(tags(visitor, one, "tag_vip", "tag_refund") for one in (agent, lead) * 4))
    assert sum(one.type == "tag.added" for one in await log_of(db, visitor.name)) == 2
    own = [(await new_tag(lead, name=f"Batch {n}"))["id"] for n in range(20)]
    await tags(visitor, lead, *own[:18])
    refused = await lead.post(f"/api/sessions/{visitor.name}/tags", {"tag_ids": own[18:]})
    assert (refused.status_code, code_of(refused)) == (409, "TOO_MANY_TAGS")
    row = await row_of(db, visitor.name)
    assert sorted(row["tags"][:2]) == ["tag_refund", "tag_vip"]
    assert row["tags"][2:] == own[:18]


async def test_leads_make_change_and_archive_tags_and_an_archived_one_stays_where_it_is(
    stage: Stage, visitor: Visitor, agent: Agent
) -> None:
    lead = await stage.agent("lead", "supervisor")
    made = await new_tag(lead, name=" Battery 电池 ", color="#a1b2c3", icon="🔋", group="problem")
    assert (made["id"][:11], made["name"], made["color"]) == ("tag_custom_", "Battery 电池", "#A1B2C3")
    await tags(visitor, agent, made["id"], "tag_vip")
    for tag_id in (made["id"], "tag_vip"):
        changed = data_of(await put(lead, f"/api/tags/{tag_id}", {"is_archived": True, "color": "#000000"}))["tag"]
        assert (changed["is_archived"], changed["color"]) == (True, "#000000")
        refused = await agent.post(f"/api/sessions/{visitor.name}/tags", {"tag_id": tag_id})
        assert (refused.status_code, code_of(refused)) == (409, "TAG_ARCHIVED")
    assert (await agent.reads(visitor))["tags"] == [made["id"], "tag_vip"]
    assert await untags(visitor, agent, "tag_vip") == [made["id"]]
    listed = {tag["id"]: tag for tag in data_of(await agent.get("/api/tags"))["tags"]}
    assert listed[made["id"]]["is_archived"]
    assert listed["tag_vip"]["name"] == "VIP"
    assert code_of(await lead.post("/api/tags", {"name": "battery 电池"})) == "TAG_EXISTS"
    assert code_of(await lead.post("/api/tags", {"name": "退款"})) == "TAG_EXISTS"
    assert code_of(await put(lead, f"/api/tags/{made['id']}", {"name": "refund"})) == "TAG_EXISTS"
    assert data_of(await put(lead, f"/api/tags/{made['id']}", {"name": "BATTERY 电池"}))["tag"]["id"] == made["id"]


async def test_of_two_leads_who_make_the_same_tag_at_once_one_does(stage: Stage) -> None:
    lead = await stage.agent("lead", "supervisor")
    answers = await asyncio.gather(*(lead.post("/api/tags", {"name": "Twice"}) for _ in range(4)))
    assert sorted(one.status_code for one in answers) == [201, 409, 409, 409]
    assert {code_of(one) for one in answers if one.status_code == 409} == {"TAG_EXISTS"}


async def untags_and_tags_again(agent: Agent, names: list[str]) -> None:
    """And leaves them as they were, the first of them tagged before the others."""
    path, those = "/api/tags/tag_refund/sessions/remove", {"session_names": [*names, "nowhere"]}
    two = {"session_names": names[1:3]}
    first, *others = await asyncio.gather(*(agent.post(path, two) for _ in range(3)))
    assert sorted(len(data_of(one)["changed"]) for one in (first, *others)) == [0, 0, 2]
    done = data_of(await agent.post(path, those))
    assert (sorted(done["changed"]), sorted(done["unchanged"])) == (sorted([names[0], names[3]]), sorted(names[1:3]))
    assert done["refused"] == {names[4]: "NOT_HOLDER", "nowhere": "SESSION_NOT_FOUND"}
    assert code_of(await agent.post("/api/tags/tag_unheard_of/sessions/remove", those)) == "TAG_NOT_FOUND"
    for wrong in ([], ["x"] * 101, "x", [7], ["a b"]):
        assert (await agent.post(path, {"session_names": wrong})).status_code == 422
    for again in (names[:1], names[1:4]):
        data_of(await agent.post("/api/tags/tag_refund/sessions", {"session_names": again}))


async def test_many_sessions_are_tagged_together_and_found_by_their_tag_page_by_page(
    stage: Stage, agent: Agent
) -> None:
    lead = await stage.agent("lead", "supervisor")
    visitors = [await stage.visitor() for _ in range(5)]
    await lead.takes_over(visitors[4])
    names = [one.name for one in visitors]
    await tags(visitors[0], agent, "tag_refund")
    done = data_of(await agent.post("/api/tags/tag_refund/sessions", {"session_names": [*names, "nowhere"]}))
    assert (sorted(done["changed"]), done["unchanged"]) == (sorted(names[1:4]), [names[0]])
    assert done["refused"] == {names[4]: "NOT_HOLDER", "nowhere": "SESSION_NOT_FOUND"}
    await untags_and_tags_again(agent, names)
    found: list[str] = []
    cursor = ""
    while True:
        page = data_of(await agent.get(f"/api/sessions/by-tag/tag_refund?limit=2&cursor={cursor}"))
        found += [one["session_name"] for one in page["sessions"]]
        if not page["has_more"]:
            break
        cursor = page["next_cursor"]
    assert sorted(found) == sorted(names[:4])
    assert found[-1] == names[0], "the last tagged first"


async def test_who_may_not_tag_is_told_so(stage: Stage, visitor: Visitor, agent: Agent) -> None:
    lead, inspector = await stage.agent("lead", "supervisor"), await stage.agent("ines", "inspector")
    path = f"/api/sessions/{visitor.name}/tags"
    await lead.takes_over(visitor)
    refused = await agent.post(path, {"tag_id": "tag_vip"})
    assert (refused.status_code, code_of(refused)) == (403, "HIDDEN_SESSION")
    assert code_of(await inspector.post(path, {"tag_id": "tag_vip"})) == "FORBIDDEN"
    assert code_of(await agent.post("/api/tags", {"name": "Mine"})) == "FORBIDDEN"
    assert code_of(await put(agent, "/api/tags/tag_vip", {"is_archived": True})) == "FORBIDDEN"
    assert code_of(await lead.post(path, {"tag_id": "tag_unheard_of"})) == "TAG_NOT_FOUND"
    assert code_of(await lead.post("/api/sessions/nowhere/tags", {"tag_id": "tag_vip"})) == "SESSION_NOT_FOUND"
    assert code_of(await lead.get("/api/sessions/by-tag/tag_unheard_of")) == "TAG_NOT_FOUND"
    assert code_of(await delete(lead, f"{path}/tag_unheard_of")) == "TAG_NOT_FOUND"


RULES = [
    {"field": "text", "operator": "contains", "value": "退款"},
    {"field": "rating", "operator": "<", "value": 3},
]


WRONG: list[dict[str, object]] = [
    {"name": ""},
    {"name": "   "},
    {"name": "x" * 21},
    {"name": "a\nb"},
    {"name": "x", "color": "red"},
    {"name": "x", "color": "#12345g"},
    {"name": "x", "group": "nowhere"},
    {"name": "x", "rules": [{"field": "text", "operator": ">", "value": 3}]},
    {"name": "x", "rules": [{"field": "rating", "operator": "contains", "value": 3}]},
    {"name": "x", "rules": [{"field": "rating", "operator": "<", "value": "3"}]},
    {"name": "x", "rules": [{"field": "mood", "operator": "=", "value": "bad"}]},
    {"name": "x", "rules": [RULES[0]] * 11},
    {"name": "x", "id": "tag_mine"},
]


async def test_a_wrong_tag_is_refused(stage: Stage) -> None:
    lead = await stage.agent("lead", "supervisor")
    for wrong in WRONG:
        refused = await lead.post("/api/tags", wrong)
        assert (refused.status_code, code_of(refused)) == (422, "VALIDATION_FAILED"), wrong


async def rules_were_looked_at(db: Database) -> None:
    async def is_done() -> bool:
        async with db.read() as tx:
            return await tx.scalar(select(func.count()).where(Job.kind == "tag_by_rules")) == 0

    await until(is_done, 30)


async def test_rules_add_tags_when_a_persons_part_ends_and_when_it_is_rated(
    db: Database, settings: Settings, stage: Stage, visitor: Visitor, agent: Agent
) -> None:
    lead = await stage.agent("lead", "supervisor")
    for tag_id, rule in (("tag_refund", RULES[0]), ("tag_angry", RULES[1])):
        data_of(await put(lead, f"/api/tags/{tag_id}", {"rules": [rule]}))
    await new_tag(lead, name="Slow", rules=[{"field": "wait_seconds", "operator": ">", "value": 3600}])
    asked = await new_tag(lead, name="Asked", rules=[{"field": "reason", "operator": "=", "value": "manual"}])
    worker = bulk_worker(db, settings)
    worker.start()
    await visitor.says("我要 退款，马上！")
    await visitor.asks_for_a_person()
    await agent.takes_over(visitor)
    await agent.releases(visitor)
    await rules_were_looked_at(db)
    assert set((await agent.reads(visitor))["tags"]) == {"tag_refund", asked["id"]}
    data_of(await visitor.post(f"/api/sessions/{visitor.name}/rating", {"score": 1}), 201)
    await rules_were_looked_at(db)
    auto = data_of(await agent.get(f"/api/sessions/{visitor.name}/tags"))["tags"]
    assert {tag["tag_id"] for tag in auto} == {"tag_refund", asked["id"], "tag_angry"}
    assert all(tag["is_auto"] and tag["added_by"]["kind"] == "system" for tag in auto)
    await untags(visitor, agent, "tag_refund")
    await agent.takes_over(visitor)
    await agent.closes(visitor)
    await rules_were_looked_at(db)
    await worker.stop()
    assert set((await agent.reads(visitor))["tags"]) == {asked["id"], "tag_angry"}, "what a person took off stays off"


async def test_rules_leave_a_session_with_twenty_tags_alone(db: Database, stage: Stage, visitor: Visitor) -> None:
    lead = await stage.agent("lead", "supervisor")
    own = [(await new_tag(lead, name=f"Batch {n}"))["id"] for n in range(20)]
    await tags(visitor, lead, *own)
    data_of(await put(lead, "/api/tags/tag_vip", {"rules": [{"field": "locale", "operator": "=", "value": "en"}]}))
    async with db.write() as tx:
        await give_tags(tx, visitor.name)
    assert (await lead.reads(visitor))["tags"] == own
    async with db.write() as tx:
        await give_tags(tx, "nowhere")
        assert (await service.locked(tx, visitor.name)).tags == own
