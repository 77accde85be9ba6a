"""The tables of agents, their roles and their refresh tokens, and of what they did."""

import unicodedata

from sqlalchemy import JSON, BigInteger, Boolean, ForeignKey, Index, Integer, String, Text, select, text
from sqlalchemy.orm import Mapped, column_property, mapped_column

from kefu.accounts.permissions import Permission, permissions_of
from kefu.kit.db import Big, Table
from kefu.kit.sealed import Token


def key_of(username: str) -> str:
    """What makes two usernames the same: case and width of letters do not count."""
    return unicodedata.normalize("NFKC", username.strip()).casefold()


class CustomRole(Table):
    """A role of the team's own, or what the team made of a built-in one (`id` is then its name in `BY_ROLE`).

    `version` grows with each change. Names are unique in each language.
    """

    __tablename__ = "roles"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name_en: Mapped[str] = mapped_column(String(40), unique=True)
    name_zh: Mapped[str] = mapped_column(String(40), unique=True)
    permissions: Mapped[list[str]] = mapped_column(JSON)
    version: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[int] = mapped_column(BigInteger)


class Agent(Table):
    """A member of the team who can sign in.

    `username_key` (`key_of`) makes usernames unique whatever their case. `status` is what they chose, with a
    note and when (ms), or what became of it by itself (`is_auto`: busy, for want of activity). `last_seen_at`: their
    last sign of life; `active_at`: when they last did something. `skills` are tags of what they know, `languages` the
    locales they write. `oidc_subject`: who they are at the provider of single sign-on; `is_invited`: may be linked to
    somebody there. `own_permissions`, those of a role in the table of roles, come with every query. Commands on an
    agent or its tokens lock this row first.
    """

    __tablename__ = "agents"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    username: Mapped[str] = mapped_column(String(50))
    username_key: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(String(80))
    password_hash: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(40))
    status: Mapped[str] = mapped_column(String(20), default="offline", server_default="offline")
    status_note: Mapped[str] = mapped_column(String(120), default="", server_default="")
    status_at: Mapped[int | None] = mapped_column(BigInteger)
    is_auto: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    last_seen_at: Mapped[int | None] = mapped_column(BigInteger)
    active_at: Mapped[int | None] = mapped_column(BigInteger)
    skills: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    languages: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    max_sessions: Mapped[int] = mapped_column(Integer, default=5, server_default="5")
    must_change_password: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    is_active: Mapped[bool] = mapped_column(Boolean, default=True, server_default=text("true"))
    created_at: Mapped[int] = mapped_column(BigInteger)
    last_login_at: Mapped[int | None] = mapped_column(BigInteger)
    oidc_subject: Mapped[str | None] = mapped_column(String(255), unique=True, index=True)
    is_invited: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    own_permissions: Mapped[list[str] | None] = column_property(
        select(CustomRole.permissions).where(CustomRole.id == role).scalar_subquery(),
        expire_on_flush=False,  # who changes the role reads the row again
    )

    @property
    def permissions(self) -> frozenset[Permission]:
        return permissions_of(self.role, self.own_permissions)


class RefreshToken(Table):
    """One link in the chain of a sign-in.

    `hash`: SHA-256 of the token. `family`: the sign-in, alive while a row of it is not revoked. A used token is kept,
    so that its second use is known for what it is.
    """

    __tablename__ = "refresh_tokens"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    family: Mapped[str] = mapped_column(String(40), index=True)
    agent_id: Mapped[str] = mapped_column(String(40), ForeignKey("agents.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger)
    used_at: Mapped[int | None] = mapped_column(BigInteger)
    revoked_at: Mapped[int | None] = mapped_column(BigInteger)


class FailedLogins(Table):
    """Failed sign-ins that count against a username, whether or not somebody has it, or against an address.

    `key`: `accounts.locks` makes it; what was typed is not in it. The row is locked by whoever tries.
    """

    __tablename__ = "failed_logins"

    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    failures: Mapped[int] = mapped_column(Integer)
    last_at: Mapped[int] = mapped_column(BigInteger, index=True)
    locked_until: Mapped[int] = mapped_column(BigInteger)


class SecondFactor(Table):
    """An agent's authenticator app.

    `secret`: base32, sealed. `confirmed_at`: since when it is asked for, None while it is being set up. `last_step`:
    the newest time step whose code was taken, so that none is taken twice. `recovery`: a JSON list, sealed, of the
    SHA-256 of the codes that are left.
    """

    __tablename__ = "second_factors"

    agent_id: Mapped[str] = mapped_column(String(40), ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True)
    secret: Mapped[str] = mapped_column(Token)
    confirmed_at: Mapped[int | None] = mapped_column(BigInteger)
    last_step: Mapped[int] = mapped_column(BigInteger)
    recovery: Mapped[str] = mapped_column(Token)


class AuditEntry(Table):
    """What somebody did, never changed: triggers refuse it (migration 0014), and `accounts.verifying` finds it.

    `before` and `after` are JSON text, sealed as they stand. `hash` seals the entry and the hash of the one before it
    with the key that `kid` names (`accounts.audit`).
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_at", "at", "seq"),
        Index("ix_audit_entries_actor", "actor_id", "at", "seq"),
        Index("ix_audit_entries_action", "action", "at", "seq"),
        Index("ix_audit_entries_object", "object_type", "object_id", "at", "seq"),
    )

    seq: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    at: Mapped[int] = mapped_column(BigInteger)
    actor_id: Mapped[str] = mapped_column(String(40))
    actor_name: Mapped[str] = mapped_column(String(80))
    actor_role: Mapped[str] = mapped_column(String(40))
    action: Mapped[str] = mapped_column(String(60))
    object_type: Mapped[str] = mapped_column(String(40))
    object_id: Mapped[str] = mapped_column(String(120))
    before: Mapped[str | None] = mapped_column(Text)
    after: Mapped[str | None] = mapped_column(Text)
    address: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(300))
    request_id: Mapped[str] = mapped_column(String(64))
    kid: Mapped[str] = mapped_column(String(8))
    hash: Mapped[str] = mapped_column(String(64))


class AuditHead(Table):
    """One row: the last entry. Who appends locks it, as the last lock of the transaction."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(String(64))
