"""A chat workflow of Coze: its own sign-in, its own conversations, its own events.

Source: https://www.coze.com/docs/developer_guides/workflow_chat, oauth_jwt, and the client cozepy 0.20. `expires_in` is
a moment in Unix seconds. Each of our sessions is another person to Coze (`session_name` in the token) with one
conversation, made before the first message: those that Coze makes by itself were seen to be shared between sessions.
"""

import time
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import jwt
import orjson
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from kefu.ai.catalog import Choice
from kefu.ai.conversations import Conversations
from kefu.ai.ports import Ask, Failing, Finished, Piece, ProviderFailed, Usage
from kefu.ai.sse import Event
from kefu.ai.telling import Call, Line, ask_json, failed, tell
from kefu.ai.tokens import estimate
from kefu.kit.ids import new_id

TOKEN_SECONDS = 3600
# A token that ends sooner is replaced: an answer takes a while.
EARLY_SECONDS = 120
MOST_TOKENS = 1000
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
UNAUTHORIZED = 401
# Coze's codes of a token that it does not know, and of who asks too fast.
TOKEN_INVALID = {4100, 4101, 700012006}
BUSY = {4013}


class CozeModel:
    def __init__(self, choice: Choice, line: Line, conversations: Conversations) -> None:
        self._choice = choice
        self._base = choice.url.rstrip("/")
        self._line = line
        self._conversations = conversations
        self._place = f"{self._base} {choice.coze_app_id} {choice.coze_workflow_id}"
        self._tokens: OrderedDict[str, tuple[str, float]] = OrderedDict()

    async def stream(self, ask: Ask) -> AsyncGenerator[Piece | Finished]:
        """A token that is refused before the first piece is replaced once."""
        has_spoken = False
        try:
            async with aclosing(self._told(ask)) as told:
                async for one in told:
                    has_spoken = True
                    yield one
        except ProviderFailed as failure:
            is_old = (
                self._tokens.pop(ask.conversation, None) is not None if failure.http_status == UNAUTHORIZED else False
            )
            if has_spoken or not is_old:
                raise
        if not has_spoken:
            async with aclosing(self._told(ask)) as told:
                async for one in told:
                    yield one

    async def _told(self, ask: Ask) -> AsyncGenerator[Piece | Finished]:
        token = await self._token(ask.conversation)
        conversation = await self._conversation(ask.conversation, token)
        question = _question(ask)
        body = {
            "workflow_id": self._choice.coze_workflow_id,
            "app_id": self._choice.coze_app_id,
            "session_name": ask.conversation,
            "conversation_id": conversation,
            "parameters": {"USER_INPUT": question},
            "additional_messages": [
                {"role": "user", "type": "question", "content": question, "content_type": "text"},
            ],
        }
        call = self._call("/v1/workflows/chat", token, body, max(20_000, ask.max_tokens * 12))
        async with aclosing(tell(self._line, call, CozeReading(call, self._choice, question))) as told:
            async for one in told:
                yield one

    def _call(self, path: str, bearer: str, body: dict[str, Any], most_characters: int = 0) -> Call:
        headers = {"Authorization": f"Bearer {bearer}"}
        return Call("coze", self._base + path, headers, body, bearer, most_characters)

    async def _token(self, session: str) -> str:
        known = self._tokens.get(session)
        if known is not None and known[1] - EARLY_SECONDS > time.time():
            self._tokens.move_to_end(session)
            return known[0]
        body = {"duration_seconds": TOKEN_SECONDS, "grant_type": GRANT}
        call = self._call("/api/permission/oauth2/token", self._assertion(session), body)
        given = await ask_json(self._line, call)
        token, expires = given.get("access_token"), given.get("expires_in")
        if not isinstance(token, str) or not token.isascii() or not isinstance(expires, int):
            raise failed(call, "malformed")
        self._tokens[session] = token, expires
        if len(self._tokens) > MOST_TOKENS:
            self._tokens.popitem(last=False)
        return token

    def _assertion(self, session: str) -> str:
        """What proves that we are the OAuth app. Raises ProviderFailed for a key that is none."""
        now = int(time.time())
        claims = {
            "iss": self._choice.coze_client_id,
            "aud": urlsplit(self._base).netloc,
            "iat": now,
            "exp": now + TOKEN_SECONDS,
            "jti": new_id("jti"),
            **({"session_name": session} if session else {}),
        }
        headers = {"kid": self._choice.coze_public_key_id}
        try:
            return jwt.encode(claims, self._private_key, "RS256", headers)
        except (ValueError, TypeError, UnsupportedAlgorithm, jwt.PyJWTError):
            raise ProviderFailed("The private key is none.", provider="coze", reason="denied") from None

    @cached_property
    def _private_key(self) -> Any:
        """Read once: it takes 30 ms, a hundred times what signing does, and nobody is served meanwhile."""
        return load_pem_private_key(self._choice.key.encode(), None)

    async def _conversation(self, session: str, token: str) -> str:
        """What Coze calls the conversation; a new one for a question outside all of them."""
        known = await self._conversations.find(self._place, session) if session else None
        if known is not None:
            return known
        call = self._call("/v1/conversation/create", token, {})
        given = await ask_json(self._line, call)
        _check(call, given)
        name = (given.get("data") or {}).get("id")
        if not isinstance(name, str) or not 0 < len(name) <= 100:
            raise failed(call, "malformed")
        return await self._conversations.keep(self._place, session, name) if session else name


def _question(ask: Ask) -> str:
    """The last message with all that the prompt says before; what was said earlier Coze remembers itself."""
    *_, last = ask.messages
    return "\n\n".join([*(one.content for one in ask.messages if one.role == "system"), last.content])


def _check(call: Call, body: Any) -> None:
    """Raises ProviderFailed for what Coze calls a failure, whatever the status of the answer."""
    code, said = body.get("code", 0), str(body.get("msg") or body.get("error_message") or "")
    if code:
        failure = failed(call, _reason(code), f"{code} {said}")
        failure.http_status = UNAUTHORIZED if code in TOKEN_INVALID else 0
        raise failure


def _reason(code: Any) -> Failing:
    if code in BUSY:
        return "busy"
    return "denied" if code in TOKEN_INVALID or (isinstance(code, int) and 4000 <= code < 5000) else "broken"


class CozeReading:
    is_done = False

    def __init__(self, call: Call, choice: Choice, question: str) -> None:
        self._call, self._choice, self._question = call, choice, question
        self._is_completed = False
        self._usage: dict[str, Any] = {}

    def read(self, event: Event) -> str:
        if event.name == "done" or event.data == b"[DONE]":
            self.is_done = True
            return ""
        data = orjson.loads(event.data)
        if event.name == "conversation.message.delta":
            is_answer = data["role"] == "assistant" and data["type"] == "answer" and data["content_type"] == "text"
            return str(data["content"]) if is_answer else ""
        if event.name == "conversation.chat.completed":
            self._is_completed, self._usage = True, data.get("usage") or {}
        elif event.name == "conversation.chat.failed":
            error = data.get("last_error") or {}
            _check(self._call, {**error, "code": error.get("code") or 5000})
        elif event.name == "conversation.chat.requires_action":
            raise failed(
                self._call, "denied", "The workflow asks for a tool, and there is none here (requires_action)."
            )
        elif event.name in {"", "error"}:  # "": an answer that is no stream
            _check(self._call, {**data, "code": data.get("code") or 5000})
        return ""

    def end(self, text: str) -> Finished:
        if not self._is_completed:
            raise failed(self._call, "cut")
        counts = self._usage.get("input_count"), self._usage.get("output_count")
        if isinstance(counts[0], int) and isinstance(counts[1], int) and counts[0] > 0:
            used = Usage(counts[0], counts[1], is_estimated=False)
        else:
            used = Usage(estimate(self._question), estimate(text), is_estimated=True)
        return Finished("coze", self._choice.name, used)
