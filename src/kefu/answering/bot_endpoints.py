"""A shop's bot over HTTP: what answers there, and whether it does."""

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response
from starlette.datastructures import State

from kefu.accounts.audit import audit
from kefu.accounts.identity import AgentIdentity, allowed
from kefu.ai.catalog import PRICES, PROVIDERS, Named, Prices, price_in
from kefu.answering import bot_shapes as shapes
from kefu.answering.bot_settings import choice_of, find_bot, merged, own_prices, shop_prices
from kefu.answering.bot_trial import tried, tried_embedder
from kefu.answering.models import BotSettings
from kefu.answering.models_of import in_order
from kefu.kit.clock import iso
from kefu.kit.config import Settings
from kefu.kit.errors import Forbidden
from kefu.kit.http import NoAnswer
from kefu.kit.web import caller_locale
from kefu.knowledge.models import VectorState
from kefu.shops.models import SHOP_ID

router = APIRouter(tags=["bot"])

ShopInPath = Annotated[str, Path(pattern=SHOP_ID)]
Reader = Annotated[AgentIdentity, Depends(allowed("bot.read"))]
Writer = Annotated[AgentIdentity, Depends(allowed("bot.write"))]


@router.get("/api/shops/{shop_id}/bot")
async def read_bot(request: Request, shop_id: ShopInPath, _: Reader) -> shapes.BotData:
    """Without the key, which nobody reads again."""
    async with request.app.state.db.read() as tx:
        row, vectors = await find_bot(tx, shop_id), await tx.get(VectorState, shop_id)
    found = _bot_out(row, request.app.state.settings)
    if vectors is not None:
        found.vectors = shapes.VectorsOut.model_validate(vectors)
    return shapes.BotData(data=found)


@router.put("/api/shops/{shop_id}/bot", responses={202: {"model": shapes.BotData}})
async def put_bot_settings(
    request: Request, response: Response, shop_id: ShopInPath, body: shapes.BotWish, writer: Writer
) -> shapes.BotData:
    """In force with the next answer. Of two who change what they saw at the same time one is told so: 409.

    202 when the bot might answer otherwise and the shop has golden questions: nothing is changed until these were asked
    with the new settings, which `/bot/rehearsal` tells. `data` is what holds meanwhile.
    """
    state = request.app.state
    if body.force and "quality.write" not in writer.permissions:
        raise Forbidden
    await _check_address(state, body.url)
    async with state.db.write() as tx:
        row, waits = await state.bot_gate.put(tx, shop_id, body, writer)
    if waits:
        response.status_code = 202
    return shapes.BotData(data=_bot_out(row, state.settings))


@router.post("/api/shops/{shop_id}/bot/test")
async def try_bot(request: Request, shop_id: ShopInPath, body: shapes.BotChoice, writer: Writer) -> shapes.TrialData:
    """Ask the provider a tiny question, with settings that need not be saved yet.

    The saved key is used where none is given, for the address it was given for.
    """
    state = request.app.state
    await state.limits.take("bot_test", agent=writer.id)
    await _check_address(state, body.url)
    async with state.db.read() as tx:
        saved = await find_bot(tx, shop_id)
    wanted = merged(saved, shop_id, body)
    choice = choice_of(wanted, state.settings)
    locale = caller_locale(request)
    found = await tried(choice, state.model_of.on_trial(wanted, choice) if choice else None, locale)
    if choice and choice.embedding_model:
        embedder = state.model_of.embedder_on_trial(wanted, choice)
        found.embedding = await tried_embedder(choice, embedder, locale)
    async with state.db.write() as tx:
        audit(
            tx, "bot.tested", ("shop", shop_id), after=found.model_dump(include={"provider", "model", "ok", "reason"})
        )
    return shapes.TrialData(data=found)


async def _check_address(state: State, url: str) -> None:
    """Raises AddressRefused. A name that nobody knows now is said by the test, and may be known later."""
    if url:
        with suppress(NoAnswer):
            await state.line.streams.outbound.check(url)


def _bot_out(row: BotSettings, settings: Settings) -> shapes.BotOut:
    fields = {name: getattr(row, name) for name in shapes.BotFields.model_fields}
    return shapes.BotOut(
        **fields,
        shop=row.shop,
        has_key=bool(row.key),
        default_provider=_named(settings),
        prices_in_force=_prices(row, settings),
        version=row.version,
        updated_at=iso(row.updated_at) if row.version else None,
        updated_by=row.updated_by or None,
    )


def _named(settings: Settings) -> Named:
    found: Named = next((one for one in PROVIDERS if one == settings.ai_provider), "builtin")
    return found


def _prices(row: BotSettings, settings: Settings) -> list[shapes.PriceInForce]:
    choices = in_order(choice_of(row, settings))
    names = dict.fromkeys(name for one in choices for name in (one.name, one.embedding_model) if name)
    return [_price(name, row, settings) for name in names]


def _price(model: str, row: BotSettings, settings: Settings) -> shapes.PriceInForce:
    """The first of those that `ai.catalog.price_of` asks which knows it."""
    known: tuple[tuple[shapes.PriceSource, Prices], ...] = (
        ("shop", shop_prices(row)),
        ("installation", own_prices(settings)),
        ("catalogue", PRICES),
    )
    for source, prices in known:
        if price := price_in(prices, model):
            return shapes.PriceInForce(
                model=model,
                tokens_in=price.tokens_in,
                tokens_out=price.tokens_out,
                source=source,
                as_of=price.as_of or None,
            )
    return shapes.PriceInForce(model=model)
