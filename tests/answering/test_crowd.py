"""Many ask at once: the bot's turns wait for each other, and whoever else comes finds the database free."""

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI

from actors import Stage
from kefu.kit.db import Database
from kefu.knowledge.service import Content, put_published
from kefu.log.log import Entry

CROWD, PATIENCE = 24, 60.0
HATS = Content("en", "Hats", "Hats come in blue.", "hats", questions=["Which colours do hats have?"])


@pytest.fixture
def answerer() -> None:
    """None in the place of the bot that the settings name, which looks things up."""


async def test_a_crowd_is_answered_and_leaves_connections_free(app: FastAPI, stage: Stage, db: Database) -> None:
    async with db.write() as tx:
        await put_published(tx, "default", [HATS])
    visitors = [await stage.visitor() for _ in range(CROWD)]
    answers: dict[str, list[str]] = {}

    def hear(entries: list[Entry]) -> None:
        for one in entries:
            if one.type == "message.posted" and one.facts["role"] == "assistant":
                answers.setdefault(one.stream, []).append(one.facts["content"])

    own: Database = app.state.db
    pool: Any = own._reader.pool  # noqa: SLF001 - what is free is seen nowhere else
    own.signals.listen("log", hear)
    posting = asyncio.gather(*(one.says("Which colours do hats have?") for one in visitors))
    most = 0
    async with asyncio.timeout(PATIENCE):
        while len(answers) < CROWD:
            most = max(most, pool.checkedout())
            await asyncio.sleep(0)
        await posting
    assert all(said == [HATS.body] for said in answers.values())
    assert most < pool.size()
