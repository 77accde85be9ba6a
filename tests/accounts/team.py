"""The team of these tests: agents who are hired in the database and sign in over HTTP."""

from dataclasses import dataclass

import httpx2
from pwdlib.hashers.argon2 import Argon2Hasher

from kefu.accounts import service
from kefu.accounts.audit import KEYS, Keys
from kefu.accounts.models import Agent
from kefu.accounts.permissions import Role
from kefu.kit.db import Database
from kefu.kit.sealed import no_keys
from kefu.kit.secrets import Sealer

PASSWORD = "correct-horse-7"
TEST_SECRET = "a secret of the tests"
# A hash that is checked in no time: what a real one costs is for the tests of passwords.
HASHED = Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@dataclass
class Browser:
    """One sign-in: an access token and a refresh token."""

    client: httpx2.AsyncClient
    token: str
    refresh_token: str

    async def get(self, path: str) -> httpx2.Response:
        return await self.client.get(path, headers=bearer(self.token))

    async def post(self, path: str, body: object = None) -> httpx2.Response:
        return await self.client.post(path, json=body, headers=bearer(self.token))

    async def refresh(self) -> httpx2.Response:
        """Exchange the refresh token and go on with what comes back."""
        answer = await self.client.post("/api/agent/refresh", json={"refresh_token": self.refresh_token})
        if answer.status_code == 200:
            self.token, self.refresh_token = answer.json()["token"], answer.json()["refresh_token"]
        return answer


def with_keys(db: Database) -> Database:
    """The same, with keys for what is audited and sealed unless it has some."""
    db.info.setdefault(KEYS, lambda: Keys(TEST_SECRET))
    if db.sealing is no_keys:
        db.seal_with(lambda: Sealer([TEST_SECRET]))
    return db


class Team:
    def __init__(self, db: Database, client: httpx2.AsyncClient) -> None:
        self._db = with_keys(db)
        self._client = client

    async def hire(
        self, username: str, role: Role = "agent", *, must_change_password: bool = False, max_sessions: int = 5
    ) -> Agent:
        new = service.NewAgent(username, username.title(), role, HASHED, must_change_password, max_sessions)
        async with self._db.write() as tx:
            return await service.create_agent(tx, new)

    async def login(self, username: str, password: str = PASSWORD) -> httpx2.Response:
        return await self._client.post("/api/agent/login", json={"username": username, "password": password})

    async def sign_in(self, username: str, password: str = PASSWORD) -> Browser:
        answer = await self.login(username, password)
        assert answer.status_code == 200, answer.text
        return Browser(self._client, answer.json()["token"], answer.json()["refresh_token"])
