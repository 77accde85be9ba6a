"""A shop's hours over HTTP: who sees and changes them, two at once, and what the widget is told."""

import asyncio

import httpx2
import pytest

from actors import Agent, Stage, code_of, data_of

DAY = [{"opens": "09:00", "closes": "12:00"}, {"opens": "13:00", "closes": "18:00"}]
HOURS = {"timezone": "Europe/Berlin", "week": [*[DAY] * 5, [], []], "special": {"2026-12-25": []}}
PATH = "/api/shops/default/hours"


async def put(agent: Agent, body: object) -> httpx2.Response:
    return await agent.stage.http.put(PATH, json=body, headers={"Authorization": f"Bearer {agent.token}"})


@pytest.fixture
async def lead(stage: Stage) -> Agent:
    return await stage.agent("lin", "supervisor")


async def test_what_is_saved_is_read_previewed_and_told_to_the_widget(lead: Agent, stage: Stage) -> None:
    first = data_of(await lead.get(PATH))
    assert (first["is_default"], first["version"], first["mail_ready"]) == (True, 0, False)
    saved = data_of(await put(lead, {"hours": HOURS, "mail_to": ["lin@shop.example"], "version": 0}))
    assert saved == data_of(await lead.get(PATH))
    assert (saved["hours"], saved["mail_to"], saved["version"]) == (HOURS, ["lin@shop.example"], 1)
    assert [len(day["open"]) for day in saved["preview"]].count(0) >= 2
    assert saved["preview"] == data_of(await lead.post(f"{PATH}/preview", HOURS))
    config = data_of(await stage.http.get("/api/shift/config"))
    assert config["shift_start"] == "09:00"
    assert config["shift_end"] == "18:00"
    assert (config["timezone"], config["weekends_disabled"]) == ("Europe/Berlin", True)
    assert config["holidays"] == ["2026-12-25"]
    status = data_of(await stage.http.get("/api/shift/status?shop=default", headers={"Accept-Language": "zh"}))
    assert status["is_in_shift"] is config["is_in_shift"] is (status["next_opening"] is None)
    assert status["message"] == ("人工客服在线" if status["is_in_shift"] else "当前为非工作时间")
    assert (status["closes_at"] is None) is not status["is_in_shift"]
    again = data_of(await put(lead, {"hours": None, "mail_to": [], "version": 1}))
    assert (again["is_default"], again["version"]) == (True, 2)


async def test_of_two_who_save_at_once_one_is_told_what_the_other_one_wrote(lead: Agent) -> None:
    zones = ("Europe/Berlin", "Asia/Tokyo")
    bodies = [{"hours": HOURS | {"timezone": zone}, "version": 0} for zone in zones]
    answers = await asyncio.gather(*(put(lead, body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    (lost,) = [answer for answer in answers if answer.status_code == 409]
    there = data_of(await lead.get(PATH))
    assert code_of(lost) == "HOURS_CHANGED"
    assert lost.json()["error"]["details"] == {"version": 1, "hours": there["hours"], "mail_to": []}
    repeated = await put(lead, {"hours": there["hours"], "version": 0})
    assert data_of(repeated)["version"] == 1


async def test_wrong_hours_are_refused_with_the_place_and_nothing_changes(lead: Agent, stage: Stage) -> None:
    overlapping = [*DAY, {"opens": "11:00", "closes": "12:30"}]
    wrong: list[tuple[object, str]] = [
        ({"hours": HOURS | {"week": [overlapping, *[[]] * 6]}, "version": 0}, "hours.week.0"),
        ({"hours": HOURS | {"timezone": "Mars/Base"}, "version": 0}, "hours.timezone"),
        ({"hours": HOURS | {"week": [DAY]}, "version": 0}, "hours.week"),
        ({"hours": HOURS, "mail_to": ["nobody"], "version": 0}, "mail_to.0"),
        ({"hours": HOURS}, "version"),
        ({"hours": HOURS, "version": -1}, "version"),
        ({"version": 0}, "hours"),
    ]
    for body, field in wrong:
        answer = await put(lead, body)
        assert answer.status_code == 422, body
        assert [one["field"] for one in answer.json()["error"]["details"]["fields"]] == [field]
    assert data_of(await lead.get(PATH))["version"] == 0
    assert (await lead.get("/api/shops/none/hours")).status_code == 404
    assert (await lead.post("/api/shops/none/hours/preview", HOURS)).status_code == 404
    assert (await stage.http.get("/api/shift/status?shop=none")).status_code == 404
    assert (await stage.http.get("/api/shift/config?shop=NONE")).status_code == 422


async def test_agents_read_the_hours_and_leads_change_them(agent: Agent, stage: Stage) -> None:
    assert data_of(await agent.get(PATH))["shop"] == "default"
    assert [one["id"] for one in data_of(await agent.get("/api/shops"))] == ["default"]
    refused = await put(agent, {"hours": None, "version": 0})
    assert (refused.status_code, code_of(refused)) == (403, "FORBIDDEN")
    visitor = await stage.visitor()
    assert (await visitor.get(PATH)).status_code == 403
    assert (await stage.http.get(PATH)).status_code == 401
