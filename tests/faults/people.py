"""Visitors, agents and followers who do not give up: each request is repeated until the server says yes or no.

The exception is a message that is shouted: one attempt, and nobody asks what became of it.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx2
import orjson

from faults.checker import Ack, Race, Seen
from faults.process import ADMIN, ADMIN_PASSWORD
from kefu.log.log import Entry

PATIENCE = 60.0
PAUSE = 0.1, 0.3
# A stream beats every 15 s; one that is silent for longer leads nowhere.
SILENCE = 20.0
SHOUTED = 0.03


@dataclass
class Told:
    """What the server told its clients. `unpromised`: answers that no fault excuses.

    `shouted`: messages whose sender never learnt what became of them, by session and client_msg_id.
    """

    acks: list[Ack] = field(default_factory=list)
    shouted: set[tuple[str, str]] = field(default_factory=set)
    races: list[Race] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    unpromised: list[str] = field(default_factory=list)
    lost: int = 0
    posts: int = 0
    retries: int = 0
    slowest: float = 0

    @property
    def repeats(self) -> int:
        """How many acknowledgements told again what was told before."""
        return len(self.acks) - len({(ack.session, ack.client_msg_id) for ack in self.acks})


class Line:
    """HTTP to one address, and a record of what came back."""

    def __init__(self, client: httpx2.AsyncClient, told: Told | None = None) -> None:
        self.client = client
        self.told = told or Told()

    async def once(self, method: str, path: str, token: str = "", body: object = None) -> httpx2.Response | None:
        """One attempt; None when no answer came. A 503 must say when to come again, and a 500 must not be."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.told.posts += path.endswith("/messages")
        began = asyncio.get_running_loop().time()
        try:
            answer = await self.client.request(method, path, headers=headers, json=body)
        except httpx2.TransportError:
            self.told.lost += 1
            return None
        self.told.slowest = max(self.told.slowest, asyncio.get_running_loop().time() - began)
        self.told.statuses[answer.status_code] += 1
        if answer.status_code == 503 and "retry-after" not in answer.headers:
            self.told.unpromised.append(f"{method} {path}: 503 without Retry-After")
        elif answer.status_code >= 500 and answer.status_code != 503:
            self.told.unpromised.append(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer

    async def until_told(self, method: str, path: str, token: str = "", body: object = None) -> httpx2.Response:
        """Repeat until there is an answer other than 5xx. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE):
            while True:
                answer = await self.once(method, path, token, body)
                if answer is not None and answer.status_code < 500:
                    return answer
                self.told.retries += 1
                await asyncio.sleep(random.uniform(*PAUSE))

    async def sign_in(self, username: str = ADMIN) -> str:
        """The access token of the first admin, or of somebody with the same password."""
        body = {"username": username, "password": ADMIN_PASSWORD}
        token: str = _expect(await self.until_told("POST", "/api/agent/login", body=body))["token"]
        return token


def _expect(answer: httpx2.Response, *statuses: int) -> Any:
    assert answer.status_code in (statuses or (200,)), answer.text
    return answer.json()


@asynccontextmanager
async def line_to(address: str, told: Told | None = None, patience: float = PATIENCE) -> AsyncIterator[Line]:
    """`patience`: seconds after which a request without an answer is given up, to be repeated."""
    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(base_url=address, timeout=patience, limits=limits, trust_env=False) as client:
        yield Line(client, told)


class Visitor:
    """One visitor in a session of their own."""

    def __init__(self, line: Line, name: str, token: str) -> None:
        self.name = name
        self.token = token
        self.line = line
        self._own = (f"{name}-v{n}" for n in count(1))

    @classmethod
    async def arrive(cls, line: Line, name: str) -> "Visitor":
        opened = _expect(await line.until_told("POST", "/api/conversation/new", body={"session_id": name}))
        return cls(line, name, opened["visitor_token"])

    @property
    def path(self) -> str:
        return f"/api/sessions/{self.name}/messages"

    def next_message(self) -> dict[str, str]:
        own = next(self._own)
        return {"content": f"question {own}{' 喂' * random.randint(0, 40)}", "client_msg_id": own}

    async def say(self, body: dict[str, str] | None = None, line: Line | None = None) -> int:
        """Write a message until it is acknowledged; now and then twice, as after a double click. Returns its seq."""
        body = body or self.next_message()
        content, own = body["content"], body["client_msg_id"]
        line = line or self.line
        seq = 0
        for _ in range(random.choice((1, 1, 1, 2))):
            seq = _expect(await line.until_told("POST", self.path, self.token, body), 201)["seq"]
            line.told.acks.append(Ack(self.name, "visitor", own, content, seq))
        return seq

    async def shout(self) -> None:
        """One attempt. Whoever gets no answer goes on as if nothing had been said."""
        body = self.next_message()
        own = body["client_msg_id"]
        answer = await self.line.once("POST", self.path, self.token, body)
        if answer is not None and answer.status_code < 500:
            seq = _expect(answer, 201)["seq"]
            self.line.told.acks.append(Ack(self.name, "visitor", own, body["content"], seq))
        else:
            self.line.told.shouted.add((self.name, own))

    async def talk(self, stop: asyncio.Event) -> None:
        """Mostly in quick bursts, sometimes with time for the bot to answer."""
        while not stop.is_set():
            await (self.shout() if random.random() < SHOUTED else self.say())
            await asyncio.sleep(random.uniform(0, 0.03) if random.random() < 0.8 else random.uniform(0.8, 1.2))


class Desk:
    """The agent's side of one session."""

    def __init__(self, line: Line, name: str, token: str) -> None:
        self.name = name
        self._line = line
        self._token = token
        # The end of the token tells two agents' messages in one session apart.
        self._own = (f"{name}-{token[-6:]}-{n}" for n in count(1))

    async def take_over(self) -> None:
        _expect(await self._line.until_told("POST", f"/api/sessions/{self.name}/takeover", self._token))

    async def release(self) -> None:
        """409 is the answer when the answer to the first attempt was lost."""
        _expect(await self._line.until_told("POST", f"/api/sessions/{self.name}/release", self._token), 200, 409)

    async def say(self, line: Line | None = None) -> int:
        own = next(self._own)
        content = f"reply {own}"
        line = line or self._line
        body = {"session_name": self.name, "role": "agent", "content": content, "client_msg_id": own}
        stored = _expect(await line.until_told("POST", "/api/manual/messages", self._token, body))
        seq: int = stored["data"]["seq"]
        line.told.acks.append(Ack(self.name, "agent", own, content, seq))
        return seq

    async def serve(self, stop: asyncio.Event) -> None:
        """Take over, write, release, again and again; at the end the bot has the session."""
        while not stop.is_set():
            await self.take_over()
            for _ in range(random.randint(1, 4)):
                await self.say()
                await asyncio.sleep(random.uniform(0, 0.4))
            await self.release()
            await asyncio.sleep(random.uniform(0.1, 0.6))


class Rivals:
    """Agents who click at once on one session, again and again. `tokens` by the agents' ids."""

    def __init__(self, line: Line, name: str, tokens: dict[str, str]) -> None:
        self.name = name
        self._line = line
        self._tokens = tokens
        self._desks = {agent: Desk(line, name, token) for agent, token in tokens.items()}

    async def race(self) -> Race:
        """Ends when each has been told who won."""
        epochs = await asyncio.gather(*map(self._click, self._tokens.values()))
        race = Race(self.name, dict(zip(self._tokens, epochs, strict=True)))
        self._line.told.races.append(race)
        return race

    async def _click(self, token: str) -> int:
        """The epoch of the takeover; 0 for who came too late."""
        answer = await self._line.until_told("POST", f"/api/sessions/{self.name}/takeover", token)
        if answer.status_code == 409:
            assert answer.json()["error"]["code"] == "ALREADY_TAKEN", answer.text
            return 0
        epoch: int = _expect(answer)["data"]["epoch"]
        return epoch

    async def serve(self, stop: asyncio.Event) -> None:
        """Who won writes and releases; at the end the bot has the session."""
        while not stop.is_set():
            race = await self.race()
            for winner in race.winners:
                await self._desks[winner].say()
                await self._desks[winner].release()
            await asyncio.sleep(random.uniform(0.1, 0.6))


class Follower:
    """Reads a session's stream and comes back by its cursor whenever the stream ends."""

    def __init__(self, line: Line, name: str, token: str, *, sees_internal: bool = False) -> None:
        self.seen = Seen(name, sees_internal)
        self.connections = 0
        self._line = line
        self._token = token

    @property
    def cursor(self) -> int:
        return self.seen.events[-1]["seq"] if self.seen.events else 0

    async def follow(self) -> None:
        """Until cancelled."""
        path = f"/api/sessions/{self.seen.session}/events"
        while True:
            headers = {"Authorization": f"Bearer {self._token}", "Last-Event-ID": str(self.cursor)}
            with suppress(httpx2.TransportError):
                async with self._line.client.stream("GET", path, headers=headers, timeout=SILENCE) as answer:
                    await self._read(answer)
            await asyncio.sleep(random.uniform(*PAUSE))

    async def _read(self, answer: httpx2.Response) -> None:
        """A frame counts when its empty line has come; one without an id is in no log."""
        if answer.status_code == 503:
            return
        if answer.status_code != 200:
            self._line.told.unpromised.append(f"the stream of {self.seen.session}: {answer.status_code}")
            return
        self.connections += 1
        is_logged, data = False, ""
        async for line in answer.aiter_lines():
            if line.startswith("id: "):
                is_logged = True
            elif line.startswith("data: "):
                data = line.removeprefix("data: ")
            elif not line:
                if is_logged:
                    self.seen.events.append(orjson.loads(data))
                is_logged, data = False, ""

    def has_seen(self, seq: int) -> bool:
        return self.cursor >= seq

    def may_see(self, one: Entry) -> bool:
        return self.seen.sees_internal or one.audience == "public"


class Integrator:
    """Reads the feed of the whole workspace and goes on where it was, whatever happens."""

    def __init__(self, line: Line, token: str) -> None:
        self.events: list[dict[str, Any]] = []
        self._line = line
        self._token = token

    async def follow(self) -> None:
        """Until cancelled."""
        cursor = ""
        while True:
            path = f"/api/events?after={cursor}&limit={random.randint(1, 300)}&wait=2"
            page = _expect(await self._line.until_told("GET", path, self._token))["data"]
            self.events += page["events"]
            cursor = page["next"]


@asynccontextmanager
async def at_work(*jobs: Any) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Run coroutines beside the test and end them with it; what one of them raised is raised here."""
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in ended:
        if isinstance(outcome, BaseException) and not isinstance(outcome, asyncio.CancelledError):
            raise outcome
