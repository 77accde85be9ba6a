"""A shop's look: who may change it, what cannot be read or is too long, and where it is shown."""

import asyncio
import re
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest

from actors import Agent, Stage, Visitor, code_of, data_of
from conftest import ON_ONE_DATABASE
from kefu.kit.db import Database
from kefu.ops import loader
from kefu.shops.colors import AA, contrast, palette_of
from kefu.shops.service import FIRST_SHOP, put_shop
from shops.signing import secure, signed

ROOT = Path(__file__).parents[2]
PATH = "/api/shops/default/look"
EMPTY = {"zh": "", "en": ""}
LOOK: dict[str, Any] = {
    "name": {"zh": "小微", "en": "Vela"},
    "welcome": {"zh": "您好！", "en": "Hello!"},
    "suggestions": {"zh": ["多久送到？"], "en": ["When will it come?", "Where is my order?"]},
    "color": "#b3261e",
    "on_color": "#ffffff",
    "position": "bottom-left",
    "icon": "headset",
    "avatar": "letter",
    "asks": {"name": "required", "email": "optional"},
    "consent": {
        "mode": "ask",
        "text": {"zh": "我们保留一年。", "en": "We keep it a year."},
        "link": {"zh": "", "en": "https://shop.example/privacy"},
    },
    "hours_notice": {"zh": "现在没人。", "en": "Nobody is here."},
}
ADA = {"name": " Ada ", "email": "ada@shop.example", "agreed": True}


@pytest.fixture
async def lead(stage: Stage) -> Agent:
    return await stage.agent("lin", "supervisor")


async def bot(stage: Stage, query: str = "locale=en") -> Any:
    return data_of(await stage.http.get(f"/api/bot/info?{query}"))["bot"]


async def test_what_is_saved_is_shown_by_the_widget_in_the_visitors_language(lead: Agent, stage: Stage) -> None:
    first = data_of(await lead.get(PATH))
    assert (first["is_default"], first["version"], first["name"]) == (True, 0, FIRST_SHOP["bot_name"])
    assert contrast(first["color"], first["on_color"]) >= AA
    assert (await bot(stage))["palette"] is None
    saved = data_of(await lead.put(PATH, LOOK | {"color": "#B3261E", "version": 0}))
    assert saved == data_of(await lead.get(PATH))
    assert {name: saved[name] for name in LOOK} == LOOK
    assert (saved["version"], saved["is_default"]) == (1, False)
    shown = await bot(stage, "locale=zh-CN&shop=default")
    assert (shown["name"], shown["welcome"], shown["suggestions"]) == ("小微", "您好！", ["多久送到？"])
    assert (shown["avatar"], shown["icon"]) == ("letter", saved["icons"]["headset"])
    assert shown["palette"] == palette_of("#b3261e", "#ffffff").model_dump(mode="json")
    assert (shown["hours_notice"], shown["asks"]) == ("现在没人。", LOOK["asks"])
    english = await bot(stage)
    assert english["consent"] == {"mode": "ask", "text": "We keep it a year.", "link": "https://shop.example/privacy"}


async def test_of_two_who_save_at_once_one_is_told_and_a_repeat_is_no_change(lead: Agent) -> None:
    bodies = [LOOK | {"icon": icon, "version": 0} for icon in ("heart", "bubble")]
    answers = await asyncio.gather(*(lead.put(PATH, body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    (lost,) = [answer for answer in answers if answer.status_code == 409]
    assert (code_of(lost), lost.json()["error"]["details"]) == ("LOOK_CHANGED", {"version": 1})
    there = data_of(await lead.get(PATH))
    assert data_of(await lead.put(PATH, LOOK | {"icon": there["icon"], "version": 0}))["version"] == 1


async def test_what_cannot_be_read_or_is_wrong_is_refused_with_its_place(lead: Agent) -> None:
    low = await lead.stage.http.put(
        PATH,
        json=LOOK | {"color": "#ffd400", "version": 0},
        headers={"Authorization": f"Bearer {lead.token}", "Accept-Language": "zh"},
    )
    assert (low.status_code, code_of(low)) == (422, "CONTRAST_TOO_LOW")
    assert low.json()["error"]["details"]["contrast"] < AA
    assert "对比度" in low.json()["error"]["message"]
    consent = LOOK["consent"]
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"color": "red"}, "color"),
        ({"color": "#0f766e;}"}, "color"),
        ({"on_color": 7}, "on_color"),
        ({"name": {"zh": "小", "en": "x" * 41}}, "name.en"),
        ({"name": {"zh": "小", "en": " "}}, "name.en"),
        ({"welcome": {"en": "Hi"}}, "welcome"),
        ({"welcome": {"zh": "好", "en": "a\0b"}}, "welcome.en"),
        ({"suggestions": {"zh": [], "en": ["?"] * 7}}, "suggestions.en"),
        ({"position": "top"}, "position"),
        ({"icon": "skull"}, "icon"),
        ({"asks": {"name": "always"}}, "asks.name"),
        ({"consent": consent | {"text": EMPTY | {"en": "We keep it"}}}, "consent"),
        ({"consent": consent | {"link": EMPTY | {"en": "javascript:alert(1)"}}}, "consent.link.en"),
        ({"hours_notice": {"zh": "x" * 301, "en": ""}}, "hours_notice.zh"),
        ({"version": -1}, "version"),
    ]
    for change, field in wrong:
        answer = await lead.put(PATH, LOOK | {"version": 0} | change)
        assert answer.status_code == 422, change
        assert [one["field"] for one in answer.json()["error"]["details"]["fields"]] == [field], change
    assert data_of(await lead.get(PATH))["version"] == 0
    missing = await lead.put("/api/shops/none/look", LOOK | {"version": 0})
    assert (missing.status_code, code_of(missing)) == (404, "SHOP_NOT_FOUND")
    assert (await lead.get("/api/shops/none/look")).status_code == 404


async def test_only_who_may_change_the_shop_sees_and_changes_it(agent: Agent, stage: Stage) -> None:
    visitor = await stage.visitor()
    for who in (agent, visitor):
        for answer in (await who.get(PATH), await who.put(PATH, LOOK | {"version": 0})):
            assert (answer.status_code, code_of(answer)) == (403, "FORBIDDEN")
    assert (await stage.http.get(PATH)).status_code == 401


async def test_the_script_brings_the_look_of_the_shop_it_names(
    lead: Agent, stage: Stage, db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sdk").mkdir()
    (tmp_path / loader.LOADER).write_text("(()=>{const l=Object(`KEFU_LOOK`)})()")
    monkeypatch.setattr(loader, "STATIC", tmp_path)
    async with db.write() as tx:
        await put_shop(tx, **FIRST_SHOP | {"id": "bikes"})

    async def look(query: str, **headers: str) -> Any:
        answer = await stage.http.get(f"/sdk/fiido-kefu.js{query}", headers=headers)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/javascript")
        assert answer.headers["cache-control"] == "public, max-age=300"
        found = re.fullmatch(r"\(\(\)=>\{const l=Object\((.*)\)\}\)\(\)", answer.text)
        assert found
        return orjson.loads(found[1])

    assert await look("") == {}
    saved = data_of(await lead.put("/api/shops/bikes/look", LOOK | {"version": 0}))
    hover = palette_of("#b3261e", "#ffffff").hover
    css = f".launcher{{background:#b3261e;color:#ffffff}}.launcher:hover{{background:{hover}}}"
    icon = saved["icons"]["headset"]
    assert await look("?shop=bikes") == {"position": "bottom-left", "icon": icon, "css": css}
    for other in ("", "?shop=default", "?shop=nobody", "?shop=';alert(1)//"):
        assert await look(other) == {}, other
    assert (await look("?shop=bikes", **{"Accept-Encoding": "identity"}))["icon"] == icon
    first = await stage.http.get("/sdk/fiido-kefu.js?shop=bikes")
    known = {"If-None-Match": first.headers["etag"]}
    assert (await stage.http.get("/sdk/fiido-kefu.js?shop=bikes", headers=known)).status_code == 304
    data_of(await lead.put("/api/shops/bikes/look", LOOK | {"icon": "heart", "version": 1}))
    assert (await stage.http.get("/sdk/fiido-kefu.js?shop=bikes", headers=known)).status_code == 200


async def test_of_what_a_visitor_says_before_the_first_word_is_kept_what_the_shop_asks(
    lead: Agent, stage: Stage, db: Database
) -> None:
    unasked = Visitor(stage, data_of(await stage.http.post("/api/conversation/new", json={"introduction": ADA})))
    assert (await lead.reads(unasked))["user_profile"]["nickname"] != "Ada"
    data_of(await lead.put(PATH, LOOK | {"version": 0}))
    opened = await stage.http.post("/api/conversation/new", json={"introduction": ADA, "locale": "en"})
    visitor = Visitor(stage, data_of(opened))
    assert (await lead.reads(visitor))["user_profile"]["nickname"] == "Ada"
    told = await (await lead.follows(visitor.name)).sees("visitor.introduced")
    kept = {name: told[name] for name in ("name", "email", "agreed")}
    assert kept == {"name": "Ada", "email": "ada@shop.example", "agreed": "We keep it a year."}
    inspector = await stage.agent("ida", "inspector")
    assert (await (await inspector.follows(visitor.name)).sees("visitor.introduced"))["email"] == "***"
    assert "visitor.introduced" not in (await visitor.get(f"/api/sessions/{visitor.name}")).text
    rows = await db.fetch("SELECT payload FROM events WHERE type = 'visitor.introduced'")
    assert len(rows) == 1
    assert "ada@shop.example" not in str(rows[0][0]), "sealed at rest"


NEW, CHAT = "/api/conversation/new", "/api/chat"


async def opens(stage: Stage, said: Any = None, token: str = "", **wish: Any) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return await stage.http.post(NEW, json={"introduction": said, "locale": "en", **wish}, headers=headers)


async def test_no_conversation_begins_without_what_the_shop_requires(lead: Agent, stage: Stage) -> None:
    before = await stage.visitor()
    data_of(await lead.put(PATH, LOOK | {"version": 0}))
    for said, missing in (
        (None, ["name", "agreed"]),
        ({"name": "  ", "agreed": True}, ["name"]),
        ({"name": "Ada", "email": "ada@shop.example"}, ["agreed"]),
        ({"name": "Ada", "agreed": "We keep it a month."}, ["agreed"]),
    ):
        refused = await opens(stage, said, session_id="s_ada")
        assert (refused.status_code, code_of(refused)) == (422, "INTRODUCTION_REQUIRED")
        assert refused.json()["error"]["details"] == {"missing": missing}
    chat = {"message": "Hello", "user_id": "s_ada"}
    refused = await stage.http.post(CHAT, json=chat, headers={"Accept-Language": "zh"})
    assert (code_of(refused), "请先填写" in refused.json()["error"]["message"]) == ("INTRODUCTION_REQUIRED", True)
    assert (await lead.get("/api/sessions/s_ada")).status_code == 404, "nothing was opened"
    said = data_of(await stage.http.post(CHAT, json=chat | {"introduction": ADA}))
    assert (await lead.get(f"/api/sessions/{said['session_name']}")).is_success
    again = await opens(stage, session_id="s_ada", token=said["visitor_token"])
    assert again.json()["session_name"] == "s_ada", "one that is open is asked for no more"
    await before.says("I was here before the form")


async def introduced(lead: Agent, answer: httpx2.Response) -> Any:
    events = await lead.follows(data_of(answer)["session_name"])
    await events.sees("stream.ready")
    told = [one for one in events.frames if one["type"] == "visitor.introduced"]
    return {name: told[0][name] for name in ADA if name in told[0]} if told else None


async def test_who_is_known_says_no_name_and_agrees_once_to_the_same_words(lead: Agent, stage: Stage) -> None:
    secret = await secure(lead)
    old = await stage.visitor()
    data_of(await lead.put(PATH, LOOK | {"version": 0}))
    first = await opens(stage, ADA)
    said = {"name": "Ada", "email": "ada@shop.example", "agreed": "We keep it a year."}
    second = await opens(stage, token=data_of(first)["visitor_token"], locale="zh")
    third = await opens(stage, token=data_of(second)["visitor_token"])
    assert [await introduced(lead, one) for one in (first, second, third)] == [said] * 3
    for known in ({"token": old.token}, {"identity": {"token": signed(secret)}}):
        refused = await opens(stage, **known)
        assert refused.json()["error"]["details"] == {"missing": ["agreed"]}
        assert await introduced(lead, await opens(stage, {"agreed": said["agreed"]}, **known)) == {
            "agreed": said["agreed"]
        }
    other = await opens(stage, identity={"token": signed(secret)}, token=data_of(first)["visitor_token"])
    assert code_of(other) == "INTRODUCTION_REQUIRED", "another person's word is not theirs"
    words = LOOK["consent"] | {"text": {"zh": "我们保留两年。", "en": "We keep it two years."}}
    data_of(await lead.put(PATH, LOOK | {"consent": words, "version": 1}))
    refused = await opens(stage, token=data_of(third)["visitor_token"])
    assert refused.json()["error"]["details"] == {"missing": ["agreed"]}, "not to these words"


@ON_ONE_DATABASE
@pytest.mark.parametrize("said", [{"name": "x" * 81}, {"email": "nobody"}, {"agreed": 1}, {"name": "a\nb"}, 7])
async def test_a_wrong_introduction_opens_nothing(stage: Stage, said: object) -> None:
    assert (await stage.http.post("/api/conversation/new", json={"introduction": said})).status_code == 422


def test_colours_are_counted_as_the_workbench_counts_them() -> None:
    examples = orjson.loads((ROOT / "web/workbench/src/look/colors.json").read_bytes())
    assert len(examples) > 5
    for one in examples:
        found = one.pop("contrast")
        assert int(contrast(one["color"], one["on_color"]) * 100) / 100 == found
        assert palette_of(one["color"], one["on_color"]).model_dump(mode="json") == one
