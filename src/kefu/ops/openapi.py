"""What FastAPI cannot see by itself: the event streams, and the errors that every route may give."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from kefu.realtime.polls import LONGEST_WAIT
from kefu.sessions import schemas

ERROR = {
    "type": "object",
    "required": ["success", "error"],
    "properties": {
        "success": {"const": False},
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}, "details": {"type": "object"}},
        },
    },
}
EVENT = {
    "type": "object",
    "description": "A log event has seq, at and actor, and its frame an id; what is in no log has only a type.",
    "required": ["type"],
    "properties": {
        "type": {"type": "string"},
        "seq": {"type": "integer"},
        "at": {"type": "string", "format": "date-time"},
        "actor": {"type": "object", "properties": {"kind": {"enum": ["visitor", "agent", "bot", "system"]}}},
        "client_msg_id": {"type": "string"},
    },
}
POLLED = {
    "type": "object",
    "description": "At most 500 events after the cursor; `passing` is in no log; `seq` is the next cursor.",
    "required": ["success", "data"],
    "properties": {
        "success": {"const": True},
        "data": {
            "type": "object",
            "required": ["events", "passing", "seq", "status", "epoch"],
            "properties": {
                "events": {"type": "array", "items": {"$ref": "#/components/schemas/StreamEvent"}},
                "passing": {"type": "array", "items": {"$ref": "#/components/schemas/StreamEvent"}},
                "seq": {"type": "integer"},
                "status": {"type": "string"},
                "epoch": {"type": "integer"},
            },
        },
    },
}
BEARER: list[dict[str, list[str]]] = [{"HTTPBearer": []}]


def _stream(operation: str, summary: str, parameters: list[dict[str, Any]], *, polled: bool = False) -> dict[str, Any]:
    media: dict[str, Any] = {
        "text/event-stream": {"itemSchema": {"$ref": "#/components/schemas/StreamEvent"}, "schema": {"type": "string"}}
    }
    if polled:
        media["application/json"] = {"schema": {"$ref": "#/components/schemas/PolledEvents"}}
    return {
        "get": {
            "operationId": operation,
            "summary": summary,
            "tags": ["realtime"],
            "security": BEARER,
            "parameters": parameters,
            "responses": {
                "200": {"description": "Server-sent events", "content": media},
                **_errors(401, 403, 404, 422),
            },
        }
    }


def _errors(*codes: int) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {str(code): {"description": "Error", "content": content} for code in codes}


NAME = {
    "name": "name",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": schemas.NAME},
}
AFTER = {
    "name": "after",
    "in": "query",
    "required": False,
    "schema": {"type": "integer", "minimum": 0, "maximum": 2**53},
}
WAIT = {
    "name": "wait",
    "in": "query",
    "required": False,
    "description": "Long polling: one JSON answer, at once if there is something after the cursor, else when something "
    "happens, or with nothing after so many seconds.",
    "schema": {"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT},
}
STREAMS = {
    "/api/sessions/{name}/events": _stream(
        "session_events", "A session's events from a cursor on, then live", [NAME, AFTER, WAIT], polled=True
    ),
    "/api/agent/events": _stream("desk_events", "Summaries of sessions as they change", []),
}
COMMON_ERRORS = (400, 401, 403, 404, 409, 413, 422, 423, 429, 500, 503, 507)


def describe_streams(app: FastAPI) -> None:
    """Give `app.openapi` the streams and one shape for errors. The document is made once."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            document["paths"] |= STREAMS
            components = document.setdefault("components", {}).setdefault("schemas", {})
            components |= {"Error": ERROR, "StreamEvent": EVENT, "PolledEvents": POLLED}
            for path in document["paths"].values():
                for operation in path.values():
                    operation["responses"] = operation["responses"] | _errors(*COMMON_ERRORS)
            for unused in ("HTTPValidationError", "ValidationError"):
                components.pop(unused, None)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI says to extend it
