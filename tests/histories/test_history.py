"""A visitor finds their earlier conversations, an agent those of the visitor; nobody finds anybody else's."""

from actors import Agent, Stage, Visitor, code_of, data_of
from histories.visits import comes_again, merges, read_by, says_of, two_talks


async def test_a_visitor_sees_their_earlier_conversations_youngest_first(stage: Stage, lead: Agent) -> None:
    first, second = await two_talks(stage)
    await lead.takes_over(first)
    await lead.says(first, "您好，我来帮您")
    await lead.closes(first)
    silent = await comes_again(stage, second)
    third = await comes_again(stage, silent, locale="zh")

    page = data_of(await third.get("/api/visitor/sessions"))

    assert [one["session_name"] for one in page["sessions"]] == [second.name, first.name]
    assert page["next_cursor"] is None
    earlier = page["sessions"][1]
    assert (earlier["status"], earlier["rating"], earlier["merged_into"]) == ("closed", None, None)
    assert earlier["last_message"]["content"] == "您好，我来帮您"
    assert earlier["last_message"]["role"] == "agent"
    assert earlier["created_at"] <= earlier["last_message"]["at"] <= earlier["updated_at"]


async def test_the_list_is_read_page_by_page(stage: Stage) -> None:
    visitor = await stage.visitor()
    names = []
    for n in range(5):
        visitor = await comes_again(stage, visitor)
        await visitor.says(f"Talk {n}")
        names.append(visitor.name)
    now = await comes_again(stage, visitor)
    found, cursor = [], ""
    while True:
        page = data_of(await now.get(f"/api/visitor/sessions?limit=2&cursor={cursor}"))
        found += [one["session_name"] for one in page["sessions"]]
        if page["next_cursor"] is None:
            break
        cursor = page["next_cursor"]
    assert sorted(found) == sorted(names)
    assert len(found) == 5
    assert code_of(await now.get("/api/visitor/sessions?cursor=WzFd")) == "BAD_CURSOR"
    assert code_of(await now.get("/api/visitor/sessions?limit=0")) == "VALIDATION_FAILED"


async def test_an_earlier_conversation_is_read_and_gone_on_with(stage: Stage) -> None:
    first, second = await two_talks(stage)
    assert await read_by(second, first.name) == [
        (first.name, "About my battery"),
        (first.name, "More about the battery"),
    ]
    whole = await says_of(second, first.name)
    page = await says_of(second, first.name, "?limit=1")
    rest = await says_of(second, first.name, f"?after={page['next_cursor']}")
    assert [*page["messages"], *rest["messages"]][: len(whole["messages"])] == whole["messages"]
    assert {one["type"] for one in whole["messages"]} == {"message.posted"}
    assert code_of(await second.get(f"/api/visitor/sessions/{first.name}/messages?after=WyJ4IiwxXQ")) == "BAD_CURSOR"

    opened = data_of(await second.post(f"/api/visitor/sessions/{first.name}/token"))

    assert opened["session_name"] == first.name
    assert await Visitor(stage, opened).says("One more thing") > 0
    assert (await read_by(second, first.name))[-1] == (first.name, "One more thing")


async def test_nobody_elses_conversation_is_found(stage: Stage, agent: Agent) -> None:
    first, _ = await two_talks(stage)
    stranger = await stage.visitor()
    await stranger.says("Hello")
    for name in (first.name, "no-such-session"):
        for answer in (
            await stranger.get(f"/api/visitor/sessions/{name}/messages"),
            await stranger.get(f"/api/sessions/{name}/transcript"),
            await stranger.post(f"/api/visitor/sessions/{name}/token"),
        ):
            assert (answer.status_code, code_of(answer)) == (403, "FOREIGN_SESSION")
    assert data_of(await stranger.get("/api/visitor/sessions"))["sessions"] == []
    for answer in (
        await agent.get("/api/visitor/sessions"),
        await agent.get(f"/api/visitor/sessions/{first.name}/messages"),
        await agent.post(f"/api/visitor/sessions/{first.name}/token"),
        await first.get(f"/api/sessions/{first.name}/history"),
        await first.get(f"/api/sessions/{first.name}/messages"),
        await first.post(f"/api/sessions/{first.name}/merge", {"into": first.name}),
        await agent.post(f"/api/sessions/{first.name}/split", {"from_seq": 2}),
    ):
        assert (answer.status_code, code_of(answer)) == (403, "FORBIDDEN")


async def test_an_agent_sees_the_visitors_other_conversations(stage: Stage, agent: Agent, lead: Agent) -> None:
    first, second = await two_talks(stage)
    third = await comes_again(stage, second)
    await third.says("Me again")
    data_of(await merges(lead, first, second))

    page = data_of(await agent.get(f"/api/sessions/{third.name}/history"))

    shown = {one["session_name"]: one["merged_into"] for one in page["sessions"]}
    assert shown == {first.name: second.name, second.name: None}
    assert [one["session_name"] for one in data_of(await third.get("/api/visitor/sessions"))["sessions"]] == [
        second.name
    ]
    assert code_of(await agent.get("/api/sessions/no-such-session/history")) == "SESSION_NOT_FOUND"
    assert code_of(await agent.get("/api/sessions/no-such-session/messages")) == "SESSION_NOT_FOUND"


async def test_who_left_no_word_of_who_they_are_has_no_history(stage: Stage) -> None:
    """Two who never shared a token are two visitors, whatever they are called."""
    first, second = await stage.visitor(), await stage.visitor()
    await first.says("I am Ann")
    await second.says("I am Ann too")
    assert data_of(await second.get("/api/visitor/sessions"))["sessions"] == []
