"""What must not leave the service does not: it runs with a canary in every secret, through success and failure."""

import asyncio
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import unquote

import asyncpg
import httpx2
import pytest
from fastapi import Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import update

from accounts.team import PASSWORD, bearer
from actors import Agent, Stage, Visitor, data_of
from faults.process import ADMIN, Kefu, KefuWorker
from faults.waiting import until
from house.sources import ROOT
from kefu.accounts.tokens import Tokens
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.shops.models import Shop
from realtime.socket_watch import connects
from sso.identity_provider import CLIENT, REDIRECT, IdentityProvider, running

SECRETS = {
    "JWT_SECRET_KEY": "canary0jwt-8d1f5a7c3e9b2046-8d1f5a7c3e9b2046",
    "JWT_SECRET_KEYS_OLD": "canary8old-5d2c8b7e1f4a9036-5d2c8b7e1f4a9036",
    "FIELD_KEYS": "canary9field-2a6e9c4b7d1f8035-2a6e9c4b7d1f8035",
    "SUPER_ADMIN_PASSWORD": "canary1 first admin 7",
    "METRICS_TOKEN": "canary2metrics-4b7e1c9d",
    "SMTP_PASSWORD": "canary3smtp",
    "OIDC_CLIENT_SECRET": "canary9oidc-7f3a",
    "AI_SERVICE_API_KEY": "canary10model-9e2b",
    "WECOM_ROBOT_URL": "canary12robot-5f8e",
    "COZE_OAUTH_PRIVATE_KEY": "canary11coze-4d6c",
    "BACKUP_KEY": "canary12backup-6c1f8a3e5b7d9024-6c1f8a3e5b7d9024",
    "BACKUP_DATABASE_URL": "postgresql://copier:canary13copier@127.0.0.1:1/kefu",
}
IN_URLS = ("canary4database", "canary5redis")
TYPED = "canary6 typed 7"
# Nobody's business but the two who talk.
CONTACTS = ("li.wei@canary.example", "13812340077", "4111 1111 1111 1177", "110105199012310077", "canary7 said")
ALL_SECRETS = (*SECRETS.values(), *IN_URLS, TYPED)
CLOSED = {"timezone": "Asia/Shanghai", "week": [[]] * 7, "special": {}}
SPELLED = [*ALL_SECRETS, *(b64encode(secret.encode()).decode().rstrip("=") for secret in ALL_SECRETS)]


@asynccontextmanager
async def sullen_mail_server() -> AsyncIterator[int]:
    """Its port. Takes no password, and says the one it was given."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.canary.example\r\n")
        while line := await reader.readline():
            verb = line[:4].upper()
            answer = (
                b"250-mail\r\n250 AUTH PLAIN\r\n" if verb == b"EHLO" else b"535 5.7.8 no: " + line.strip() + b"\r\n"
            )
            writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


class SullenProvider(IdentityProvider):
    """Lets nobody in, and says what it was given."""

    async def token(self, request: Request) -> Response:
        given = request.headers["authorization"]
        said = unquote(b64decode(given.removeprefix("Basic ")).decode())
        return JSONResponse({"error": said, "error_description": given}, 400)


class Listener(httpx2.AsyncBaseTransport):
    """Carries the requests and keeps all that was answered."""

    def __init__(self) -> None:
        self._inner = httpx2.AsyncHTTPTransport(verify=False)
        self.heard = ""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._inner.handle_async_request(request)
        if not response.headers.get("content-type", "").startswith("text/event-stream"):
            self.heard += f"{response.headers.multi_items()}\n{(await response.aread()).decode(errors='replace')}\n"
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


@pytest.fixture
def homes(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Of the app and of the worker."""
    return tmp_path, tmp_path_factory.mktemp("worker")


def test_every_secret_setting_has_a_canary() -> None:
    fields = Settings.model_fields.values()
    assert set(SECRETS) == {str(field.validation_alias) for field in fields if "SecretStr" in str(field.annotation)}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_no_secret_is_answered_or_logged_and_no_contact_is_logged(
    homes: tuple[Path, Path], database_url: str, redis_url: str, db: Database
) -> None:
    """On PostgreSQL with Redis, which has most secrets; Redis takes no password, so that it is also away."""
    async with sullen_mail_server() as port, running(SullenProvider()) as there:
        mail = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(port), "SMTP_USERNAME": "kefu@shop.example"}
        settings = mail | SECRETS | {"SMTP_USE_TLS": "false", "EMAIL_RECIPIENTS": "desk@shop.example"}
        settings |= {"REDIS_URL": redis_url.replace("://", f"://:{IN_URLS[1]}@"), "LOG_LEVEL": "debug"}
        settings |= {"OIDC_ISSUER": there.address, "OIDC_CLIENT_ID": CLIENT, "OIDC_REDIRECT_URI": REDIRECT}
        url = database_url.replace("kefu@", f"kefu:{IN_URLS[0]}@")
        kefu, worker = Kefu(homes[0], url, **settings), KefuWorker(homes[1], url, **settings)
        await kefu.start()
        await worker.start()
        try:
            heard, issued = await drive(kefu, db, database_url)
            await until(lambda: bool(worker.logged("mail.failed")), 30)
        finally:
            assert [(await one.terminate())[0] for one in (kefu, worker)] == [0, 0]
    refused = await Kefu(homes[0], url.replace("://", "://nobody").replace("127.0.0.1", "127.0.0.9")).run("migrate")
    logs = refused[1] + "".join((home / "server.log").read_text() for home in homes)
    assert '"event":"request.failed"' in logs
    assert '"event":"redis.away"' in logs
    assert '"event":"sso.refused"' in logs
    assert refused[0] == 2
    assert leaks(heard, SPELLED) == []
    assert leaks(logs, [*SPELLED, *CONTACTS, *issued]) == []
    await no_secret_is_kept(db)


def leaks(text: str, canaries: list[str]) -> list[str]:
    """The places where one of the canaries stands."""
    return [text[max(0, text.index(one) - 120) : text.index(one) + 60] for one in canaries if one in text]


async def no_secret_is_kept(db: Database) -> None:
    """Neither in the log of facts, which is kept for ever, nor in what browsers load."""
    facts = "".join(row[0] for row in await db.fetch("SELECT type || payload FROM events"))
    assert "mail.failed" in facts
    assert leaks(facts, SPELLED) == []
    bundle = "".join(
        file.read_text(errors="replace") for file in (ROOT / "src/kefu/static").rglob("*") if file.is_file()
    )
    assert leaks(bundle + (ROOT / "web/api/openapi.json").read_text(), SPELLED) == []
    assert leaks(bundle, ["-----BEGIN PRIVATE", "-----BEGIN RSA", "eyJhbGciOi", "JWT_SECRET_KEY"]) == []


async def drive(kefu: Kefu, db: Database, database_url: str) -> tuple[str, list[str]]:
    """Everybody does what they do, rightly and wrongly; all that was answered, and the tokens that were issued."""
    listener = Listener()
    async with httpx2.AsyncClient(transport=listener, base_url=kefu.address, timeout=30) as http:
        stage = Stage(db, http)
        async with db.write() as tx:
            await tx.execute(update(Shop).values(hours=CLOSED))
        mei, visitor = await stage.agent(), await stage.visitor()
        await fail_to_sign_in(http)
        await talk(visitor, mei)
        await read_everything(http)
        await break_down(mei, visitor, database_url)
        signed_in = data_of(
            await http.post("/api/agent/login", json={"username": ADMIN, "password": SECRETS["SUPER_ADMIN_PASSWORD"]})
        )
        again = data_of(await http.post("/api/agent/refresh", json={"refresh_token": signed_in["refresh_token"]}))
        await stage.close()
    tokens = [one[kind] for one in (signed_in, again) for kind in ("token", "refresh_token")]
    return listener.heard, [mei.token, visitor.token, PASSWORD, *tokens]


async def fail_to_sign_in(http: httpx2.AsyncClient) -> None:
    wrong = (
        {"username": ADMIN, "password": TYPED},
        {"username": ADMIN, "password": [TYPED]},
        {"password": TYPED},
        [TYPED],
    )
    for body in wrong:
        assert (await http.post("/api/agent/login", json=body)).status_code in {403, 422}
    broken = f'{{"username": "{ADMIN}", "password": "{TYPED}'
    assert (await http.post("/api/agent/login", content=broken)).status_code == 422
    forged = Tokens(TYPED).access("a_1", "f_1")
    for token in (forged, TYPED.replace(" ", "-"), SECRETS["METRICS_TOKEN"]):
        assert (await http.get("/api/sessions", headers=bearer(token))).status_code == 401
    assert (await http.get(f"/api/sessions?access_token={TYPED}&password={TYPED}")).status_code == 401
    assert (await http.post("/api/agent/refresh", json={"refresh_token": TYPED})).status_code == 401
    begun = data_of(await http.post("/api/agent/oidc/start"))
    returned = {"code": TYPED, "state": begun["state"], "ticket": begun["ticket"]}
    assert (await http.post("/api/agent/oidc/finish", json=returned)).status_code == 403


async def talk(visitor: Visitor, mei: Agent) -> None:
    """On a stream and a socket, by message, search and mail."""
    watch = await connects(visitor, visitor.name)
    await visitor.says(" | ".join(CONTACTS))
    await watch.sees("message.posted", role="assistant", patience=20)
    letter = {"email": CONTACTS[0], "message": f"{CONTACTS[4]} {CONTACTS[1]}", "client_msg_id": "l1"}
    data_of(await visitor.post(f"/api/sessions/{visitor.name}/email", letter))
    assert (
        await visitor.post(f"/api/sessions/{visitor.name}/email", letter | {"email": CONTACTS[1]})
    ).status_code == 422
    assert (await mei.get(f"/api/search/messages?q={CONTACTS[1]}")).status_code == 200
    assert (await mei.get(f"/api/sessions?keyword={CONTACTS[0]}&token={TYPED}")).status_code == 200
    assert (
        await mei.post("/api/agent/change-password", {"old_password": TYPED, "new_password": f"{TYPED}-8"})
    ).status_code == 403


async def read_everything(http: httpx2.AsyncClient) -> None:
    token = bearer(SECRETS["METRICS_TOKEN"])
    for path in ("/health", "/api/health", "/api/bot/info", "/openapi.json", "/docs", "/workbench/", "/demo", "/embed"):
        assert (await http.get(path)).status_code == 200, path
    for path, headers, status in (
        ("/api/metrics", token, 200),
        ("/api/metrics", {}, 401),
        ("/api/metrics", bearer(TYPED), 401),
        ("/.env", {}, 404),
        ("/static/../../../.env", {}, 404),
    ):
        assert (await http.get(path, headers=headers)).status_code == status, path


async def break_down(mei: Agent, visitor: Visitor, database_url: str) -> None:
    """A table is gone: nobody knew of that, so it is a 500 with a stack trace in the log."""
    connection = await asyncpg.connect(database_url)
    draft = {"content": f"{CONTACTS[4]} {CONTACTS[1]} {TYPED}", "revision": 1}
    await connection.execute("ALTER TABLE drafts RENAME TO gone")
    try:
        failed = await mei.put(f"/api/sessions/{visitor.name}/draft", draft)
        assert (failed.status_code, failed.json()["error"]["code"]) == (500, "INTERNAL")
    finally:
        await connection.execute("ALTER TABLE gone RENAME TO drafts")
        await connection.close()
