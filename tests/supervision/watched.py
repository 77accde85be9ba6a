"""A bot that answers as its question says, and a team that publishes policies."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from typing import Any

from actors import Agent, data_of
from kefu.answering.ports import Answer, Delta, EvidencePassage, Turn
from kefu.answering.scripted import ScriptedAnswerer
from kefu.kit.db import Database
from kefu.log.log import Entry, read
from kefu.sessions.models import stream_of

PATIENCE = 20.0
WEAK = EvidencePassage("p1", "a1", 1, "Range", "0" * 64, "Sixty kilometres.", 0.3)


class ToldAnswerer:
    """`fail`: finds nothing. `weak`: has a passage of a low score. `dear`: costs a dollar. Else it knows."""

    async def answer(self, turn: Turn) -> AsyncGenerator[Delta | Answer]:
        asked = turn.question
        text = "Nothing found." if "fail" in asked else "I am sorry, but yes." if "sorry" in asked else "Yes, it is."
        async for piece in ScriptedAnswerer(text, pause=0).answer(turn):
            if isinstance(piece, Delta):
                yield piece
                continue
            answered, passages = "fail" not in asked, (WEAK,) if "weak" in asked else ()
            cost = 1.0 if "dear" in asked else 0.0
            evidence = replace(piece.evidence, answered=answered, passages=passages, cost=cost)
            yield replace(piece, answered=answered, evidence=evidence)


def policy(id_: str, rule: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": f"pol_{id_}", "name": {"en": id_, "zh": id_}, "rule": rule, "severity": "medium"} | more


def keyword(id_: str, *words: str, **more: Any) -> dict[str, Any]:
    return policy(id_, {"kind": "keyword", "words": [*words]}, **more)


async def publishes(who: Agent, policies: Sequence[dict[str, Any]], note: str = "") -> int:
    """The number of the version."""
    draft = data_of(await who.get("/api/policies"))
    draft = data_of(await who.put("/api/policies", {"policies": [*policies], "revision": draft["revision"]}))
    wish = {"revision": draft["revision"], "note": note}
    number: int = data_of(await who.post("/api/policies/publish", wish), 201)["version"]
    return number


async def log_of(db: Database, name: str) -> list[Entry]:
    async with db.read() as tx:
        return await read(tx, stream_of(name), public_only=False, limit=100_000)


async def settled(db: Database, name: str) -> list[Entry]:
    """The log, once the bot has nothing more to do, and whoever takes over has their packet."""
    deadline = time.monotonic() + PATIENCE
    while True:
        jobs = await db.fetch(
            "SELECT id FROM jobs WHERE kind IN ('answer_visitor', 'write_packet') AND payload LIKE $1", f'%"{name}"%'
        )
        if not jobs:
            return await log_of(db, name)
        assert time.monotonic() < deadline, "the bot never came to an end"
        await asyncio.sleep(0.02)


def decisions(log: Sequence[Entry]) -> list[tuple[str, int, str, str]]:
    """Policy, message, point and effect of each hit, in the order of the log."""
    hits = (one.facts for one in log if one.type == "policy.decided")
    return [(one["policy"].removeprefix("pol_"), one["about"], one["point"], one["effect"]) for one in hits]


def types(log: Sequence[Entry]) -> list[str]:
    return [one.type for one in log]


def answers(log: Sequence[Entry]) -> list[str]:
    said = (one.facts for one in log if one.type == "message.posted")
    return [one["content"] for one in said if one["role"] == "assistant"]
