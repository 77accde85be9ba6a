"""Append to a stream and read it again."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson
from sqlalchemy import ColumnElement, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.kit.clock import iso
from kefu.kit.db import announce
from kefu.kit.sealed import SEALING, Sealing, opened_json, seal_fields
from kefu.log.models import Event
from kefu.log.private import PRIVATE

Audience = Literal["public", "internal"]
ActorKind = Literal["visitor", "agent", "bot", "system"]
READ_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it."""

    kind: ActorKind
    id: str | None = None
    name: str | None = None

    def json(self) -> str:
        parts: dict[str, str] = {"kind": self.kind}
        if self.id:
            parts["id"] = self.id
        if self.name:
            parts["name"] = self.name
        return orjson.dumps(parts).decode()


VISITOR = Actor("visitor")
BOT = Actor("bot")
SYSTEM = Actor("system")


@dataclass(frozen=True, slots=True)
class Fact:
    """An event that is about to be: what happened, before it has a place in the log."""

    type: str
    actor: Actor
    payload: dict[str, Any] = field(default_factory=dict)
    audience: Audience = "public"
    client_msg_id: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as it stands in the log, with nothing sealed. `payload` and `actor` are JSON text."""

    stream: str
    seq: int
    type: str
    audience: str
    actor: str
    payload: str
    client_msg_id: str | None
    at: int

    @property
    def facts(self) -> dict[str, Any]:
        parsed: dict[str, Any] = orjson.loads(self.payload)
        return parsed

    @property
    def shown(self) -> dict[str, Any]:
        """The event as an object, as `json` writes it."""
        parsed: dict[str, Any] = orjson.loads(self.json())
        return parsed

    def json(self) -> str:
        """`{"seq":…,"type":…,"at":…,"actor":{…},"client_msg_id":…,…payload}`: how events leave Kefu."""
        own = f',"client_msg_id":"{self.client_msg_id}"' if self.client_msg_id else ""
        rest = f",{self.payload[1:-1]}" if len(self.payload) > 2 else ""
        return f'{{"seq":{self.seq},"type":"{self.type}","at":"{iso(self.at)}","actor":{self.actor}{own}{rest}}}'


def entry(stream: str, seq: int, fact: Fact, at: int) -> Entry:
    payload = orjson.dumps(fact.payload).decode()
    return Entry(stream, seq, fact.type, fact.audience, fact.actor.json(), payload, fact.client_msg_id, at)


async def append(tx: AsyncSession, entries: Sequence[Entry]) -> None:
    """Write entries whose seqs the caller took under the lock of the stream's row, and announce them after the commit.

    Raises sqlalchemy.exc.IntegrityError when a client_msg_id or a seq of the stream exists already.
    """
    await tx.execute(
        insert(Event),
        [
            {
                "stream": one.stream,
                "seq": one.seq,
                "type": one.type,
                "audience": one.audience,
                "actor": one.actor,
                "payload": _sealed(one, tx.info[SEALING]) if one.type in PRIVATE else one.payload,
                "client_msg_id": one.client_msg_id,
                "at": one.at,
            }
            for one in entries
        ],
    )
    announce(tx, "log", entries)


def _sealed(one: Entry, sealing: Sealing) -> str:
    return orjson.dumps(seal_fields(one.facts, PRIVATE[one.type], sealing().seal)).decode()


def from_row(row: Sequence[Any], sealing: Sealing) -> Entry:
    """The entry of a row that a plain statement read: the columns of COLUMNS, in their order."""
    stream, seq, type_, audience, actor, payload, *rest = row
    return Entry(stream, seq, type_, audience, actor, opened_json(payload, sealing), *rest)


COLUMNS = (
    Event.stream,
    Event.seq,
    Event.type,
    Event.audience,
    Event.actor,
    Event.payload,
    Event.client_msg_id,
    Event.at,
)


async def read(
    tx: AsyncSession, stream: str, after: int = 0, *, public_only: bool, limit: int = READ_LIMIT
) -> list[Entry]:
    """Entries with seq > `after`, in order, at most `limit`. `public_only` leaves out what visitors must not see."""
    query = select(*COLUMNS).where(Event.stream == stream, Event.seq > after).order_by(Event.seq).limit(limit)
    if public_only:
        query = query.where(Event.audience == "public")
    return [Entry(*row) for row in await tx.execute(query)]


async def read_last(
    tx: AsyncSession, stream: str, limit: int, *, types: Sequence[str], public_only: bool
) -> list[Entry]:
    """The newest `limit` entries of the given types, oldest first."""
    query = (
        select(*COLUMNS).where(Event.stream == stream, Event.type.in_(types)).order_by(Event.seq.desc()).limit(limit)
    )
    if public_only:
        query = query.where(Event.audience == "public")
    return [Entry(*row) for row in await tx.execute(query)][::-1]


def acted(kind: ActorKind, id_: str | None = None) -> ColumnElement[bool]:
    """The condition that an actor of this kind, or this very one, did it."""
    return Event.actor.startswith(Actor(kind, id_).json()[:-1], autoescape=True)


async def find_client_message(tx: AsyncSession, stream: str, client_msg_id: str) -> Entry | None:
    """The entry that a sender's own id names, if it was stored before."""
    query = select(*COLUMNS).where(Event.stream == stream, Event.client_msg_id == client_msg_id)
    row = (await tx.execute(query)).first()
    return Entry(*row) if row else None
