"""Signing in and out, and one's own account."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from fastapi import APIRouter, Depends, Request

from kefu.accounts import service
from kefu.accounts.duty import sign_on
from kefu.accounts.identity import SignedInAgent, anyone, bearer_token
from kefu.accounts.models import Agent
from kefu.accounts.passwords import check_password, hash_password
from kefu.accounts.schemas import (
    AgentOut,
    Credentials,
    GrantOut,
    LogoutIn,
    PasswordChange,
    ProfileOut,
    RefreshIn,
    SignedInOut,
)
from kefu.accounts.tokens import AccessClaims
from kefu.kit.clock import now_ms
from kefu.kit.errors import Forbidden, KefuError, NotSignedIn, TokenInvalid, TooMany
from kefu.kit.web import Done, caller_of

router = APIRouter(prefix="/api/agent", tags=["agent"])

PER_ADDRESS = "20/minute"
UNKNOWN_USERNAME = "5/15minute"

T = TypeVar("T")


def _settled(outcome: T | KefuError) -> T:
    """Raise a refusal now that what it wrote is committed."""
    if isinstance(outcome, KefuError):
        raise outcome
    return outcome


@router.post("/login", dependencies=[Depends(anyone)])
async def login(request: Request, body: Credentials) -> SignedInOut:
    state = request.app.state
    await state.limits.take(PER_ADDRESS, "login", caller_of(request).address)
    async with state.db.read() as tx:
        known = await service.password_of(tx, body.username)
    async with _audited(request, "agent.sign_in_refused", known.agent_id if known else ""):
        if known:
            service.check_lock(known.locked_until)
        else:
            await _lock_unknown(request, body.username)
        is_right = await check_password(body.password, known.hash if known else None)
        if known is None:
            raise service.LoginFailed
        async with state.db.write() as tx:
            outcome = await service.sign_in(tx, state.tokens, known, is_right=is_right)
            if isinstance(outcome, service.Grant):
                sign_on(outcome.agent, now_ms(), state.settings.timezone)
    return SignedInOut.of(_settled(outcome))


@asynccontextmanager
async def _audited(request: Request, action: str, agent_id: str) -> AsyncIterator[None]:
    """A refusal with which nothing was written is audited in a transaction of its own."""
    try:
        yield
    except (service.AccountLocked, service.LoginFailed) as refusal:
        async with request.app.state.db.write() as tx:
            service.audit_refusal(tx, action, agent_id, refusal.code)
        raise


async def _lock_unknown(request: Request, username: str) -> None:
    """A username nobody has locks like one somebody has, so that the lock tells nothing."""
    try:
        await request.app.state.limits.take(UNKNOWN_USERNAME, "unknown-username", service.key_of(username))
    except TooMany as error:
        raise service.AccountLocked(**error.details) from None


@router.post("/refresh", dependencies=[Depends(anyone)])
async def refresh(request: Request, body: RefreshIn) -> SignedInOut:
    async with request.app.state.db.write() as tx:
        outcome = await service.rotate(tx, request.app.state.tokens, body.refresh_token)
    return SignedInOut.of(_settled(outcome))


@router.post("/logout", dependencies=[Depends(anyone)])
async def logout(request: Request, body: LogoutIn | None = None) -> Done:
    """End the sign-in of the access token, or of the refresh token when the access token is no longer good."""
    refresh_token = body.refresh_token if body else None
    try:
        claims = request.app.state.tokens.read(bearer_token(request.headers.get("authorization")))
    except NotSignedIn:
        if refresh_token is None:
            raise
        async with request.app.state.db.read() as tx:
            claims = await service.claims_of_refresh(tx, refresh_token)
    if claims is None:
        raise TokenInvalid
    if not isinstance(claims, AccessClaims):
        raise Forbidden
    async with request.app.state.db.write() as tx:
        if not await service.log_out(tx, claims):
            raise TokenInvalid
    return Done()


@router.get("/profile")
async def profile(request: Request, me: SignedInAgent) -> ProfileOut:
    async with request.app.state.db.read() as tx:
        agent = await tx.get_one(Agent, me.id)
    return ProfileOut(agent=AgentOut.of(agent))


@router.post("/change-password")
async def change_password(request: Request, me: SignedInAgent, body: PasswordChange) -> GrantOut:
    state = request.app.state
    async with state.db.read() as tx:
        known = await service.own_password(tx, me.id)
    async with _audited(request, "agent.password_refused", me.id):
        service.check_lock(known.locked_until)
        is_right = await check_password(body.old_password, known.hash)
        new_hash = await hash_password(body.new_password)
        async with state.db.write() as tx:
            outcome = await service.change_password(tx, state.tokens, known, new_hash, is_right=is_right)
    return GrantOut.of(_settled(outcome))
