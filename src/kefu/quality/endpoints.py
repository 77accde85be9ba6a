"""Golden questions over HTTP: a shop's own set, and what it came to when it was asked. And the shadow mode."""

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.identity import AgentIdentity, allowed
from kefu.kit.clock import now_ms
from kefu.kit.web import Done
from kefu.quality import questions, runs
from kefu.quality import schemas as shapes
from kefu.quality.settings_gate import last_rehearsal, withdraw
from kefu.quality.shadow import agreements
from kefu.shops import service
from kefu.shops.models import SHOP_ID, Shop
from kefu.shops.service import find_shop

router = APIRouter(tags=["quality"])

Reader = Annotated[AgentIdentity, Depends(allowed("quality.read"))]
Writer = Annotated[AgentIdentity, Depends(allowed("quality.write"))]
BotReader = Annotated[AgentIdentity, Depends(allowed("bot.read"))]
BotWriter = Annotated[AgentIdentity, Depends(allowed("bot.write"))]
ShopInPath = Annotated[str, Path(pattern=SHOP_ID)]
Asked = Annotated[shapes.OfShop, Query()]


@router.get("/api/golden/questions")
async def list_golden_questions(request: Request, query: Asked, _: Reader) -> shapes.GoldenListData:
    """The newest first."""
    async with request.app.state.db.read() as tx:
        shop = await find_shop(tx, query.shop or None)
        found = await questions.questions_of(tx, shop.id)
        titles = await questions.titles_of(tx, {article for one in found for article in one.articles})
    out = [shapes.golden_out(one) for one in found]
    return shapes.GoldenListData(data=shapes.GoldenList(questions=out, titles=titles, most=questions.PER_SHOP))


@router.post("/api/golden/questions", status_code=201)
async def add_golden_question(request: Request, body: shapes.NewGolden, _: Writer) -> shapes.GoldenData:
    """From now on no change of the published knowledge may answer it worse."""
    async with request.app.state.db.write() as tx:
        shop = await find_shop(tx, body.shop)
        row = await questions.add_question(tx, shop.id, body.new())
    return shapes.GoldenData(data=shapes.golden_out(row))


@router.delete("/api/golden/questions/{question_id}")
async def remove_golden_question(request: Request, question_id: shapes.IdInPath, _: Writer) -> Done:
    async with request.app.state.db.write() as tx:
        await questions.remove_question(tx, question_id)
    return Done()


@router.get("/api/golden/runs")
async def list_golden_runs(request: Request, query: Asked, _: Reader) -> shapes.RunListData:
    """The last twenty, the newest first. Only the newest says what was `wrong`; of the others ask one by one."""
    async with request.app.state.db.read() as tx:
        shop = await find_shop(tx, query.shop or None)
        found = [shapes.run_out(one) for one in await runs.runs_of(tx, shop.id)]
        for run in found[1:]:
            run.wrong = []
        titles = await questions.titles_of(tx, {id_ for run in found for one in run.wrong for id_ in one.found})
    return shapes.RunListData(data=shapes.RunList(runs=found, titles=titles))


@router.post("/api/golden/runs", status_code=202)
async def start_golden_run(request: Request, body: shapes.InShop, agent: Writer) -> shapes.RunData:
    """Ask all questions of the shop; `done` tells how far it is. 409 GOLDEN_RUN_IN_PROGRESS while one runs."""
    async with request.app.state.db.write() as tx:
        shop = await find_shop(tx, body.shop)
        run = await runs.start_run(tx, shop.id, agent.name)
    return shapes.RunData(data=shapes.run_out(run))


@router.get("/api/golden/runs/{run_id}")
async def read_golden_run(request: Request, run_id: shapes.IdInPath, _: Reader) -> shapes.RunData:
    async with request.app.state.db.read() as tx:
        run = await runs.find_run(tx, run_id)
    return shapes.RunData(data=shapes.run_out(run))


@router.get("/api/shops/{shop_id}/bot/rehearsal")
async def read_rehearsal(request: Request, shop_id: ShopInPath, _: BotReader) -> shapes.RehearsalData:
    """How far the bot's new settings are on their way through the gate, or what became of the last ones."""
    async with request.app.state.db.read() as tx:
        await find_shop(tx, shop_id)
        run = await last_rehearsal(tx, shop_id)
    return shapes.RehearsalData(data=shapes.rehearsal_out(run) if run else None)


@router.delete("/api/shops/{shop_id}/bot/rehearsal")
async def withdraw_rehearsal(request: Request, shop_id: ShopInPath, _: BotWriter) -> Done:
    """The settings that wait are forgotten. 404 NO_REHEARSAL when none do."""
    async with request.app.state.db.write() as tx:
        await find_shop(tx, shop_id)
        await withdraw(tx, shop_id)
    return Done()


@router.get("/api/shadow")
async def read_shadow(request: Request, query: Annotated[shapes.ShadowQuery, Query()], _: Reader) -> shapes.ShadowData:
    """Whether only people answer, and how far the bot would have agreed with them."""
    async with request.app.state.db.read() as tx:
        shop = await find_shop(tx, query.shop or None)
        return await _shadow(tx, shop, query.days)


@router.put("/api/shadow")
async def put_shadow(request: Request, body: shapes.PutShadow, _: Writer) -> shapes.ShadowData:
    """From now on the bot says nothing to this shop's visitors, or speaks again. A repeat changes nothing."""
    async with request.app.state.db.write() as tx:
        shop = await find_shop(tx, body.shop)
        shop = await service.put_shadow(tx, shop.id, is_on=body.is_on)
        return await _shadow(tx, shop, shapes.ShadowQuery().days)


async def _shadow(tx: AsyncSession, shop: Shop, days: int) -> shapes.ShadowData:
    since = now_ms() - int(timedelta(days=days).total_seconds() * 1000)
    intents = [shapes.IntentOut(**asdict(one)) for one in await agreements(tx, shop.id, since)]
    return shapes.ShadowData(data=shapes.ShadowOut(shop=shop.id, is_on=shop.is_shadow, days=days, intents=intents))
