"""Who acts at this moment and from where, for whoever writes it down.

The edge knows the request, `accounts.identity` the agent; without either it is the system: a job, the command line.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

import structlog


@dataclass(frozen=True, slots=True)
class Acting:
    """`role`: of the agent, `anyone` while a request's sender is not known, `system` where there is no request.

    `session_name`: of the visitor whose token it is. `scope`: ASGI's, of the request.
    """

    role: str = "system"
    id: str = ""
    name: str = ""
    request_id: str = ""
    session_name: str = ""
    scope: Mapping[str, Any] | None = None

    @property
    def address(self) -> str:
        return address_of(self.scope) if self.scope else ""

    @property
    def user_agent(self) -> str:
        headers = self.scope["headers"] if self.scope else ()
        return next((value.decode("latin-1") for name, value in headers if name == b"user-agent"), "")


SYSTEM = Acting()
_now: ContextVar[Acting] = ContextVar("acting", default=SYSTEM)


def acting() -> Acting:
    return _now.get()


def arrive(scope: Mapping[str, Any], request_id: str) -> None:
    """A request begins, by nobody known yet."""
    _now.set(Acting("anyone", request_id=request_id, scope=scope))


def go_on_for(request_id: str) -> None:
    """What this task does from here on, the system does as a consequence of that request, if there was one."""
    if request_id:
        structlog.contextvars.bind_contextvars(request_id=request_id)
        _now.set(replace(SYSTEM, request_id=request_id))


def act_as(agent_id: str, name: str, role: str) -> None:
    """What this request does from here on, this agent does."""
    _now.set(replace(_now.get(), id=agent_id, name=name, role=role))


def visit(session_name: str) -> None:
    """What this request does from here on, the visitor of this session does."""
    _now.set(replace(_now.get(), session_name=session_name))


def address_of(scope: Mapping[str, Any]) -> str:
    """Of the client as the server saw it: behind a proxy, uvicorn reads X-Forwarded-For of trusted hosts."""
    client = scope.get("client")
    return client[0] if client else "local"
