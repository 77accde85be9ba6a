"""Sign-ins: chains of refresh tokens, each with the access tokens that came with it.

A command locks the agent's row first; what it touches of that agent's tokens is safe under that lock. One that must
keep what it wrote although it refuses (a revoked family) returns the refusal; the edge raises it after the commit.
"""

from dataclasses import dataclass

import structlog
from sqlalchemy import ColumnElement, CursorResult, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.audit import audit
from kefu.accounts.models import Agent, RefreshToken
from kefu.accounts.tokens import REFRESH_LIFETIME, AccessClaims, Tokens, hash_of, new_refresh_token
from kefu.bus.telling import tell
from kefu.kit.acting import act_as
from kefu.kit.clock import now_ms
from kefu.kit.errors import TokenExpired, TokenInvalid
from kefu.kit.ids import AgentId, new_id

log = structlog.get_logger()

# How long the answer to a refresh may be asked for again, when it was lost on the way.
GRACE_MS = 30_000
ACCESS_CHANGED = "access.changed"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a sign-in, a rotation or a new password gives."""

    agent: Agent
    access_token: str
    refresh_token: str


async def lock(tx: AsyncSession, agent_id: str) -> Agent | None:
    return await tx.get(Agent, agent_id, with_for_update=True)


async def begin(tx: AsyncSession, tokens: Tokens, agent: Agent) -> Grant:
    """A new sign-in."""
    await _forget_expired(tx, agent.id)
    return _grant(tx, tokens, agent, new_id("family"), new_refresh_token())


async def rotate(tx: AsyncSession, tokens: Tokens, refresh_token: str) -> Grant | TokenInvalid | TokenExpired:
    """Exchange a refresh token for the next of its family.

    One that was used before revokes the family: two hold it, so one of them is a thief. Unless its answer may have been
    lost on the way: within GRACE_MS, and while nobody has used the next one, it is exchanged for that same next one. A
    thief gains nothing by that: the first who uses the next one later than the other shows that there are two.
    """
    hashed = hash_of(refresh_token)
    owner = await tx.scalar(select(RefreshToken.agent_id).where(RefreshToken.hash == hashed))
    agent = await lock(tx, AgentId(owner)) if owner else None
    old = await tx.get(RefreshToken, hashed) if agent else None
    if agent is None or old is None or old.revoked_at is not None or not agent.is_active:
        return TokenInvalid()
    successors = tokens.successors(refresh_token)
    if old.used_at is None:
        if old.expires_at <= now_ms():
            return TokenExpired()
        old.used_at = now_ms()
        return _grant(tx, tokens, agent, old.family, successors[0])
    unused = await _unused(tx, successors) if now_ms() - old.used_at <= GRACE_MS else None
    if unused:
        return Grant(agent, tokens.access(agent.id, old.family), unused)
    await _revoke(tx, agent.id, RefreshToken.family == old.family)
    audit(tx, "agent.refresh_reused", ("agent", agent.id))
    log.warning("refresh.reused", agent_id=agent.id, family=old.family)
    return TokenInvalid()


async def _unused(tx: AsyncSession, refresh_tokens: list[str]) -> str | None:
    for one in refresh_tokens:
        row = await tx.get(RefreshToken, hash_of(one))
        if row is not None:
            return one if row.used_at is None else None
    return None


async def claims_of_refresh(tx: AsyncSession, refresh_token: str) -> AccessClaims | None:
    """The sign-in a refresh token belongs to, whatever its state."""
    query = select(RefreshToken.agent_id, RefreshToken.family).where(RefreshToken.hash == hash_of(refresh_token))
    row = (await tx.execute(query)).first()
    return AccessClaims(AgentId(row[0]), row[1]) if row else None


async def log_out(tx: AsyncSession, claims: AccessClaims) -> bool:
    """End a sign-in: its access token stops at once. False when it had ended before."""
    agent = await lock(tx, claims.agent_id)
    ended = await _revoke(tx, claims.agent_id, RefreshToken.family == claims.family) > 0
    if agent is not None and ended:
        act_as(agent.id, agent.name, agent.role)
        audit(tx, "agent.signed_out", ("agent", agent.id))
    return ended


async def end_sign_ins(tx: AsyncSession, agent_id: AgentId) -> None:
    """Every sign-in of the agent, and what is open on them: on a new password, a reset, or when they may no more."""
    await _revoke(tx, agent_id)


def access_changed(tx: AsyncSession, agent_id: str) -> None:
    """After the commit every process looks again at once whether what the agent follows is for them.

    Without this, or when the bus loses it, they find out in the database within a second or two.
    """
    tell(tx, agent_id, ACCESS_CHANGED)


def _grant(tx: AsyncSession, tokens: Tokens, agent: Agent, family: str, refresh_token: str) -> Grant:
    now = now_ms()
    row = RefreshToken(hash=hash_of(refresh_token), family=family, agent_id=agent.id, created_at=now)
    row.expires_at = now + int(REFRESH_LIFETIME.total_seconds() * 1000)
    tx.add(row)
    return Grant(agent, tokens.access(agent.id, family), refresh_token)


async def _revoke(tx: AsyncSession, agent_id: str, *which: ColumnElement[bool]) -> int:
    alive = update(RefreshToken).where(RefreshToken.agent_id == agent_id, RefreshToken.revoked_at.is_(None), *which)
    changed = await tx.execute(alive.values(revoked_at=now_ms()))
    assert isinstance(changed, CursorResult)
    access_changed(tx, agent_id)
    return changed.rowcount


async def _forget_expired(tx: AsyncSession, agent_id: str) -> None:
    """Delete families none of whose tokens could still be used."""
    ended = (
        select(RefreshToken.family)
        .where(RefreshToken.agent_id == agent_id)
        .group_by(RefreshToken.family)
        .having(func.max(RefreshToken.expires_at) <= now_ms())
    )
    await tx.execute(delete(RefreshToken).where(RefreshToken.family.in_(ended)))
