"""Answers that are read while they come, from servers whose addresses somebody may set: a model's.

`kit.http` decides which address may be called; what opens connections here is aiohttp, whose streams cost a sixth of
what those of the other client do (docs/adr/0022). Connections are kept: each belongs to a name and leads to an address
that was looked at when it was opened.
"""

import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address

import aiohttp
import yarl
from aiohttp.abc import AbstractResolver, ResolveResult

from kefu.kit.db import assert_no_open_transaction
from kefu.kit.http import AddressRefused, NoAnswer, Outbound, parsed_url

# Streams at one server at a time, however many wait for it: a server that hangs holds these and no more.
PER_SERVER = 256
KEEP_SECONDS = 30.0
StreamedAnswer = aiohttp.ClientResponse


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds: to be connected, a place in the pool included; between two arrivals; for the whole answer."""

    connect: float = 5.0
    read: float = 20.0
    total: float = 180.0


class _Looking(AbstractResolver):
    """A resolver that gives only addresses that may be called."""

    def __init__(self, outbound: Outbound, scheme: str) -> None:
        self._outbound = outbound
        self._scheme = scheme

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._outbound.check(f"{self._scheme}://{host}:{port}")
        return [
            ResolveResult(hostname=host, host=one, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST)
            for one in found
        ]

    async def close(self) -> None:
        pass


class HttpStreams:
    """The one pool of such connections in this process."""

    def __init__(self, outbound: Outbound) -> None:
        self.outbound = outbound
        self._by_scheme: dict[str, aiohttp.ClientSession] = {}

    @asynccontextmanager
    async def post(
        self, url: str, headers: Mapping[str, str], content: bytes, waits: Waits
    ) -> AsyncIterator[StreamedAnswer]:
        """The answer, whatever its status, as soon as its head is there. Leaving before its end ends it there too.

        Raises AddressRefused, and NoAnswer also while the answer is read. No redirect is followed. Not to be called
        inside a transaction.
        """
        assert_no_open_transaction()
        address = _address(url)
        if _is_number(address.host or ""):
            await self.outbound.check(url)
        timeout = aiohttp.ClientTimeout(
            total=waits.total, connect=waits.connect, sock_connect=waits.connect, sock_read=waits.read
        )
        sent = {"User-Agent": "Kefu", **headers, "Accept-Encoding": "identity"}
        try:
            async with self._session(address.scheme).post(
                address, headers=sent, data=content, timeout=timeout, allow_redirects=False
            ) as answer:
                yield answer
        except TimeoutError:
            raise NoAnswer(reason="timeout") from None
        except aiohttp.ClientConnectorError as error:
            raise NoAnswer(reason="unreachable") from error
        except (aiohttp.ClientError, OSError) as error:
            raise NoAnswer(reason="cut") from error

    def _session(self, scheme: str) -> aiohttp.ClientSession:
        if scheme not in self._by_scheme:
            connector = aiohttp.TCPConnector(
                resolver=_Looking(self.outbound, scheme),
                use_dns_cache=False,
                ssl=self.outbound.tls,
                limit=0,
                limit_per_host=PER_SERVER,
                keepalive_timeout=KEEP_SECONDS,
            )
            jar = aiohttp.DummyCookieJar()
            self._by_scheme[scheme] = aiohttp.ClientSession(connector=connector, cookie_jar=jar, trust_env=False)
        return self._by_scheme[scheme]

    def start(self) -> None:
        """Nothing to do: the first call opens the pool."""

    async def stop(self) -> None:
        for session in self._by_scheme.values():
            await session.close()
        self._by_scheme.clear()


@lru_cache(256)
def _address(url: str) -> yarl.URL:
    """Raises AddressRefused, also where aiohttp would read another host out of it than was looked at."""
    parsed = parsed_url(url)
    address = yarl.URL(str(parsed), encoded=True)
    if address.raw_host != parsed.raw_host.decode() or address.scheme != parsed.scheme:
        raise AddressRefused(reason="url")
    return address


def _is_number(host: str) -> bool:
    """Whether it needs no looking up, so that no resolver would look at it."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
