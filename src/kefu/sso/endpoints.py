"""Signing in at the provider over HTTP: the way there, and the way back."""

from typing import Annotated, ClassVar

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, StringConstraints

from kefu.accounts import second_factor
from kefu.accounts.duty import sign_on
from kefu.accounts.identity import anyone
from kefu.accounts.schemas import SignedInOut
from kefu.accounts.service import audit_refusal, enter
from kefu.kit.clock import now_ms
from kefu.kit.errors import NotFound
from kefu.kit.i18n import Text
from kefu.kit.web import Done, address_of
from kefu.sso.provider import NotProven, Provider
from kefu.sso.service import NotInvited, agent_of

router = APIRouter(prefix="/api/agent/oidc", tags=["agent"], dependencies=[Depends(anyone)])


class SsoOff(NotFound):
    code = "SSO_OFF"
    text: ClassVar[Text] = {"en": "Single sign-on is not set up here.", "zh": "尚未启用单点登录。"}


class Offered(Done):
    is_on: bool


class Begun(Done):
    """Keep `state` and `ticket` in this browser, lead it to `address`, and come back with them."""

    address: str
    state: str
    ticket: str


class Returned(BaseModel):
    """`code` and `state` are what the provider sent back in the address."""

    code: Annotated[str, StringConstraints(max_length=4096, pattern=r"^[\x20-\x7e]+$")]
    state: Annotated[str, StringConstraints(max_length=200, pattern=r"^[A-Za-z0-9_-]+$")]
    ticket: Annotated[str, StringConstraints(max_length=2048, pattern=r"^[A-Za-z0-9_.-]+$")]


def _provider(request: Request) -> Provider:
    provider: Provider | None = request.app.state.provider
    if provider is None:
        raise SsoOff
    return provider


@router.get("")
async def offered(request: Request) -> Offered:
    """Whether agents may sign in at a provider."""
    return Offered(is_on=request.app.state.provider is not None)


@router.post("/start")
async def start(request: Request) -> Begun:
    provider = _provider(request)
    await request.app.state.limits.take("sso_start", address=address_of(request))
    attempt = await provider.begin()
    return Begun(address=attempt.address, state=attempt.state, ticket=attempt.ticket)


@router.post("/finish")
async def finish(request: Request, body: Returned) -> SignedInOut:
    """Sign in with what the provider sent back. A code works once."""
    provider, state = _provider(request), request.app.state
    await state.limits.take("sso_finish", address=address_of(request))
    try:
        person = await provider.finish(body.code, body.state, body.ticket)
        async with state.db.write() as tx:
            agent = await agent_of(tx, person, state.settings.oidc_default_role)
            grant = await enter(tx, state.tokens, agent)
            sign_on(agent, now_ms(), state.settings.timezone)
            lacks = await second_factor.lacks(tx, agent, state.settings.second_factor_roles)
    except (NotProven, NotInvited) as refusal:
        async with state.db.write() as tx:
            audit_refusal(tx, "agent.sign_in_refused", "", refusal.code)
        raise
    return SignedInOut.within(grant, lacks_second_factor=lacks)
