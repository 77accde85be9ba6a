"""The workbench shows a session as it was at any event: its own fold (`replay/states.ts`) is held to the server's.

Both are given `replay/folded.json`: a log with everything that the fold knows, and the row after each of its events.
Delete the file to have another written.
"""

from pathlib import Path
from random import Random
from typing import Any

import orjson
from fastapi import FastAPI

from actors import Agent, Caller, Stage, Visitor, code_of, data_of
from conftest import ON_ONE_DATABASE
from kefu.kit.db import Database
from kefu.kit.errors import KefuError
from kefu.log.log import SYSTEM, VISITOR, Fact
from kefu.sessions import service
from kefu.sessions.fold import CHANGES, fold_all
from kefu.sessions.states import Move
from kefu.shops.service import first_shop
from sessions.records import bring, columns_of, entry_of, log_of, open_session
from sessions.test_fold import ADA, CLAIM, LI, MEI, run

FOLDED = Path(__file__).parents[2] / "web/workbench/src/replay/folded.json"
# What the page shows of a row.
SHOWN = (
    "status",
    "epoch",
    "agent_id",
    "agent_name",
    "assigned_until",
    "episode",
    "nickname",
    "escalation_reason",
    "escalated_at",
    "message_count",
    "ai_fail_count",
    "tags",
    "rating",
    "mail_status",
)
WALK = [
    *[("visitor posts slowly", text, None) for text in ("hello", "在吗？", "I want my money back")] * 2,
    *[("bot answers slowly", answered) for answered in (True, False, False)] * 2,
    ("agent posts", MEI, "On it.", None),
    ("agent posts", LI, "马上处理。", None),
    ("escalate", "keyword", "money back"),
    *[(what, who) for what in ("take over", "release", "close") for who in (MEI, LI)],
    ("tag", "tag_vip"),
    ("tag", "tag_refund"),
    ("untag", "tag_vip"),
    ("rate", 4),
    ("sign", CLAIM),
    ("sign", ADA),
    ("sign", None),
    *[("move", what) for what in (Move.TRANSFER, Move.LOSE_AGENT, Move.RETURN, Move.DEFER)],
]
MEI_HERE = {"id": MEI.id, "name": MEI.name}
# Facts of other parts of Kefu: while somebody waits, and after an address was left.
WAITING = (
    Fact("queue.reminded", SYSTEM, {"minutes": 5}, audience="internal"),
    Fact("session.assigned", SYSTEM, {"agent": MEI_HERE, "until": 1_790_000_000_000}),
    Fact("session.unassigned", SYSTEM, {"agent": MEI_HERE, "reason": "timeout"}),
    Fact("session.assigned", SYSTEM, {"agent": MEI_HERE, "until": 1_790_000_060_000}),
    Fact("visitor.introduced", VISITOR, {"name": "Ada L."}),
    Fact("answer.withheld", SYSTEM, {"content": "No.", "reply_to": 2, "answered": False}, audience="internal"),
    Fact("customer.described", SYSTEM, {"customer": ADA.facts | {"name": "Ada Lovelace"}}),
)
DEFERRED = (
    Fact("mail.failed", SYSTEM, {"purpose": "team", "to": None, "reason": "refused", "detail": ""}),
    Fact("mail.sent", SYSTEM, {"purpose": "team", "to": "team@shop.example"}),
    Fact("session.split_from", SYSTEM, {"source": "s_0", "last": {"role": "user", "text": "hello", "at": 1}}),
    Fact("session.merged_into", SYSTEM, {"into": "s_1"}),
)


async def tell(db: Database, name: str) -> None:
    """A history that nobody would live through, by the commands that write the others."""
    chance = Random(8)  # comes to every move
    async with db.write() as tx:
        await first_shop(tx)
    await open_session(db, name)
    for _ in range(160):
        try:
            await run(db, name, chance.choice(WALK))
        except KefuError:
            continue
    await bring(db, name, *await _to_the_queue(db, name))
    await _record(db, name, WAITING)
    await bring(db, name, Move.DEFER)
    await _record(db, name, DEFERRED)


async def _record(db: Database, name: str, facts: tuple[Fact, ...]) -> None:
    async with db.write() as tx:
        await service.record(tx, await service.locked(tx, name), *facts)


async def _to_the_queue(db: Database, name: str) -> tuple[Move, ...]:
    status = fold_all(name, await log_of(db, name)).status
    here = {"closed": (Move.REOPEN,), "bot_active": (), "pending_manual": (Move.RETURN,)}
    return (*here.get(status, (Move.CLOSE, Move.REOPEN)), Move.ESCALATE)


def states_of(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the fold makes of the first event, of the first two, and so on."""
    log = [entry_of(one) for one in events]
    rows = (columns_of(fold_all("s", log[:n])) for n in range(1, len(log) + 1))
    return [{name: row[name] for name in SHOWN} for row in rows]


@ON_ONE_DATABASE
async def test_the_states_that_the_workbench_is_held_to_are_those_of_the_fold(db: Database) -> None:
    if not FOLDED.exists():
        await tell(db, "s")
        told = [one.shown for one in await log_of(db, "s")]
        lines = [
            "[" + orjson.dumps(event).decode() + ",\n " + orjson.dumps(state).decode() + "]"
            for event, state in zip(told, states_of(told), strict=True)
        ]
        FOLDED.write_text("[" + ",\n".join(lines) + "]\n")
    events, states = zip(*orjson.loads(FOLDED.read_bytes()), strict=True)
    assert states_of(list(events)) == list(states)
    assert {one["type"] for one in events} >= {*CHANGES, *Move}


async def log_at(who: Caller, name: str) -> list[dict[str, Any]]:
    """All that the workbench reads for a replay, page by page."""
    events: list[dict[str, Any]] = []
    while page := data_of(await who.get(f"/api/sessions/{name}/events?after={len(events)}&wait=0"))["events"]:
        events += page
    return events


async def test_who_may_see_the_session_gets_its_whole_log_and_nobody_else(
    app: FastAPI, visitor: Visitor, agent: Agent, stage: Stage
) -> None:
    colleague, inspector = await stage.agent("bob"), await stage.agent("ida", "inspector")
    await agent.takes_over(visitor)
    await visitor.says("hello")
    secret = Fact("mail.sent", SYSTEM, {"purpose": "team", "to": "ada@shop.example"}, audience="internal")
    async with app.state.db.write() as tx:
        await service.record(tx, await service.locked(tx, visitor.name), *[secret] * 520)
    log = [one.shown for one in await log_of(app.state.db, visitor.name)]
    assert await log_at(agent, visitor.name) == log
    assert len(log) > 520
    assert await log_at(inspector, visitor.name) == [
        one | {"to": "***"} if one["type"] == "mail.sent" else one for one in log
    ]
    hidden = await colleague.get(f"/api/sessions/{visitor.name}/events?after=0&wait=0")
    assert (hidden.status_code, code_of(hidden)) == (403, "HIDDEN_SESSION")
    unknown = await inspector.get("/api/sessions/s_nobody/events?after=0&wait=0")
    assert (unknown.status_code, code_of(unknown)) == (404, "SESSION_NOT_FOUND")
