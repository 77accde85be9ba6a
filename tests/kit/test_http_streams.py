"""Streams from other servers go through the same guard, along connections that are kept, looked at and bounded."""

from pathlib import Path

import pytest
from cryptography import x509

from ai.provider import HERE, OWN, provider, says
from certificates import own_certificate
from kefu.kit.db import Database
from kefu.kit.http import AddressRefused, NoAnswer, Outbound
from kefu.kit.http_streams import HttpStreams, Waits
from kit.test_http import OK, Names, there

WAITS = Waits(connect=2, read=1, total=10)


async def read(streams: HttpStreams, url: str) -> bytes:
    async with streams.post(url, {}, b"{}", WAITS) as answer:
        return await answer.content.read()


async def refusal(streams: HttpStreams, url: str) -> str:
    with pytest.raises((AddressRefused, NoAnswer)) as refused:
        await read(streams, url)
    return str(refused.value.details["reason"])


async def test_a_name_that_changes_its_meaning_leads_where_it_was_looked_at() -> None:
    async with provider(says([b"data: 1\n\n"])) as server:
        names = Names(model_example=f"{HERE} then 10.0.0.1")
        streams = HttpStreams(Outbound(OWN, resolve=names))
        for _ in range(3):
            assert await read(streams, f"http://model.example:{server.port}/v1") == b"data: 1\n\n"
        assert names.asked == ["model.example"], "the connection that was looked at is kept"
        assert (server.connections, server.heard[0].headers["host"]) == (1, f"model.example:{server.port}")
        await streams.stop()
        assert await refusal(streams, f"http://model.example:{server.port}/v1") == "not_public"
        await streams.stop()


async def test_what_is_not_public_is_refused_by_name_and_by_number() -> None:
    names = Names(inner="10.0.0.1", mixed="1.1.1.1 127.0.0.1", good="1.1.1.1")
    streams = HttpStreams(Outbound(resolve=names))
    refused = {
        "not_public": (
            "https://inner/v1",
            "https://mixed",
            "https://127.0.0.1",
            "https://[::1]",
            "https://169.254.169.254",
        ),
        "plain_http": ("http://good", "http://1.1.1.1"),
        "host": ("https://2130706433", "https://0x7f.1", "https://127.1"),
        "url": ("ftp://good", "https://user@good", "https://good:0"),
        "unknown_host": ("https://unheard-of",),
    }
    for reason, urls in refused.items():
        assert [await refusal(streams, url) for url in urls] == [reason] * len(urls)
    await streams.stop()


async def test_redirects_are_not_followed() -> None:
    async with there(b"HTTP/1.1 307 Moved\r\nLocation: http://10.0.0.1/\r\nContent-Length: 0\r\n\r\n") as server:
        streams = HttpStreams(Outbound(OWN))
        async with streams.post(f"http://{HERE}:{server.port}", {}, b"{}", WAITS) as answer:
            assert answer.status == 307
        await streams.stop()


async def test_the_certificate_must_be_for_the_name_that_was_asked(tmp_path: Path) -> None:
    file = own_certificate(tmp_path / "there.pem", x509.DNSName("model.example"))
    async with there(OK, tls=file) as server:
        names = Names(model_example=HERE, other_example=HERE)
        streams = HttpStreams(Outbound(OWN, resolve=names, authority=str(file)))
        assert await read(streams, f"https://model.example:{server.port}") == b"hi"
        assert await refusal(streams, f"https://other.example:{server.port}") == "unreachable"
        await streams.stop()


async def test_nobody_waits_for_another_server_inside_a_transaction(tmp_path: Path) -> None:
    db, streams = Database(f"sqlite:///{tmp_path / 'kefu.db'}"), HttpStreams(Outbound())
    async with db.read():
        with pytest.raises(AssertionError, match="transaction"):
            await read(streams, "https://there")
    await db.close()
