"""Writing policies, publishing them, trying a text (spec P1)."""

import asyncio
from typing import Any

import pytest

from actors import Agent, Stage, code_of, data_of
from kefu.supervision.lexicon import sums_in
from kefu.supervision.matching import Phrases
from supervision.watched import keyword, policy, publishes


async def put(who: Agent, *policies: dict[str, Any], revision: int = 0) -> Any:
    return data_of(await who.put("/api/policies", {"policies": [*policies], "revision": revision}))


async def test_versions_never_change_and_say_when_they_were_in_force(stage: Stage) -> None:
    lead, mei = await stage.agent("lead", "supervisor"), await stage.agent("mei")
    first = data_of(await lead.get("/api/policies"))
    assert (first["in_force"], first["revision"], first["is_changed"]) == (0, 0, False)
    assert {one["rule"]["kind"] for one in first["policies"]} >= {"vip", "keyword", "fail_loop"}
    draft = await put(lead, keyword("a", "battery"), keyword("b", "brake"))
    assert (draft["in_force"], draft["revision"], draft["is_changed"]) == (0, 1, True)
    published = data_of(await lead.post("/api/policies/publish", {"revision": 1, "note": "two words"}), 201)
    assert (published["version"], published["published_by"]) == (1, lead.name)
    assert await publishes(lead, [keyword("b", "brake", "brakes"), keyword("c", "charger")]) == 2
    versions = data_of(await lead.get("/api/policies/versions"))
    assert [(one["version"], one["note"], one["until"] is None) for one in versions] == [
        (2, "", True),
        (1, "two words", False),
        (0, "", False),
    ]
    old = data_of(await lead.get("/api/policies/versions/1"))
    assert old["policies"] == draft["policies"]
    assert versions[1]["until"] == versions[0]["published_at"]
    found = data_of(await lead.get("/api/policies/diff?old=1&new=2"))
    assert {
        one["id"]: (one["change"], sorted(one["fields"]) if one["change"] == "changed" else "") for one in found
    } == {
        "pol_a": ("removed", ""),
        "pol_b": ("changed", ["rule"]),
        "pol_c": ("added", ""),
    }
    missing = await lead.get("/api/policies/versions/9")
    assert (missing.status_code, code_of(missing)) == (404, "POLICY_VERSION_NOT_FOUND")
    for answer in (await mei.get("/api/policies"), await mei.put("/api/policies", {"policies": [], "revision": 3})):
        assert answer.status_code == 403


async def test_who_saw_an_older_draft_changes_and_publishes_nothing(stage: Stage) -> None:
    lead = await stage.agent("lead", "supervisor")
    bodies = [{"policies": [keyword(name, "battery")], "revision": 0} for name in ("a", "b", "c", "d")]
    answers = await asyncio.gather(*(lead.put("/api/policies", body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert (code_of(refused), refused.json()["error"]["details"]) == ("POLICIES_CHANGED", {"revision": 1})
    for revision, code in ((0, "POLICIES_CHANGED"), (1, None), (1, "POLICIES_CHANGED"), (2, "NOTHING_TO_PUBLISH")):
        answer = await lead.post("/api/policies/publish", {"revision": revision})
        assert (code_of(answer) if code else answer.status_code) == (code or 201)


WRONG: tuple[tuple[dict[str, Any], str], ...] = (
    (policy("a", {"kind": "regex", "pattern": "order (\\d+"}), "第 6 个字符"),
    (policy("a", {"kind": "regex", "pattern": "a(?=b)"}), "第 1 个字符"),
    (policy("a", {"kind": "keyword", "words": []}), "条目过少"),
    (policy("a", {"kind": "keyword", "words": ["  "]}), "不能为空白"),
    (policy("a", {"kind": "weather"}), "类型未知"),
    (policy("a", {"kind": "fail_loop", "in_a_row": 0}), "不能小于 1"),
    (policy("a", {"kind": "vip"}, does="tag"), "必须指定标签"),
    (policy("a", {"kind": "vip"}, priority=101), "不能大于 100"),
    (policy("a", {"kind": "vip"}, colour="red"), "不支持该字段"),
    (policy("a", {"kind": "vip"}, name={"en": "x"}), "必填"),
    (policy("A B", {"kind": "vip"}), "不允许的字符"),
)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_is_wrong_with_a_policy_is_said_in_words(stage: Stage) -> None:
    lead = await stage.agent("lead", "supervisor")
    for wrong, reason in WRONG:
        body = {"policies": [wrong], "revision": 0}
        answer = await stage.http.put(
            "/api/policies", json=body, headers={"Authorization": f"Bearer {lead.token}", "Accept-Language": "zh"}
        )
        assert answer.status_code == 422, wrong
        assert reason in answer.json()["error"]["details"]["fields"][0]["reason"], answer.text
    twice = await lead.put("/api/policies", {"policies": [keyword("a", "x"), keyword("a", "y")], "revision": 0})
    assert twice.json()["error"]["details"]["fields"] == [{"field": "policies", "reason": "has an entry twice: pol_a"}]
    unknown = await lead.put("/api/policies", {"policies": [keyword("a", "x", shop="no-shop")], "revision": 0})
    assert (unknown.status_code, code_of(unknown)) == (404, "SHOP_NOT_FOUND")
    backwards = await lead.post("/api/policies/backtests", {"since": 5, "until": 5})
    assert "ends before it begins" in backwards.text
    for wish in ({"version": 7}, {"baseline": 7}):
        answer = await lead.post("/api/policies/backtests", {"since": 0, "until": 5} | wish)
        assert (answer.status_code, code_of(answer)) == (404, "POLICY_VERSION_NOT_FOUND")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_text_is_tried_on_what_is_being_written(stage: Stage) -> None:
    lead = await stage.agent("lead", "supervisor")
    text = "你好，我找客服"
    [hit] = data_of(await lead.post("/api/policies/try", {"text": text}))
    assert (hit["policy"], hit["effect"], hit["why"]["spans"]) == ("pol_keywords", "escalated", [[5, 7]])
    own = [keyword("hello", "你好", dry_run=True), policy("bomb", {"kind": "regex", "pattern": "(x+x+)+y"})]
    hits = data_of(await lead.post("/api/policies/try", {"text": text + "x" * 4000, "policies": own}))
    assert [(one["policy"], one["effect"]) for one in hits] == [("pol_hello", "none")]
    assert data_of(await lead.post("/api/policies/try", {"text": "hi", "is_vip": True}))[0]["kind"] == "vip"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("我要找客服", ["客服"]),
        ("为客服务", []),
        ("人工智能", []),
        ("转人工", ["人工"]),
        ("An AGENT, please", ["AGENT"]),
        ("\uff21\uff27\uff25\uff2e\uff34", ["\uff21\uff27\uff25\uff2e\uff34"]),  # full width
        ("reagent agents", []),
        ("agent客服agent", ["agent", "客服", "agent"]),
    ],
)
def test_a_keyword_is_found_where_words_begin_and_end(text: str, found: list[str]) -> None:
    phrases = Phrases(["人工", "客服", "agent"], by_words=True)
    assert [text[slice(*span)] for span in phrases.find(text)] == found


def test_inside_finds_chinese_anywhere_and_english_only_as_words() -> None:
    phrases = Phrases(["客服", "can’t"], by_words=False)
    assert [span for text in ("为客服务", "I can't", "scan't") for span in phrases.find(text)] == [(1, 3), (2, 7)]


@pytest.mark.parametrize(
    ("text", "sums"),
    [
        ("€2,499.00", [2499.0]),
        ("订单3万元", [30_000.0]),
        ("$1.5k", [1500.0]),
        ("order 12345", []),
        ("300 euros", [300.0]),
    ],
)
def test_sums_of_money_are_read_as_people_write_them(text: str, sums: list[float]) -> None:
    assert [amount for amount, _ in sums_in(text)] == sums
