"""nginx, as it is recommended, repeats what may be repeated, passes streams on and says when nobody answers."""

import asyncio
from pathlib import Path

import httpx2
import pytest

from faults.front import behind_nginx

POST = "/api/sessions/s/messages"
DYING = b""
STORED = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello"
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: first\n\n"


async def ask_until_both_were_met(client: httpx2.AsyncClient, method: str, path: str) -> list[int]:
    """One round of the two processes."""
    return [(await client.request(method, path, json={})).status_code for _ in range(2)]


async def test_a_visitors_message_is_repeated_when_its_process_dies(tmp_path: Path) -> None:
    async with behind_nginx(tmp_path, DYING, STORED) as (client, (dying, well)):
        assert await ask_until_both_were_met(client, "POST", POST) == [201, 201]
        assert len(dying.heard) == 1
        assert len(well.heard) == 2


@pytest.mark.parametrize("path", ["/api/manual/messages", "/api/chat", "/api/agent/refresh", "/api/sessions/s/release"])
async def test_what_could_do_harm_twice_is_not_repeated(tmp_path: Path, path: str) -> None:
    async with behind_nginx(tmp_path, DYING, STORED) as (client, (dying, well)):
        assert sorted(await ask_until_both_were_met(client, "POST", path)) == [201, 503]
        assert (len(dying.heard), len(well.heard)) == (1, 1)


async def test_what_nobody_heard_is_sent_to_the_other(tmp_path: Path) -> None:
    async with behind_nginx(tmp_path, STORED) as (client, (well,)):
        assert await ask_until_both_were_met(client, "POST", "/api/chat") == [201, 201]
        assert len(well.heard) == 2


@pytest.mark.parametrize(("language", "says"), [("en", "Try again in a moment"), ("zh-CN,zh", "请稍后重试")])
async def test_when_nobody_answers_it_says_so_as_kefu_does(tmp_path: Path, language: str, says: str) -> None:
    async with behind_nginx(tmp_path) as (client, _):
        answer = await client.post(POST, json={}, headers={"Accept-Language": language})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["success"] is False
    assert answer.json()["error"]["code"] == "NO_ANSWER"
    assert says in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/api/sessions/s/events", "/api/agent/events"])
async def test_a_stream_is_passed_on_at_once(tmp_path: Path, path: str) -> None:
    async with behind_nginx(tmp_path, STREAM, STREAM) as (client, _), client.stream("GET", path) as answer:
        async with asyncio.timeout(10):
            assert await anext(answer.aiter_lines()) == "data: first"


async def test_a_websocket_gets_through(tmp_path: Path) -> None:
    async with behind_nginx(tmp_path, SWITCHED, SWITCHED) as (client, processes):
        reads, writes = await asyncio.open_connection("127.0.0.1", client.base_url.port)
        writes.write(b"GET /ws/agent HTTP/1.1\r\nHost: kefu\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        async with asyncio.timeout(10):
            assert b" 101 " in await reads.readline()
            assert (await reads.read()).endswith(b"hello")
        writes.close()
    (heard,) = [request for process in processes for request in process.heard]
    assert b"Upgrade: websocket" in heard
