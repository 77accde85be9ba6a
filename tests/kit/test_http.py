"""Whoever may set an address reaches nothing through Kefu but the public internet, and what was allowed."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import example, given, settings
from hypothesis import strategies as st

from certificates import own_certificate
from kefu.kit.db import Database
from kefu.kit.http import AddressRefused, Answer, Call, NoAnswer, Outbound, is_public

HERE = "127.0.0.1"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Seen: Yes\r\n\r\nhi"
OUTSIDE = (
    *("0.0.0.0", "10.1.2.3", "127.0.0.1", "127.255.0.9", "169.254.169.254", "172.16.0.1", "192.168.1.1"),  # noqa: S104 - nobody listens there
    *("100.64.0.1", "100.100.100.200", "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1"),
    *("224.0.0.1", "224.0.1.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "168.63.129.16"),
    *(
        "::",
        "::1",
        "::7f00:1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "2001:db8::1",
    ),
    *("::ffff:127.0.0.1", "::ffff:a00:1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::"),
    *("2001::1", "3fff::1", "100::1", "5f00::1"),
)
INSIDE = (
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "172.32.0.1",
    "223.255.255.255",
    "2606:4700::1111",
    "64:ff9b::808:808",
)


class Names:
    """A resolver: what a name means now, by turns where there are several. `asked`: every question."""

    def __init__(self, **means: str) -> None:
        self._means = {name.replace("_", "."): value.split(" then ") for name, value in means.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, _port: int) -> Sequence[str]:
        self.asked.append(host)
        turns = self._means.get(host)
        if turns is None:
            if ":" in host or host[-1].isdigit():
                return [host]
            raise OSError("no such name")
        return (turns.pop(0) if len(turns) > 1 else turns[0]).split()


class There:
    """The other server: says what it is to say to each request in turn, the last for ever."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = list(answers)
        self.heard: list[str] = []
        self.port = 0
        self._serving: set[asyncio.Task[None]] = set()

    async def end(self) -> None:
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def serve(self, reads: asyncio.StreamReader, writes: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reads, writes))
        self._serving.add(task)
        await asyncio.wait([task])

    async def _serve(self, reads: asyncio.StreamReader, writes: asyncio.StreamWriter) -> None:
        try:
            await self._answer(reads, writes)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writes.transport.abort()

    async def _answer(self, reads: asyncio.StreamReader, writes: asyncio.StreamWriter) -> None:
        head = (await reads.readuntil(b"\r\n\r\n")).decode()
        length = int(head.lower().partition("content-length: ")[2].partition("\r")[0] or 0)
        self.heard.append(head + (await reads.readexactly(length)).decode())
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        writes.write(answer)
        await writes.drain()
        while answer.endswith(b"..."):  # and so on
            await asyncio.sleep(0.02)
            writes.write(b"x" * 1000)
            await writes.drain()
        writes.close()
        await writes.wait_closed()


@asynccontextmanager
async def there(*answers: bytes, tls: Path | None = None) -> AsyncIterator[There]:
    one = There(*answers)
    context = None
    if tls:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(tls)
    server = await asyncio.start_server(one.serve, HERE, 0, ssl=context)
    one.port = server.sockets[0].getsockname()[1]
    yield one
    server.close()
    await one.end()


def moved(to: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Moved\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()


async def get(outbound: Outbound, url: str, most: int = 1000) -> Answer:
    return await outbound.call(Call("GET", url, {"Authorization": "Bearer secret"}), most=most)


async def refusal(outbound: Outbound, url: str) -> str:
    with pytest.raises((AddressRefused, NoAnswer)) as refused:
        await get(outbound, url)
    return str(refused.value.details["reason"])


def test_what_is_public_and_what_is_not() -> None:
    assert [one for one in OUTSIDE if is_public(ip_address(one))] == []
    assert [one for one in INSIDE if not is_public(ip_address(one))] == []


@given(st.ip_addresses())
def test_nothing_that_the_registries_keep_back_is_public(address: IPv4Address | IPv6Address) -> None:
    if address.is_private or address.is_loopback or address.is_link_local or address.is_multicast:
        assert not is_public(address)


def spellings(address: IPv4Address) -> list[str]:
    """Ways to write it that some reader or other takes for the same."""
    a, b, c, d = address.packed
    number = int(address)
    return [
        str(address),
        str(number),
        hex(number),
        f"0{number:o}",
        f"0{a:o}.0{b:o}.0{c:o}.0{d:o}",
        f"{a:#x}.{b:#x}.{c:#x}.{d:#x}",
        f"{a}.{number & 0xFFFFFF}",
        f"{a}.{b}.{number & 0xFFFF}",
        f"{address}.",
        f"[::ffff:{address}]",
        f"[::{address}]",
        f"[64:ff9b::{address}]",
        f"[2002:{a << 8 | b:x}:{c << 8 | d:x}::]",
        "".join(chr(ord(one) + 0xFEE0) if one.isdigit() else one for one in str(address)),  # full width
        str(address).replace(".", "。"),
        f"%31{str(address)[1:]}",
        f"user@{address}",
        f"shop.example@{address}",
    ]


KEPT_BACK = st.sampled_from(["10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"]).flatmap(
    lambda network: st.ip_addresses(v=4, network=network)
)


@given(KEPT_BACK, st.sampled_from(["http", "https"]), st.sampled_from(["", ":8080", ":443"]))
@example(IPv4Address("169.254.169.254"), "https", "")
@settings(max_examples=30, deadline=None)
def test_however_an_inner_address_is_written_it_is_refused(address: IPv4Address, scheme: str, port: str) -> None:
    """Looked up by the system's own resolver, which knows most of these ways."""

    async def refuse_all() -> None:
        outbound = Outbound()
        for host in spellings(address):
            with pytest.raises(AddressRefused):
                await outbound.check(f"{scheme}://{host}{port}/latest/meta-data")

    asyncio.run(refuse_all())


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "shop.example",
            "//shop.example",
            "https://",
            "https:///x",
            "file:///etc/passwd",
            "gopher://shop.example",
        ),
        *("ftp://shop.example", "https://a:b@shop.example", "https://shop.example:0", "https://shop.example:99999"),
        *("https://sh op.example", "https://shop.example\r\nX: y", "https://-shop.example", "https://shop..example"),
        *("https://exa%6dple.com", "https://[fe80::1%25eth0]", "https://" + "a" * 64, "https://" + "a." * 130 + "b"),
        *("https://1.2.3", "https://0x7f000001", "https://shop.example.1", "https://1.2.3.4.5"),
    ],
)
async def test_what_is_no_address_of_a_web_server_is_refused(url: str) -> None:
    names = Names(shop_example="1.1.1.1")
    with pytest.raises(AddressRefused):
        await Outbound(resolve=names).check(url)
    assert names.asked == []


async def test_each_address_of_a_name_is_looked_at() -> None:
    names = Names(
        good="1.1.1.1 2606:4700::1111", mixed="1.1.1.1 10.0.0.1", nobody="", metadata_internal="169.254.169.254"
    )
    outbound = Outbound(resolve=names)
    assert list(await outbound.check("https://good/hook")) == ["1.1.1.1", "2606:4700::1111"]
    assert await refusal(outbound, "http://good") == "plain_http"
    assert await refusal(outbound, "https://mixed") == "not_public"
    assert await refusal(outbound, "https://metadata.internal") == "not_public"
    assert await refusal(outbound, "https://nobody") == "unknown_host"
    assert await refusal(outbound, "https://unheard-of") == "unknown_host"


async def test_a_name_that_changes_its_meaning_is_connected_where_it_was_looked_at() -> None:
    """The second look would be the attacker's: there is none."""
    async with there(OK) as server:
        names = Names(hooks_example=f"{HERE} then 10.0.0.1")
        outbound = Outbound([f"{HERE}/32"], resolve=names)
        answer = await get(outbound, f"http://hooks.example:{server.port}/a?b=c")
    assert (answer.status, answer.body, answer.headers["x-seen"]) == (200, b"hi", "Yes")
    assert names.asked == ["hooks.example"]
    (heard,) = server.heard
    assert heard.startswith("GET /a?b=c HTTP/1.1\r\n")
    assert f"\r\nHost: hooks.example:{server.port}\r\n" in heard
    assert heard.count("Host:") == 1


async def test_a_redirect_is_looked_at_like_the_first_address() -> None:
    async with there(moved("//hooks.example/again")) as server:
        names = Names(hooks_example=f"{HERE} then 10.0.0.1", loop_example=HERE)
        outbound = Outbound([f"{HERE}/32"], resolve=names)
        at = f"http://hooks.example:{server.port}"
        assert await refusal(outbound, at) == "not_public"
        assert len(server.heard) == 1
    for to in (
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "http://2852039166/",
        "http://[::1]/",
        "https://a:b@x/",
    ):
        async with there(moved(to)) as server:
            assert await refusal(outbound, f"http://loop.example:{server.port}") in {"not_public", "url", "host"}
    async with there(moved("/round")) as server:
        assert await refusal(outbound, f"http://loop.example:{server.port}") == "redirects"
        assert len(server.heard) == 4


async def test_secrets_stay_with_the_server_they_were_meant_for() -> None:
    async with AsyncExitStack() as stack:
        second = await stack.enter_async_context(there(OK))
        outbound = Outbound([f"{HERE}/32"], resolve=Names(one=HERE, two=HERE))
        to = f"http://two:{second.port}/there"
        first = await stack.enter_async_context(there(moved("/here", 307), moved(to, 303)))
        headers = {"Authorization": "Bearer secret", "X-Signature": "mine", "Content-Type": "text/plain"}
        answer = await outbound.call(Call("POST", f"http://one:{first.port}", headers, b"payload"))
    assert (answer.url, answer.body) == (to, b"hi")
    assert [heard.split()[:2] for heard in first.heard] == [["POST", "/"], ["POST", "/here"]]
    assert all("Bearer secret" in heard and heard.endswith("payload") for heard in first.heard)
    (heard,) = second.heard
    assert heard.startswith("GET /there ")
    assert "secret" not in heard
    assert "mine" not in heard
    assert "payload" not in heard


async def test_the_certificate_must_be_for_the_name_that_was_asked(tmp_path: Path) -> None:
    file = own_certificate(tmp_path / "there.pem", x509.DNSName("hooks.example"))
    async with there(OK, tls=file) as server:
        names = Names(hooks_example=HERE, other_example=HERE)
        outbound = Outbound([f"{HERE}/32"], resolve=names, authority=str(file))
        assert (await get(outbound, f"https://hooks.example:{server.port}")).body == b"hi"
        assert await refusal(outbound, f"https://other.example:{server.port}") == "unreachable"
        assert (
            await refusal(Outbound([f"{HERE}/32"], resolve=names), f"https://hooks.example:{server.port}")
            == "unreachable"
        )


async def test_an_answer_may_be_neither_endless_nor_slow() -> None:
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    outbound = Outbound([f"{HERE}/32"], resolve=Names(there=HERE), seconds=0.5)
    async with asyncio.timeout(20):
        async with there(head + b"x" * 2000) as server:
            assert await refusal(outbound, f"http://there:{server.port}") == "too_large"
        async with there(head + b"...") as server:
            with pytest.raises(NoAnswer) as slow:
                await get(outbound, f"http://there:{server.port}", most=10**9)
            assert slow.value.details["reason"] == "timeout"
        async with there(b"HTTP/1.1 200 OK\r\nX: ...") as server:
            assert await refusal(outbound, f"http://there:{server.port}") in {"timeout", "unreachable"}
        async with there(b"220 this is mail\r\n") as server:
            assert await refusal(outbound, f"http://there:{server.port}") == "unreachable"
        assert await refusal(outbound, f"http://there:{server.port}") == "unreachable"


async def test_nobody_waits_for_another_server_inside_a_transaction(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'kefu.db'}")
    outbound = Outbound(resolve=Names())
    for transaction in (db.read, db.write):
        async with transaction():
            with pytest.raises(AssertionError, match="transaction"):
                await get(outbound, "https://there")
        assert await refusal(outbound, "https://there") == "unknown_host"
    await db.close()
