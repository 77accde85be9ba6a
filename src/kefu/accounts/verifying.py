"""Whether the audit log is what was written: every entry is sealed once more, from the first to the last."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, select

from kefu.accounts.audit import SEALED, Keys
from kefu.accounts.models import AuditEntry, AuditHead
from kefu.kit.db import Database

PAGE = 2000
COLUMNS = [*(getattr(AuditEntry, name) for name in SEALED), AuditEntry.hash]


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of a log, as one may write it down: `SEQ:HASH`."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"

    @classmethod
    def of(cls, text: str) -> "Head":
        """Raises ValueError."""
        seq, _, hashed = text.partition(":")
        if len(hashed) != 64 or int(seq) < 1:
            raise ValueError
        return cls(int(seq), hashed)


class Broken(Exception):
    """`seq`: the first entry that is not what was written."""

    def __init__(self, seq: int, why: str) -> None:
        super().__init__(f"Entry {seq} {why}")
        self.seq = seq


async def verify(db: Database, keys: Keys, expected: Head | None = None) -> AsyncIterator[tuple[Head, int]]:
    """Go through the log in pages, while others add to it: the last entry that was found good, and how many there are.

    `expected`: a head that was written down elsewhere. Without one, who may do everything in the database can take the
    newest entries away together with the head. Raises Broken.
    """
    last = Head(0, "")
    while True:
        rows = await _page(db, last)
        for row in rows:
            last = _checked(keys, last, row)
            if expected and last.seq == expected.seq and last != expected:
                raise Broken(last.seq, "is not the one that was written down.")
        head, newest = await _head(db)
        yield last, newest
        if newest <= last.seq:
            break
    if head != last:
        _compare(last, head)
    if expected and last.seq < expected.seq:
        raise Broken(last.seq + 1, f"is missing: {expected.seq} was written down.")


async def _page(db: Database, after: Head) -> list[Row[Any]]:
    """From the very first one on: what is numbered below 1 was never appended."""
    query = select(*COLUMNS).order_by(AuditEntry.seq).limit(PAGE)
    if after.seq:
        query = query.where(AuditEntry.seq > after.seq)
    async with db.read() as tx:
        return list(await tx.execute(query))


async def _head(db: Database) -> tuple[Head, int]:
    """The head and the highest number, of one moment."""
    parts = (select(func.max(AuditEntry.seq)), select(AuditHead.seq), select(AuditHead.hash))
    async with db.read() as tx:
        newest, seq, hashed = (await tx.execute(select(*(part.scalar_subquery() for part in parts)))).one()
    return Head(seq if isinstance(seq, int) else 0, hashed or ""), newest or 0  # SQLite keeps text in a number's place


def _checked(keys: Keys, last: Head, row: Row[Any]) -> Head:
    entry = dict(zip((*SEALED, "hash"), row, strict=True))
    seq = last.seq + 1
    if entry["seq"] != seq:
        raise Broken(min(seq, entry["seq"]), "is missing." if entry["seq"] > seq else "was never appended.")
    sealed = keys.seal(last.hash, entry)
    if sealed is None:
        raise Broken(seq, f"is sealed with the key {entry['kid']}, which is not known: add it to JWT_SECRET_KEYS_OLD.")
    if sealed != entry["hash"]:
        raise Broken(seq, "is not what was written, or does not stand where it was written.")
    return Head(seq, sealed)


def _compare(last: Head, head: Head) -> None:
    """Say what is wrong with a head that is not the last entry."""
    if head.seq > last.seq:
        raise Broken(last.seq + 1, f"is missing: the log went up to {head.seq}.")
    if not head.seq:
        raise Broken(last.seq, "is the last one, but the head of the log is missing.")
    if head.seq < last.seq:
        raise Broken(head.seq + 1, "stands behind the head of the log.")
    raise Broken(last.seq, "is not the head of the log.")
