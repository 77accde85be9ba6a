"""Episodes and stints stand beside the log: when somebody waited, who served, when they first wrote, how it ended."""

from typing import Any

from sqlalchemy import select

from actors import Stage
from kefu.kit.db import Database
from kefu.sessions.models import Episode, Stint
from kefu.sessions.states import Move
from sessions.records import bring


async def all_of(db: Database, table: type[Episode] | type[Stint], name: str) -> list[Any]:
    async with db.read() as tx:
        return list(await tx.scalars(select(table).where(table.session == name).order_by(table.started_at)))


async def test_from_the_wait_to_the_release_there_is_one_episode_with_a_stint_of_each_who_had_it(
    db: Database, stage: Stage
) -> None:
    visitor, mei = await stage.visitor(), await stage.agent("mei")
    await visitor.asks_for_a_person()
    (waiting,) = await all_of(db, Episode, visitor.name)
    assert (waiting.number, waiting.reason, waiting.taken_at, waiting.ended_at) == (1, "manual", None, None)
    await mei.takes_over(visitor)
    await mei.says(visitor, "Hello")
    await mei.says(visitor, "Still here")
    await bring(db, visitor.name, Move.TRANSFER, Move.RELEASE)
    (episode,) = await all_of(db, Episode, visitor.name)
    first, second = await all_of(db, Stint, visitor.name)
    assert episode.started_at <= episode.taken_at == first.started_at <= episode.replied_at == first.replied_at
    assert (episode.agent_id, episode.ended_by, episode.ended_at) == ("agent_2", "session.released", second.ended_at)
    assert (first.agent_id, first.ended_by, first.ended_at) == (mei.id, "session.transferred", second.started_at)
    assert (second.agent_id, second.replied_at, second.ended_by) == ("agent_2", None, "session.released")


async def test_a_lost_agent_ends_the_stint_and_not_the_episode_and_the_next_wait_is_another_one(
    db: Database, stage: Stage
) -> None:
    visitor, mei = await stage.visitor(), await stage.agent("mei")
    await mei.takes_over(visitor)
    await bring(db, visitor.name, Move.LOSE_AGENT)
    await mei.takes_over(visitor)
    await mei.closes(visitor)
    await visitor.says("One more thing")
    await visitor.asks_for_a_person()
    unasked, waiting = await all_of(db, Episode, visitor.name)
    assert (unasked.reason, unasked.ended_by) == ("unasked", "session.closed")
    assert (waiting.number, waiting.reason, waiting.taken_at) == (2, "manual", None)
    stints = await all_of(db, Stint, visitor.name)
    assert [(one.episode, one.ended_by) for one in stints] == [(1, "session.agent_lost"), (1, "session.closed")]


async def test_a_visitor_who_comes_back_is_known_by_their_earlier_token(stage: Stage) -> None:
    first = await stage.visitor()
    again = (await first.post("/api/conversation/new", {})).json()
    stranger = await stage.visitor()
    sessions = [
        (await stage.http.get(f"/api/sessions/{name}", headers={"Authorization": f"Bearer {token}"})).json()
        for name, token in (
            (first.name, first.token),
            (again["session_name"], again["visitor_token"]),
            (stranger.name, stranger.token),
        )
    ]
    ids = [one["data"]["session"]["visitor_id"] for one in sessions]
    assert ids[0] == ids[1] != ids[2]


async def test_a_bad_token_opens_a_session_of_a_new_visitor(stage: Stage) -> None:
    opened = await stage.http.post("/api/conversation/new", json={}, headers={"Authorization": "Bearer nonsense"})
    assert opened.status_code == 200
