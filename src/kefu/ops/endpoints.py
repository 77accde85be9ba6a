"""Is it up, and who is the bot: what monitors and widgets ask before anything else."""

import asyncio
from typing import Annotated, ClassVar, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, StringConstraints
from sqlalchemy import text

from kefu import __version__
from kefu.accounts.identity import anyone
from kefu.kit.db import Database
from kefu.kit.errors import Unavailable
from kefu.kit.i18n import Locale, Text
from kefu.kit.redis import Redis
from kefu.kit.web import caller_locale
from kefu.ops.metrics import check_reader, written
from kefu.sessions.schemas import ShopId
from kefu.shops.colors import Palette
from kefu.shops.look import ICONS, Asks, look_of, palette_for
from kefu.shops.service import find_shop

# A monitor gives up after some seconds itself.
WITHIN = 2.0

router = APIRouter(dependencies=[Depends(anyone)])


class Liveness(BaseModel):
    status: Literal["ok"] = "ok"


class Health(BaseModel):
    """`status`: healthy, or degraded when something the service can do without is away. `redis`: unused without one."""

    success: Literal[True] = True
    status: Literal["healthy", "degraded"]
    version: str
    database: Literal["sqlite", "postgresql"]
    provider: str
    redis: Literal["ok", "away", "unused"]


class NotReady(Unavailable):
    code = "NOT_READY"
    text: ClassVar[Text] = {"en": "The database does not answer.", "zh": "数据库暂无响应。"}


async def _check(db: Database) -> None:
    """Raises NotReady unless the database answers in time."""
    try:
        async with asyncio.timeout(WITHIN), db.read() as tx:
            await tx.execute(text("SELECT 1"))
    except (Unavailable, TimeoutError):
        raise NotReady from None


def _redis(redis: Redis | None) -> Literal["ok", "away", "unused"]:
    """As its last user found it, who came within the last second."""
    if redis is None:
        return "unused"
    return "away" if redis.is_away else "ok"


@router.get("/health", tags=["operate"])
async def liveness() -> Liveness:
    """The process runs and its event loop turns."""
    return Liveness()


@router.get("/api/health", tags=["operate"])
async def health(request: Request) -> Health:
    """The service and what it stands on; 503 when the database is away."""
    db: Database = request.app.state.db
    await _check(db)
    kind: Literal["sqlite", "postgresql"] = "sqlite" if db.is_sqlite else "postgresql"
    redis = _redis(request.app.state.redis)
    return Health(
        status="degraded" if redis == "away" else "healthy",
        version=__version__,
        database=kind,
        provider=request.app.state.settings.ai_provider,
        redis=redis,
    )


@router.get("/api/health/ready", tags=["operate"])
async def readiness(request: Request) -> Liveness:
    """Whether to send requests here: 503 while the database is away or the process is shutting down."""
    if request.app.state.hub.is_draining:
        raise NotReady
    await _check(request.app.state.db)
    return Liveness()


@router.get("/api/metrics", tags=["operate"], response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """For Prometheus: with METRICS_TOKEN as the bearer token, or directly from a private network when it is not set."""
    check_reader(request, request.app.state.settings)
    state = request.app.state
    now = await state.installation.read()
    return Response(await asyncio.to_thread(written, state, now), media_type=CONTENT_TYPE_LATEST)


class BotConsent(BaseModel):
    mode: Literal["off", "line", "ask"]
    text: str
    link: str


class Bot(BaseModel):
    """`palette` null: the product's own colours. `icon`: strokes in a square of 24. `asks`: before the first word.

    `hours_notice`: said while nobody serves; "" for none.
    """

    name: str
    description: str
    icon_url: str
    welcome: str
    suggestions: list[str]
    shop: str
    shop_name: str
    locale: Locale
    is_demo: bool
    color: str
    palette: Palette | None
    icon: str
    avatar: Literal["robot", "letter", "icon"]
    asks: Asks
    consent: BotConsent
    hours_notice: str


class BotInfo(BaseModel):
    success: Literal[True] = True
    bot: Bot


class BotQuery(BaseModel):
    shop: ShopId | None = None
    locale: Annotated[str, StringConstraints(max_length=35)] | None = None


@router.get("/api/bot/info", tags=["chat"])
async def bot_info(request: Request, query: Annotated[BotQuery, Query()]) -> BotInfo:
    """What the widget shows before the first word: the bot's name and welcome in the visitor's language."""
    async with request.app.state.db.read() as tx:
        shop = await find_shop(tx, query.shop)
    locale: Locale = "zh" if (query.locale or caller_locale(request)).lower().startswith("zh") else "en"
    look, palette = look_of(shop), palette_for(shop)
    consent = look.consent
    bot = Bot(
        name=look.name[locale],
        description=shop.description[locale],
        icon_url="/static/widget/bot.svg",
        welcome=look.welcome[locale],
        suggestions=look.suggestions[locale],
        shop=shop.id,
        shop_name=shop.name[locale],
        locale=locale,
        is_demo=shop.is_demo,
        color=palette.color if palette else shop.color,
        palette=palette,
        icon=ICONS[look.icon],
        avatar=look.avatar,
        asks=look.asks,
        consent=BotConsent(mode=consent.mode, text=consent.text[locale], link=consent.link[locale]),
        hours_notice=look.hours_notice[locale],
    )
    return BotInfo(bot=bot)
