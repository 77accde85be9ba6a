"""What every answer carries, and what is turned away before anybody looks at it."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from accounts.team import bearer
from actors import Agent, Stage, Visitor, code_of
from conftest import do_without
from faults.nginx import Nginx
from faults.waiting import until
from files.samples import MP4
from kefu.kit.config import Settings
from kefu.kit.web import BODY_LIMIT, body_limit
from kefu.main import STREAMS, create_app
from kefu.ops import web_apps
from kefu.realtime import server
from realtime.socket_watch import connects
from servers import Missing, free_port
from serving import served

# The edge knows no database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

PAGES = ("/workbench/", "/workbench/team/x", "/embed", "/demo", "/docs", "/articles/nothing")
REST = (
    "/openapi.json",
    "/sdk/fiido-kefu.js",
    "/packs/js/sdk.js",
    "/static/widget/bot.svg",
    "/static/nothing.js",
    "/health",
    "/nowhere",
)
CARRIED = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "strict-origin-when-cross-origin",
    "cross-origin-opener-policy": "same-origin",
}


def policy_of(answer: httpx2.Response) -> dict[str, str]:
    """The content security policy, by directive."""
    parts = (part.strip().partition(" ") for part in answer.headers["content-security-policy"].split(";"))
    return {name: value for name, _, value in parts}


def routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Every method and path of the description, with something in the place of each parameter."""
    for path, operations in app.openapi()["paths"].items():
        for method in operations:
            yield method.upper(), re.sub(r"\{\w+\}", "1", path)


async def test_every_answer_carries_the_headers_and_none_a_cookie(
    app: FastAPI, client: httpx2.AsyncClient, agent: Agent
) -> None:
    asked = [*routes(app), *(("GET", page) for page in (*PAGES, *REST))]
    assert len(asked) > 100
    endless = {stream.path for stream in STREAMS}
    for method, path in asked:
        for headers in ({}, bearer(agent.token)):
            if headers and any(re.sub(r"\{\w+\}", "1", one) == path for one in endless):
                continue
            answer = await client.request(method, path, headers={**headers, "Cookie": "session=1"})
            assert CARRIED.items() <= answer.headers.items(), path
            assert "camera=()" in answer.headers["permissions-policy"]
            policy = policy_of(answer)
            assert policy["default-src"] in {"'none'", "'self'"}, path
            assert "frame-ancestors" in policy
            assert "unsafe" not in answer.headers["content-security-policy"]
            assert "set-cookie" not in answer.headers
            if path.startswith("/api/"):
                assert answer.headers["cache-control"].startswith("no-"), path
            if answer.is_redirect:
                assert answer.headers["location"] in {"/demo", "/workbench/"}


async def test_each_page_names_its_scripts_by_a_nonce_that_is_used_once(client: httpx2.AsyncClient) -> None:
    for page in ("/workbench/", "/embed", "/demo", "/docs"):
        nonces = set()
        for answer in [await client.get(page) for _ in range(2)]:
            assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
            found = re.fullmatch(r"'nonce-([\w-]{20,})'", policy_of(answer)["script-src"])
            assert found
            scripts = re.findall(r"<script[^>]*>", answer.text)
            assert scripts
            assert all(f'nonce="{found[1]}"' in script for script in scripts)
            assert not re.search(r"<script[^>]*>[^<]|\son\w+=|javascript:|style=", answer.text)
            assert web_apps.NONCE not in answer.text
            nonces.add(found[1])
        assert len(nonces) == 2


@pytest.mark.parametrize("env", ["production", "development"])
async def test_only_production_over_https_is_strict_about_it(tmp_path: Path, env: str, database_url: str) -> None:
    told = {"data_dir": tmp_path, "database_url": database_url, "env": env, "jwt_secret_key": "0123456789abcdef" * 4}
    app = create_app(Settings.model_validate(told))
    for scheme in ("http", "https"):
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=f"{scheme}://kefu") as client:
            answers = [await client.get(path) for path in ("/health", "/workbench/", "/api/nowhere")]
        strict = {answer.headers.get("strict-transport-security") for answer in answers}
        assert strict == {"max-age=31536000" if (env, scheme) == ("production", "https") else None}
    await app.state.db.close()


async def test_a_cookie_is_nothing_and_a_foreign_page_cannot_act(stage: Stage, agent: Agent, visitor: Visitor) -> None:
    """Only a bearer token opens anything, which no browser sends by itself; a form of another site is refused."""
    foreign = {
        "Origin": "https://evil.example",
        "Cookie": f"token={agent.token}; Authorization=Bearer {agent.token}; session={visitor.token}",
    }
    for path in (f"/api/sessions/{visitor.name}/takeover", f"/api/sessions/{visitor.name}/messages", "/api/tags"):
        answer = await stage.http.post(path, json={"content": "x", "client_msg_id": "1"}, headers=foreign)
        assert (answer.status_code, code_of(answer)) == (401, "TOKEN_REQUIRED")
        assert "access-control-allow-origin" not in answer.headers
    asked = foreign | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    preflight = await stage.http.options(f"/api/sessions/{visitor.name}/takeover", headers=asked)
    assert "access-control-allow-origin" not in preflight.headers
    form = bearer(visitor.token) | {"Content-Type": "text/plain"}
    message = b'{"content":"x","client_msg_id":"1"}'
    answer = await stage.http.post(f"/api/sessions/{visitor.name}/messages", content=message, headers=form)
    assert (answer.status_code, code_of(answer)) == (422, "VALIDATION_FAILED")
    assert (await agent.reads(visitor))["status"] == "bot_active"


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "//evil.example/%2e%2e",
        "/\\evil.example",
        "/%09/evil.example",
        "/workbench//evil.example/",
        "/workbench/?next=//evil.example",
        "/api/sessions/",
        "/static//evil.example/",
        "/demo/?url=https://evil.example",
        "/https://evil.example/",
    ],
)
async def test_nobody_is_sent_elsewhere(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.get(f"http://kefu{path}", headers={"Host": "evil.example"})
    assert not answer.is_redirect
    assert "location" not in answer.headers


async def test_how_large_a_body_may_be_depends_on_what_it_is_for(agent: Agent, visitor: Visitor) -> None:
    assert body_limit("/api/agent/login") < BODY_LIMIT < body_limit("/api/knowledge/articles")
    for path in ("/api/agent/login", "/api/tags", f"/api/sessions/{visitor.name}/messages", "/api/knowledge/articles"):
        limit = body_limit(path)
        answer = await agent.send(path, b"x" * (limit + 1))
        assert (answer.status_code, code_of(answer)) == (413, "TOO_LARGE"), path
        assert answer.json()["error"]["details"] == {"limit": limit}
        assert (await agent.send(path, b"x" * limit)).status_code == 422, path


class Line:
    """A connection of which the test writes every byte."""

    def __init__(self, reads: asyncio.StreamReader, writes: asyncio.StreamWriter) -> None:
        self._reads, self.writes = reads, writes

    @classmethod
    async def to(cls, port: int) -> "Line":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def says(self, *parts: bytes, every: float = 0.0) -> None:
        """Until the other end has closed."""
        try:
            for part in parts:
                self.writes.write(part)
                await self.writes.drain()
                await asyncio.sleep(every)
        except ConnectionError:
            pass

    async def hears(self) -> bytes:
        """All that is answered before the other end closes; it must do so within 20 seconds."""
        heard = b""
        async with asyncio.timeout(20):
            try:
                while part := await self._reads.read(65_536):
                    heard += part
            except ConnectionError:
                pass
        self.writes.close()
        return heard


HEAD = b"POST /api/conversation/new HTTP/1.1\r\nHost: kefu\r\n"
BODY = HEAD + b"Content-Type: application/json\r\nContent-Length: 40000\r\n\r\n{"
DRIP = [b"a"] * 1000


async def drip(port: int, opening: bytes, drops: list[bytes]) -> bytes:
    """What is answered to who sends this opening and then drop after drop for ever."""
    line = await Line.to(port)
    dripping = asyncio.create_task(line.says(opening, *drops, every=0.05))
    heard = await line.hears()
    dripping.cancel()
    await asyncio.gather(dripping, return_exceptions=True)
    return heard


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "REQUEST_SECONDS", 0.6)


@pytest.mark.usefixtures("impatient")
async def test_who_sends_a_request_drop_by_drop_does_not_keep_the_connection(stage: Stage, visitor: Visitor) -> None:
    port = stage.http.base_url.port
    assert port is not None
    stream, socket = await visitor.follows(visitor.name), await connects(visitor, visitor.name)
    silent, header, head, body, chunked = await asyncio.gather(
        drip(port, b"", []),
        drip(port, HEAD + b"X-Slow: ", DRIP),
        drip(port, HEAD, [b"X-%d: 1\r\n" % n for n in range(1000)]),
        drip(port, BODY, DRIP),
        drip(port, HEAD + b"Transfer-Encoding: chunked\r\n\r\n", [b"1\r\na\r\n"] * 1000),
    )
    assert silent == b""
    for heard in (header, head, body, chunked):
        assert heard.startswith(b"HTTP/1.1 408 "), heard
        assert heard.count(b"HTTP/1.1") == 1
        assert b'"code":"REQUEST_TIMEOUT"' in heard
        assert b"x-content-type-options: nosniff" in heard
    # What was asked in time lives on, and hears.
    await visitor.says("still there?")
    for watch in (stream, socket):
        await watch.sees("message.posted", content="still there?")
    assert (await stage.http.get("/health")).status_code == 200


async def test_requests_that_come_before_their_turn_are_answered_in_order(stage: Stage) -> None:
    assert stage.http.base_url.port is not None
    line = await Line.to(stage.http.base_url.port)
    paths = ("/api/health", "/api/nowhere", "/health", "/api/nothing")
    heads = [f"GET {path} HTTP/1.1\r\nHost: kefu\r\nX-Request-ID: request-{n}\r\n" for n, path in enumerate(paths)]
    await line.says(("\r\n".join(heads) + "Connection: close\r\n\r\n").encode())
    heard = await line.hears()
    assert re.findall(rb"HTTP/1.1 (\d+)", heard) == [b"200", b"404", b"200", b"404"]
    assert re.findall(rb"x-request-id: request-(\d)", heard) == [b"0", b"1", b"2", b"3"]


async def test_a_file_may_come_slowly_but_not_as_slowly_as_it_likes(
    stage: Stage, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "REQUEST_SECONDS", 0.5)
    monkeypatch.setattr(server, "UPLOAD_PACE", 2_000)
    port = stage.http.base_url.port
    assert port is not None
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
    body = part + b"a" * 60_000 + b"\r\n--x--\r\n"
    head = (
        f"POST /api/sessions/{visitor.name}/files HTTP/1.1\r\nHost: kefu\r\nAuthorization: Bearer {visitor.token}\r\n"
    )
    head += f"Content-Type: multipart/form-data; boundary=x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    pieces = [body[at : at + 2_500] for at in range(0, len(body), 2_500)]
    heard = await drip(port, head.encode(), pieces)  # in 25 pieces, of which each half second must bring one
    assert heard.startswith(b"HTTP/1.1 201 "), heard
    monkeypatch.setattr(server, "UPLOAD_SECONDS", 0.6)
    heard = await drip(port, head.encode(), pieces)
    assert heard.startswith(b"HTTP/1.1 408 "), heard


async def test_a_head_has_its_bounds(stage: Stage) -> None:
    port = stage.http.base_url.port
    assert port is not None
    chinese = b"Accept-Language: zh\r\n"
    many = b"".join(b"X-%d: 1\r\n" % n for n in range(server.HEADERS))
    for head in (
        HEAD + chinese + many + b"\r\n",
        HEAD + b"X: " + b"x" * server.HEAD_BYTES + b"\r\n\r\n",
        HEAD + b"X: " + b"x" * (server.HEAD_BYTES + 100),
        b"GET /" + b"x" * server.HEAD_BYTES + b" HTTP/1.1\r\n\r\n",
    ):
        line = await Line.to(port)
        await line.says(head)
        heard = await line.hears()
        assert heard.startswith(b"HTTP/1.1 431 "), heard[:200]
        assert b'"code":"HEADERS_TOO_LARGE"' in heard
        assert ("请求头".encode() in heard) == (chinese in head)
    line = await Line.to(port)
    await line.says(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
    assert b'"code":"BAD_REQUEST"' in await line.hears()


async def test_the_recommended_nginx_keeps_the_slow_and_the_many_out(app: FastAPI, tmp_path: Path) -> None:
    async with served(app) as address:
        short: dict[str, Any] = {
            "client_header_timeout": "1s",
            "client_body_timeout": "1s",
            "limit_conn": "kefu_lines 3",
        }
        try:
            nginx = Nginx(tmp_path, int(address.rpartition(":")[2]), free_port(), **short)
        except Missing as missing:
            do_without(str(missing))
        await nginx.start()
        try:
            heard = await asyncio.gather(
                drip(nginx.port, HEAD + b"X-Slow: ", DRIP), drip(nginx.port, BODY, []), drip(nginx.port, b"", [])
            )
            assert all(b"201" not in one and b"200 OK" not in one for one in heard)
            await _fill_lines(nginx.port)
            async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{nginx.port}", timeout=20) as client:
                large = await client.post("/api/chat", content=b"x" * 1_100_000)
                opened = (await client.post("/api/conversation/new", json={})).json()
                path, headers = f"/api/sessions/{opened['session_name']}/files", bearer(opened["visitor_token"])
                form = {"file": ("film.mp4", MP4 + bytes(2_000_000))}
                film = await client.post(path, files=form, headers=headers)
            assert (large.status_code, code_of(large)) == (413, "TOO_LARGE")
            assert film.status_code == 201
        finally:
            await nginx.kill()


async def _fill_lines(port: int) -> None:
    """Three open requests of an address are served, a fourth is told to wait, and served once one has ended."""
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
        opened = (await client.post("/api/conversation/new", json={})).json()
        path, headers = f"/api/sessions/{opened['session_name']}/events", bearer(opened["visitor_token"])
        streams = [client.stream("GET", path, headers=headers) for _ in range(3)]
        for stream in streams:
            assert (await stream.__aenter__()).status_code == 200
        refused = await client.get("/health", headers={"Accept-Language": "zh"})
        assert (refused.status_code, code_of(refused)) == (429, "RATE_LIMITED")
        assert refused.headers["retry-after"] == "5"
        assert "连接过多" in refused.text
        for stream in streams:
            await stream.__aexit__(None, None, None)

        async def is_served() -> bool:
            return (await client.get("/health")).status_code == 200

        await until(is_served, 10)
