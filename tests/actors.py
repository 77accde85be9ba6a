"""Who acts in the tests: visitors and agents over HTTP, so that a test reads as sentences."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2
import orjson

from accounts.team import Team, bearer
from kefu.accounts.permissions import Role
from kefu.kit.db import Database
from kefu.kit.ids import new_id

PATIENCE = 25.0
Frame = dict[str, Any]


def code_of(answer: httpx2.Response) -> str:
    code: str = answer.json()["error"]["code"]
    return code


def data_of(answer: httpx2.Response, status: int = 200) -> Any:
    """What a success carries; fails with the answer's text when it is none."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["success"] is True
    return body.get("data", body)


async def patiently(ask: Callable[[], Awaitable[httpx2.Response]]) -> httpx2.Response:
    """As a client does that is told to ask again: for a minute, while the database of a loaded machine is busy."""
    async with asyncio.timeout(6 * PATIENCE):
        while True:
            answer = await ask()
            if answer.status_code != 503:
                return answer
            await asyncio.sleep(0.2)


class Watch:
    """Follows an event stream in the background and keeps what came.

    `frames`: the objects in order; `ids`: the `id:` line of each, 0 where there was none; `comments`: how many
    heartbeats came.
    """

    def __init__(self, http: httpx2.AsyncClient, path: str, headers: dict[str, str]) -> None:
        self._http, self._path, self._headers = http, path, headers
        self.frames: list[Frame] = []
        self.ids: list[int] = []
        self.comments = 0
        self.is_over = False
        self._looked_at = 0
        self._news = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._follow(opened))
        await asyncio.wait([opened, self._task], return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE)
        if self._task.done():
            await self._task
        if not opened.done():
            self._task.cancel()
            raise AssertionError(f"{self._path} was never opened")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _follow(self, opened: asyncio.Future[None]) -> None:
        async with self._http.stream("GET", self._path, headers=self._headers, timeout=None) as answer:
            assert answer.status_code == 200, await answer.aread()
            assert answer.headers["content-type"].startswith("text/event-stream")
            opened.set_result(None)
            lines: list[str] = []
            async for line in answer.aiter_lines():
                if line:
                    lines.append(line)
                else:
                    await self._take(lines)
                    lines = []
        self.is_over = True
        async with self._news:
            self._news.notify_all()

    async def _take(self, lines: list[str]) -> None:
        fields = dict(line.partition(":")[::2] for line in lines)
        async with self._news:
            if "data" in fields:
                self.ids.append(int(fields.get("id", "0")))
                self.frames.append(orjson.loads(fields["data"]))
            elif "" in fields:
                self.comments += 1
            self._news.notify_all()

    async def sees(self, type_: str, patience: float = PATIENCE, **facts: Any) -> Frame:
        """The next frame, after the last one asked for, of this type and with these facts."""

        def wanted(frame: Frame) -> bool:
            return frame["type"] == type_ and facts.items() <= frame.items()

        def found() -> bool:
            while self._looked_at < len(self.frames):
                self._looked_at += 1
                if wanted(self.frames[self._looked_at - 1]):
                    return True
            return False

        await self.until(found, patience, f"{type_} {facts}")
        return self.frames[self._looked_at - 1]

    async def until(self, holds: Callable[[], bool], patience: float = PATIENCE, what: str = "it") -> None:
        """Wait for something to become true of what has come."""
        try:
            async with asyncio.timeout(patience), self._news:
                await self._news.wait_for(holds)
        except TimeoutError:
            raise AssertionError(f"never saw {what} in {self.frames}") from None

    async def ends(self, patience: float = PATIENCE) -> Frame:
        """Wait for the end of the stream; its last frame."""
        await self.until(lambda: self.is_over, patience, "the end")
        return self.frames[-1]

    @property
    def events(self) -> list[Frame]:
        """What stands in the log; every frame of it carries its seq as id, and no other frame carries one."""
        for number, frame in zip(self.ids, self.frames, strict=True):
            assert number == (frame["seq"] if "at" in frame else 0), frame
        return [frame for frame in self.frames if "at" in frame]

    @property
    def seqs(self) -> list[int]:
        return [event["seq"] for event in self.events]

    @property
    def said(self) -> list[str]:
        return [event["content"] for event in self.events if event["type"] == "message.posted"]


AnyWatch = TypeVar("AnyWatch", bound=Watch)


class Caller:
    """Somebody with a token."""

    def __init__(self, stage: "Stage", token: str) -> None:
        self.stage = stage
        self.token = token

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        return await self.stage.http.get(path, headers=bearer(self.token) | headers)

    async def post(self, path: str, body: object = None, **headers: str) -> httpx2.Response:
        return await self.stage.http.post(path, json=body, headers=bearer(self.token) | headers)

    async def put(self, path: str, body: object = None) -> httpx2.Response:
        return await self.stage.http.put(path, json=body, headers=bearer(self.token))

    async def delete(self, path: str) -> httpx2.Response:
        return await self.stage.http.delete(path, headers=bearer(self.token))

    async def send(self, path: str, content: bytes, **headers: str) -> httpx2.Response:
        """Post these bytes as JSON, whatever they are."""
        headers = bearer(self.token) | {"Content-Type": "application/json"} | headers
        return await self.stage.http.post(path, content=content, headers=headers)

    async def follows(self, name: str, query: str = "", **headers: str) -> Watch:
        """A new stream of the session, open until the test ends."""
        return await self.stage.watch(f"/api/sessions/{name}/events{query}", bearer(self.token) | headers)


class Visitor(Caller):
    """The person in the widget."""

    def __init__(self, stage: "Stage", opened: dict[str, Any]) -> None:
        super().__init__(stage, opened["visitor_token"])
        self.name: str = opened["session_name"]
        self._watch: Watch | None = None

    async def posts(self, content: object, client_msg_id: object = None) -> httpx2.Response:
        body = {"content": content, "client_msg_id": client_msg_id or new_id("m")}
        return await self.post(f"/api/sessions/{self.name}/messages", body)

    async def says(self, content: str, client_msg_id: str | None = None) -> int:
        """Write durably; the seq."""
        seq: int = data_of(await self.posts(content, client_msg_id), 201)["seq"]
        return seq

    async def reads(self) -> Any:
        """The session with its history."""
        return data_of(await self.get(f"/api/sessions/{self.name}"))["session"]

    async def has_read(self, seq: int) -> Any:
        return data_of(await self.post(f"/api/sessions/{self.name}/read", {"seq": seq}))

    async def asks_for_a_person(self) -> Any:
        return data_of(await self.post("/api/manual/escalate", {"session_name": self.name}))

    async def types(self, *, active: bool = True) -> None:
        data_of(await self.post(f"/api/sessions/{self.name}/typing", {"active": active}))

    async def sees(self, type_: str, patience: float = PATIENCE, **facts: Any) -> Frame:
        """On the stream that the visitor keeps open from the first look on."""
        if self._watch is None:
            self._watch = await self.follows(self.name)
        return await self._watch.sees(type_, patience, **facts)


class Agent(Caller):
    """A member of the team, signed in."""

    def __init__(self, stage: "Stage", token: str, profile: dict[str, Any]) -> None:
        super().__init__(stage, token)
        self.id: str = profile["id"]
        self.name: str = profile["name"]

    async def acts(self, what: str, on: Visitor, body: object = None) -> httpx2.Response:
        """takeover, release or close."""
        return await self.post(f"/api/sessions/{on.name}/{what}", body)

    async def takes_over(self, visitor: Visitor) -> Any:
        return data_of(await self.acts("takeover", visitor))

    async def releases(self, visitor: Visitor, reason: str = "resolved") -> Any:
        return data_of(await self.acts("release", visitor, {"reason": reason}))

    async def closes(self, visitor: Visitor, reason: str = "resolved") -> Any:
        return data_of(await self.acts("close", visitor, {"reason": reason}))

    async def writes(
        self, visitor: Visitor, content: object, client_msg_id: object = None, **seen: object
    ) -> httpx2.Response:
        """`seen`: seen_seq and force."""
        body = {"session_name": visitor.name, "role": "agent", "content": content, "client_msg_id": client_msg_id}
        return await self.post("/api/manual/messages", body | seen)

    async def says(self, visitor: Visitor, content: str, client_msg_id: str | None = None) -> int:
        seq: int = data_of(await self.writes(visitor, content, client_msg_id))["seq"]
        return seq

    async def reads(self, visitor: Visitor) -> Any:
        """The session with its history."""
        return data_of(await self.get(f"/api/sessions/{visitor.name}"))["session"]

    async def has_read(self, visitor: Visitor, seq: int) -> Any:
        return data_of(await self.post(f"/api/sessions/{visitor.name}/read", {"seq": seq}))

    async def watches_the_desk(self) -> Watch:
        return await self.stage.watch("/api/agent/events", bearer(self.token))


class Stage:
    """Where they act: over `http`, with a team in `db`. Closes their streams at the end."""

    def __init__(self, db: Database, http: httpx2.AsyncClient) -> None:
        self.http = http
        self._team = Team(db, http)
        self._streams = AsyncExitStack()

    async def visitor(self, **wish: str) -> Visitor:
        return Visitor(self, data_of(await self.http.post("/api/conversation/new", json=wish)))

    async def agent(self, username: str = "mei", role: Role = "agent", max_sessions: int = 200) -> Agent:
        """With room for whatever the test brings, unless it says how much."""
        await self._team.hire(username, role, max_sessions=max_sessions)
        signed_in = data_of(await self._team.login(username))
        return Agent(self, signed_in["token"], signed_in["agent"])

    async def watch(self, path: str, headers: dict[str, str]) -> Watch:
        return await self.keep(Watch(self.http, path, headers))

    async def keep(self, watch: AnyWatch) -> AnyWatch:
        """Open it until the test ends."""
        await self._streams.enter_async_context(watch)
        return watch

    async def close(self) -> None:
        await self._streams.aclose()
