"""Puts the parts together: the application, its routes, and which handler does which work."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache, partial

from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Lifespan

from kefu import __version__
from kefu.accounts.audit import keys_of, seal_with
from kefu.accounts.audit_endpoints import router as audit
from kefu.accounts.endpoints import router as accounts
from kefu.accounts.tokens import Tokens
from kefu.ai.ports import ModelOf
from kefu.answering.bot_endpoints import router as bot
from kefu.answering.endpoints import router as chat
from kefu.answering.evidence_endpoints import router as evidence
from kefu.answering.ports import Answerer
from kefu.answering.unanswered_endpoints import router as questions
from kefu.assisting.endpoints import router as assisting
from kefu.assisting.helping import Proposing
from kefu.bus.local import LocalBus
from kefu.bus.ports import Bus
from kefu.bus.redis import RedisBus
from kefu.channels.endpoints import router as channels
from kefu.collaboration.endpoints.assists import router as assists
from kefu.collaboration.endpoints.drafts import router as drafts
from kefu.collaboration.endpoints.notes import router as notes
from kefu.collaboration.endpoints.ratings import router as ratings
from kefu.collaboration.endpoints.replies import router as replies
from kefu.collaboration.endpoints.tags import router as tags
from kefu.collaboration.endpoints.views import router as views
from kefu.histories.endpoints import router as histories
from kefu.jobs.worker import Worker
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.kit.http_streams import HttpStreams
from kefu.kit.limits import Limits
from kefu.kit.redis import Redis
from kefu.kit.sealed import sealing_of
from kefu.kit.signpost import Signpost
from kefu.kit.web import Edge, add_errors
from kefu.knowledge.documents.endpoints import router as documents
from kefu.knowledge.endpoints import router as knowledge
from kefu.knowledge.vectors import Vectors
from kefu.log.log import Entry
from kefu.ops.endpoints import router as ops
from kefu.ops.loader import router as loader
from kefu.ops.openapi import describe_streams
from kefu.ops.web_apps import add_web_apps
from kefu.quality.endpoints import router as quality
from kefu.quality.gate import Gate
from kefu.quality.settings_gate import BotGate
from kefu.realtime.desk import Desk
from kefu.realtime.doorkeeper import Doorkeeper
from kefu.realtime.endpoints import router as realtime
from kefu.realtime.feed import Feed
from kefu.realtime.hub import Hub, notice_of
from kefu.realtime.passing import publish_mark
from kefu.realtime.presence import Presence
from kefu.realtime.sockets import DeskSocket, SessionSocket
from kefu.realtime.streams import DeskEvents, SessionEvents, Shortcut, open_stream
from kefu.realtime.tellings import Tellings
from kefu.reports.cost_endpoints import router as costs
from kefu.reports.endpoints import router as reports
from kefu.reports.funnel_endpoints import router as funnel
from kefu.reports.live import Figures
from kefu.routing.endpoints import router as routing
from kefu.routing.signs import Signs
from kefu.sessions.access import check_visitor
from kefu.sessions.endpoints import router as sessions
from kefu.sessions.file_endpoints import router as files
from kefu.sessions.identity_endpoints import router as identity
from kefu.sessions.mirror import Mirror
from kefu.sessions.redis_store import RedisStore
from kefu.sessions.store import DatabaseStore, SessionStore
from kefu.shops.endpoints import router as shops
from kefu.shops.hours import default_hours
from kefu.shops.invitation_endpoints import router as invitations
from kefu.shops.look_endpoints import router as look
from kefu.shops.origins import Origins, ShopCors
from kefu.shops.security_endpoints import router as security
from kefu.sso.endpoints import router as sso
from kefu.sso.provider import Provider
from kefu.supervision.endpoints import router as policies
from kefu.team.endpoints import router as team
from kefu.transfers.endpoints import router as transfers
from kefu.workers import bulk_worker, desk_worker, file_store, helped_by, line_of, models_of, talk_worker


def _stream(path: str, app: ASGIApp) -> Route:
    """A route for GET alone: to HEAD, which Starlette adds, the stream would never end."""
    route = Route(path, app)
    route.methods = {"GET"}
    return route


STREAMS = (
    _stream("/api/sessions/{name}/events", SessionEvents()),
    _stream("/api/agent/events", DeskEvents()),
)
SOCKETS = (WebSocketRoute("/ws/session/{name}", SessionSocket()), WebSocketRoute("/ws/agent", DeskSocket()))
# What is named before sessions, one of whose names it could be: `stats`, `queue`.
ROUTERS: tuple[APIRouter, ...] = (
    accounts,
    sso,
    audit,
    chat,
    bot,
    evidence,
    reports,
    costs,
    funnel,
    routing,
    team,
    transfers,
    notes,
    assists,
    tags,
    replies,
    drafts,
    views,
    ratings,
    assisting,
    sessions,
    realtime,
    knowledge,
    documents,
    questions,
    quality,
    shops,
    security,
    invitations,
    look,
    loader,
    policies,
    identity,
    channels,
    histories,
    files,
    ops,
)


class Application(FastAPI):
    """FastAPI with the live streams beside it."""

    def build_middleware_stack(self) -> ASGIApp:
        edge = _edge(self, open_stream)
        return Shortcut(super().build_middleware_stack(), (*STREAMS, *SOCKETS), edge)


def _publish(bus: Bus, entries: list[Entry]) -> None:
    for one in entries:
        bus.publish(notice_of(one))


class Shared:
    """What the processes of one installation have in common beside the database: in Redis, or each its own."""

    def __init__(self, settings: Settings, db: Database, bus: Bus | None = None) -> None:
        self.redis: Redis | None = None
        self.bus: Bus = bus or LocalBus()
        self.store: SessionStore = DatabaseStore(db, settings.session_expire_seconds)
        self._tasks: tuple[RedisBus | Mirror, ...] = ()
        if settings.redis_url:
            self.redis = Redis(settings.redis_url, settings.redis_max_connections, settings.signing_key())
            store = RedisStore(self.redis, db, settings.session_expire_seconds)
            redis_bus = RedisBus(self.redis)
            self.bus, self.store, self._tasks = redis_bus, store, (redis_bus, Mirror(store, db))
        db.signals.listen("log", partial(_publish, self.bus))
        db.signals.listen("tell", self.bus.publish)
        db.signals.listen("read", partial(publish_mark, self.bus))

    def start(self) -> None:
        for one in self._tasks:
            one.start()

    async def stop(self) -> None:
        for one in self._tasks:
            await one.stop()
        if self.redis is not None:
            await self.redis.close()


Part = Shared | HttpStreams | Vectors | Hub | Desk | Tellings | Presence | Signs | Doorkeeper | Worker


@asynccontextmanager
async def _running(parts: Sequence[Part], hub: Hub, db: Database, _: FastAPI) -> AsyncIterator[None]:
    """All parts, from the first to the last, and back again."""
    for part in parts:
        part.start()
    yield
    hub.drain()
    for part in reversed(parts):
        await part.stop()
    await db.close()


def _application(lifespan: Lifespan[FastAPI]) -> Application:
    return Application(
        title="Kefu",
        version=__version__,
        description="AI customer service and after-sales for online shops.",
        lifespan=lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # 5 % of every request
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # it would be to whatever Host the caller named
    )


def create_app(
    settings: Settings, answerer: Answerer | None = None, bus: Bus | None = None, model_of: ModelOf | None = None
) -> FastAPI:
    """The application on a migrated database. `answerer`, `bus` and `model_of` replace those that the settings name."""
    db = Database(settings.database)
    db.slow.seconds = settings.log_slow_query_ms / 1000
    seal_with(db, keys_of(settings))
    db.seal_with(sealing_of(settings))
    shared = Shared(settings, db, bus)
    bus = shared.bus
    hub = Hub(db, bus)
    desk, tellings, presence = Desk(db, bus, hub), Tellings(db, bus, hub), Presence(bus, hub)
    signs = Signs(db, presence.own_agents)
    doorkeeper = Doorkeeper(db, bus)
    line, vectors = line_of(settings), Vectors(db)
    helped = helped_by(settings, db, models_of(db, settings, line), vectors)
    helped = replace(helped, answerer=answerer or helped.answerer, model_of=model_of or helped.model_of)
    parts: list[Part] = [shared, line.streams, vectors, hub, desk, tellings, presence, signs, doorkeeper]
    parts += [talk_worker(db, bus, settings, helped.answerer), desk_worker(db, helped.model_of)]
    parts += [bulk_worker(db, settings, helped)] if db.is_sqlite else []

    app = _application(partial(_running, parts, hub, db))
    app.state.settings, app.state.db, app.state.bus, app.state.hub = settings, db, bus, hub
    app.state.feed, app.state.presence, app.state.doorkeeper = Feed(db, bus, hub), presence, doorkeeper
    app.state.hours, app.state.bot_gate = default_hours(settings), BotGate(settings)
    app.state.tokens, app.state.sealer = Tokens(*settings.signing_keys()), db.sealing()
    app.state.check_visitor, app.state.origins = partial(check_visitor, db), Origins(db, settings.cors_origins)
    app.state.provider, app.state.files = Provider.of(settings), file_store(settings)
    app.state.limits = Limits(enabled=settings.rate_limits == "on", redis=shared.redis)
    app.state.line, app.state.model_of, app.state.gate = line, helped.model_of, Gate(db)
    app.state.near_of, app.state.proposing = helped.near_of, Proposing(db, helped.model_of, helped.near_of)
    app.state.redis, app.state.store = shared.redis, shared.store
    app.state.figures = Figures(db, settings.session_expire_seconds, app.state.hours)
    _add_routes(app)
    app.add_middleware(partial(_edge, app))
    return app


@cache
def _routes() -> Sequence[BaseRoute]:
    """What FastAPI reads out of their signatures it reads once in a process, however many applications it makes."""
    api = APIRouter(generate_unique_id_function=lambda route: route.name)
    for router in ROUTERS:
        api.include_router(router)
    return api.routes


def _add_routes(app: FastAPI) -> None:
    app.router.routes += (*STREAMS, *_routes())  # streams: for the methods they do not take
    add_web_apps(app)
    add_errors(app)
    describe_streams(app)
    app.router.middleware_stack = Signpost(app.router)


def _edge(app: FastAPI, app_inside: ASGIApp) -> Edge:
    settings: Settings = app.state.settings
    inner = _with_cors(app, app_inside)
    return Edge(inner, strict_transport=settings.is_production, upload_limit=settings.upload_max_mb << 20)


def _with_cors(app: FastAPI, inner: ASGIApp) -> ASGIApp:
    """Pure ASGI only, here as everywhere: a layer that is not costs three quarters of the speed."""
    cors = ShopCors(
        inner,
        allow_methods=["GET", "POST", "PATCH", "PUT", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "Last-Event-ID", "X-Request-ID"],
        expose_headers=["X-Request-ID", "Retry-After"],
        max_age=600,
    )
    cors.origins = app.state.origins
    return cors
