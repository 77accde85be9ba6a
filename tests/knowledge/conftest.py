"""An app with the knowledge endpoints, two shops, an author and a reader."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI

from accounts.team import Team
from kefu.accounts.endpoints import router as accounts
from kefu.accounts.tokens import Tokens
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.kit.limits import Limits
from kefu.kit.web import Edge, add_errors
from kefu.knowledge.endpoints import router
from kefu.knowledge.vectors import by_words_alone
from kefu.quality.gate import Gate
from kefu.shops.service import FIRST_SHOP, put_shop
from knowledge.desk import Desk


@pytest.fixture
def app(db: Database) -> FastAPI:
    app = FastAPI()
    app.state.db = db
    app.state.settings = Settings(database_url=db.url)
    app.state.tokens = Tokens("a secret of the tests")
    app.state.limits = Limits(enabled=False)
    app.state.gate = Gate(db)
    app.state.near_of = by_words_alone
    app.include_router(accounts)
    app.include_router(router)
    app.add_middleware(Edge)
    add_errors(app)
    return app


@pytest.fixture
async def client(app: FastAPI, db: Database) -> AsyncIterator[httpx2.AsyncClient]:
    async with db.write() as tx:
        await put_shop(tx, **FIRST_SHOP)
        await put_shop(tx, **FIRST_SHOP | {"id": "other"})
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://kefu") as client:
        yield client


@pytest.fixture
async def author(db: Database, client: httpx2.AsyncClient) -> Desk:
    team = Team(db, client)
    await team.hire("lin", "supervisor")
    return Desk(await team.sign_in("lin"))


@pytest.fixture
async def reader(db: Database, client: httpx2.AsyncClient) -> Desk:
    team = Team(db, client)
    await team.hire("mei", "agent")
    return Desk(await team.sign_in("mei"))
