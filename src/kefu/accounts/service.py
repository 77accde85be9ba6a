"""Commands on agents: who they are, and how they prove it.

A command that checks a password locks the rows that count failures, then the agent's; what else it touches of that
agent is safe under that lock. One that must keep what it wrote although it refuses (a counted failure) returns the
refusal; the edge raises it after the commit.
"""

from dataclasses import dataclass
from typing import ClassVar, TypeVar

from sqlalchemy import ColumnElement, delete, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts import locks, second_factor
from kefu.accounts.audit import audit, fields
from kefu.accounts.locks import Attempt
from kefu.accounts.models import Agent, SecondFactor, key_of
from kefu.accounts.passwords import hash_password, is_acceptable, one_time_password
from kefu.accounts.second_factor import CodeWrong, SecondFactorRequired
from kefu.accounts.sign_ins import Grant, begin, end_sign_ins, lock
from kefu.accounts.tokens import TicketClaims, Tokens, mark_of
from kefu.kit.acting import act_as
from kefu.kit.clock import iso, now_ms
from kefu.kit.config import BadSettings, Problem, Settings
from kefu.kit.db import Database
from kefu.kit.errors import Conflict, Forbidden, Invalid, KefuError, NotFound, TokenInvalid
from kefu.kit.i18n import Text
from kefu.kit.ids import AgentId, new_id
from kefu.kit.secrets import Sealer

E = TypeVar("E", bound=KefuError)


class LoginFailed(Forbidden):
    """The same whatever was wrong, so that it tells nobody which usernames exist."""

    code = "LOGIN_FAILED"
    text: ClassVar[Text] = {"en": "The username or the password is wrong.", "zh": "用户名或密码错误。"}


class OldPasswordIncorrect(Forbidden):
    code = "OLD_PASSWORD_INCORRECT"
    text: ClassVar[Text] = {"en": "The old password is wrong.", "zh": "原密码错误。"}


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
    username: str
    hash: str


@dataclass(frozen=True, slots=True)
class SecondStep:
    """What comes after the password."""

    ticket: TicketClaims
    code: str


@dataclass(frozen=True, slots=True)
class Proof:
    """A password that was checked: against whose, None for a username that nobody has, and whether it is theirs."""

    attempt: Attempt
    known: KnownPassword | None
    is_right: bool

    @property
    def agent_id(self) -> str:
        """Empty for a username that nobody has."""
        return self.known.agent_id if self.known else ""


@dataclass(frozen=True, slots=True)
class FirstAdmin:
    """`one_time_password`: to be shown once; None when the password came from the settings."""

    username: str
    one_time_password: str | None


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
    audit(tx, "agent.created", ("agent", agent.id), after=fields(agent, "username", "name", "role", "max_sessions"))
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
    row = (await tx.execute(select(Agent.id, Agent.username, Agent.password_hash).where(which))).first()
    return KnownPassword(AgentId(row[0]), row[1], row[2]) if row else None


async def sign_in(tx: AsyncSession, tokens: Tokens, proof: Proof) -> Grant | LoginFailed | SecondFactorRequired:
    """Begin a new family of tokens, or ask for the second factor, or count the failure.

    Raises AccountLocked or AddressLocked.
    """
    trial = await locks.trial(tx, proof.attempt)
    agent = await _proven(tx, proof)
    if agent is None:
        return _refused(tx, trial, "agent.sign_in_refused", proof.agent_id, LoginFailed())
    if await second_factor.of(tx, agent.id):  # who guesses codes does not begin anew by the password
        return SecondFactorRequired(ticket=tokens.ticket(agent.id, agent.password_hash))
    trial.succeeded()
    return await enter(tx, tokens, agent)


async def sign_in_by_code(
    tx: AsyncSession, tokens: Tokens, sealer: Sealer, address: str | None, step: SecondStep
) -> Grant | CodeWrong | TokenInvalid:
    """The second step. TokenInvalid when the password has changed since the first, or the second factor was taken away.

    Raises AccountLocked or AddressLocked.
    """
    username = await tx.scalar(select(Agent.username).where(Agent.id == step.ticket.agent_id))
    if username is None:
        return TokenInvalid()
    trial = await locks.trial(tx, Attempt.of(username, address))
    agent = await lock(tx, step.ticket.agent_id)
    if agent is None or not agent.is_active or mark_of(agent.password_hash) != step.ticket.password:
        return TokenInvalid()
    factor = await second_factor.of(tx, agent.id)
    if factor is None:
        return TokenInvalid()
    if not second_factor.takes(sealer, factor, step.code):
        return _refused(tx, trial, "agent.sign_in_refused", agent.id, CodeWrong())
    trial.succeeded()
    return await enter(tx, tokens, agent)


async def enter(tx: AsyncSession, tokens: Tokens, agent: Agent) -> Grant:
    """Begin a new family of tokens for the agent, whose row is locked and who has proven who they are."""
    act_as(agent.id, agent.name, agent.role)
    audit(tx, "agent.signed_in", ("agent", agent.id))
    agent.last_login_at = now_ms()
    await locks.forget_old(tx)
    return await begin(tx, tokens, agent)


async def change_password(
    tx: AsyncSession, tokens: Tokens, proof: Proof, new_hash: str
) -> Grant | OldPasswordIncorrect:
    """End every sign-in of the agent and begin a new one, or count the failure.

    Raises AccountLocked or AddressLocked.
    """
    agent = await prove(tx, proof, "agent.password_refused")
    if agent is None:
        return OldPasswordIncorrect()
    audit(tx, "agent.password_changed", ("agent", agent.id))
    agent.password_hash = new_hash
    agent.must_change_password = False
    await end_sign_ins(tx, AgentId(agent.id))
    return await begin(tx, tokens, agent)


def audit_refusal(tx: AsyncSession, action: str, agent_id: str, code: str, locked_until: int | None = None) -> None:
    """`agent_id`: empty for a username that nobody has. What was typed is not kept: it may be a password."""
    lock = {"locked_until": iso(locked_until)} if locked_until else {}
    audit(tx, action, ("agent", agent_id), after={"code": code} | lock)


def _refused(tx: AsyncSession, trial: locks.Trial, action: str, agent_id: str, error: E) -> E:
    """Count the failure and audit it as `action`."""
    audit_refusal(tx, action, agent_id, error.code, trial.failed())
    return error


async def prove(tx: AsyncSession, proof: Proof, refusal: str) -> Agent | None:
    """The agent, locked; None when the password was wrong, which is counted, and audited as `refusal`.

    Raises AccountLocked or AddressLocked.
    """
    trial = await locks.trial(tx, proof.attempt)
    agent = await _proven(tx, proof)
    if agent is None:
        _refused(tx, trial, refusal, proof.agent_id, OldPasswordIncorrect())
    else:
        trial.succeeded()
    return agent


async def prove_by_code(tx: AsyncSession, sealer: Sealer, proof: Proof, code: str) -> SecondFactor | KefuError:
    """The agent's second factor, if both password and code are right. Raises AccountLocked, AddressLocked or NotOn."""
    trial = await locks.trial(tx, proof.attempt)
    agent = await _proven(tx, proof)
    if agent is None:
        return _refused(tx, trial, "agent.second_factor_refused", proof.agent_id, OldPasswordIncorrect())
    factor = await second_factor.of(tx, agent.id)
    if factor is None:
        raise second_factor.NotOn
    if not second_factor.takes(sealer, factor, code):
        return _refused(tx, trial, "agent.second_factor_refused", agent.id, CodeWrong())
    trial.succeeded()
    return factor


async def reset_second_factor(tx: AsyncSession, agent_id: AgentId) -> None:
    """For who has lost it. Their sign-ins end. Raises NotFound; may be repeated."""
    if await lock(tx, agent_id) is None:
        raise NotFound
    await tx.execute(delete(SecondFactor).where(SecondFactor.agent_id == agent_id))
    await end_sign_ins(tx, agent_id)
    audit(tx, "agent.second_factor_reset", ("agent", agent_id))


async def _proven(tx: AsyncSession, proof: Proof) -> Agent | None:
    """The agent, locked, if the password that was checked is still theirs and they may sign in."""
    known = proof.known
    agent = await lock(tx, known.agent_id) if known else None
    if known is None or agent is None or not agent.is_active:
        return None
    return agent if proof.is_right and agent.password_hash == known.hash else None
