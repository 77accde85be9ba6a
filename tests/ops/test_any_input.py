"""Whatever the description of the API allows or not gets an answer that it describes, and never a 500."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

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
from kefu.answering import waiting
from kefu.kit.db import Database

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
STREAMS = {"session_events", "desk_events"}
EXAMPLES = 5
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


class Prober:
    """Sends cases to the running server, as the visitor of a session, an administrator or nobody; checks the answers.

    `answers`: the status codes each operation gave.
    """

    def __init__(self, http: httpx2.Client, visitor: Visitor, unlock: Callable[[], None]) -> None:
        self._http = http
        self._unlock = unlock
        self._session_name = visitor.name
        self._visitor = visitor.token
        self._tokens: list[str | None] = []
        self.answers: dict[str, set[int]] = {}

    def probe(self, operation: Any) -> None:
        """Right and wrong requests for one operation. Where a password is asked for, wrong ones lock who sent them."""
        self._unlock()
        admin = self._http.post("/api/agent/login", json={"username": "root", "password": PASSWORD}).json()["token"]
        self._tokens = [admin, admin, self._visitor, None]
        known = {"path_parameters": {"name": self._session_name}} if "{name}" in operation.path else {}
        self._run(operation.as_strategy(generation_mode=GenerationMode.POSITIVE, **known))
        self._run(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))

    def _run(self, cases: st.SearchStrategy[Case[Any]]) -> None:
        @seed(20261120)
        @BOUNDED
        @given(case=cases, token=st.sampled_from(self._tokens), is_known=st.booleans())
        def send(case: Case[Any], token: str | None, *, is_known: bool) -> None:
            if is_known and isinstance(case.body, dict) and "session_name" in case.body:
                case.body["session_name"] = self._session_name
            self._send(case, token)

        with suppress(Unsatisfiable):  # where nothing can be wrong
            send()

    def _send(self, case: Case[Any], token: str | None) -> None:
        request = case.as_transport_kwargs(base_url=str(self._http.base_url))
        headers = {name: value for name, value in request["headers"].items() if name.lower() != "authorization"}
        request["headers"] = headers | (bearer(token) if token else {})
        name = str(case.operation.definition.raw["operationId"])
        with self._http.stream(**as_httpx2(request)) as answer:
            is_endless = name in STREAMS and answer.headers["content-type"].startswith("text/event-stream")
            if not is_endless:
                answer.read()
            self.answers.setdefault(name, set()).add(answer.status_code)
            if not is_endless:
                case.validate_response(answer, checks=CHECKS)


def as_httpx2(request: dict[str, Any]) -> dict[str, Any]:
    """The arguments for requests as httpx2 names them."""
    data = request.pop("data", None)
    if data is not None:
        request["content"] = data if isinstance(data, bytes | str) else str(data)
    return {key: value for key, value in request.items() if value is not None}


async def test_no_input_gets_a_500(
    app: FastAPI, db: Database, stage: Stage, server: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "PATIENCE_SECONDS", 5)
    visitor = await stage.visitor()
    await stage.agent("root", "super_admin")
    schema = schemathesis.openapi.from_dict(short(app.openapi()))

    loop = asyncio.get_running_loop()

    async def unlock() -> None:
        async with db.write() as tx:
            await locks.unlock(tx, "root", None)

    def probe_all() -> dict[str, set[int]]:
        with httpx2.Client(base_url=server.base_url, timeout=30) as http:
            prober = Prober(http, visitor, lambda: asyncio.run_coroutine_threadsafe(unlock(), loop).result(30))
            for found in schema.get_all_operations():
                assert isinstance(found, Ok)
                prober.probe(found.ok())
            return prober.answers

    answers = await asyncio.to_thread(probe_all)
    assert len(answers) == sum(len(path) for path in app.openapi()["paths"].values())
    succeeded = [name for name, codes in answers.items() if min(codes) < 300]
    assert len(succeeded) > 15, answers
