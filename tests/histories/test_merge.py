"""Two conversations of one visitor become one: nothing is lost, nothing is rewritten, nobody waits for ever."""

import asyncio

import httpx2
import pytest

from actors import Agent, Stage, Visitor, code_of, data_of
from histories.visits import comes_again, merges, read_by, two_talks
from kefu.kit.db import Database
from kefu.sessions.fold import fold_all
from kefu.sessions.models import Session
from sessions.records import all_of, columns_of, log_of, row_of

RACES = 4


async def is_folded(db: Database, *visitors: Visitor) -> None:
    for one in visitors:
        row, log = await all_of(db, one.name)
        assert columns_of(fold_all(one.name, log[: row["seq"]])) == row, "the bot may have written since"
        assert [entry.seq for entry in log] == list(range(1, len(log) + 1))


async def test_the_kept_one_is_read_with_what_was_merged_in_order_of_time(
    stage: Stage, lead: Agent, db: Database
) -> None:
    first, second = await two_talks(stage)
    before = await log_of(db, first.name)

    kept = data_of(await merges(lead, first, second))

    assert kept["session_name"] == second.name
    await second.says("And the pedals?")
    expected = [
        (first.name, "About my battery"),
        (first.name, "More about the battery"),
        (second.name, "About my brakes"),
        (second.name, "More about the brakes"),
        (second.name, "And the pedals?"),
    ]
    for reader in (lead, second):
        assert await read_by(reader, second.name) == expected
        assert await read_by(reader, second.name, "?others=true") == expected[:2]
    log = await log_of(db, first.name)
    assert log[: len(before)] == before, "the log of the merged one is untouched"
    assert [one.type for one in log[-2:]] == ["session.merged_into", "session.closed"]
    (merged,) = [one for one in await log_of(db, second.name) if one.type == "session.merged"]
    assert (merged.facts["source"], merged.facts["up_to"]) == (first.name, log[-3].seq)
    assert merged.actor == f'{{"kind":"agent","id":"{lead.id}","name":"{lead.name}"}}'
    await is_folded(db, first, second)


async def test_an_older_one_into_which_a_younger_is_merged_is_read_in_order_of_time(stage: Stage, lead: Agent) -> None:
    first, second = await two_talks(stage)
    await first.says("Third about the battery")
    data_of(await merges(lead, second, first))
    await first.says("After the merge")
    names = [name for name, _ in await read_by(lead, first.name)]
    changes = [name for name, before in zip(names, ["", *names], strict=False) if name != before]
    assert changes == [first.name, second.name, first.name]
    assert (await read_by(lead, first.name))[-1] == (first.name, "After the merge")


async def test_what_was_merged_before_comes_along(stage: Stage, lead: Agent, db: Database) -> None:
    first, second = await two_talks(stage)
    third = await comes_again(stage, second)
    await third.says("Now the lights")
    data_of(await merges(lead, first, second))
    data_of(await merges(lead, second, third))
    assert [name for name, _ in await read_by(third, third.name)] == [first.name] * 2 + [second.name] * 2 + [third.name]
    opened = data_of(await first.post(f"/api/visitor/sessions/{second.name}/token"))
    assert opened["session_name"] == third.name, "the token leads to where it goes on"
    await is_folded(db, first, second, third)


async def test_who_writes_to_the_merged_one_is_told_where_it_goes_on(stage: Stage, lead: Agent) -> None:
    first, second = await two_talks(stage)
    seq = await first.says("stored before", "m-before")
    data_of(await merges(lead, first, second))
    for answer in (
        await first.posts("too late"),
        await first.post("/api/manual/escalate", {"session_name": first.name}),
        await first.post("/api/manual/messages", {"session_name": first.name, "role": "user", "content": "x"}),
        await lead.acts("takeover", first),
        await lead.acts("close", first),
        await lead.writes(first, "hello"),
        await lead.post(f"/api/sessions/{first.name}/split", {"from_seq": 3}),
    ):
        assert (answer.status_code, code_of(answer)) == (409, "SESSION_MERGED")
        assert answer.json()["error"]["details"] == {"into": second.name}
    repeat = data_of(await first.posts("stored before", "m-before"), 201)
    assert repeat["seq"] == seq, "what was stored before is not sent again"


@pytest.mark.parametrize(
    ("source_is", "kept_is", "becomes"),
    [
        ("waiting", "with the bot", "pending_manual"),
        ("served", "with the bot", "manual_live"),
        ("served", "waiting", "manual_live"),
        ("with the bot", "closed", "bot_active"),
        ("waiting", "closed", "pending_manual"),
        ("closed", "closed", "closed"),
        ("closed", "with the bot", "bot_active"),
        ("waiting", "served", "manual_live"),
    ],
)
async def test_whom_one_waits_for_or_is_served_by_the_kept_one_is_too(
    stage: Stage, lead: Agent, db: Database, source_is: str, kept_is: str, becomes: str
) -> None:
    first, second = await two_talks(stage)
    for one, state in ((first, source_is), (second, kept_is)):
        if state == "waiting":
            await one.asks_for_a_person()
        if state == "served":
            await lead.takes_over(one)
        if state == "closed":
            await lead.closes(one)
    kept = data_of(await merges(lead, first, second))
    assert kept["status"] == becomes
    assert (kept["assigned_agent"] or {}).get("id") == (lead.id if becomes == "manual_live" else None)
    assert (await row_of(db, first.name))["status"] == "closed"
    assert data_of(await merges(lead, first, second))["epoch"] == kept["epoch"]
    log = [one.type for one in await log_of(db, second.name)]
    assert log.count("session.merged") == 1, "a repeat changes nothing"
    await is_folded(db, first, second)


async def test_what_does_not_belong_together_is_not_merged(stage: Stage, lead: Agent, db: Database) -> None:
    first, second = await two_talks(stage)
    third = await comes_again(stage, second)
    stranger = await stage.visitor()
    async with db.write() as tx:
        (await tx.get_one(Session, third.name)).shop = "another"

    async def refusal(source: str, into: str) -> tuple[int, str]:
        answer = await lead.post(f"/api/sessions/{source}/merge", {"into": into})
        return answer.status_code, code_of(answer)

    assert await refusal(first.name, first.name) == (409, "SAME_SESSION")
    assert await refusal(first.name, stranger.name) == (409, "VISITORS_DIFFER")
    assert await refusal(first.name, third.name) == (409, "SHOPS_DIFFER")
    assert await refusal(first.name, "no-such-session") == (404, "SESSION_NOT_FOUND")
    assert await refusal(first.name, "no such name!") == (422, "VALIDATION_FAILED")
    data_of(await merges(lead, first, second))
    assert await refusal(second.name, first.name) == (409, "ALREADY_MERGED")
    fourth = await comes_again(stage, second)
    assert await refusal(first.name, fourth.name) == (409, "ALREADY_MERGED")
    assert await refusal(fourth.name, first.name) == (409, "ALREADY_MERGED")
    zh = await lead.post(f"/api/sessions/{first.name}/merge", {"into": fourth.name}, **{"Accept-Language": "zh"})
    assert zh.json()["error"]["message"] == "该会话此前已合并到另一个会话。"
    assert zh.json()["error"]["details"] == {"session_name": first.name, "into": second.name}


async def test_each_into_the_other_at_once_ends_with_one(stage: Stage, lead: Agent, db: Database) -> None:
    for _ in range(RACES):
        first, second = await two_talks(stage)
        answers = await asyncio.gather(*(merges(lead, *pair) for pair in ((first, second), (second, first)) * 2))
        won = [answer for answer in answers if answer.status_code == 200]
        assert len(won) == 2, "one way round, and its repeat"
        assert len({data_of(answer)["session_name"] for answer in won}) == 1
        assert {code_of(answer) for answer in answers if answer not in won} == {"ALREADY_MERGED"}
        await is_folded(db, first, second)


async def test_a_message_that_races_with_the_merge_is_read_in_the_kept_one_or_refused(
    stage: Stage, lead: Agent, db: Database
) -> None:
    for n in range(RACES):
        first, second = await two_talks(stage)
        await lead.takes_over(first)

        async def write(one: Visitor, text: str) -> tuple[str, httpx2.Response]:
            return text, await one.posts(text, text)

        sent, merged = await asyncio.gather(
            asyncio.gather(*(write(first, f"{n}-{i}") for i in range(6))), merges(lead, first, second)
        )
        data_of(merged)
        stored = {text for text, answer in sent if answer.status_code == 201}
        for text, answer in sent:
            if text not in stored:
                assert (code_of(answer), answer.json()["error"]["details"]["into"]) == ("SESSION_MERGED", second.name)
                await second.says(text, text)
        read = [text for _, text in await read_by(second, second.name)]
        assert sorted(text for text in read if text.startswith(f"{n}-")) == [f"{n}-{i}" for i in range(6)]
        await is_folded(db, first, second)
