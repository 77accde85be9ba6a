"""Who may do what: the roles and their named permissions."""

from collections.abc import Mapping
from typing import Literal, get_args

Role = Literal["super_admin", "supervisor", "agent", "inspector"]
Permission = Literal[
    "sessions.read",
    "sessions.takeover",
    "sessions.reply",
    "sessions.reply_any",
    "sessions.release",
    "sessions.release_any",
    "sessions.close",
    "sessions.read_any",
    "sessions.transfer",
    "sessions.transfer_any",
    "sessions.assign",
    "sessions.annotate",
    "sessions.merge",
    "stats.read",
    "tags.write",
    "replies.write",
    "shops.read",
    "shops.write",
    "knowledge.read",
    "knowledge.write",
    "agents.read",
    "agents.write",
    "events.read",
    "audit.read",
]

READ: frozenset[Permission] = frozenset({"sessions.read", "knowledge.read", "agents.read", "shops.read"})
SERVE: frozenset[Permission] = frozenset(
    {
        "sessions.takeover",
        "sessions.reply",
        "sessions.release",
        "sessions.close",
        "sessions.transfer",
        "sessions.annotate",
    }
)
LEAD: frozenset[Permission] = frozenset(
    {
        "sessions.read_any",
        "sessions.reply_any",
        "sessions.release_any",
        "sessions.transfer_any",
        "sessions.assign",
        "sessions.merge",
        "stats.read",
        "tags.write",
        "replies.write",
        "shops.write",
        "knowledge.write",
        "events.read",
    }
)
INSPECT: frozenset[Permission] = frozenset({"sessions.read_any", "stats.read"})

PERMISSIONS: frozenset[Permission] = frozenset(get_args(Permission))
BY_ROLE: Mapping[str, frozenset[Permission]] = {
    "super_admin": PERMISSIONS,
    "supervisor": READ | SERVE | LEAD,
    "agent": READ | SERVE,
    "inspector": READ | INSPECT,
}


def permissions_of(role: str) -> frozenset[Permission]:
    """What a role may do; nothing for a role nobody knows."""
    return BY_ROLE.get(role, frozenset())
