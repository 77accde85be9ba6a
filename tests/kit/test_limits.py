"""Who asks too often waits, and is told how long."""

import shutil
from pathlib import Path

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from limits import parse

from accounts.team import PASSWORD
from actors import Agent, Stage, Visitor, code_of, data_of
from conftest import do_without
from faults.nginx import Nginx
from kefu.kit.config import Settings
from kefu.kit.limits import RATES, Limits, Window, counted
from servers import Missing, free_port

MEI = {"username": "mei", "password": PASSWORD}


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Counting knows no database."""
    shutil.copyfile(request.getfixturevalue("sqlite_template"), tmp_path / "kefu.db")
    return f"sqlite:///{tmp_path / 'kefu.db'}"


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, database_url=database_url, rate_limits="on")


def from_(address: str) -> dict[str, str]:
    """As a proxy that is trusted passes it on."""
    return {"X-Forwarded-For": address}


def assert_refused(answer: httpx2.Response) -> None:
    assert (answer.status_code, code_of(answer)) == (429, "RATE_LIMITED")
    assert 1 <= int(answer.headers["Retry-After"]) <= 61
    assert answer.headers["Retry-After"] in answer.json()["error"]["message"]


async def write(visitor: Visitor, number: int, address: str = "203.0.113.1") -> httpx2.Response:
    body = {"content": f"message {number}", "client_msg_id": f"m{number}"}
    return await visitor.post(f"/api/sessions/{visitor.name}/messages", body, **from_(address))


async def test_twenty_messages_a_minute_by_a_visitor_from_whatever_address(
    visitor: Visitor, agent: Agent, stage: Stage
) -> None:
    await agent.takes_over(visitor)
    for number in range(20):
        assert (await write(visitor, number, f"203.0.113.{number}")).status_code == 201
    manual = {"session_name": visitor.name, "role": "user", "content": "x"}
    assert_refused(await write(visitor, 20, "198.51.100.7"))
    assert_refused(await visitor.post("/api/manual/messages", manual, **from_("198.51.100.7")))
    assert (await agent.reads(visitor))["message_count"] == 20
    await agent.says(visitor, "an agent is not held up by the visitor's limit")
    assert (await write(await stage.visitor(), 0, "198.51.100.7")).status_code == 201


async def test_twenty_messages_a_minute_from_an_address_by_whatever_visitor(stage: Stage) -> None:
    """A line of IPv6 is a whole /64."""
    for number in range(20):
        answer = await stage.http.post("/api/chat", json={"message": "hello"}, headers=from_(f"2001:db8:7:7::{number}"))
        assert data_of(answer)["session_name"]
    chat = {"message": "hello"}
    assert_refused(await stage.http.post("/api/chat", json=chat, headers=from_("2001:db8:7:7:ffff::1")))
    assert (await stage.http.post("/api/chat", json=chat, headers=from_("2001:db8:7:8::1"))).status_code == 200


async def test_an_address_opens_120_sessions_a_minute(stage: Stage) -> None:
    for _ in range(120):
        await stage.visitor()
    answer = await stage.http.post("/api/conversation/new", json={}, headers={"Accept-Language": "zh"})
    assert (answer.status_code, code_of(answer)) == (429, "RATE_LIMITED")
    assert answer.json()["error"]["message"].startswith("请求过于频繁")


async def test_a_person_is_called_five_times_a_minute(visitor: Visitor, agent: Agent) -> None:
    body = {"session_name": visitor.name}
    for _ in range(5):
        await visitor.asks_for_a_person()
    assert_refused(await visitor.post("/api/manual/escalate", body))
    data_of(await agent.post("/api/manual/escalate", body))


async def test_an_agent_searches_sixty_times_a_minute(agent: Agent) -> None:
    for n in range(30):
        data_of(await agent.get(f"/api/search/messages?q=bike{n}"))
        data_of(await agent.post("/api/knowledge/search", {"query": "bike", "lang": "en"}))
    assert_refused(await agent.get("/api/search/messages?q=bike"))
    assert_refused(await agent.post("/api/knowledge/search", {"query": "bike", "lang": "en"}))


async def test_behind_nginx_the_address_is_the_one_that_connected_whatever_the_headers_say(
    stage: Stage, tmp_path: Path
) -> None:
    await stage.agent("mei")
    port = stage.http.base_url.port
    assert port is not None
    try:
        nginx = Nginx(tmp_path, port, free_port())
    except Missing as missing:
        do_without(str(missing))
    await nginx.start()
    try:
        # 127.0.0.2 is no trusted proxy: 127.0.0.1, from where nginx asks, is.
        liar = httpx2.AsyncHTTPTransport(local_address="127.0.0.2")
        async with httpx2.AsyncClient(transport=liar, base_url=f"http://127.0.0.1:{nginx.port}", timeout=20) as client:
            answers = []
            for n in range(6):
                lies = {
                    "X-Forwarded-For": f"203.0.113.{n}, 127.0.0.1, ::1",
                    "Forwarded": f"for=203.0.113.{n}",
                    "X-Real-IP": f"203.0.113.{n}",
                }
                answers.append(await client.post("/api/agent/login", json=MEI, headers=lies))
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{nginx.port}", timeout=20) as other:
            body = {"username": "somebody-else", "password": "wrong-password-1"}
            assert (await other.post("/api/agent/login", json=body)).status_code == 403
    finally:
        await nginx.kill()


async def test_who_is_no_trusted_proxy_says_nothing_about_addresses(stage: Stage) -> None:
    await stage.agent("mei")
    direct = httpx2.AsyncHTTPTransport(local_address="127.0.0.3")
    async with httpx2.AsyncClient(transport=direct, base_url=stage.http.base_url, timeout=20) as client:
        answers = [await client.post("/api/agent/login", json=MEI, headers=from_(f"203.0.113.{n}")) for n in range(6)]
    assert_refused(answers[-1])


@pytest.mark.parametrize(
    ("address", "is_"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("local", "local"),
        ("x" * 5000, "x" * 200),
    ],
)
def test_an_address_is_counted_as_its_line(address: str, is_: str) -> None:
    assert counted(address) == is_


@given(pauses=st.lists(st.floats(0, 90), max_size=60), keys=st.lists(st.sampled_from("ab"), min_size=60, max_size=60))
def test_no_minute_has_more_uses_than_the_rate_and_none_is_refused_without_need(
    pauses: list[float], keys: list[str]
) -> None:
    window, rate, now = Window(60), parse("5/minute"), 1e6
    counted: dict[str, list[float]] = {"a": [], "b": []}
    for pause, key in zip(pauses, keys, strict=False):
        now += pause / 9
        latest = [at for at in counted[key] if at + 60 - now > 0]
        wait = window.use(rate, ("chat", "visitor", key), now)
        assert wait == (latest[0] + 60 - now if len(latest) == 5 else None)
        counted[key] += [] if wait else [now]
    assert window.use(rate, ("chat", "visitor", "c"), now + 120) is None
    assert len(window) == 1, "who has not been here for long is forgotten"


async def test_a_rule_is_counted_by_what_the_table_says_and_nothing_less() -> None:
    with pytest.raises(AssertionError, match="visitor, address"):
        await Limits(enabled=False).take("chat", visitor="s")
    assert all(rates for rates in RATES.values())
