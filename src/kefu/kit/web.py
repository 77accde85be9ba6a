"""What every request passes: a request id, the log line, security headers, a size limit, errors in one shape."""

import re
import secrets
import time
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kefu.kit import acting
from kefu.kit.errors import Invalid, KefuError, NotFound, TooLarge
from kefu.kit.i18n import Locale, Text, preferred
from kefu.kit.metrics import REQUESTS

log = structlog.get_logger()

# Bytes of a body, by the beginning of the path. 5,000 characters of any script fit the common one however they are
# escaped, an article of 50,000 the one for knowledge, and all policies that there may be theirs.
BODY_LIMIT = 65_536
BODY_LIMITS = (("/api/agent/", 16_384), ("/api/knowledge/", 524_288), ("/api/policies", 1_048_576))
# Where a file comes as a part of the body: it is limited by the settings, and may take longer (`realtime/server.py`).
UPLOADS = re.compile(r"/api/sessions/[^/]+/files|/api/knowledge/documents")
AROUND_FILE = 16_384
REQUEST_ID = re.compile(r"[A-Za-z0-9_.-]{8,64}")
POWERS = (b"camera", b"geolocation", b"microphone", b"payment", b"usb")  # of a browser that no page of ours needs
SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b", ".join(b"%b=()" % power for power in POWERS)),
    # Of what is no page: opened by itself, a picture of ours or an answer of the API does nothing.
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=31536000")
PRIVATE = (b"cache-control", b"no-store")
OF_API = (*SECURITY, PRIVATE)


class MethodNotAllowed(KefuError):
    status = 405
    code = "METHOD_NOT_ALLOWED"
    text: ClassVar[Text] = {"en": "This address does not take that method.", "zh": "该地址不支持此请求方法。"}


class Edge:
    """Pure ASGI, outermost: names the request, limits its body and logs its end.

    What nobody caught becomes a 500 with an incident id. `strict_transport`: browsers that came by https shall never
    again come without it. `upload_limit`: bytes of a file.
    """

    def __init__(self, app: ASGIApp, *, strict_transport: bool = False, upload_limit: int = 0) -> None:
        self.app = app
        self._upload_limit = upload_limit
        self._strict_transport = strict_transport

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._connect(scope, receive, send)
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id, languages = _named(scope, headers), headers.get("accept-language")
        if scope["method"] != "GET":  # nobody reads the body of a GET, and followers would keep the wrapper for hours
            receive = _limited(receive, headers, body_limit(scope["path"], self._upload_limit))
        del headers  # as they would a copy of these
        security = self._headers(scope)
        started, status = time.perf_counter(), 0

        async def send_out(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                named = {name for name, _ in message["headers"]}
                missing = (header for header in security if header[0] not in named)
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode()), *missing]
            await send(message)

        try:
            await self.app(scope, receive, send_out)
        except KefuError as error:
            if status:
                raise
            await error_response(error, preferred(languages))(scope, receive, send_out)
        except Exception:
            incident = secrets.token_hex(6)
            log.exception("request.failed", incident=incident, path=scope["path"], method=scope["method"])
            if status:
                raise
            failure = KefuError(incident=incident)
            await error_response(failure, preferred(languages))(scope, receive, send_out)
        finally:
            seconds = time.perf_counter() - started
            REQUESTS.count(scope, status, seconds)
            _tell(scope, scope["method"], seconds, status=status)

    def _headers(self, scope: Scope) -> tuple[tuple[bytes, bytes], ...]:
        """What every answer carries unless it says otherwise itself."""
        headers = OF_API if scope["path"].startswith("/api/") else SECURITY
        is_strict = self._strict_transport and scope["scheme"] == "https"
        return (*headers, STRICT_TRANSPORT) if is_strict else headers

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A WebSocket: one line when it ends, with the status of the handshake (101: accepted) and how it was closed.

        What nobody caught closes it with 1011, or is a 500 before it was accepted.
        """
        headers = Headers(scope=scope)
        request_id, locale = _named(scope, headers), preferred(headers.get("accept-language"))
        del headers
        started, status, code = time.perf_counter(), 0, None

        async def send_out(message: Message) -> None:
            nonlocal status, code
            if message["type"] == "websocket.http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode()), *SECURITY]
            elif message["type"] == "websocket.accept":
                status = 101
            elif message["type"] == "websocket.close":
                code = message.get("code", 1000)
            await send(message)

        try:
            await self.app(scope, receive, send_out)
        except Exception:
            incident = secrets.token_hex(6)
            log.exception("request.failed", incident=incident, path=scope["path"], method="WS")
            if status == 101:
                await send_out({"type": "websocket.close", "code": 1011})
            elif status == 0:
                failure = KefuError(incident=incident)
                await error_response(failure, locale)(scope, receive, send_out)
        finally:
            _tell(scope, "WS", time.perf_counter() - started, status=status, closed=code)


def _named(scope: Scope, headers: Headers) -> str:
    """The id of the request, the caller's own if it gives one; every line of the log from here on has it."""
    given = headers.get("x-request-id", "")
    request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id)
    acting.arrive(scope, request_id)
    return request_id


def _tell(scope: Scope, method: str, seconds: float, **facts: Any) -> None:
    """With the session that the request is about and the agent who sent it, as far as they are known."""
    now = acting.acting()
    session = scope.get("path_params", {}).get("name") or now.session_name  # only sessions are called so in a path
    facts |= {key: one for key, one in (("session_name", session), ("agent", now.id)) if one}
    log.info("request.served", method=method, path=scope["path"], duration_ms=round(seconds * 1000, 1), **facts)


def body_limit(path: str, upload_limit: int = 0) -> int:
    if UPLOADS.fullmatch(path):
        return upload_limit + AROUND_FILE
    return next((limit for beginning, limit in BODY_LIMITS if path.startswith(beginning)), BODY_LIMIT)


def _limited(receive: Receive, headers: Headers, limit: int) -> Receive:
    """Stop a body that is, or says it will be, larger than `limit`. Raises TooLarge."""
    declared = headers.get("content-length", "0")
    too_large = declared.isdecimal() and int(declared) > limit
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if too_large or taken > limit:
            raise TooLarge(limit=limit)
        return message

    return limited


class Done(BaseModel):
    """The answer of a route that has nothing more to say."""

    success: Literal[True] = True


class Json(Response):
    """Compact JSON by orjson."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content)


def error_response(error: KefuError, locale: Locale) -> Json:
    body: dict[str, Any] = {"code": error.code, "message": error.message(locale)}
    if error.details:
        body["details"] = error.details
    return Json({"success": False, "error": body}, status_code=error.status, headers=error.headers)


def caller_locale(request: Request) -> Locale:
    return preferred(request.headers.get("accept-language"))


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from.

    `address`: of the caller, behind the proxies of TRUSTED_PROXIES. `page`: the site of the page that calls, which
    browsers tell.
    """

    address: str
    authorization: str | None
    locale: Locale
    page: str | None


def caller_of(request: Request) -> Origin:
    headers = request.headers
    return Origin(address_of(request), headers.get("authorization"), caller_locale(request), headers.get("origin"))


def address_of(request: Request) -> str:
    """Of the caller, behind the proxies of TRUSTED_PROXIES."""
    return acting.address_of(request.scope)


REASONS: dict[str, Text] = {
    "missing": {"en": "is required", "zh": "必填"},
    "string_type": {"en": "must be text", "zh": "必须是文本"},
    "string_too_short": {"en": "is too short (at least {min_length})", "zh": "太短（至少 {min_length} 个字符）"},
    "string_too_long": {"en": "is too long (at most {max_length})", "zh": "太长（最多 {max_length} 个字符）"},
    "string_pattern_mismatch": {"en": "has characters that are not allowed", "zh": "含有不允许的字符"},
    "int_parsing": {"en": "must be a whole number", "zh": "必须是整数"},
    "int_type": {"en": "must be a whole number", "zh": "必须是整数"},
    "bool_type": {"en": "must be true or false", "zh": "必须为 true 或 false"},
    "bool_parsing": {"en": "must be true or false", "zh": "必须为 true 或 false"},
    "enum": {"en": "must be one of {expected}", "zh": "必须是以下之一：{expected}"},
    "literal_error": {"en": "must be one of {expected}", "zh": "必须是以下之一：{expected}"},
    "greater_than_equal": {"en": "must be at least {ge}", "zh": "不能小于 {ge}"},
    "less_than_equal": {"en": "must be at most {le}", "zh": "不能大于 {le}"},
    "empty_span": {"en": "opens and closes at the same time", "zh": "开始与结束时间不能相同"},
    "overlap": {"en": "overlaps with another span of the day", "zh": "与当天其他时段重叠"},
    "unknown_zone": {"en": "is not a time zone of the IANA list", "zh": "不是 IANA 时区名称"},
    "bad_origin": {
        "en": "is not a site such as https://shop.example",
        "zh": "不是有效的网站地址，例如 https://shop.example",
    },
    "json_invalid": {"en": "is not valid JSON", "zh": "不是有效的 JSON"},
    "model_attributes_type": {"en": "must be a JSON object", "zh": "必须是 JSON 对象"},
    "extra_forbidden": {"en": "is not known here", "zh": "不支持该字段"},
}
OTHERWISE: Text = {"en": "is not valid", "zh": "无效"}


def field_reasons(errors: Any, locale: Locale) -> list[dict[str, str]]:
    """Pydantic's findings as `{field, reason}` in the caller's language; never echoes what was sent."""
    fields = []
    for one in errors:
        where = [str(part) for part in one["loc"] if part not in {"body", "query", "path"}]
        reason = REASONS.get(one["type"], OTHERWISE)[locale].format_map(_Facts(one.get("ctx") or {}))
        fields.append({"field": ".".join(where) or "body", "reason": reason})
    return fields


class _Facts(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "…"


def invalid(errors: Any, locale: Locale) -> Json:
    return error_response(Invalid(fields=field_reasons(errors, locale)), locale)


def add_errors(app: FastAPI) -> None:
    """Map every error type to its response, once."""

    async def known(request: Request, error: Exception) -> Response:
        assert isinstance(error, KefuError)
        return error_response(error, caller_locale(request))

    async def validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return invalid(error.errors(), caller_locale(request))

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 405:
            response = error_response(MethodNotAllowed(), caller_locale(request))
            response.headers.update(error.headers or {})
            return response
        if isinstance(error.__cause__, KefuError):
            return error_response(error.__cause__, caller_locale(request))
        if error.status_code == 400:
            return error_response(
                Invalid(fields=[{"field": "body", "reason": OTHERWISE[caller_locale(request)]}]), caller_locale(request)
            )
        return error_response(NotFound(), caller_locale(request))

    app.add_exception_handler(KefuError, known)
    app.add_exception_handler(RequestValidationError, validation)
    app.add_exception_handler(HTTPException, http)
