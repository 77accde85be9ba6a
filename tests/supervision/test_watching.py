"""What the policies do while a conversation runs (spec P1, P2, P4)."""

import asyncio
from collections.abc import Sequence
from typing import Any

from actors import Agent, Stage, Visitor, data_of
from kefu.answering.wording import NOBODY_HERE
from kefu.jobs.queue import row_of
from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.sessions.work import AnswerVisitor
from routing.scene import ON_ONE
from supervision.watched import answers, decisions, keyword, policy, publishes, settled, types

CLOSED = {"timezone": "Europe/Berlin", "week": [[]] * 7}


async def closes_the_shop(lead: Agent) -> None:
    data_of(await lead.put("/api/shops/default/hours", {"hours": CLOSED, "version": 0}))


ASKING = (
    *("请帮我转人工", "I want to talk to a real person", "你们客服在吗", "我要投诉你们", "Please have someone call me"),
    *("换个人跟我说", "the brakes have failed on a hill", "My son broke his arm", "this bot is useless"),
)


@ON_ONE
async def test_who_asks_for_a_person_gets_one_and_no_answer(stage: Stage, db: Database) -> None:
    for text in ASKING:
        await gets_a_person(stage, db, text)


async def gets_a_person(stage: Stage, db: Database, text: str) -> None:
    visitor = await stage.visitor()
    await visitor.sees("stream.ready")
    asked = await visitor.says(text)
    moved = await visitor.sees("session.escalated")
    assert (moved["reason"], moved["severity"], moved["actor"]["kind"]) == ("keyword", "high", "system")
    assert moved["details"] == ""
    log = await settled(db, visitor.name)
    assert answers(log) == []
    [(_, about, point, effect)] = decisions(log)
    assert (about, point, effect) == (asked, "question", "escalated")
    facts = next(one for one in log if one.type == "policy.decided").facts
    assert facts["version"] == 0
    start, end = facts["why"]["spans"][0]
    assert text[start:end] == facts["why"]["found"][0]
    assert "policy.decided" not in await told_to(visitor)


QUESTIONS = (
    *("你好", "全心全意为客服务吗", "人工智能是什么", "Which reagents do you sell?", "My bike is broken"),
    *("I ordered two by accident", "Will the courier call me?", "The app crashed", "How do I charge the bike?"),
)


@ON_ONE
async def test_who_does_not_is_answered(stage: Stage, db: Database) -> None:
    for text in QUESTIONS:
        visitor = await stage.visitor()
        await visitor.says(text)
        log = await settled(db, visitor.name)
        assert (answers(log), decisions(log)) == (["Yes, it is."], []), text


async def test_the_third_failure_in_a_row_is_not_said_but_brings_a_person(
    db: Database, visitor: Visitor, agent: Agent
) -> None:
    for text in ("fail", "sorry", "good", "fail", "sorry"):
        await visitor.says(text)
        await visitor.sees("message.posted", role="assistant")
    asked = await visitor.says("fail once more")
    moved = await visitor.sees("session.escalated")
    assert (moved["reason"], moved["severity"]) == ("fail_loop", "low")
    log = await settled(db, visitor.name)
    assert decisions(log) == [("fail_loop", asked, "answer", "escalated")]
    assert types(log)[-4:] == ["answer.withheld", "policy.decided", "session.escalated", "handoff.packet"]
    assert len(answers(log)) == 5
    assert not {"answer.withheld", "policy.decided"} & await told_to(visitor)
    await agent.takes_over(visitor)
    await agent.releases(visitor)
    await visitor.says("fail again")
    await visitor.sees("message.posted", role="assistant")
    assert (await visitor.reads())["ai_fail_count"] == 2
    assert len(decisions(await settled(db, visitor.name))) == 1


@ON_ONE
async def test_out_of_hours_the_bot_says_that_nobody_is_here_and_stays(stage: Stage, db: Database) -> None:
    lead = await stage.agent("lead", "supervisor")
    await closes_the_shop(lead)
    visitor = await stage.visitor(locale="zh")
    await visitor.says("转人工")
    await settled(db, visitor.name)
    await visitor.says("你好")
    log = await settled(db, visitor.name)
    assert answers(log) == [NOBODY_HERE["zh"], "Yes, it is."]
    assert [effect for *_, effect in decisions(log)] == ["closed"]
    assert (await visitor.reads())["status"] == "bot_active"


async def told_to(visitor: Visitor) -> set[str]:
    """The types of what a visitor's stream has of the log."""
    watch = await visitor.follows(visitor.name)
    await watch.sees("stream.ready")
    return {one["type"] for one in watch.events}


RULES: Sequence[tuple[dict[str, Any], list[str]]] = (
    ({"kind": "regex", "pattern": r"order\s+#?\d{5}"}, ["my order #12345"]),
    ({"kind": "topic", "topics": ["safety"]}, ["the battery caught fire"]),
    ({"kind": "sentiment", "in_a_row": 2}, ["this is terrible", "what a useless bot"]),
    ({"kind": "order_value", "at_least": 2000}, ["I paid €2,499.00 for it"]),
    ({"kind": "spend", "at_least": 2}, ["dear", "dear", "hello"]),
    ({"kind": "time", "measure": "messages", "at_least": 3}, ["one", "two", "three"]),
    ({"kind": "low_confidence", "below": 0.5}, ["weak"]),
)


@ON_ONE
async def test_each_kind_hits_at_the_message_it_should_and_not_before(stage: Stage, db: Database) -> None:
    lead = await stage.agent("lead", "supervisor")
    for rule, texts in RULES:
        version = await publishes(lead, [policy(rule["kind"], rule)])
        visitor = await stage.visitor()
        seq, log = 0, await settled(db, visitor.name)
        for text in texts:
            seq, log = await visitor.says(text), await settled(db, visitor.name)
        point = "answer" if rule["kind"] == "low_confidence" else "question"
        assert decisions(log) == [(rule["kind"], seq, point, "escalated")], rule
        assert next(one for one in log if one.type == "policy.decided").facts["version"] == version


async def test_order_cool_down_dry_run_and_what_else_policies_do(stage: Stage, db: Database) -> None:
    lead = await stage.agent("lead", "supervisor")
    desk = await lead.watches_the_desk()
    await desk.sees("stream.ready")
    await publishes(
        lead,
        [
            keyword("late", "battery", priority=9),
            keyword("dry", "battery", priority=1, dry_run=True),
            keyword("tag", "battery", priority=2, does="tag", tag="tag_vip", cooldown_minutes=60),
            keyword("tell", "battery", priority=2, severity="high", does="tell", cooldown_minutes=60),
            keyword("other", "battery", priority=1, shop="default", hours="closed"),
            keyword("first", "person", priority=3),
            keyword("off", "battery", priority=1, enabled=False),
        ],
    )
    visitor = await stage.visitor()
    first = await visitor.says("hello person, the battery?")
    log = await settled(db, visitor.name)
    expected = [("dry", "none"), ("tell", "told"), ("tag", "tagged"), ("first", "escalated")]
    assert decisions(log) == [(name, first, "question", effect) for name, effect in expected]
    told = await desk.sees("policy.fired", session=visitor.name)
    assert told["policy"]["en"] == "tell"
    await lead.takes_over(visitor)
    await lead.releases(visitor)
    second = await visitor.says("battery")
    log = await settled(db, visitor.name)
    assert decisions(log)[4:] == [("dry", second, "question", "none"), ("late", second, "question", "escalated")]
    assert types(log).count("tag.added") == 1


async def test_each_message_of_a_burst_is_judged_once(stage: Stage, db: Database) -> None:
    lead = await stage.agent("lead", "supervisor")
    await publishes(lead, [keyword("dry", "battery", dry_run=True), keyword("stop", "stop", priority=60)])
    visitor = await stage.visitor()
    seqs = [await visitor.says(text) for text in ("battery", "hello", "battery", "stop it", "battery")]
    log = await settled(db, visitor.name)
    hits = decisions(log)
    assert hits[:3] == [
        ("dry", seqs[0], "question", "none"),
        ("dry", seqs[2], "question", "none"),
        ("stop", seqs[3], "question", "escalated"),
    ]
    assert len(hits) == 3


async def test_work_that_is_repeated_decides_nothing_twice(stage: Stage, db: Database) -> None:
    lead = await stage.agent("lead", "supervisor")
    await publishes(lead, [keyword("dry", "battery", dry_run=True), keyword("stop", "stop")])
    for text in ("the battery", "stop"):
        visitor = await stage.visitor()
        seq = await visitor.says(text)
        before = await settled(db, visitor.name)
        row = row_of(AnswerVisitor(visitor.name, seq, 0), now_ms())
        for _ in range(3):
            insert = "INSERT INTO jobs (lane, kind, payload, run_at, created_at) VALUES ($1, $2, $3, $4, $5)"
            await db.execute(insert, *(row[name] for name in ("lane", "kind", "payload", "run_at", "created_at")))
        await asyncio.sleep(0)
        assert await settled(db, visitor.name) == before


async def test_what_is_published_holds_from_the_next_message_on(stage: Stage, db: Database) -> None:
    lead = await stage.agent("lead", "supervisor")
    await publishes(lead, [])
    visitor = await stage.visitor()
    await visitor.says("转人工")
    assert decisions(await settled(db, visitor.name)) == []
    await publishes(lead, [keyword("person", "人工")])
    await visitor.says("转人工")
    assert [one[0] for one in decisions(await settled(db, visitor.name))] == ["person"]
