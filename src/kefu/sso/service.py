"""Which agent somebody is whom the provider vouches for."""

from typing import ClassVar

import structlog
from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from kefu.accounts.audit import audit
from kefu.accounts.models import Agent, key_of
from kefu.accounts.passwords import NOBODYS_HASH
from kefu.accounts.roles import RoleNotFound, find_role
from kefu.accounts.service import NewAgent, UsernameInvalid, UsernameTaken, create_agent
from kefu.kit.errors import Forbidden
from kefu.kit.i18n import Text
from kefu.sso.provider import Person

log = structlog.get_logger()


class NotInvited(Forbidden):
    code = "SSO_NOT_INVITED"
    text: ClassVar[Text] = {
        "en": "You have no account here yet. Ask an administrator to invite you.",
        "zh": "您在此还没有账号，请联系管理员邀请您。",
    }


async def agent_of(tx: AsyncSession, person: Person, default_role: str) -> Agent:
    """The agent who is linked to the person, or an invited one whose username is their verified address, locked.

    With a `default_role` a person whom nobody knows becomes a new agent. Raises NotInvited, also for who is disabled.
    """
    agent = await _locked(tx, Agent.oidc_subject == person.subject)
    if agent is None:
        agent = await _linked(tx, person) or await _made(tx, person, default_role)
        agent = agent or await _locked(tx, Agent.oidc_subject == person.subject)  # another tab was quicker
    if agent is None or not agent.is_active:
        raise NotInvited
    return agent


async def _locked(tx: AsyncSession, *which: ColumnElement[bool] | InstrumentedAttribute[bool]) -> Agent | None:
    query = select(Agent).where(*which).with_for_update()
    return (await tx.execute(query)).scalar_one_or_none()


async def _linked(tx: AsyncSession, person: Person) -> Agent | None:
    """Whoever was invited is linked once. A one-time password that nobody used is of no more use to anybody."""
    if person.email is None:
        return None
    invited = (Agent.username_key == key_of(person.email), Agent.is_invited, Agent.is_active)
    agent = await _locked(tx, *invited, Agent.oidc_subject.is_(None))
    if agent is not None:
        agent.oidc_subject, agent.is_invited = person.subject, False
        if agent.must_change_password:
            agent.password_hash, agent.must_change_password = NOBODYS_HASH, False
        audit(tx, "agent.linked", ("agent", agent.id))
        log.info("sso.linked", agent_id=agent.id)
    return agent


async def _made(tx: AsyncSession, person: Person, role: str) -> Agent | None:
    """Nobody is taken for an agent who has the name already."""
    if not role or person.email is None:
        return None
    name = (person.name or person.email.partition("@")[0])[:50]
    new = NewAgent(person.email, name, role, NOBODYS_HASH, must_change_password=False)
    try:
        await find_role(tx, role)
        agent = await create_agent(tx, new)
    except (RoleNotFound, UsernameTaken, UsernameInvalid) as error:
        log.warning("sso.not_made", reason=error.code)
        return None
    agent.oidc_subject = person.subject
    await tx.flush()
    await tx.refresh(agent)
    return agent
