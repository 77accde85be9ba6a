"""The audit log as the tests read it."""

from pathlib import Path

from sqlalchemy import select

from accounts.team import TEST_SECRET
from kefu.accounts.audit import Keys
from kefu.accounts.models import AuditEntry
from kefu.accounts.verifying import Head, verify
from kefu.kit.db import Database
from kefu.kit.secrets import kept_secret


async def entries(db: Database, *actions: str) -> list[AuditEntry]:
    """Those of these actions, or all, oldest first."""
    query = select(AuditEntry).order_by(AuditEntry.seq)
    if actions:
        query = query.where(AuditEntry.action.in_(actions))
    async with db.read() as tx:
        return list(await tx.scalars(query))


def keys_in(folder: Path) -> Keys:
    """Those of the application that keeps its secret there, and of the tests' own doors to the database."""
    return Keys(kept_secret(folder / "jwt_secret"), TEST_SECRET)


async def verified(db: Database, keys: Keys, expected: Head | None = None) -> Head:
    return [last async for last, _ in verify(db, keys, expected)][-1]
