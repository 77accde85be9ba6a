"""What an agent does at this moment, as far as it decides whether customers are given to them."""

from typing import Literal

from sqlalchemy import ColumnElement, and_

from kefu.accounts.models import Agent
from kefu.accounts.roles import may
from kefu.kit.clock import start_of_day

Duty = Literal["online", "busy", "break", "lunch", "training", "offline"]
SERVING: frozenset[Duty] = frozenset({"online", "busy"})
# Without a sign of life for so long nobody is at the desk, whatever they chose.
LOST_AFTER_MS = 45_000


def on_duty(now: int) -> ColumnElement[bool]:
    """The condition that customers may be given to the agent."""
    is_here = Agent.last_seen_at > now - LOST_AFTER_MS
    return and_(Agent.is_active, may("sessions.takeover"), Agent.status.in_(SERVING), is_here)


def sign_on(agent: Agent, now: int, zone: str) -> None:
    """Who signs in is online, unless they chose to be busy, on a break, at lunch or in training earlier today."""
    chosen_today = (agent.status_at or 0) >= start_of_day(now, zone) and not agent.is_auto
    if agent.status == "offline" or not chosen_today:
        agent.status, agent.status_note, agent.status_at, agent.is_auto = "online", "", now, False
    agent.last_seen_at = agent.active_at = now
