"""`python -m bench.backtest`: how long a back-test takes over 10,000 conversations of 12 messages, on SQLite.

Exit code 1 when it takes a minute or more.
"""

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import insert

from bench.stock import sentences
from kefu.accounts.audit import keys_of, seal_with
from kefu.jobs.queue import take
from kefu.kit.clock import now_ms
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.kit.sealed import sealing_of
from kefu.log.models import Event
from kefu.ops.migrate import upgrade
from kefu.sessions.models import Session
from kefu.shops.hours import default_hours
from kefu.shops.service import first_shop
from kefu.supervision import backtest
from kefu.supervision.versions import Author

SESSIONS, QUESTIONS = 10_000, 6
MINUTE = 60_000
LONGEST_SECONDS = 60
ASKING = ("转人工", "I want to talk to a human", "你们客服呢", "this is terrible, I will complain")


def log_of(name: str, start: int, pool: list[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    """A visitor who asks, and a bot that answers most of it; one in ten ends with a person."""
    opened = {"shop": "default", "locale": "zh", "conversation_id": "c", "visitor_id": "v", "nickname": "n"}
    facts: list[tuple[str, dict[str, Any]]] = [("session.opened", opened)]
    for _ in range(QUESTIONS):
        said = random.choice(ASKING) if random.random() < 0.03 else random.choice(pool)[0]
        facts.append(("message.posted", {"role": "user", "content": said}))
        seq, is_known = len(facts), random.random() < 0.8
        answer = {"role": "assistant", "content": random.choice(pool)[0], "reply_to": seq, "answered": is_known}
        passages = [{"score": random.random(), "text": random.choice(pool)[0]} for _ in range(3)]
        facts.append(("message.posted", answer))
        facts.append(("answer.evidenced", {"reply_to": seq, "cost": 0.0, "passages": passages, "answered": is_known}))
    if random.random() < 0.1:
        moved = {"from": "bot_active", "to": "pending_manual", "epoch": 0}
        facts.append(("session.escalated", moved | {"reason": "manual", "details": "", "severity": "high"}))
    for seq, (type_, payload) in enumerate(facts, 1):
        yield {
            "stream": f"session/{name}",
            "seq": seq,
            "type": type_,
            "audience": "public",
            "actor": '{"kind":"visitor"}',
            "payload": orjson.dumps(payload).decode(),
            "at": start + seq * MINUTE // 2,
        }


async def fill(db: Database) -> None:
    random.seed(20261127)
    pool, now = sentences(), now_ms()
    async with db.write() as tx:
        await first_shop(tx)
        for first in range(0, SESSIONS, 1000):
            sessions, events = list[dict[str, Any]](), list[dict[str, Any]]()
            for n in range(first, first + 1000):
                name, start = f"s_{n:020x}", now - (SESSIONS - n) * MINUTE
                sessions.append(
                    {"name": name, "shop": "default", "locale": "zh", "conversation_id": "c", "seq": 0}
                    | {"created_at": start, "updated_at": start}
                )
                events += log_of(name, start, pool)
            await tx.execute(insert(Session), sessions)
            await tx.execute(insert(Event), events)


async def run(folder: Path) -> float:
    settings = Settings(data_dir=folder, database_url=f"sqlite:///{folder / 'kefu.db'}")
    db = Database(settings.database)
    seal_with(db, keys_of(settings))
    db.seal_with(sealing_of(settings))
    await upgrade(db)
    await fill(db)
    wanted = backtest.Wanted(None, None, None, 0, now_ms() + MINUTE, 30)
    async with db.write() as tx:
        row = await backtest.start(tx, wanted, Author("bench", "Bench"))
    [job] = [one for one in await take(db, "bulk", "bench", 50) if one.kind == backtest.RunBacktest.kind]
    started = time.perf_counter()
    await backtest.run_backtest(db, default_hours(settings), job)
    took = time.perf_counter() - started
    async with db.read() as tx:
        row = await backtest.find_backtest(tx, row.id)
    await db.close()
    found = row.found["candidate"]
    counts = ", ".join(f"{found[name]} {name}" for name in ("fired", "caught", "missed", "false_alarms", "unreadable"))
    print(f"{row.looked_at} conversations in {took:.1f} s, two versions beside each other: {counts}")
    return took


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        sys.exit(asyncio.run(run(Path(scratch))) >= LONGEST_SECONDS)
