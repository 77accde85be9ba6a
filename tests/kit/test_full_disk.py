"""A full SQLite database: what finds no room is told so and not there, and everything goes on when there is."""

import asyncio
import sqlite3

import pytest
from fastapi import FastAPI

from actors import Visitor, code_of
from kefu.kit.db import Database
from kefu.kit.errors import StorageFailed
from routing.scene import ON_ONE
from sessions.records import all_of

LONG = "喂" * 1500


async def bound(db: Database, pages: int) -> None:
    """How large the file may become, for both ways to write; 0: as large as it is now."""

    def set_to(connection: sqlite3.Connection) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages or 1}")  # never less than there are

    await db.group.run(set_to)
    async with db.write() as tx:
        await (await tx.connection()).exec_driver_sql(f"PRAGMA max_page_count = {pages or 1}")


@ON_ONE
async def test_nothing_is_acknowledged_for_which_there_is_no_room(app: FastAPI, visitor: Visitor, db: Database) -> None:
    own: Database = app.state.db
    await bound(own, 0)
    posts = [visitor.posts(LONG, f"m{n}") for n in range(60)]
    answers = await asyncio.gather(*posts)
    told = {(one.status_code, code_of(one) if one.status_code != 201 else "") for one in answers}
    assert told <= {(201, ""), (507, "STORAGE_FAILED")}
    assert (507, "STORAGE_FAILED") in told
    with pytest.raises(StorageFailed):
        async with own.write() as tx:
            await (await tx.connection()).exec_driver_sql(f"CREATE TABLE wide AS SELECT '{LONG}' AS text")
    await bound(own, 2**30)
    assert (await visitor.posts(LONG, "m0")).status_code == 201
    assert (await visitor.posts("There is room again", "last")).status_code == 201
    stored = {one.client_msg_id for one in (await all_of(db, visitor.name))[1] if one.client_msg_id}
    acknowledged = {f"m{n}" for n, one in enumerate(answers) if one.status_code == 201}
    assert {"m0", "last"} | acknowledged == {one for one in stored if not one.startswith(("answer", "draft"))}
