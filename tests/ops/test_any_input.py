"""Whatever the description of the API allows or not gets an answer that it describes, and never a 500."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from itertools import islice
from typing import Any, get_args

import httpx2
import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from accounts.team import PASSWORD, bearer
from actors import Stage, Visitor
from kefu.accounts import locks
from kefu.accounts.permissions import Role
from kefu.answering import waiting
from kefu.kit.db import Database

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
STREAMS = {"session_events", "desk_events"}
ROLES = get_args(Role)
OTHERS = ("supervisor", "agent", "inspector", "visitor", "nobody")
EXAMPLES = 2
LONGEST = 200
BOUNDED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def short(document: Any) -> Any:
    """The same description with short texts and waits: long ones take long, and have tests of their own."""
    if isinstance(document, dict) and document.get("name") == "wait":
        return document | {"schema": {"type": "integer", "minimum": 0, "maximum": 1}}
    if isinstance(document, dict):
        return {key: min(value, LONGEST) if key == "maxLength" else short(value) for key, value in document.items()}
    return [short(value) for value in document] if isinstance(document, list) else document


# Opened by the visitor of the run.
SESSION = "s_0123456789abcdef0123"


def cases_of(document: dict[str, Any], turn: int) -> Iterator[Case[Any]]:
    """Right and wrong requests for every second operation, from the first (`turn` 0) or the second on, in their order.

    What is asked is short, what is answered is held against the whole description.
    """
    described = schemathesis.openapi.from_dict(document).get_all_operations()
    asked = schemathesis.openapi.from_dict(short(document)).get_all_operations()
    for found, whole in islice(zip(asked, described, strict=True), turn, None, 2):
        assert isinstance(found, Ok)
        assert isinstance(whole, Ok)
        operation = found.ok()
        known: dict[str, Any] = {"path_parameters": {"name": SESSION}} if "{name}" in operation.path else {}
        right = operation.as_strategy(generation_mode=GenerationMode.POSITIVE, **known)
        wrong = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
        for case in (*_made(right), *_made(wrong)):
            case.operation = whole.ok()
            yield case


def _made(cases: st.SearchStrategy[Case[Any]]) -> list[Case[Any]]:
    made: list[Case[Any]] = []

    @seed(20261120)
    @BOUNDED
    @given(case=cases, is_known=st.booleans())
    def keep(case: Case[Any], *, is_known: bool) -> None:
        if is_known and isinstance(case.body, dict) and "session_name" in case.body:
            case.body["session_name"] = SESSION
        made.append(case)

    with suppress(Unsatisfiable):  # where nothing can be wrong
        keep()
    return made


class Prober:
    """Sends cases to the running server as each role, as the visitor and as nobody; checks the answers.

    Each case is sent as the administrator, who gets furthest, and as two of the others. `answers`: the status codes
    each operation gave to each caller.
    """

    def __init__(self, http: httpx2.Client, visitor: Visitor, unlock: Callable[[str], None]) -> None:
        self._http = http
        self._unlock = unlock
        self._tokens: dict[str, str] = {"visitor": visitor.token, "nobody": ""}
        self.answers: dict[str, dict[str, set[int]]] = {}

    def probe(self, case: Case[Any], number: int) -> None:
        for who in ("super_admin", OTHERS[2 * number % 5], OTHERS[(2 * number + 1) % 5]):
            if who not in self._tokens:
                self._sign_in(who)
            if self._send(case, who) == 401 and who in ROLES:  # an earlier case signed them out
                self._sign_in(who)
                self._send(case, who)

    def _sign_in(self, role: str) -> None:
        """Where a password is asked for, wrong ones of earlier cases have locked who sent them."""
        self._unlock(role)
        answer = self._http.post("/api/agent/login", json={"username": role, "password": PASSWORD})
        self._tokens[role] = answer.json()["token"]

    def _send(self, case: Case[Any], who: str) -> int:
        request = case.as_transport_kwargs(base_url=str(self._http.base_url))
        headers = {name: value for name, value in request["headers"].items() if name.lower() != "authorization"}
        request["headers"] = headers | (bearer(self._tokens[who]) if self._tokens[who] else {})
        name = str(case.operation.definition.raw["operationId"])
        sent = self._http.build_request(**as_httpx2(request))
        sent.read()  # which else is no more known of a form with a file
        with closing(self._http.send(sent, stream=True)) as answer:
            is_endless = name in STREAMS and answer.headers["content-type"].startswith("text/event-stream")
            if not is_endless:
                answer.read()
            self.answers.setdefault(name, {}).setdefault(who, set()).add(answer.status_code)
            if not is_endless:
                case.validate_response(answer, checks=CHECKS)
            return answer.status_code


def as_httpx2(request: dict[str, Any]) -> dict[str, Any]:
    """The arguments for requests as httpx2 names them."""
    data = request.pop("data", None)
    if data is not None:
        request["content"] = data if isinstance(data, bytes | str) else str(data)
    if request.get("files"):
        request["files"] = [(name, _as_file(value)) for name, value in request["files"]]
    return {key: value for key, value in request.items() if value is not None}


def _as_file(value: Any) -> Any:
    """What a form has in a field: a wrong one may be a number."""
    if isinstance(value, tuple):
        return tuple(_as_file(part) for part in value)
    return value if isinstance(value, bytes | str | None) else str(value)


async def test_no_input_gets_a_500_whoever_sends_it(
    app: FastAPI, db: Database, stage: Stage, server: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each operation on one of the two databases, by turns: what they say of an input is read before they are asked."""
    monkeypatch.setattr(waiting, "PATIENCE_SECONDS", 5)
    turn = 0 if db.is_sqlite else 1
    visitor = await stage.visitor(session_id=SESSION)
    for role in ROLES:
        await stage.agent(role, role)
    document = app.openapi()

    loop = asyncio.get_running_loop()

    async def unlock(username: str) -> None:
        async with db.write() as tx:
            await locks.unlock(tx, username, None)

    def probe_all() -> dict[str, dict[str, set[int]]]:
        with httpx2.Client(base_url=server.base_url, timeout=30) as http:
            prober = Prober(http, visitor, lambda who: asyncio.run_coroutine_threadsafe(unlock(who), loop).result(30))
            for number, case in enumerate(cases_of(document, turn)):
                prober.probe(case, number)
            return prober.answers

    answers = await asyncio.to_thread(probe_all)
    operations = [one["operationId"] for path in document["paths"].values() for one in path.values()]
    assert [*answers] == operations[turn::2]
    for who in (*ROLES, "visitor", "nobody"):
        succeeded = [name for name, codes in answers.items() if min(codes.get(who, {500})) < 300]
        assert len(succeeded) > (5 if who in ROLES else 1), (who, succeeded)
    refused = [name for name, codes in answers.items() if codes.get("nobody", set()) & {401}]
    assert len(refused) > 40, refused
