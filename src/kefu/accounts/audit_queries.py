"""Questions about what agents did."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from kefu.accounts.models import AuditEntry
from kefu.kit.db import Database, plan_by_values

# How many entries a page looks at for a text, so that a text nobody wrote does not read the whole log at once.
SEARCHED = 20_000
BATCH = 2000
KEY = (AuditEntry.at, AuditEntry.seq)


@dataclass(frozen=True, slots=True)
class Wanted:
    """`actor`: an agent's id, or `system`. `since`, `until`: ms, inclusive. `after`: where the last page ended."""

    actor: str = ""
    action: str = ""
    object_type: str = ""
    object_id: str = ""
    since: int | None = None
    until: int | None = None
    text: str = ""
    after: list[Any] | None = None


async def page(tx: AsyncSession, wanted: Wanted, limit: int) -> tuple[list[AuditEntry], list[Any] | None]:
    """The newest first, and where the next page begins.

    With a text a page may be short, or empty, and yet have a next one: it looks through SEARCHED entries.
    """
    await plan_by_values(tx)
    query = newest_first(wanted)
    if not wanted.text:
        found = list(await tx.scalars(query.limit(limit + 1)))
        return found[:limit], _key(found[limit - 1]) if len(found) > limit else None
    near = aliased(AuditEntry, query.limit(SEARCHED).subquery())
    told = (near.actor_name, near.object_id, near.before, near.after, near.address)
    said = select(near).where(or_(*(part.icontains(wanted.text, autoescape=True) for part in told)))
    found = list(await tx.scalars(said.order_by(near.at.desc(), near.seq.desc()).limit(limit + 1)))
    if len(found) > limit:
        return found[:limit], _key(found[limit - 1])
    last = (await tx.execute(query.with_only_columns(*KEY).offset(SEARCHED - 1).limit(1))).first()
    return found, [*last] if last else None


def newest_first(wanted: Wanted) -> Select[AuditEntry]:
    """Without the text."""
    query = select(AuditEntry).where(*_conditions(wanted)).order_by(*(part.desc() for part in KEY))
    return query.where(tuple_(*KEY) < tuple_(*wanted.after)) if wanted.after else query


async def all_pages(db: Database, wanted: Wanted) -> AsyncIterator[list[AuditEntry]]:
    """Every page in a transaction of its own, so that a slow reader holds nothing."""
    while True:
        async with db.read() as tx:
            found, key = await page(tx, wanted, BATCH)
        yield found
        if key is None:
            return
        wanted = replace(wanted, after=key)


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    exact = {
        AuditEntry.action: wanted.action,
        AuditEntry.object_type: wanted.object_type,
        AuditEntry.object_id: wanted.object_id,
    }
    where = [column == value for column, value in exact.items() if value]
    if wanted.actor == "system":
        where += [AuditEntry.actor_id == "", AuditEntry.actor_role == "system"]
    elif wanted.actor:
        where.append(AuditEntry.actor_id == wanted.actor)
    if wanted.since is not None:
        where.append(AuditEntry.at >= wanted.since)
    if wanted.until is not None:
        where.append(AuditEntry.at <= wanted.until)
    return where


def _key(entry: AuditEntry) -> list[Any]:
    return [entry.at, entry.seq]
