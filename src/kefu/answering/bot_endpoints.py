"""A shop's bot over HTTP: what answers there, and whether it does."""

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from starlette.datastructures import State

from kefu.accounts.audit import audit
from kefu.accounts.identity import AgentIdentity, allowed
from kefu.ai.catalog import PROVIDERS, Named
from kefu.answering import bot_shapes as shapes
from kefu.answering.bot_settings import choice_of, find_bot, merged, put_bot
from kefu.answering.bot_trial import tried, tried_embedder
from kefu.answering.models import BotSettings
from kefu.kit.clock import iso
from kefu.kit.config import Settings
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


@router.put("/api/shops/{shop_id}/bot")
async def put_bot_settings(
    request: Request, shop_id: ShopInPath, body: shapes.BotChoice, writer: Writer
) -> shapes.BotData:
    """In force with the next answer. Of two who change what they saw at the same time one is told so: 409."""
    state = request.app.state
    await _check_address(state, body.url)
    async with state.db.write() as tx:
        row = await put_bot(tx, shop_id, body, writer.id)
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
    choice = choice_of(merged(saved, shop_id, body), state.settings)
    locale = caller_locale(request)
    found = await tried(choice, state.model_of.on_trial(shop_id, choice) if choice else None, locale)
    if choice and choice.embedding_model:
        embedder = state.model_of.embedder_on_trial(shop_id, choice)
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
        version=row.version,
        updated_at=iso(row.updated_at) if row.version else None,
        updated_by=row.updated_by or None,
    )


def _named(settings: Settings) -> Named:
    found: Named = next((one for one in PROVIDERS if one == settings.ai_provider), "builtin")
    return found
