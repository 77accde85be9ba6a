"""What is written about a session, and how to bring one into any state."""

from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import select, text

from faults.waiting import until
from kefu.kit.db import Database, is_sqlite
from kefu.log.log import SYSTEM, Entry, Fact, read
from kefu.sessions import service
from kefu.sessions.models import Session, stream_of
from kefu.sessions.states import Move, Status

COLUMNS = [column.name for column in Session.__table__.columns]
FACTS: dict[Move, dict[str, object]] = {
    Move.ESCALATE: {"reason": "manual", "details": "", "severity": "high"},
    Move.TAKE_OVER: {"agent": {"id": "agent_1", "name": "Mei"}},
    Move.TRANSFER: {"agent": {"id": "agent_2", "name": "Bo"}},
}
WAY_TO: dict[Status, tuple[Move, ...]] = {
    Status.BOT_ACTIVE: (),
    Status.PENDING_MANUAL: (Move.ESCALATE,),
    Status.MANUAL_LIVE: (Move.TAKE_OVER,),
    Status.AFTER_HOURS_EMAIL: (Move.DEFER,),
    Status.CLOSED: (Move.CLOSE,),
}


def facts_of(what: Move) -> dict[str, object]:
    return FACTS.get(what, {"reason": "test"})


def fact(session: Session, what: Move) -> Fact:
    return service.moved(session, what, SYSTEM, **facts_of(what))


async def open_session(db: Database, name: str) -> None:
    async with db.write() as tx:
        await service.open_session(tx, service.Opening(name, "default", "en"))


async def bring(db: Database, name: str, *moves: Move) -> None:
    for what in moves:
        async with db.write() as tx:
            session = await service.locked(tx, name)
            await service.record(tx, session, fact(session, what))


async def bring_to(db: Database, name: str, status: Status) -> None:
    """From where the bot is active."""
    await bring(db, name, *WAY_TO[status])


def columns_of(session: Session) -> dict[str, Any]:
    return {name: getattr(session, name) for name in COLUMNS}


async def row_of(db: Database, name: str) -> dict[str, Any]:
    """Every column of the session's row."""
    async with db.read() as tx:
        return columns_of((await tx.execute(select(Session).where(Session.name == name))).scalar_one())


async def log_of(db: Database, name: str) -> list[Entry]:
    async with db.read() as tx:
        return await read(tx, stream_of(name), public_only=False, limit=100_000)


def entry_of(shown: dict[str, Any]) -> Entry:
    """An event as it left Kefu, as the log had it."""
    own = {"seq", "type", "at", "actor", "client_msg_id"}
    facts = orjson.dumps({key: value for key, value in shown.items() if key not in own}).decode()
    at = round(datetime.fromisoformat(shown["at"]).timestamp() * 1000)
    actor = orjson.dumps(shown["actor"]).decode()
    return Entry("session/s", shown["seq"], shown["type"], "public", actor, facts, shown.get("client_msg_id"), at)


async def has_packet(db: Database, name: str) -> None:
    async def is_there() -> bool:
        return any(one.type == "handoff.packet" for one in await log_of(db, name))

    await until(is_there, 30)


async def moves_of(db: Database, name: str) -> list[Entry]:
    """The log without the packet for whoever takes over, which comes whenever it is ready."""
    return [one for one in await log_of(db, name) if one.type != "handoff.packet"]


async def all_of(db: Database, name: str) -> tuple[dict[str, Any], list[Entry]]:
    """Both of one moment."""
    async with db.read() as tx:
        if not is_sqlite(tx):
            await tx.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        row = columns_of((await tx.execute(select(Session).where(Session.name == name))).scalar_one())
        return row, await read(tx, stream_of(name), public_only=False, limit=100_000)
