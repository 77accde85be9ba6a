"""Commands on agents and their sign-ins.

A command locks the agent's row first; what else it touches of that agent (its tokens) is safe under that lock. A
command that must keep what it wrote although it refuses (a counted failure, a revoked family) returns the refusal; the
edge raises it after the commit.
"""

import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

import structlog
from sqlalchemy import ColumnElement, CursorResult, delete, func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.models import Agent, RefreshToken
from kefu.accounts.passwords import hash_password, is_acceptable, one_time_password
from kefu.accounts.tokens import REFRESH_LIFETIME, AccessClaims, Tokens, hash_of, new_refresh_token
from kefu.kit.clock import now_ms
from kefu.kit.config import BadSettings, Problem, Settings
from kefu.kit.db import Database
from kefu.kit.errors import Conflict, Forbidden, Invalid, Locked, TokenExpired, TokenInvalid
from kefu.kit.i18n import Text
from kefu.kit.ids import AgentId, new_id

log = structlog.get_logger()

FAILURES = 5
LOCKED_FOR = timedelta(minutes=15)


class LoginFailed(Forbidden):
    """The same whatever was wrong, so that it tells nobody which usernames exist."""

    code = "LOGIN_FAILED"
    text: ClassVar[Text] = {"en": "The username or the password is wrong.", "zh": "用户名或密码错误。"}


class OldPasswordIncorrect(Forbidden):
    code = "OLD_PASSWORD_INCORRECT"
    text: ClassVar[Text] = {"en": "The old password is wrong.", "zh": "原密码错误。"}


class AccountLocked(Locked):
    code = "ACCOUNT_LOCKED"
    text: ClassVar[Text] = {
        "en": "Too many failed attempts. Try again in {retry_after} s.",
        "zh": "失败次数过多，账号已锁定，请在 {retry_after} 秒后再试。",
    }


class UsernameTaken(Conflict):
    code = "USERNAME_TAKEN"
    text: ClassVar[Text] = {"en": "The username {username} is taken.", "zh": "用户名 {username} 已被使用。"}


class UsernameInvalid(Invalid):
    code = "USERNAME_INVALID"
    text: ClassVar[Text] = {
        "en": "A username has 3 to 50 printable characters and no space at its ends.",
        "zh": "用户名须为 3 至 50 个可见字符，首尾不能有空格。",
    }


@dataclass(frozen=True, slots=True)
class NewAgent:
    username: str
    name: str
    role: str
    password_hash: str
    must_change_password: bool = True
    max_sessions: int = 5


@dataclass(frozen=True, slots=True)
class KnownPassword:
    """Whose password was (or is to be) checked, and the hash it was checked against."""

    agent_id: AgentId
    hash: str
    locked_until: int | None


@dataclass(frozen=True, slots=True)
class Grant:
    """What a sign-in, a rotation or a new password gives."""

    agent: Agent
    access_token: str
    refresh_token: str


@dataclass(frozen=True, slots=True)
class FirstAdmin:
    """`one_time_password`: to be shown once; None when the password came from the settings."""

    username: str
    one_time_password: str | None


def key_of(username: str) -> str:
    """What makes two usernames the same: case and width of letters do not count."""
    return unicodedata.normalize("NFKC", username.strip()).casefold()


async def create_agent(tx: AsyncSession, new: NewAgent) -> Agent:
    """Raises UsernameInvalid or UsernameTaken."""
    if not (3 <= len(new.username) <= 50 and new.username.isprintable() and new.username == new.username.strip()):
        raise UsernameInvalid
    agent = Agent(
        id=new_id("agent"),
        username=new.username,
        username_key=key_of(new.username),
        name=new.name,
        password_hash=new.password_hash,
        role=new.role,
        must_change_password=new.must_change_password,
        max_sessions=new.max_sessions,
        created_at=now_ms(),
    )
    try:
        async with tx.begin_nested():
            tx.add(agent)
    except IntegrityError:
        raise UsernameTaken(username=new.username) from None
    return agent


async def first_admin(db: Database, settings: Settings) -> FirstAdmin | None:
    """Create the super_admin of the settings, with a one-time password when they name none; None when there is one.

    Safe to repeat, and when several processes start at once: one creates, the others get None. Raises BadSettings.
    """
    async with db.read() as tx:
        if await _has_super_admin(tx):
            return None
    given = settings.super_admin_password.get_secret_value()
    if given and not is_acceptable(given):
        rule = "needs 8 to 128 characters, with a letter and a digit"
        raise BadSettings([Problem("SUPER_ADMIN_PASSWORD", rule, "Use a long random one, or leave it empty.")])
    password = given or one_time_password()
    username = settings.super_admin_username
    new = NewAgent(username, username, "super_admin", await hash_password(password), must_change_password=not given)
    async with db.write() as tx:
        if not db.is_sqlite:
            await tx.execute(text("LOCK TABLE agents IN SHARE ROW EXCLUSIVE MODE"))
        if await _has_super_admin(tx):
            return None
        try:
            await create_agent(tx, new)
        except (UsernameInvalid, UsernameTaken) as error:
            raise BadSettings([Problem("SUPER_ADMIN_USERNAME", error.message("en"), "Choose another one.")]) from None
    return FirstAdmin(username, None if given else password)


async def _has_super_admin(tx: AsyncSession) -> bool:
    return await tx.scalar(select(Agent.id).where(Agent.role == "super_admin").limit(1)) is not None


async def password_of(tx: AsyncSession, username: str) -> KnownPassword | None:
    """What to check a sign-in against; None for an unknown username."""
    return await _known_password(tx, Agent.username_key == key_of(username))


async def own_password(tx: AsyncSession, agent_id: AgentId) -> KnownPassword:
    """Raises TokenInvalid when the agent is gone."""
    known = await _known_password(tx, Agent.id == agent_id)
    if known is None:
        raise TokenInvalid
    return known


async def _known_password(tx: AsyncSession, which: ColumnElement[bool]) -> KnownPassword | None:
    row = (await tx.execute(select(Agent.id, Agent.password_hash, Agent.locked_until).where(which))).first()
    return KnownPassword(AgentId(row[0]), row[1], row[2]) if row else None


def check_lock(locked_until: int | None) -> None:
    """Raises AccountLocked with the seconds that are left."""
    left = (locked_until or 0) - now_ms()
    if left > 0:
        raise AccountLocked(retry_after=left // 1000 + 1)


async def sign_in(tx: AsyncSession, tokens: Tokens, known: KnownPassword, *, is_right: bool) -> Grant | LoginFailed:
    """Begin a new family of tokens, or count the failure. Raises AccountLocked."""
    agent = await _lock(tx, known.agent_id)
    if agent is None or not _proves(agent, known.hash, is_right=is_right) or not agent.is_active:
        return LoginFailed()
    return await enter(tx, tokens, agent)


async def enter(tx: AsyncSession, tokens: Tokens, agent: Agent) -> Grant:
    """Begin a new family of tokens for the agent, whose row is locked and who has proven who they are."""
    agent.last_login_at = now_ms()
    await _forget_expired(tx, agent.id)
    return _grant(tx, tokens, agent, new_id("family"))


async def rotate(tx: AsyncSession, tokens: Tokens, refresh_token: str) -> Grant | TokenInvalid | TokenExpired:
    """Exchange a refresh token for the next of its family.

    One that was used before revokes the family: two hold it, so one of them is a thief.
    """
    hashed = hash_of(refresh_token)
    owner = await tx.scalar(select(RefreshToken.agent_id).where(RefreshToken.hash == hashed))
    agent = await _lock(tx, AgentId(owner)) if owner else None
    old = await tx.get(RefreshToken, hashed) if agent else None
    if agent is None or old is None or old.revoked_at is not None or not agent.is_active:
        return TokenInvalid()
    if old.used_at is not None:
        await _revoke(tx, RefreshToken.family == old.family)
        log.warning("refresh.reused", agent_id=agent.id, family=old.family)
        return TokenInvalid()
    if old.expires_at <= now_ms():
        return TokenExpired()
    old.used_at = now_ms()
    return _grant(tx, tokens, agent, old.family)


async def claims_of_refresh(tx: AsyncSession, refresh_token: str) -> AccessClaims | None:
    """The sign-in a refresh token belongs to, whatever its state."""
    query = select(RefreshToken.agent_id, RefreshToken.family).where(RefreshToken.hash == hash_of(refresh_token))
    row = (await tx.execute(query)).first()
    return AccessClaims(AgentId(row[0]), row[1]) if row else None


async def log_out(tx: AsyncSession, claims: AccessClaims) -> bool:
    """End a sign-in: its access token stops at once. False when it had ended before."""
    await _lock(tx, claims.agent_id)
    return await _revoke(tx, RefreshToken.agent_id == claims.agent_id, RefreshToken.family == claims.family) > 0


async def change_password(
    tx: AsyncSession, tokens: Tokens, known: KnownPassword, new_hash: str, *, is_right: bool
) -> Grant | OldPasswordIncorrect:
    """End every sign-in of the agent and begin a new one, or count the failure. Raises AccountLocked."""
    agent = await _lock(tx, known.agent_id)
    if agent is None or not _proves(agent, known.hash, is_right=is_right) or not agent.is_active:
        return OldPasswordIncorrect()
    agent.password_hash = new_hash
    agent.must_change_password = False
    await _revoke(tx, RefreshToken.agent_id == agent.id)
    return _grant(tx, tokens, agent, new_id("family"))


async def _lock(tx: AsyncSession, agent_id: AgentId) -> Agent | None:
    return await tx.get(Agent, agent_id, with_for_update=True)


def _proves(agent: Agent, checked_hash: str, *, is_right: bool) -> bool:
    """Whether the check counts; the fifth failure locks. Raises AccountLocked even for the right password."""
    check_lock(agent.locked_until)
    agent.locked_until = None
    if is_right and agent.password_hash == checked_hash:
        agent.failed_logins = 0
        return True
    agent.failed_logins += 1
    if agent.failed_logins >= FAILURES:
        agent.failed_logins = 0
        agent.locked_until = now_ms() + int(LOCKED_FOR.total_seconds() * 1000)
        log.warning("account.locked", agent_id=agent.id)
    return False


def _grant(tx: AsyncSession, tokens: Tokens, agent: Agent, family: str) -> Grant:
    refresh_token, now = new_refresh_token(), now_ms()
    row = RefreshToken(hash=hash_of(refresh_token), family=family, agent_id=agent.id, created_at=now)
    row.expires_at = now + int(REFRESH_LIFETIME.total_seconds() * 1000)
    tx.add(row)
    return Grant(agent, tokens.access(agent.id, family), refresh_token)


async def _revoke(tx: AsyncSession, *which: ColumnElement[bool]) -> int:
    alive = update(RefreshToken).where(*which, RefreshToken.revoked_at.is_(None))
    changed = await tx.execute(alive.values(revoked_at=now_ms()))
    assert isinstance(changed, CursorResult)
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
