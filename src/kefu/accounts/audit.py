"""What agents did: a log in which every entry is sealed together with the one before it.

`audit` only remembers. What it remembered is written right before the commit, in the same transaction: so the chain's
head is locked after everything else, for the shortest time, and nobody who holds it waits for another lock.
"""

import hmac
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any

import orjson
import structlog
from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.models import AuditEntry, AuditHead
from kefu.kit.acting import acting
from kefu.kit.clock import now_ms
from kefu.kit.config import Settings
from kefu.kit.db import Database, after_commit, before_commit, is_sqlite
from kefu.kit.masking import SECRET_KEYS

log = structlog.get_logger()

HEAD = 1
LONGEST = 2000
KEYS, WAITING = "audit_keys", "audit_waiting"
# What the seal is made of, in this order.
SEALED = (
    "seq",
    "at",
    "actor_id",
    "actor_name",
    "actor_role",
    "action",
    "object_type",
    "object_id",
    "before",
    "after",
    "address",
    "user_agent",
    "request_id",
    "kid",
)
Facts = Mapping[str, Any]


class Keys:
    """The keys that seal entries, derived from the product's secret and from those it had before.

    Each is known by its `kid`. The first seals new entries.
    """

    def __init__(self, *secrets: str) -> None:
        keys = [hmac.digest(secret.encode(), b"kefu audit", "sha256") for secret in secrets]
        self._keys = {hmac.digest(key, b"kid", "sha256").hex()[:8]: key for key in keys}
        self.kid = next(iter(self._keys))

    def seal(self, previous: str, entry: Mapping[str, Any]) -> str | None:
        """The hash of an entry that stands behind the one with the hash `previous`; None for an unknown `kid`."""
        key = self._keys.get(entry["kid"])
        if key is None:
            return None
        return hmac.digest(key, orjson.dumps([previous, *(entry[name] for name in SEALED)]), "sha256").hex()


def keys_of(settings: Settings) -> Callable[[], Keys]:
    """Those of this installation, made when they are first needed."""
    return cache(lambda: Keys(settings.signing_key(), *settings.old_signing_keys()))


def seal_with(db: Database, keys: Callable[[], Keys]) -> None:
    """Whose keys seal what is audited in this database's transactions."""
    db.info[KEYS] = keys


def audit(
    tx: AsyncSession, action: str, thing: tuple[str, str], before: Facts | None = None, after: Facts | None = None
) -> None:
    """Write down, with this transaction, who does this now and from where (`kit.acting`).

    `thing`: type and id of what it is done to. `before` and `after`: its fields; of both only those are kept that
    differ, and nothing is written when none does. Never pass what is secret.
    """
    if before is not None and after is not None:
        names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        if not names:
            return
        before, after = ({name: facts.get(name) for name in names} for facts in (before, after))
    who = acting()
    if WAITING not in tx.info:
        tx.info[WAITING] = []
        before_commit(tx, partial(_append, tx.info[WAITING]))
    tx.info[WAITING].append(
        {
            "actor_id": who.id,
            "actor_name": who.name,
            "actor_role": who.role,
            "action": action,
            "object_type": thing[0],
            "object_id": thing[1],
            "before": _text(before),
            "after": _text(after),
            "address": who.address[:64],
            "user_agent": "".join(filter(str.isprintable, who.user_agent))[:300],
            "request_id": who.request_id,
        }
    )


def fields(row: object, *names: str) -> dict[str, Any]:
    """These fields of a row, to be compared with what they are later."""
    return {name: getattr(row, name) for name in names}


def _text(facts: Facts | None) -> str | None:
    return None if facts is None else orjson.dumps(_shown("", facts), default=str).decode()


def _shown(name: str, value: Any) -> Any:
    """Long texts are cut, and what is called a secret is hidden, should it come here after all."""
    if isinstance(value, Mapping):
        return {str(key): _shown(str(key), one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(name, one) for one in value]
    if not isinstance(value, str):
        return value
    if SECRET_KEYS.search(name):
        return "***"
    return value if len(value) <= LONGEST else f"{value[:LONGEST]}… ({len(value)})"


async def _append(waiting: Sequence[dict[str, Any]], tx: AsyncSession) -> None:
    keys: Keys = tx.info[KEYS]()
    last, sealed = await _locked_head(tx)
    at = now_ms()
    rows = []
    for seq, one in enumerate(waiting, last + 1):
        entry = {**one, "seq": seq, "at": at, "kid": keys.kid}
        sealed = keys.seal(sealed, entry) or ""
        rows.append({**entry, "hash": sealed})
    await tx.execute(insert(AuditEntry), rows)
    await tx.execute(update(AuditHead).values(seq=last + len(rows), hash=sealed))
    after_commit(tx, partial(log.info, "audit.written", seq=last + len(rows), hash=sealed))


async def _locked_head(tx: AsyncSession) -> tuple[int, str]:
    """Seq and hash of the last entry, locked until the commit.

    The first entry makes the head. Should somebody have taken it away, the chain goes on with a visible break.
    """
    locked = select(AuditHead.seq, AuditHead.hash).where(AuditHead.id == HEAD).with_for_update()
    head = (await tx.execute(locked)).first()
    if head is None:
        last = await tx.scalar(select(func.max(AuditEntry.seq))) or 0
        put = (sqlite if is_sqlite(tx) else postgresql).insert(AuditHead).values(id=HEAD, seq=last, hash="")
        await tx.execute(put.on_conflict_do_nothing())
        head = (await tx.execute(locked)).one()
    return head[0], head[1]
