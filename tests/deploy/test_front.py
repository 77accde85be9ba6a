"""What nginx does in front of Kefu, by the files that operators copy: TLS, headers, keeping, limits, a canary."""

import asyncio
import gzip
import ipaddress
import re
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from cryptography import x509

from certificates import own_certificate
from faults.front import Process, fronted
from faults.nginx import FOLDER, Nginx
from kefu.realtime.hub import HEARTBEAT_SECONDS

LONG = b'{"success":true,"data":"' + b"x" * 4000 + b'"}'
HEADERS = b"Strict-Transport-Security: max-age=1\r\nX-Content-Type-Options: nosniff\r\n"


def answer(kind: bytes, body: bytes, more: bytes = HEADERS) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n%b\r\n%b" % (kind, len(body), more, body)


PAGE = answer(b"text/html", b"<!doctype html>", b"Cache-Control: no-store\r\n")
SCRIPT = answer(b"text/javascript", b"run()", b"Cache-Control: public, max-age=31536000, immutable\r\n")
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: first\n\n"
TEXT = b"text/plain"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return own_certificate(tmp_path / "own.pem", x509.IPAddress(ipaddress.ip_address("127.0.0.1")))


@asynccontextmanager
async def secured(
    certificate: Path, *answers: bytes, **options: str
) -> AsyncIterator[tuple[httpx2.AsyncClient, list[Process], Nginx]]:
    home = certificate.parent
    async with (
        fronted(home, *answers, certificate=certificate, **options) as (nginx, processes),
        client_of(nginx, certificate) as client,
    ):
        yield client, processes, nginx


def client_of(nginx: Nginx, certificate: Path, address: str | None = None) -> httpx2.AsyncClient:
    """`address`: from where it connects."""
    trusting = ssl.create_default_context(cafile=certificate)
    transport = httpx2.AsyncHTTPTransport(verify=trusting, local_address=address)
    return httpx2.AsyncClient(transport=transport, base_url=f"https://127.0.0.1:{nginx.port}", timeout=20)


async def test_plain_http_is_led_to_https_but_for_what_certbot_shows(certificate: Path) -> None:
    shown = certificate.parent / "acme/.well-known/acme-challenge/token"
    shown.parent.mkdir(parents=True)
    shown.write_text("mine")
    async with secured(certificate) as (_, _, nginx), httpx2.AsyncClient(timeout=20, trust_env=False) as plain:
        address = f"http://127.0.0.1:{nginx.plain_port}"
        for method in ("GET", "POST"):
            led = await plain.request(method, f"{address}/workbench/?a=1")
            assert (led.status_code, led.headers["location"]) == (308, "https://127.0.0.1/workbench/?a=1")
        assert (await plain.get(f"{address}/.well-known/acme-challenge/token")).text == "mine"
        assert (await plain.get(f"{address}/nginx-alive")).status_code == 204


async def _spoken(port: int, context: ssl.SSLContext) -> tuple[str | None, str | None]:
    """The version and the protocol above it."""
    _, writes = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    secure: ssl.SSLObject = writes.get_extra_info("ssl_object")
    writes.close()
    return secure.version(), secure.selected_alpn_protocol()


async def test_only_tls_1_2_and_1_3_are_spoken_and_http_2_over_them(certificate: Path) -> None:
    async with secured(certificate) as (_, _, nginx):
        for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
            context = ssl.create_default_context(cafile=certificate)
            context.minimum_version = context.maximum_version = version
            context.set_alpn_protocols(["h2", "http/1.1"])
            assert await _spoken(nginx.port, context) == (name, "h2")
        old = ssl.create_default_context(cafile=certificate)
        old.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
            await _spoken(nginx.port, old)


async def test_answers_are_headed_compressed_and_name_the_caller_as_nginx_saw_it(certificate: Path) -> None:
    said = answer(b"application/json", LONG)
    async with secured(certificate, said, said) as (client, processes, _):
        async with client.stream("GET", "/api/x", headers={"X-Forwarded-For": "8.8.8.8"}) as given:
            raw = b"".join([part async for part in given.aiter_raw()])
        assert gzip.decompress(raw) == LONG
        assert given.headers.get_list("strict-transport-security") == ["max-age=31536000"]
        assert given.headers.get_list("x-content-type-options") == ["nosniff"]
        assert given.headers["server"] == "nginx"
        (heard,) = [request for process in processes for request in process.heard]
        assert b"X-Forwarded-For: 8.8.8.8, 127.0.0.1\r\nX-Forwarded-Proto: https\r\n" in heard
        large = await client.post("/api/x", content=b"x" * 2**21)
    assert (large.status_code, large.json()["error"]["code"]) == (413, "TOO_LARGE")
    assert large.headers["strict-transport-security"] == "max-age=31536000"


async def test_what_has_a_hash_in_its_name_is_kept_even_when_nobody_answers_and_pages_are_not(
    certificate: Path,
) -> None:
    async with secured(certificate, SCRIPT, SCRIPT) as (client, processes, _):
        for _ in range(3):
            script = await client.get("/static/widget/assets/app-1a2b.js")
            assert (script.text, script.headers["cache-control"]) == ("run()", "public, max-age=31536000, immutable")
        assert sum(len(process.heard) for process in processes) == 1
        for process in processes:
            process.answer = PAGE
        for _ in range(3):
            assert (await client.get("/workbench/")).headers["cache-control"] == "no-store"
        assert sum(len(process.heard) for process in processes) == 4
        for process in processes:
            process.answer = b""
        assert (await client.get("/static/widget/assets/app-1a2b.js")).text == "run()"
        assert (await client.get("/workbench/")).json()["error"]["code"] == "NO_ANSWER"


async def test_a_stream_lives_as_long_as_it_beats(certificate: Path) -> None:
    (seconds,) = re.findall(r"^proxy_read_timeout (\d+)s;", (FOLDER / "site.conf").read_text(), re.MULTILINE)
    assert int(seconds) >= HEARTBEAT_SECONDS * 3
    async with (
        secured(certificate, STREAM, STREAM, proxy_read_timeout="2s") as (client, _, _),
        client.stream("GET", "/api/agent/events?beats") as beating,
    ):
        assert "content-encoding" not in beating.headers
        silent = asyncio.ensure_future(_until_cut(client, "/api/sessions/s/events"))
        beats = beating.aiter_raw()
        while not silent.done():
            await anext(beats)
        await anext(beats)
        await silent


async def _until_cut(client: httpx2.AsyncClient, path: str) -> None:
    with pytest.raises(httpx2.RemoteProtocolError):
        async with client.stream("GET", path) as silent:
            await silent.aread()


async def test_who_knocks_too_often_is_told_to_wait(certificate: Path) -> None:
    rare = {"limit_req_zone": "$binary_remote_addr zone=kefu_doors:10m rate=1r/m", "limit_req": "zone=kefu_doors"}
    said = answer(TEXT, b"in")
    async with secured(certificate, said, said, **rare) as (client, _, _):
        knocks = [await client.post("/api/agent/login", json={}) for _ in range(2)]
        assert [one.status_code for one in knocks] == [200, 429]
        assert (knocks[1].json()["error"]["code"], knocks[1].headers["retry-after"]) == ("RATE_LIMITED", "5")
        assert (await client.get("/api/x")).status_code == 200


async def test_a_canary_gets_its_share_of_the_addresses_and_whoever_asks_for_it(certificate: Path) -> None:
    both = (answer(TEXT, b"stable"),) * 2
    async with secured(certificate, *both, answer(TEXT, b"canary"), share="30%") as (_, processes, nginx):
        sides = [await _side(nginx, certificate, f"127.0.0.{n}") for n in range(2, 42)]
        assert 4 <= sides.count("canary") <= 20
        assert sides[:8] == [await _side(nginx, certificate, f"127.0.0.{n}") for n in range(2, 10)]
        for side in ("canary", "stable"):
            assert await _side(nginx, certificate, "127.0.0.1", side) == side
        processes[2].answer = b""  # it dies with the request in its hands
        assert await _side(nginx, certificate, "127.0.0.1", "canary") == "stable"


async def _side(nginx: Nginx, certificate: Path, address: str, wish: str = "") -> str:
    async with client_of(nginx, certificate, address) as client:
        cookie = {"Cookie": f"kefu_release={wish}"} if wish else {}
        return (await client.get("/api/x", headers=cookie)).text
