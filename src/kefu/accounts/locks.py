"""Who guesses is locked out: five failures lock a username, and an address, for fifteen minutes.

They are counted in the database, so every process counts together, with Redis and without. A username that nobody has
is counted like one that somebody has, so that the lock tells nothing. Many guesses made at once are counted one by one:
who tries holds the rows of the name and of the address, in that order and before any other row, until the outcome is
written.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

import structlog
from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.models import FailedLogins, key_of
from kefu.kit.clock import now_ms
from kefu.kit.db import is_sqlite
from kefu.kit.errors import Locked
from kefu.kit.i18n import Text
from kefu.kit.limits import counted

log = structlog.get_logger()

FAILURES = 5
LOCKED_FOR = timedelta(minutes=15)
LOCKED_MS = int(LOCKED_FOR.total_seconds() * 1000)
FORGOTTEN_AT_ONCE = 100


class AccountLocked(Locked):
    code = "ACCOUNT_LOCKED"
    text: ClassVar[Text] = {
        "en": "Too many failed attempts. Try again in {retry_after} s.",
        "zh": "失败次数过多，账号已锁定，请在 {retry_after} 秒后再试。",
    }


class AddressLocked(Locked):
    code = "ADDRESS_LOCKED"
    text: ClassVar[Text] = {
        "en": "Too many failed sign-ins from your network. Try again in {retry_after} s.",
        "zh": "您所在的网络登录失败次数过多，请在 {retry_after} 秒后再试。",
    }


@dataclass(frozen=True, slots=True)
class Attempt:
    """Which rows a sign-in counts on. `address` is None where addresses are not counted."""

    name: str
    address: str | None

    @property
    def keys(self) -> list[str]:
        """In the order in which they are locked."""
        return [one for one in (self.name, self.address) if one]

    @classmethod
    def of(cls, username: str, address: str | None) -> "Attempt":
        """Only a hash of the username is kept: it may be a password typed in the wrong field."""
        hashed = hashlib.sha256(key_of(username).encode()).hexdigest()
        return cls(f"name:{hashed}", f"address:{counted(address)[:64]}" if address else None)


async def refuse_locked(tx: AsyncSession, attempt: Attempt) -> None:
    """Raises AccountLocked or AddressLocked with the seconds that are left."""
    query = select(FailedLogins).where(FailedLogins.key.in_(attempt.keys))
    for row in await tx.scalars(query.order_by(FailedLogins.key.desc())):  # the name first
        _check(row)


def _check(row: FailedLogins) -> None:
    left = row.locked_until - now_ms()
    if left > 0:
        error = AccountLocked if row.key.startswith("name:") else AddressLocked
        raise error(retry_after=left // 1000 + 1)


class Trial:
    """One attempt under way, whose rows are locked. Say at the end how it went."""

    def __init__(self, name: FailedLogins, *address: FailedLogins) -> None:
        self._name = name
        self._address = address

    def failed(self) -> int | None:
        """Count it; the fifth locks: until then, in milliseconds."""
        now, until = now_ms(), None
        for row in (self._name, *self._address):
            row.failures = row.failures + 1 if row.last_at > now - LOCKED_MS else 1
            row.last_at = now
            if row.failures >= FAILURES:
                row.failures, row.locked_until = 0, (until := now + LOCKED_MS)
                log.warning("login.locked", what=row.key.partition(":")[0])
        return until

    def succeeded(self) -> None:
        """Who mistypes and then gets in leaves nothing behind, so that an office with one address goes on working."""
        for row in self._address:
            row.failures = max(0, row.failures - self._name.failures)
        self._name.failures = 0


async def trial(tx: AsyncSession, attempt: Attempt) -> Trial:
    """Lock the rows of the attempt. Raises AccountLocked or AddressLocked, even for who has the right password."""
    rows = [await _held(tx, key) for key in attempt.keys]
    for row in rows:
        _check(row)
    return Trial(*rows)


async def _held(tx: AsyncSession, key: str) -> FailedLogins:
    insert = (sqlite if is_sqlite(tx) else postgresql).insert(FailedLogins)
    row = insert.values(key=key, failures=0, last_at=now_ms(), locked_until=0)
    await tx.execute(row.on_conflict_do_nothing())
    return await tx.get_one(FailedLogins, key, with_for_update=True, populate_existing=True)


async def locked_until(tx: AsyncSession, usernames: Sequence[str]) -> dict[str, int]:
    """Of these usernames those that are locked now, and until when, in milliseconds."""
    keys = {Attempt.of(one, None).name: one for one in usernames}
    query = select(FailedLogins.key, FailedLogins.locked_until)
    locked = query.where(FailedLogins.key.in_(list(keys)), FailedLogins.locked_until > now_ms())
    return {keys[key]: until for key, until in await tx.execute(locked)}


async def unlock(tx: AsyncSession, username: str, address: str | None) -> None:
    """Let this username, and whoever comes from this address, try again at once."""
    keys = Attempt.of(username, address).keys
    await tx.execute(delete(FailedLogins).where(FailedLogins.key.in_(keys)))


async def forget_old(tx: AsyncSession) -> None:
    """Delete some rows that count no more; those that somebody holds are left for another time."""
    past = now_ms() - LOCKED_MS
    query = select(FailedLogins.key).where(FailedLogins.last_at < past, FailedLogins.locked_until < now_ms())
    old = await tx.scalars(query.limit(FORGOTTEN_AT_ONCE).with_for_update(skip_locked=True))
    await tx.execute(delete(FailedLogins).where(FailedLogins.key.in_(old.all())))
