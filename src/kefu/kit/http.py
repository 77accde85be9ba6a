"""Calls to servers whose addresses somebody may set: webhooks, a model's. With `kit.http_streams` the only client.

Whoever may set an address shall not reach through Kefu what only Kefu can reach. So a name is looked up once, every
address it has is looked at, and the connection goes to one of these very addresses, whatever the name means a moment
later. Each redirect is looked at like the first address.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import ClassVar, Literal

import httpx2

from kefu.kit.db import assert_no_open_transaction
from kefu.kit.errors import Invalid, Unavailable
from kefu.kit.i18n import Text

Address = IPv4Address | IPv6Address
# The addresses of a host, as text. Raises OSError.
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

SECONDS = 10.0
BODY_BYTES = 1_048_576
REDIRECTS = 3
MOVED = {301, 302, 303, 307, 308}
PORTS = {"http": 80, "https": 443}
LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
NAME = re.compile(rf"(?:{LABEL}\.)*{LABEL}\.?", re.IGNORECASE)
# What some resolvers read as an address: 2130706433, 0177.1, 0x7f.1.
NUMBER = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)\.?$", re.IGNORECASE)
GLOBAL_IPV6 = ip_network("2000::/3")
NAT64 = ip_network("64:ff9b::/96")
# Global by their numbers, or to an older Python, but not what they seem: 6to4 and Teredo carry another address inside,
# 192.0.0.0/24 is for protocols, 3fff::/20 for documents, and the last is where a machine at Azure finds its own.
NOT_SO_GLOBAL = tuple(
    map(ip_network, ("2002::/16", "2001::/23", "192.88.99.0/24", "192.0.0.0/24", "3fff::/20", "168.63.129.16/32"))
)
# What may go along to another server.
HARMLESS = {"accept", "content-type", "user-agent"}


class AddressRefused(Invalid):
    """`reason`: url, host, plain_http, not_public or redirects."""

    code = "ADDRESS_REFUSED"
    text: ClassVar[Text] = {
        "en": "Kefu may not call this address ({reason}). Use https and a host on the public internet.",
        "zh": "不允许访问该地址（{reason}），请使用公网主机的 https 地址。",
    }


class NoAnswer(Unavailable):
    """`reason`: unknown_host, unreachable, timeout, cut or too_large."""

    code = "NO_ANSWER_FROM_THERE"
    text: ClassVar[Text] = {
        "en": "The other server gave no answer that can be used ({reason}).",
        "zh": "对方服务器没有给出可用的响应（{reason}）。",
    }


@dataclass(frozen=True, slots=True)
class Answer:
    """Whatever the status. `headers`: names in lower case. `body`: as sent; none was asked to be compressed."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Call:
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]
    url: str
    headers: Mapping[str, str]
    content: bytes = b""


async def look_up(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def is_public(address: Address) -> bool:
    """Whether it is an ordinary address of the public internet."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return is_public(address.ipv4_mapped)
        if address in NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
        if address not in GLOBAL_IPV6:
            return False
    is_odd = address.is_multicast or address.is_reserved or any(address in network for network in NOT_SO_GLOBAL)
    return address.is_global and not is_odd


class Outbound:
    """`allow`: networks of our own that may be called too, and without TLS (OUTBOUND_ALLOW)."""

    def __init__(
        self,
        allow: Sequence[str] = (),
        *,
        resolve: Resolve = look_up,
        authority: str | None = None,
        seconds: float = SECONDS,
    ) -> None:
        """`authority`: a PEM file to trust instead of the system's. `seconds`: for a whole call, redirects included."""
        self._allow = tuple(map(ip_network, allow))
        self._resolve = resolve
        self._authority = authority
        self._seconds = seconds

    @cached_property
    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._authority)

    async def call(self, call: Call, *, most: int = BODY_BYTES) -> Answer:
        """Raises AddressRefused; NoAnswer also for more than `most` bytes. May have been heard when it raises NoAnswer.

        Not to be called inside a transaction.
        """
        assert_no_open_transaction()
        try:
            async with asyncio.timeout(self._seconds):
                return await self._follow(call, most)
        except TimeoutError:
            raise NoAnswer(reason="timeout") from None

    async def check(self, url: str) -> Sequence[str]:
        """The addresses that `url` leads to now, each of which may be called. For whoever is about to keep it.

        Raises AddressRefused, NoAnswer.
        """
        return await self._addresses(parsed_url(url))

    async def _follow(self, call: Call, most: int) -> Answer:
        for _ in range(REDIRECTS + 1):
            answer = await self._ask(call, most)
            if answer.status not in MOVED or "location" not in answer.headers:
                return answer
            call = _moved(call, answer)
        raise AddressRefused(reason="redirects")

    async def _ask(self, call: Call, most: int) -> Answer:
        url = parsed_url(call.url)
        addresses = await self._addresses(url)
        headers = {"User-Agent": "Kefu", **call.headers, "Host": url.netloc.decode(), "Accept-Encoding": "identity"}
        # No connection is kept: the next call by the same address may be meant for another name.
        limits = httpx2.Limits(max_keepalive_connections=0)
        async with httpx2.AsyncClient(verify=self.tls, trust_env=False, timeout=self._seconds, limits=limits) as client:
            failure: Exception | None = None
            for address in addresses:
                request = client.build_request(
                    call.method,
                    url.copy_with(host=address),
                    headers=headers,
                    content=call.content,
                    extensions={"sni_hostname": url.raw_host.decode()},
                )
                try:
                    return await _answered(client, request, call.url, most)
                except httpx2.ConnectError as error:
                    failure = error
                except httpx2.TransportError as error:
                    raise NoAnswer(reason="unreachable") from error
        raise NoAnswer(reason="unreachable") from failure

    async def _addresses(self, url: httpx2.URL) -> Sequence[str]:
        host = url.raw_host.decode()
        try:
            found = await self._resolve(host, url.port or PORTS[url.scheme])
        except OSError:
            raise NoAnswer(reason="unknown_host") from None
        for one in found:
            address = ip_address(one)
            if not self._is_own(address):
                if not is_public(address):
                    raise AddressRefused(reason="not_public")
                if url.scheme != "https":
                    raise AddressRefused(reason="plain_http")
        if not found:
            raise NoAnswer(reason="unknown_host")
        return found

    def _is_own(self, address: Address) -> bool:
        plain = address.ipv4_mapped if isinstance(address, IPv6Address) and address.ipv4_mapped else address
        return any(plain in network for network in self._allow)


def parsed_url(url: str) -> httpx2.URL:
    """Raises AddressRefused for what is no address of a web server, or is written so that readers differ about it."""
    try:
        parsed = httpx2.URL(url)
    except (httpx2.InvalidURL, UnicodeError):
        raise AddressRefused(reason="url") from None
    has_port = parsed.port is None or 0 < parsed.port < 65_536
    if parsed.scheme not in PORTS or parsed.userinfo or not has_port:
        raise AddressRefused(reason="url")
    host = parsed.raw_host.decode()
    try:
        ip_address(host)
    except ValueError:
        if len(host) > 253 or not NAME.fullmatch(host) or NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
            raise AddressRefused(reason="host") from None
    if "%" in host:
        raise AddressRefused(reason="host")
    return parsed


def _moved(call: Call, answer: Answer) -> Call:
    """The call that a redirect asks for. To another server no header goes along that might be a secret."""
    before = httpx2.URL(call.url)
    try:
        to = before.join(answer.headers["location"])
    except httpx2.InvalidURL:
        raise AddressRefused(reason="url") from None
    is_same = (to.scheme, to.netloc) == (before.scheme, before.netloc)
    headers = {name: value for name, value in call.headers.items() if is_same or name.lower() in HARMLESS}
    if answer.status in {307, 308} or call.method in {"GET", "HEAD"}:
        return Call(call.method, str(to), headers, call.content)
    return Call("GET", str(to), headers)


async def _answered(client: httpx2.AsyncClient, request: httpx2.Request, url: str, most: int) -> Answer:
    answer = await client.send(request, stream=True)
    try:
        body = bytearray()
        async for part in answer.aiter_raw():
            body += part
            if len(body) > most:
                raise NoAnswer(reason="too_large")
        return Answer(url, answer.status_code, dict(answer.headers), bytes(body))
    finally:
        await answer.aclose()
