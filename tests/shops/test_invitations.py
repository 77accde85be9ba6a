"""A shop's invitations: who writes them, two at once, and the script that brings them to visitors."""

import asyncio
import json
import re
from pathlib import Path

import httpx2
import pytest

from actors import Agent, Stage, Visitor, code_of, data_of
from kefu.ops import web_apps

PATH = "/api/shops/default/invitations"
SCRIPT = "/sdk/invite.js?shop=default"
CART = {
    "text": {"en": "Shall we check the size?", "zh": "需要帮您核对尺码吗？"},
    "seconds": 5,
    "url": "/cart",
    "cart": 500,
}
OFF = {"text": {"en": "Not now"}, "is_on": False}


async def put(agent: Agent, wanted: object, version: object) -> httpx2.Response:
    body = {"invitations": wanted, "version": version}
    return await agent.stage.http.put(PATH, json=body, headers={"Authorization": f"Bearer {agent.token}"})


@pytest.fixture(autouse=True)
def _built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the build makes is tried in a browser."""
    (tmp_path / "sdk").mkdir()
    (tmp_path / web_apps.INVITING).write_text("export function begin() {}")
    monkeypatch.setattr(web_apps, "STATIC", tmp_path)


@pytest.fixture
async def lead(stage: Stage) -> Agent:
    return await stage.agent("lin", "supervisor")


async def test_what_a_lead_writes_is_in_the_script_unless_it_is_off(lead: Agent, stage: Stage) -> None:
    empty = await stage.http.get(SCRIPT)
    assert empty.text == "export const begin = () => {};"
    saved = data_of(await put(lead, [CART, OFF], 0))
    assert saved == data_of(await lead.get(PATH))
    cart, off = saved["invitations"]
    assert (cart | CART, off["is_on"], saved["version"]) == (cart, False, 1)
    assert len({one["id"] for one in saved["invitations"]}) == 2
    brought = await stage.http.get(SCRIPT)
    assert brought.headers["content-type"].startswith("text/javascript")
    assert brought.headers["access-control-allow-origin"] == "*"
    (told,) = json.loads(re.findall(r"^export const invitations = (.*);$", brought.text, re.MULTILINE)[0])
    assert (told, "begin" in brought.text) == ({name: cart[name] for name in cart if name != "is_on"}, True)


async def test_a_text_cannot_leave_its_place_in_the_script(lead: Agent, stage: Stage) -> None:
    text = '</script>\u2028";alert(1);//`${alert(1)}'
    await put(lead, [{"text": {"en": text}}], 0)
    line = re.findall(r"^export const invitations = (.*);$", (await stage.http.get(SCRIPT)).text, re.MULTILINE)[0]
    assert json.loads(line)[0]["text"]["en"] == text
    assert "\u2028" not in line


async def test_of_two_who_write_at_once_one_is_told_and_a_repeat_changes_nothing(lead: Agent) -> None:
    answers = await asyncio.gather(*(put(lead, [CART | {"seconds": n}], 0) for n in (10, 20)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    (lost,) = [answer for answer in answers if answer.status_code == 409]
    assert (code_of(lost), lost.json()["error"]["details"]) == ("INVITATIONS_CHANGED", {"version": 1})
    there = data_of(await lead.get(PATH))
    new = [{name: there["invitations"][0][name] for name in CART}]
    for wanted in (there["invitations"], new):
        assert data_of(await put(lead, wanted, 0)) == there, "its answer was lost, and it is asked for again"


async def test_what_is_wrong_is_refused_with_its_place(lead: Agent, stage: Stage) -> None:
    twice = [CART | {"id": "inv_a"}, OFF | {"id": "inv_a"}]
    for wanted, place in (
        ([{"text": {"en": " ", "zh": ""}}], "invitations.0.text"),
        ([{"text": {"en": "x" * 301}}], "invitations.0.text.en"),
        ([CART | {"seconds": 3601}], "invitations.0.seconds"),
        ([CART | {"cart": -1}], "invitations.0.cart"),
        ([CART | {"url": "a b"}], "invitations.0.url"),
        ([CART | {"id": "mine"}], "invitations.0.id"),
        (twice, "invitations"),
        ([CART] * 21, "invitations"),
    ):
        refused = await put(lead, wanted, 0)
        assert refused.status_code == 422, wanted
        assert refused.json()["error"]["details"]["fields"][0]["field"] == place
    assert (await stage.http.get("/sdk/invite.js?shop=none")).status_code == 404
    mei = await stage.agent("mei")
    assert (await mei.get(PATH)).status_code == 200
    assert code_of(await put(mei, [CART], 0)) == "FORBIDDEN"
    assert data_of(await lead.get(PATH))["version"] == 0


async def test_the_conversation_says_which_invitation_is_answered(lead: Agent, stage: Stage) -> None:
    invitation = data_of(await put(lead, [CART, OFF], 0))["invitations"][0]["id"]

    async def opened(wish: str, locale: str = "zh") -> list[dict[str, object]]:
        body = {"invitation": wish, "locale": locale}
        visitor = Visitor(stage, data_of(await stage.http.post("/api/conversation/new", json=body)))
        log = await lead.follows(visitor.name)
        await log.sees("stream.ready")
        assert "invitation.answered" not in (await visitor.get(f"/api/sessions/{visitor.name}")).text
        told = [one for one in log.frames if one["type"] == "invitation.answered"]
        return [{name: one[name] for name in ("id", "text")} for one in told]

    assert await opened(invitation) == [{"id": invitation, "text": "需要帮您核对尺码吗？"}]
    assert await opened(invitation, "en") == [{"id": invitation, "text": "Shall we check the size?"}]
    assert await opened("inv_elsewhere") == []
    data_of(await put(lead, [], 1))
    assert await opened(invitation) == [], "nobody can look up any more what it said"
    for wrong in ("cart", "inv_", 7):
        assert (await stage.http.post("/api/conversation/new", json={"invitation": wrong})).status_code == 422
