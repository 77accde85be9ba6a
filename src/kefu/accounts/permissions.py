"""Who may do what: the named permissions, and the four roles that are always there."""

from collections.abc import Iterable, Mapping
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
    "policies.read",
    "policies.write",
    "knowledge.publish",
    "quality.read",
    "quality.write",
    "agents.read",
    "agents.write",
    "roles.write",
    "contacts.read",
    "events.read",
    "audit.read",
    "bot.read",
    "bot.write",
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
        "contacts.read",
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
        "policies.read",
        "policies.write",
        "knowledge.publish",
        "quality.read",
        "quality.write",
        "events.read",
        "bot.read",
        "bot.write",
    }
)
INSPECT: frozenset[Permission] = frozenset({"sessions.read_any", "stats.read", "policies.read", "quality.read"})

IN_ORDER: tuple[Permission, ...] = get_args(Permission)
PERMISSIONS: frozenset[Permission] = frozenset(IN_ORDER)
BY_ROLE: Mapping[str, frozenset[Permission]] = {
    "super_admin": PERMISSIONS,
    "supervisor": READ | SERVE | LEAD,
    "agent": READ | SERVE,
    "inspector": READ | INSPECT,
}


def permissions_of(role: str, own: Iterable[str] | None = None) -> frozenset[Permission]:
    """What a role may do; nothing for a role nobody knows.

    `own`: the permissions in the team's own table of roles, if it stands there. One that this release does not know
    gives nothing.
    """
    return BY_ROLE.get(role, frozenset()) if own is None else PERMISSIONS.intersection(own)
