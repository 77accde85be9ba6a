"""Prometheus may read, and nobody else."""

from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from actors import Agent, Stage, Visitor, code_of
from kefu.kit.config import Settings

# Counting knows no database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

TOKEN = "a long one for prometheus"


def value(text: str, name: str) -> float:
    """Of the line that begins with this name and these labels; 0 when there is none."""
    lines = [line for line in text.splitlines() if line.startswith(f"{name} ")]
    return float(lines[0].rpartition(" ")[2]) if lines else 0.0


async def read(http: httpx2.AsyncClient) -> str:
    answer = await http.get("/api/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return answer.text


async def test_requests_are_counted_by_route(visitor: Visitor, stage: Stage) -> None:
    before = await read(stage.http)
    for n in range(3):
        await visitor.says(f"message {n}")
    await stage.http.get("/api/nowhere/at/all")
    await stage.http.request("PROPFIND", "/health")
    after = await read(stage.http)
    for labels, more in {
        'method="POST",route="/api/sessions/{name}/messages",status="201"': 3,
        'method="GET",route="none",status="404"': 1,
        'method="other",route="/health",status="405"': 1,
    }.items():
        name = f"kefu_request_duration_seconds_count{{{labels}}}"
        assert value(after, name) - value(before, name) == more, name
    assert visitor.name not in after


async def test_open_streams_are_counted(visitor: Visitor, agent: Agent, stage: Stage) -> None:
    assert value(await read(stage.http), "kefu_streams_open") == 0
    await visitor.sees("stream.ready")
    desk = await agent.watches_the_desk()
    await desk.sees("stream.ready")
    assert value(await read(stage.http), "kefu_streams_open") == 2


async def test_what_redis_does_is_there_before_anything_happened(stage: Stage) -> None:
    text = await read(stage.http)
    for name in ("kefu_redis_away", "kefu_bus_sent_total", "kefu_bus_received_total", "kefu_bus_dropped_total"):
        assert f"\n{name} " in text
    for name in ("kefu_redis_failures", "kefu_store_asked", "kefu_store_reconciled"):
        assert f"# TYPE {name}_total counter" in text


@pytest.mark.parametrize("address", ["93.184.216.34", "::ffff:93.184.216.34", "2a00:1450:4001::1", "", "nonsense"])
async def test_a_stranger_may_not_read(app: FastAPI, address: str) -> None:
    transport = httpx2.ASGITransport(app=app, client=(address, 1))
    async with httpx2.AsyncClient(transport=transport, base_url="http://kefu") as stranger:
        assert code_of(await stranger.get("/api/metrics")) == "FORBIDDEN"


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded"])
async def test_a_web_server_in_front_lets_nobody_in(stage: Stage, header: str) -> None:
    assert (await stage.http.get("/api/metrics", headers={header: "10.0.0.7"})).status_code == 403


class TestWithAToken:
    @pytest.fixture
    def settings(self, database_url: str, tmp_path: Path) -> Settings:
        return Settings(data_dir=tmp_path, database_url=database_url, rate_limits="off", metrics_token=SecretStr(TOKEN))

    async def test_only_the_token_opens(self, client: httpx2.AsyncClient) -> None:
        for given in ("", "Bearer", "Bearer wrong", f"bearer {TOKEN}x", TOKEN, "Bearer 中"):
            headers = {b"Authorization": given.encode()} if given else {}
            answer = await client.get("/api/metrics", headers=headers)
            assert (answer.status_code, code_of(answer)) == (401, "TOKEN_REQUIRED"), given
        behind = {"Authorization": f"Bearer {TOKEN}", "X-Forwarded-For": "203.0.113.7"}
        assert (await client.get("/api/metrics", headers=behind)).status_code == 200
