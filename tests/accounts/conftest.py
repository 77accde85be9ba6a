"""An app with the account endpoints, a route for each kind of caller, and Mei, an agent who is signed in."""

import itertools
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

import httpx2
import pytest
from fastapi import Depends, FastAPI
from starlette.types import Receive, Scope, Send

from accounts.team import Browser, Team
from kefu.accounts.endpoints import router
from kefu.accounts.identity import AgentIdentity, SignedIn, allowed
from kefu.accounts.tokens import Tokens
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.kit.limits import Limits
from kefu.kit.secrets import Sealer
from kefu.kit.web import Edge, add_errors
from kefu.sessions.access import check_visitor
from kefu.team.endpoints import router as team_routes


@pytest.fixture
def app(db: Database) -> FastAPI:
    """`/takeover`, `/write-knowledge` and `/anyone-signed-in` stand for the routes of other features."""
    app = FastAPI()
    app.state.db = db
    app.state.settings = Settings(database_url=db.url)
    app.state.tokens, app.state.sealer = Tokens("a secret of the tests"), Sealer(["a secret of the tests"])
    app.state.check_visitor = partial(check_visitor, db)
    app.state.limits = Limits(enabled=True)
    app.include_router(router)
    app.include_router(team_routes)
    app.add_middleware(Edge)
    add_errors(app)

    @app.get("/takeover")
    async def takeover(agent: Annotated[AgentIdentity, Depends(allowed("sessions.takeover"))]) -> str:
        return agent.username

    @app.get("/write-knowledge", dependencies=[Depends(allowed("knowledge.write"))])
    async def write_knowledge() -> str:
        return "written"

    @app.get("/anyone-signed-in")
    async def anyone_signed_in(caller: SignedIn) -> str:
        return type(caller).__name__

    return app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """Each request comes from an address of its own: how often one may sign in is for the tests that ask it."""
    addresses = (f"198.51.{number >> 8}.{number & 255}" for number in itertools.count())

    async def from_anywhere(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "client": (next(addresses), 1)}, receive, send)

    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=from_anywhere), base_url="http://kefu") as client:
        yield client


@pytest.fixture
def team(db: Database, client: httpx2.AsyncClient) -> Team:
    return Team(db, client)


@pytest.fixture
async def mei(team: Team) -> Browser:
    await team.hire("mei")
    return await team.sign_in("mei")
