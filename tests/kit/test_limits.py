"""Who asks too often waits, and is told how long."""

from pathlib import Path

import pytest

from actors import Agent, Stage, Visitor, code_of
from kefu.kit.config import Settings

# Counting knows no database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, database_url=database_url, rate_limits="on")


async def test_sixty_messages_a_minute_in_a_session_and_no_more(visitor: Visitor, agent: Agent, stage: Stage) -> None:
    await agent.takes_over(visitor)
    for n in range(60):
        await visitor.says(f"message {n}")
    refused = [
        await visitor.posts("one more"),
        await visitor.post("/api/manual/messages", {"session_name": visitor.name, "role": "user", "content": "x"}),
    ]
    for answer in refused:
        assert (answer.status_code, code_of(answer)) == (429, "RATE_LIMITED")
        assert 1 <= int(answer.headers["Retry-After"]) <= 61
        assert answer.headers["Retry-After"] in answer.json()["error"]["message"]
    assert (await agent.reads(visitor))["message_count"] == 60
    await agent.says(visitor, "an agent is not held up by the visitor's limit")
    assert (await (await stage.visitor()).posts("nor is another visitor")).status_code == 201


async def test_an_address_opens_120_sessions_a_minute(stage: Stage) -> None:
    for _ in range(120):
        await stage.visitor()
    answer = await stage.http.post("/api/conversation/new", json={}, headers={"Accept-Language": "zh"})
    assert (answer.status_code, code_of(answer)) == (429, "RATE_LIMITED")
    assert answer.json()["error"]["message"].startswith("请求过于频繁")
