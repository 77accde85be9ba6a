"""What the workbench sees of all sessions, and each waiting visitor of the queue, without asking again."""

from typing import Any

from actors import Agent, Frame, Stage, Visitor, Watch
from kefu.kit.db import Database
from kefu.kit.ids import new_id
from kefu.sessions import service
from kefu.sessions.post import post

GONE_BY = 6


async def changed(desk: Watch, visitor: Visitor, patience: float = 2, **facts: Any) -> Frame:
    """The summary of the visitor's session, once it says this."""

    def summaries() -> list[Frame]:
        return [frame["session"] for frame in desk.frames if frame["type"] == "session.changed"]

    def found() -> list[Frame]:
        return [one for one in summaries() if one["session_name"] == visitor.name and facts.items() <= one.items()]

    await desk.until(lambda: bool(found()), patience, f"{visitor.name} {facts}")
    return found()[-1]


async def test_every_change_of_a_session_reaches_the_desk(stage: Stage, agent: Agent) -> None:
    desk = await agent.watches_the_desk()
    await desk.sees("stream.ready")
    visitor = await stage.visitor(locale="zh")
    opened = await changed(desk, visitor, status="bot_active", seq=1, last_message_preview=None)
    assert opened["user_profile"]["nickname"].startswith("访客 ")
    await visitor.asks_for_a_person()
    waiting = await changed(desk, visitor, status="pending_manual")
    assert waiting["escalation"]["reason"] == "manual"
    assert waiting["escalation"]["waiting_seconds"] < 2
    await agent.takes_over(visitor)
    await changed(desk, visitor, status="manual_live", assigned_agent={"id": agent.id, "name": "Mei"})
    await visitor.says("长" * 60)
    preview = (await changed(desk, visitor, message_count=1))["last_message_preview"]
    assert (preview["role"], preview["content"]) == ("user", "长" * 49 + "…")
    await agent.closes(visitor)
    await changed(desk, visitor, status="closed", assigned_agent=None)
    assert set(desk.ids) == {0}


async def test_a_summary_on_the_desk_is_the_one_in_the_list(visitor: Visitor, agent: Agent) -> None:
    desk = await agent.watches_the_desk()
    await desk.sees("stream.ready")
    await agent.takes_over(visitor)
    shown = await changed(desk, visitor, status="manual_live")
    listed = (await agent.get("/api/sessions")).json()["data"]["sessions"]
    assert listed == [shown | {"unread": 0}]


async def test_what_another_process_changes_reaches_the_desk(db: Database, visitor: Visitor, agent: Agent) -> None:
    desk = await agent.watches_the_desk()
    await desk.sees("stream.ready")
    await post(db, visitor.name, "from elsewhere", "other-1")
    await changed(desk, visitor, GONE_BY, visitor_message_count=1)
    name = new_id("s")
    async with db.write() as tx:
        await service.open_session(tx, service.Opening(name, "default", "en"))
    await desk.until(
        lambda: any(frame.get("session", {}).get("session_name") == name for frame in desk.frames), GONE_BY, name
    )


async def test_a_waiting_visitor_sees_the_queue_move(stage: Stage, agent: Agent) -> None:
    first, second, third = [await stage.visitor() for _ in range(3)]
    for waiting in (first, second, third):
        await waiting.asks_for_a_person()
    await third.sees("queue.position", position=3, waiting=3)
    await second.sees("queue.position", position=2, waiting=3)
    await agent.takes_over(first)
    await second.sees("queue.position", position=1, waiting=2)
    await third.sees("queue.position", position=2, waiting=2)
    await agent.closes(second)
    await third.sees("queue.position", position=1, waiting=1)


async def test_a_visitor_hears_nothing_of_the_desk_or_of_other_visitors(stage: Stage, visitor: Visitor) -> None:
    stream, other = await visitor.follows(visitor.name), await stage.visitor()
    await other.says("a secret")
    await other.asks_for_a_person()
    await visitor.asks_for_a_person()
    await stream.sees("queue.position", position=2)
    assert {frame["type"] for frame in stream.frames} <= {
        "session.opened",
        "session.escalated",
        "stream.ready",
        "queue.position",
    }
