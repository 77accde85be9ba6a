"""Quick replies: an agent's own and the team's, their variables, and how often they are used."""

import asyncio
import re
from typing import Any

import pytest

from actors import Agent, Stage, Visitor, code_of, data_of
from collaboration.asking import delete, put
from kefu.collaboration.placeholders import fill, times_at

PATH = "/api/quick-replies"


async def creates(agent: Agent, title: str, content: str = "Hello", **fields: object) -> Any:
    return data_of(await agent.post(PATH, {"title": title, "content": content, **fields}), 201)


async def finds(agent: Agent, query: str = "") -> list[str]:
    return [one["title"] for one in data_of(await agent.get(f"{PATH}?{query}"))["items"]]


@pytest.fixture
async def lead(stage: Stage) -> Agent:
    return await stage.agent("lead", "supervisor")


async def test_everybody_sees_their_own_and_the_teams_and_nobody_anothers(
    stage: Stage, lead: Agent, agent: Agent
) -> None:
    own = await creates(agent, "Mine", category="greeting")
    await creates(lead, "The lead's own", category="greeting")
    shared = await creates(lead, "Everybody's", category="greeting", is_shared=True)
    assert set(await finds(agent, "category=greeting")) == {"Mine", "Everybody's"}
    assert await finds(agent, "include_shared=false") == ["Mine"]
    other = await stage.agent("boris")
    for answer in (
        await other.get(f"{PATH}/{own['id']}"),
        await put(other, f"{PATH}/{own['id']}", {"title": "Stolen"}),
        await delete(other, f"{PATH}/{own['id']}"),
        await other.post(f"{PATH}/{own['id']}/use"),
        await lead.get(f"{PATH}/{own['id']}"),
    ):
        assert (answer.status_code, code_of(answer)) == (404, "QUICK_REPLY_NOT_FOUND")
    for answer in (
        await put(agent, f"{PATH}/{shared['id']}", {"title": "Changed"}),
        await delete(agent, f"{PATH}/{shared['id']}"),
        await put(agent, f"{PATH}/{own['id']}", {"is_shared": True}),
        await agent.post(PATH, {"title": "x", "content": "x", "is_shared": True}),
    ):
        assert (answer.status_code, code_of(answer)) == (403, "PERMISSION_DENIED")
    assert shared["can_edit"]
    assert not data_of(await agent.get(f"{PATH}/{shared['id']}"))["can_edit"]
    data_of(await delete(agent, f"{PATH}/{own['id']}"))
    assert code_of(await delete(agent, f"{PATH}/{own['id']}")) == "QUICK_REPLY_NOT_FOUND"


async def test_variables_are_filled_in_for_the_session_and_what_is_not_known_stays_and_is_named(
    visitor: Visitor, agent: Agent
) -> None:
    content = "{customer_name}, {agent_name}: {order_id} {order_status} at {current_time} on {current_date} {foo} {{x}}"
    reply = await creates(agent, "All", content)
    assert reply["variables"] == [
        "customer_name",
        "agent_name",
        "order_id",
        "order_status",
        "current_time",
        "current_date",
    ]
    nickname = (await agent.reads(visitor))["user_profile"]["nickname"]
    wish = {"session_name": visitor.name, "order": {"order_id": "{agent_name} <b>"}}
    used = data_of(await agent.post(f"{PATH}/{reply['id']}/use", wish))
    said = rf"{nickname}, {agent.name}: \{{agent_name\}} <b> \{{order_status\}} at \d\d:\d\d on \d{{4}}-\d\d-\d\d"
    assert re.fullmatch(said + r" \{foo\} \{\{x\}\}", used["replaced_content"]), used
    assert used["missing"] == ["order_status"]
    assert used["original_content"] == content
    listed = data_of(await agent.get(f"{PATH}?session_name={visitor.name}"))["items"][0]["preview"]
    assert listed["missing"] == ["order_id", "order_status"]
    assert listed["unknown"] == ["foo", "x"]
    preview = data_of(await agent.post(f"{PATH}/preview", {"content": "Hi {customer_name}"}))
    assert preview == {"text": "Hi {customer_name}", "missing": ["customer_name"], "unknown": []}
    assert data_of(await agent.get(f"{PATH}/{reply['id']}"))["usage_count"] == 1, "a preview is no use"


def test_the_time_is_that_of_the_shop_and_a_value_is_never_read_as_a_variable() -> None:
    assert times_at(1_764_259_200_000, "Asia/Shanghai") == {"current_time": "00:00", "current_date": "2025-11-28"}
    filled = fill("{customer_name}{order_id}{ agent_name }{}", {"customer_name": "{order_id}", "order_id": r"\1{x"})
    assert (filled.text, filled.missing) == (r"{order_id}\1{x{ agent_name }{}", [])


async def test_a_key_is_unique_for_its_owner_also_when_two_take_it_at_once(lead: Agent, agent: Agent) -> None:
    mine = await creates(agent, "One", shortcut=1)
    await creates(lead, "The team's one", shortcut=1, is_shared=True)
    await creates(lead, "The lead's one", shortcut=1)
    bodies = [{"title": f"Two {n}", "content": "x", "shortcut": 2} for n in range(4)]
    answers = await asyncio.gather(*(agent.post(PATH, body) for body in bodies))
    assert sorted(one.status_code for one in answers) == [201, 409, 409, 409]
    assert {code_of(one) for one in answers if one.status_code == 409} == {"SHORTCUT_TAKEN"}
    assert code_of(await put(agent, f"{PATH}/{mine['id']}", {"shortcut": 2})) == "SHORTCUT_TAKEN"
    assert data_of(await put(agent, f"{PATH}/{mine['id']}", {"shortcut": None}))["shortcut"] is None
    assert (await creates(agent, "One again", shortcut=1))["shortcut"] == 1


async def test_no_use_is_lost_when_many_use_it_at_once_and_leads_see_the_figures(lead: Agent, agent: Agent) -> None:
    shared = await creates(lead, "Often", category="closing", is_shared=True)
    await creates(lead, "Never", category="closing", is_shared=True)
    own = await creates(agent, "My own")
    await asyncio.gather(*(one.post(f"{PATH}/{shared['id']}/use") for one in (lead, agent) * 8))
    data_of(await agent.post(f"{PATH}/{own['id']}/use"))
    assert data_of(await agent.get(f"{PATH}/{shared['id']}"))["usage_count"] == 16
    assert await finds(agent) == ["Often", "My own", "Never"]
    stats = data_of(await lead.get(f"{PATH}/stats"))
    assert (stats["total_count"], stats["total_usage"]) == (2, 16)
    assert stats["category_stats"]["closing"] == {"count": 2, "usage": 16}
    assert stats["category_stats"]["greeting"] == {"count": 0, "usage": 0}
    assert [one["title"] for one in stats["top_10"]] == ["Often", "Never"]
    assert code_of(await agent.get(f"{PATH}/stats")) == "FORBIDDEN"


async def test_they_are_searched_in_both_languages_and_listed_page_by_page(agent: Agent) -> None:
    await creates(agent, "退货流程", "您好，退货请在 14 天内申请。", category="after_sales")
    await creates(agent, "Return Policy", "Send it back within 14 days. 100% free_of charge", category="after_sales")
    for n in range(5):
        await creates(agent, f"Filler {n}")
    assert await finds(agent, "keyword=退货") == ["退货流程"]
    assert await finds(agent, "keyword=POLICY 14") == ["Return Policy"]
    assert await finds(agent, "keyword=free_of") == ["Return Policy"]
    assert await finds(agent, "keyword=freezof") == []
    assert await finds(agent, "keyword=0%25 f") == ["Return Policy"]
    found: list[str] = []
    cursor = ""
    while True:
        page = data_of(await agent.get(f"{PATH}?limit=3&sort=newest&cursor={cursor}"))
        assert page["total"] == 7
        found += [one["title"] for one in page["items"]]
        if not page["has_more"]:
            break
        cursor = page["next_cursor"]
    assert len(found) == len(set(found)) == 7


async def test_the_vocabulary_is_in_the_callers_language(agent: Agent) -> None:
    found = data_of(await agent.get(f"{PATH}/categories", **{"Accept-Language": "zh"}))
    assert found["categories"]["greeting"]["name"] == "欢迎语"
    assert set(found["supported_variables"]) >= {"customer_name", "tracking_number", "current_date"}


WRONG: list[dict[str, object]] = [
    {"title": "", "content": "x"},
    {"title": "  ", "content": "x"},
    {"title": "x" * 51, "content": "x"},
    {"title": "x", "content": "x" * 1001},
    {"title": "x", "content": "\x00"},
    {"title": "x", "content": "x", "category": "nowhere"},
    {"title": "x", "content": "x", "shortcut": 0},
    {"title": "x", "content": "x", "shortcut": 10},
    {"title": "x", "content": "x", "shortcut": "1"},
    {"title": "x"},
    {"title": "x", "content": "x", "owner": "agent_1"},
]


async def test_a_wrong_reply_is_refused(agent: Agent) -> None:
    for wrong in WRONG:
        refused = await agent.post(PATH, wrong)
        assert (refused.status_code, code_of(refused)) == (422, "VALIDATION_FAILED"), wrong


async def test_inspectors_and_visitors_have_none(stage: Stage, visitor: Visitor, agent: Agent) -> None:
    inspector = await stage.agent("ines", "inspector")
    for who in (inspector, visitor):
        assert code_of(await who.get(PATH)) == "FORBIDDEN"
    assert code_of(await agent.get(f"{PATH}?session_name=nowhere")) == "SESSION_NOT_FOUND"
    assert code_of(await agent.get(f"{PATH}?cursor=nonsense")) == "BAD_CURSOR"
