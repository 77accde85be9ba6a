"""Coze as it comes over the wire, byte for byte as its documentation and its client (cozepy) have it."""

import time
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import jwt
import orjson
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ai.provider import Heard, Reply, Script, says

IDS = {"bot_id": "7379462189365198898", "conversation_id": "7381473525342978089", "chat_id": "7382159487131697202"}
COMPLETED = {"token_count": 30, "output_count": 9, "input_count": 21}


@cache
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def private_pem() -> str:
    encryption = serialization.NoEncryption()
    return key().private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption).decode()


def event(name: str, data: Any) -> bytes:
    return f"event:{name}\ndata:".encode() + orjson.dumps(data) + b"\n\n"


def chat(status: str, **more: Any) -> dict[str, Any]:
    ids = {"id": IDS["chat_id"], "conversation_id": IDS["conversation_id"], "bot_id": IDS["bot_id"]}
    return {**ids, "created_at": 1718792949, "last_error": {"code": 0, "msg": ""}, "status": status, **more}


def message(content: str, kind: str = "answer", role: str = "assistant") -> dict[str, Any]:
    return {"id": "7382159494123470858", **IDS, "role": role, "type": kind, "content": content, "content_type": "text"}


def coze(texts: Sequence[str], *end: bytes) -> list[bytes]:
    """With ids and comments between, as proxies and newer versions send them."""
    frames = [event("conversation.chat.created", chat("created")), b": ping\n\n"]
    frames += [b"id: 3\n" + event("conversation.chat.in_progress", chat("in_progress"))]
    frames += [event("conversation.message.delta", message(text)) for text in texts]
    if end:
        return [*frames, *end]
    frames += [
        event("conversation.message.completed", message("".join(texts))),
        event("conversation.message.delta", message("Anything else?", "follow_up")),
        event("conversation.message.completed", message('{"msg_type":"generate_answer_finish"}', "verbose")),
        event("conversation.chat.completed", chat("completed", completed_at=1718792951, usage=COMPLETED)),
    ]
    return [*frames, b'event:done\ndata:"[DONE]"\n\n']


class Coze:
    """The whole of it: takes a signed assertion, gives tokens for a session, makes conversations, and chats."""

    def __init__(self, *chats: Script) -> None:
        self.chats = list(chats) or [says(coze(["Hel", "lo"]))]
        self.tokens: dict[str, Mapping[str, Any]] = {}
        self.made: list[str] = []
        self.lives = 86_399
        self.revoked: set[str] = set()

    async def __call__(self, heard: Heard, reply: Reply) -> None:
        bearer = heard.headers["authorization"].removeprefix("Bearer ")
        if heard.path == "/api/permission/oauth2/token":
            await self._token(heard, bearer, reply)
        elif bearer not in self.tokens or bearer in self.revoked:
            refused = {"code": 700012006, "msg": "access token invalid", "detail": {"logid": "2024"}}
            await reply.whole(refused, 401)
        elif heard.path == "/v1/conversation/create":
            self.made.append(f"73814735253429{len(self.made):05d}")
            made = {"created_at": 1718289297, "id": self.made[-1], "last_section_id": "1", "meta_data": {}}
            await reply.whole({"code": 0, "data": made, "detail": {"logid": "2024"}, "msg": ""})
        else:
            script = self.chats.pop(0) if len(self.chats) > 1 else self.chats[0]
            await script(heard, reply)

    async def _token(self, heard: Heard, assertion: str, reply: Reply) -> None:
        try:
            claims = jwt.decode(assertion, key().public_key(), ["RS256"], audience=heard.headers["host"])
        except jwt.PyJWTError as error:
            await reply.whole({"error_code": "invalid_request", "error_message": str(error)}, 401)
            return
        token = f"czs_{len(self.tokens)}Vjrl4ajK2lM"
        self.tokens[token] = {**claims, **jwt.get_unverified_header(assertion), **heard.body}
        until = int(time.time()) + self.lives  # a moment, not a duration
        await reply.whole({"access_token": token, "expires_in": until, "token_type": "Bearer"})
