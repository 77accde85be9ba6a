"""Signing in and out, and one's own account."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from fastapi import APIRouter, Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts import locks, second_factor, service, sign_ins
from kefu.accounts.duty import sign_on
from kefu.accounts.identity import AgentIdentity, SignedInAgent, anyone, bearer_token
from kefu.accounts.locks import Attempt
from kefu.accounts.models import Agent, SecondFactor
from kefu.accounts.passwords import check_password, hash_password
from kefu.accounts.schemas import (
    AgentOut,
    CodeIn,
    Credentials,
    GrantOut,
    LogoutIn,
    PasswordAgain,
    PasswordAndCode,
    PasswordChange,
    ProfileOut,
    RecoveryCodes,
    RecoveryCodesData,
    RefreshIn,
    SecondFactorData,
    SecondFactorOut,
    SecondStepIn,
    SetupData,
    SetupOut,
    SignedInOut,
)
from kefu.accounts.sign_ins import Grant, lock
from kefu.accounts.tokens import AccessClaims
from kefu.kit.clock import now_ms, unix_seconds
from kefu.kit.errors import Forbidden, KefuError, NotSignedIn, TokenInvalid
from kefu.kit.web import Done, address_of

router = APIRouter(prefix="/api/agent", tags=["agent"])

FACTOR_REFUSED = "agent.second_factor_refused"

T = TypeVar("T")


def _settled(outcome: T | KefuError) -> T:
    """Raise a refusal now that what it wrote is committed."""
    if isinstance(outcome, KefuError):
        raise outcome
    return outcome


def _counted(request: Request) -> str | None:
    """The address on which failures count; None where load tests have switched limits off, as all come from one."""
    return address_of(request) if request.app.state.limits.enabled else None


@asynccontextmanager
async def _audited(request: Request, action: str, agent_id: str) -> AsyncIterator[None]:
    """A refusal with which nothing was written is audited in a transaction of its own."""
    try:
        yield
    except (locks.AccountLocked, locks.AddressLocked) as refusal:
        async with request.app.state.db.write() as tx:
            service.audit_refusal(tx, action, agent_id, refusal.code)
        raise


@router.post("/login", dependencies=[Depends(anyone)])
async def login(request: Request, body: Credentials) -> SignedInOut:
    """401 SECOND_FACTOR_REQUIRED brings a ticket for the second step, to be taken within five minutes."""
    state, attempt = request.app.state, Attempt.of(body.username, _counted(request))
    async with state.db.read() as tx:
        known = await service.password_of(tx, body.username)
    async with _audited(request, "agent.sign_in_refused", known.agent_id if known else ""):
        async with state.db.read() as tx:
            await locks.refuse_locked(tx, attempt)
        # Who is locked out is told so, and not counted.
        await state.limits.take("login", address=address_of(request))
        is_right = await check_password(body.password, known.hash if known else None)
        async with state.db.write() as tx:
            outcome = await service.sign_in(tx, state.tokens, service.Proof(attempt, known, is_right))
            answer = await _entered(request, tx, outcome)
    return _settled(answer)


@router.post("/login/second-factor", dependencies=[Depends(anyone)])
async def login_by_code(request: Request, body: SecondStepIn) -> SignedInOut:
    """The second step: a code of the authenticator app, or a recovery code."""
    state = request.app.state
    step = service.SecondStep(state.tokens.read_ticket(body.ticket), body.code)
    await state.limits.take("login_code", address=address_of(request))
    async with _audited(request, "agent.sign_in_refused", step.ticket.agent_id), state.db.write() as tx:
        outcome = await service.sign_in_by_code(tx, state.tokens, state.sealer, _counted(request), step)
        answer = await _entered(request, tx, outcome)
    return _settled(answer)


async def _entered(request: Request, tx: AsyncSession, outcome: Grant | KefuError) -> SignedInOut | KefuError:
    if isinstance(outcome, KefuError):
        return outcome
    sign_on(outcome.agent, now_ms(), request.app.state.settings.timezone)
    return await _signed_in(request, tx, outcome)


async def _signed_in(request: Request, tx: AsyncSession, grant: Grant) -> SignedInOut:
    lacks = await second_factor.lacks(tx, grant.agent, request.app.state.settings.second_factor_roles)
    return SignedInOut.within(grant, lacks_second_factor=lacks)


@router.post("/refresh", dependencies=[Depends(anyone)])
async def refresh(request: Request, body: RefreshIn) -> SignedInOut:
    """The same token again is answered the same for 30 seconds, in case the first answer was lost."""
    state = request.app.state
    await state.limits.take("refresh", address=address_of(request))
    async with state.db.write() as tx:
        outcome = await sign_ins.rotate(tx, state.tokens, body.refresh_token)
        answer = outcome if isinstance(outcome, KefuError) else await _signed_in(request, tx, outcome)
    return _settled(answer)


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
            claims = await sign_ins.claims_of_refresh(tx, refresh_token)
    if claims is None:
        raise TokenInvalid
    if not isinstance(claims, AccessClaims):
        raise Forbidden
    async with request.app.state.db.write() as tx:
        if not await sign_ins.log_out(tx, claims):
            raise TokenInvalid
    return Done()


@router.get("/profile")
async def profile(request: Request, me: SignedInAgent) -> ProfileOut:
    async with request.app.state.db.read() as tx:
        agent = await tx.get_one(Agent, me.id)
    return ProfileOut(agent=AgentOut.of(agent, lacks_second_factor=me.lacks_second_factor))


@router.post("/change-password")
async def change_password(request: Request, me: SignedInAgent, body: PasswordChange) -> GrantOut:
    state = request.app.state
    async with _audited(request, "agent.password_refused", me.id):
        proof = await _checked(request, me, body.old_password)
        new_hash = await hash_password(body.new_password)
        async with state.db.write() as tx:
            outcome = await service.change_password(tx, state.tokens, proof, new_hash)
    return GrantOut.of(_settled(outcome))


async def _checked(request: Request, me: AgentIdentity, password: str) -> service.Proof:
    """What is known when who is signed in gives their password again. Raises AccountLocked or AddressLocked."""
    attempt = Attempt.of(me.username, _counted(request))
    async with request.app.state.db.read() as tx:
        await locks.refuse_locked(tx, attempt)
        known = await service.own_password(tx, me.id)
    return service.Proof(attempt, known, await check_password(password, known.hash))


@router.get("/second-factor")
async def get_second_factor(request: Request, me: SignedInAgent) -> SecondFactorData:
    state = request.app.state
    async with state.db.read() as tx:
        factor = await second_factor.of(tx, me.id)
    found = SecondFactorOut(
        is_on=factor is not None,
        since=unix_seconds(factor.confirmed_at) if factor else None,
        recovery_codes_left=second_factor.recovery_left(state.sealer, factor) if factor else 0,
        is_compulsory=me.role in state.settings.second_factor_roles,
    )
    return SecondFactorData(data=found)


@router.post("/second-factor/setup")
async def set_up_second_factor(request: Request, me: SignedInAgent, body: PasswordAgain) -> SetupData:
    """A secret for an authenticator app, of which only the last one made counts. Confirmed by a code of it."""
    state = request.app.state
    async with _audited(request, FACTOR_REFUSED, me.id):
        proof = await _checked(request, me, body.password)
        async with state.db.write() as tx:
            agent = await service.prove(tx, proof, FACTOR_REFUSED)
            secret = await second_factor.begin(tx, state.sealer, agent.id) if agent else service.OldPasswordIncorrect()
    secret = _settled(secret)
    uri, qr = second_factor.uri(secret, me.username), second_factor.qr(secret, me.username)
    return SetupData(data=SetupOut(secret=secret, uri=uri, qr=qr))


@router.post("/second-factor/confirm")
async def confirm_second_factor(request: Request, me: SignedInAgent, body: CodeIn) -> RecoveryCodesData:
    """From now on signing in needs a code. The answer has the recovery codes, this once."""
    state = request.app.state
    async with state.db.write() as tx:
        await lock(tx, me.id)
        codes = await second_factor.confirm(tx, state.sealer, me.id, body.code)
    return RecoveryCodesData(data=RecoveryCodes(recovery_codes=codes))


@router.post("/second-factor/recovery-codes")
async def renew_recovery_codes(request: Request, me: SignedInAgent, body: PasswordAndCode) -> RecoveryCodesData:
    """Ten new ones; the earlier ones are good no more."""
    sealer = request.app.state.sealer
    async with _proven(request, me, body) as (tx, outcome):
        renewed = outcome if isinstance(outcome, KefuError) else second_factor.renew_recovery(tx, sealer, outcome)
    return RecoveryCodesData(data=RecoveryCodes(recovery_codes=_settled(renewed)))


@router.post("/second-factor/off")
async def turn_off_second_factor(request: Request, me: SignedInAgent, body: PasswordAndCode) -> Done:
    if me.role in request.app.state.settings.second_factor_roles:
        raise second_factor.Compulsory
    async with _proven(request, me, body) as (tx, outcome):
        if not isinstance(outcome, KefuError):
            await second_factor.turn_off(tx, outcome)
    _settled(outcome)
    return Done()


@asynccontextmanager
async def _proven(
    request: Request, me: AgentIdentity, body: PasswordAndCode
) -> AsyncIterator[tuple[AsyncSession, SecondFactor | KefuError]]:
    """A transaction in which password and code were checked, and what came of it."""
    state = request.app.state
    async with _audited(request, FACTOR_REFUSED, me.id):
        proof = await _checked(request, me, body.password)
        async with state.db.write() as tx:
            yield tx, await service.prove_by_code(tx, state.sealer, proof, body.code)
