"""The tables of the policies: what was published, what is being written, and what back-tests found."""

from typing import Any, Literal

from sqlalchemy import JSON, BigInteger, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from kefu.kit.db import Table

State = Literal["running", "done", "cancelled"]


class PolicyVersion(Table):
    """All policies as they were published, never changed: in force from `published_at` (ms) until the next one is.

    `policies`: a list of `policies.Policy`. `note`: what the publisher said of the change.
    """

    __tablename__ = "policy_versions"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    policies: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    note: Mapped[str] = mapped_column(String(200))
    published_at: Mapped[int] = mapped_column(BigInteger)
    published_by: Mapped[str] = mapped_column(String(40))
    publisher_name: Mapped[str] = mapped_column(String(80))


class PolicyDraft(Table):
    """The one draft; no row while nothing was ever changed.

    `revision` counts its changes; `based_on`: the version it began from.
    """

    __tablename__ = "policy_drafts"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    policies: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    revision: Mapped[int] = mapped_column(Integer)
    based_on: Mapped[int] = mapped_column(Integer)
    changed_at: Mapped[int] = mapped_column(BigInteger)
    changed_by: Mapped[str] = mapped_column(String(80))


class Backtest(Table):
    """A version, or the draft as it was, run over the sessions that were opened from `since` to `until` (ms).

    `candidate` and `baseline`: `{"version", "policies"}`; the version of a draft is null. `within_minutes`: so soon
    after a hit a person has to have come for it to be right. `place`: the last session that was looked at,
    `[created_at, name]`; it moves with `looked_at` and `found` in one transaction, so a page counts once.
    """

    __tablename__ = "policy_backtests"
    __table_args__ = (Index("ix_policy_backtests_started_at", "started_at"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    state: Mapped[State] = mapped_column(String(10))
    candidate: Mapped[dict[str, Any]] = mapped_column(JSON)
    baseline: Mapped[dict[str, Any]] = mapped_column(JSON)
    shop: Mapped[str | None] = mapped_column(String(40))
    since: Mapped[int] = mapped_column(BigInteger)
    until: Mapped[int] = mapped_column(BigInteger)
    within_minutes: Mapped[int] = mapped_column(Integer)
    total: Mapped[int] = mapped_column(Integer)
    looked_at: Mapped[int] = mapped_column(Integer)
    place: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    found: Mapped[dict[str, Any]] = mapped_column(JSON)
    started_at: Mapped[int] = mapped_column(BigInteger)
    started_by: Mapped[str] = mapped_column(String(80))
    ended_at: Mapped[int | None] = mapped_column(BigInteger)
