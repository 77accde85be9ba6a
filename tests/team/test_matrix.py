"""Who may use which route, compared with matrix.txt: every route of the description, the streams and the sockets.

    KEFU_WRITE_MATRIX=1 .venv/bin/pytest tests/team/test_matrix.py

writes the file anew; read what changed in it before you commit it.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from accounts.team import bearer
from actors import Agent, Stage, Visitor
from kefu.accounts.identity import ASKS
from kefu.accounts.permissions import BY_ROLE, Role
from kefu.main import SOCKETS, STREAMS
from realtime.socket_watch import dial

FILE = Path(__file__).with_name("matrix.txt")
HEAD = """\
# Who may use which route. "yes": the route goes on to what is asked, whatever becomes of it; "no": 403; "401": asked to
# sign in. asks: the permission, or agent (any), signed in (visitor or agent; the route looks at who), anyone.
# owner: the visitor of the session that is asked for; visitor: another one; nobody: without a token.
# Written anew by: KEFU_WRITE_MATRIX=1 .venv/bin/pytest tests/team/test_matrix.py
"""
ROLES: tuple[Role, ...] = ("super_admin", "supervisor", "agent", "inspector")
CALLERS = (*ROLES, "owner", "visitor", "nobody")
REFUSED = {"FORBIDDEN", "FOREIGN_SESSION"}
# They end that with which everything else is asked.
LAST = ("POST /api/visitor/logout", "POST /api/agent/logout")
BODIES: Mapping[str, dict[str, Any]] = {
    "POST /api/manual/messages": {"role": "agent", "content": "x"},
    "POST /api/sessions/{name}/messages": {"content": "x", "client_msg_id": "m1"},
    "POST /api/sessions/{name}/email": {"email": "anna@example.com", "client_msg_id": "m2"},
    "POST /api/sessions/{name}/rating": {"score": 5},
    "POST /api/sessions/{name}/read": {"seq": 1},
    "POST /api/sessions/{name}/typing": {"active": True},
    "POST /api/manual/escalate": {},
    "PUT /api/sessions/{name}/page": {"card": None},
}


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    asks: str

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


def asked(dependant: Dependant) -> Iterator[str]:
    for one in dependant.dependencies:
        if one.call in ASKS:
            yield ASKS[one.call]
        yield from asked(one)


def operations(app: FastAPI) -> list[Operation]:
    """Those of the description, each with what it asks: a route that names nothing fails here."""
    found = {(path, "GET"): "signed in" if "{name}" in path else "sessions.read" for path in (r.path for r in STREAMS)}
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIRoute):
            asks = set(asked(context.dependant))
            assert len(asks) == 1, f"{context.path} names no permission, or more than one: {asks}"
            found |= {(str(context.path), method): next(iter(asks)) for method in context.methods or ()}
    described = [(path, method.upper()) for path, each in app.openapi()["paths"].items() for method in each]
    return [Operation(method, path, found[path, method]) for path, method in described]


class Company:
    """Everybody who may ask, and how each is answered."""

    def __init__(self, http: httpx2.AsyncClient, name: str, tokens: dict[str, str]) -> None:
        self._http, self._name, self._tokens = http, name, tokens

    async def answers(self, operation: Operation) -> list[str]:
        return [await self._answer(operation, who) for who in CALLERS]

    async def _answer(self, operation: Operation, who: str) -> str:
        """Where a permission is asked the request is not one that could be carried out."""
        is_open = operation.asks == "signed in"
        path = operation.path.replace("{name}", self._name if is_open else "s-none")
        for parameter in (
            "agent_id",
            "shop_id",
            "article_id",
            "request_id",
            "note_id",
            "assist_id",
            "tag_id",
            "reply_id",
            "secret_id",
        ):
            path = path.replace(f"{{{parameter}}}", "none-1")
        path = path.replace("{version}", "9").replace("{backtest_id}", f"bt_{0:020}")
        path = path.replace("{role_id}", "none").replace("{file_id}", f"file_{0:032}")
        options: dict[str, Any] = {} if operation.method == "GET" else {"json": {}}
        if is_open and operation.method != "GET":
            role = "user" if who in {"owner", "visitor"} else "agent"
            body = {"session_name": self._name} | BODIES.get(operation.name, {})
            options["json"] = body | ({"role": role} if "role" in body else {})
        if operation.path.endswith("/files"):
            options = {"files": {"file": ("words.txt", b"words", "text/plain")}}
        headers = bearer(self._tokens[who]) if who in self._tokens else {}
        async with self._http.stream(operation.method, path, headers=headers, **options) as answer:
            if answer.headers.get("content-type", "").startswith("text/event-stream"):
                return _said(answer.status_code, "")
            await answer.aread()
            is_json = answer.headers.get("content-type") == "application/json"
            code = answer.json().get("error", {}).get("code", "") if is_json and answer.status_code >= 400 else ""
        assert not (is_open and answer.status_code == 422), f"{operation.name}: {answer.text}"
        return _said(answer.status_code, code)

    async def connects(self, path: str) -> list[str]:
        """As `answers`, for a socket, which says what is wrong in its first frame."""
        return [await self._connect(path.replace("{name}", self._name), self._tokens.get(who)) for who in CALLERS]

    async def _connect(self, path: str, token: str | None) -> str:
        async with dial(self._http, path, subprotocols=["kefu", f"bearer.{token}"] if token else None) as socket:
            if token is None:
                await socket.send('{"type":"ping"}')
            first = orjson.loads(await socket.recv())
        code = first.get("code", "") if first["type"] == "error" else ""
        return _said(401 if code.startswith("TOKEN_") else 403, code)


def _said(status: int, code: str) -> str:
    if status == 401:
        return "401"
    return "no" if status == 403 and code in REFUSED else "yes"


def line(name: str, asks: str, answers: list[str]) -> str:
    return f"{name:<58} {asks:<22} " + " ".join(
        f"{one:<{max(5, len(who))}}" for one, who in zip(answers, CALLERS, strict=True)
    )


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_every_route_lets_through_whom_the_matrix_says(stage: Stage, visitor: Visitor, app: FastAPI) -> None:
    agents: list[Agent] = [await stage.agent(role.replace("_", ""), role) for role in ROLES]
    tokens: dict[str, str] = {role: one.token for role, one in zip(ROLES, agents, strict=True)}
    tokens |= {"owner": visitor.token, "visitor": (await stage.visitor()).token}
    company = Company(stage.http, visitor.name, tokens)
    rows = []
    for route, asks in zip(SOCKETS, ("signed in", "sessions.read"), strict=True):
        rows.append(line(f"WS {route.path}", asks, await company.connects(route.path)))
    for operation in sorted(
        operations(app), key=lambda one: (one.name in LAST and 1 + LAST.index(one.name), one.path, one.method)
    ):
        answers = await company.answers(operation)
        rows.append(line(operation.name, operation.asks, answers))
        if operation.asks in {permission for each in BY_ROLE.values() for permission in each}:
            by_name = ["yes" if operation.asks in BY_ROLE[role] else "no" for role in ROLES]
            assert answers == [*by_name, "no", "no", "401"], rows[-1]
    fresh = "\n".join([HEAD, line("", "asks", list(CALLERS)).rstrip(), *(row.rstrip() for row in rows), ""])
    if os.environ.get("KEFU_WRITE_MATRIX"):
        FILE.write_text(fresh)
    assert fresh == FILE.read_text(), "see the head of tests/team/matrix.txt"
