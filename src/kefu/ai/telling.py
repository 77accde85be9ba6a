"""One request to a provider and its answer, piece by piece: what all providers have in common.

Events are read all at once every PACE_SECONDS after the first text: nothing is held back for longer, and a stream of
many small pieces wakes this process, and everybody who listens, a few times instead of for each.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import orjson

from kefu.ai.ports import Failing, Finished, Piece, ProviderFailed
from kefu.ai.sse import Event, Events, TooLong
from kefu.kit.acting import acting
from kefu.kit.clock import now_ms
from kefu.kit.http import AddressRefused, NoAnswer
from kefu.kit.http_streams import HttpStreams, StreamedAnswer, Waits
from kefu.kit.masking import mask_text

PACE_SECONDS = 0.04
MOST_BYTES = 4 << 20
MOST_SAID = 300
OWN_ID = ("X-Client-Request-Id", "x-ms-client-request-id", "X-Request-Id")
NO_ANSWER: Mapping[str, Failing] = {
    "unknown_host": "unknown_host",
    "unreachable": "refused",
    "timeout": "slow",
    "cut": "cut",
    "too_large": "too_long",
}
BY_STATUS: Mapping[int, Failing] = {408: "slow", 413: "too_long", 425: "busy", 429: "busy"}


@dataclass(frozen=True, slots=True)
class Call:
    """`secret`: what must not be repeated to anybody, should the provider say it."""

    provider: str
    url: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    secret: str
    most_characters: int


class Reading(Protocol):
    """How a provider's events are read. One for each answer."""

    is_done: bool

    def read(self, event: Event) -> str:
        """The text in it, often empty. Raises ValueError or LookupError for what no provider sends, ProviderFailed."""

    def end(self, text: str) -> Finished:
        """What the whole text ends with. Raises ProviderFailed when the end is missing."""


@dataclass(frozen=True, slots=True)
class Line:
    """The way to the providers. `pace`: seconds between two looks at what has come."""

    streams: HttpStreams
    waits: Waits
    pace: float = PACE_SECONDS


async def tell(line: Line, call: Call, reading: Reading) -> AsyncGenerator[Piece | Finished]:
    """Raises ProviderFailed, whatever is wrong."""
    said = ""
    with _failures_of(call):
        async with aclosing(_texts(line, call, reading)) as texts:
            async for text in texts:
                said += text
                yield Piece(text)
    finished = reading.end(said)
    if not said:
        raise failed(call, "empty")
    yield finished


async def ask_json(line: Line, call: Call) -> Any:
    """A JSON object, whole. Raises ProviderFailed."""
    with _failures_of(call):
        async with line.streams.post(call.url, _headers(call), orjson.dumps(call.body), line.waits) as answer:
            if answer.status != 200:
                raise await _refusal(call, answer)
            found = orjson.loads(await _whole(answer))
    if not isinstance(found, dict):
        raise failed(call, "malformed")
    return found


@contextmanager
def _failures_of(call: Call) -> Iterator[None]:
    try:
        yield
    except NoAnswer as error:
        raise failed(call, NO_ANSWER[error.details["reason"]]) from error
    except AddressRefused as error:
        raise failed(call, "denied", error.message("en")) from None
    except TooLong:
        raise failed(call, "too_long") from None
    except (ValueError, LookupError, TypeError, AttributeError):
        raise failed(call, "malformed") from None


async def _texts(line: Line, call: Call, reading: Reading) -> AsyncGenerator[str]:
    events, received, told = Events(), 0, 0
    async with line.streams.post(call.url, _headers(call), orjson.dumps(call.body), line.waits) as answer:
        if answer.status != 200:
            raise await _refusal(call, answer)
        while not reading.is_done and (chunk := await _next(answer)):
            received += len(chunk)
            text = "".join([reading.read(event) for event in events.feed(chunk)])
            told += len(text)
            if received > MOST_BYTES or told > call.most_characters:
                raise TooLong
            if text:
                yield text
                await asyncio.sleep(line.pace)


def _headers(call: Call) -> dict[str, str]:
    """With the id of the request that it is for, under the names by which OpenAI, Azure, and gateways log it."""
    own = {**call.headers, "Content-Type": "application/json", "Accept": "text/event-stream"}
    if request_id := acting().request_id:
        own |= dict.fromkeys(OWN_ID, request_id)
    return own


async def _next(answer: StreamedAnswer) -> bytes:
    """What has come since, or comes next; an answer that is no stream as one event, whole."""
    if answer.content_type == "text/event-stream":
        return await answer.content.readany()
    whole = await _whole(answer)
    return b"data: " + b" ".join(whole.split(b"\n")) + b"\n\n" if whole else b""


async def _whole(answer: StreamedAnswer) -> bytes:
    body = b""
    while part := await answer.content.readany():
        body += part
        if len(body) > MOST_BYTES:
            raise TooLong
    return body


async def _refusal(call: Call, answer: StreamedAnswer) -> ProviderFailed:
    """What a status other than 200 means, with what the provider says of it."""
    try:
        body = orjson.loads(await _whole(answer))
    except (TooLong, ValueError, NoAnswer):
        body = None
    error = body.get("error", body) if isinstance(body, dict) else None
    if isinstance(error, dict):
        said, code = error.get("message") or error.get("msg") or "", error.get("code")
    else:
        said, code = error if isinstance(error, str) else "", None
    reason = BY_STATUS.get(answer.status, "broken" if answer.status >= 500 or answer.status < 400 else "denied")
    if code == "insufficient_quota":  # it has a status of those who only are too fast
        reason = "denied"
    refusal = failed(call, reason, f"HTTP {answer.status} {said}".strip())
    refusal.http_status, refusal.wait = answer.status, asked_wait(answer.headers)
    return refusal


def asked_wait(headers: Mapping[str, str]) -> float | None:
    """The seconds that the provider asks to wait before the next try."""
    if milliseconds := re.fullmatch(r"[0-9]{1,9}", headers.get("Retry-After-Ms", "")):
        return int(milliseconds[0]) / 1000
    value = headers.get("Retry-After", "")
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value):
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now_ms() / 1000)
    except ValueError:
        return None


def failed(call: Call, reason: Failing, said: str = "") -> ProviderFailed:
    """`said`: in the provider's words, of which nothing secret is kept."""
    plain = said.replace(call.secret, "***") if call.secret else said
    return ProviderFailed(mask_text(" ".join(plain.split()))[:MOST_SAID], provider=call.provider, reason=reason)
