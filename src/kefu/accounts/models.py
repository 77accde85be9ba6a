"""The tables of agents, of their refresh tokens and of the roles that the team made."""

from sqlalchemy import JSON, BigInteger, Boolean, ForeignKey, Integer, String, Text, select, text
from sqlalchemy.orm import Mapped, column_property, mapped_column

from kefu.accounts.permissions import Permission, permissions_of
from kefu.kit.db import Table


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

    `username_key` (`service.key_of`) makes usernames unique whatever their case. `status` is what they chose, with a
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
    failed_logins: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    locked_until: Mapped[int | None] = mapped_column(BigInteger)
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
