"""What is done is written down with it, in a chain that nobody changes unseen."""

import asyncio
import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.team import TEST_SECRET
from actors import Stage, Visitor, data_of, patiently
from audit.audited import entries, keys_in, verified
from kefu.accounts.audit import Keys, audit, seal_with
from kefu.accounts.models import AuditEntry
from kefu.accounts.verifying import Broken, Head
from kefu.kit.db import Database, before_commit
from kefu.shops.models import Shop
from kefu.shops.service import first_shop

KEYS = Keys(TEST_SECRET)
ROTATED = Keys("the next secret", TEST_SECRET)
COLUMNS = [column.name for column in AuditEntry.__table__.columns]
REST = ", ".join(COLUMNS[1:])
ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
DIES = """
import asyncio, os, sys
from kefu.accounts.audit import Keys, audit, seal_with
from kefu.kit.db import Database, before_commit
from kefu.shops.models import Shop

async def main():
    db = Database(sys.argv[1])
    seal_with(db, lambda: Keys("a secret of the tests"))
    async with db.write() as tx:
        (await tx.get_one(Shop, "default")).color = "#000000"
        audit(tx, "shop.changed", ("shop", "default"))
        async def die(tx):
            os._exit(9)
        before_commit(tx, die)

asyncio.run(main())
"""


def sealed(db: Database) -> Database:
    seal_with(db, lambda: KEYS)
    return db


async def write(db: Database, *actions: str) -> None:
    async with db.write() as tx:
        for action in actions:
            audit(tx, action, ("thing", "one"), after={"said": "你好"})


@ON_POSTGRESQL
async def test_fifty_commands_at_once_stand_in_one_unbroken_chain(stage: Stage, db: Database, tmp_path: Path) -> None:
    team = [await stage.agent(f"agent{n}") for n in range(5)]
    lead = await stage.agent("lead", "supervisor")
    visitors = [await stage.visitor() for _ in range(25)]
    await asyncio.gather(*(lead.get("/api/tags") for _ in range(25)))  # as many connections as there will be
    before = len(await entries(db))

    async def takes_over(n: int, visitor: Visitor) -> httpx2.Response:
        return await patiently(lambda: team[n % 5].acts("takeover", visitor))

    async def makes(n: int) -> httpx2.Response:
        return await patiently(lambda: lead.post("/api/tags", {"name": f"tag {n}", "color": "#10B981"}))

    taken = [takes_over(n, one) for n, one in enumerate(visitors)]
    answers = await asyncio.gather(*taken, *(makes(n) for n in range(25)))
    assert sorted(one.status_code for one in answers) == [200] * 25 + [201] * 25
    found = (await entries(db))[before:]
    assert [one.seq for one in found] == list(range(before + 1, before + 51))
    by_id = {one.id: one for one in team}
    taken_over = [one for one in found if one.action == "session.taken_over"]
    assert {one.object_id for one in taken_over} == {one.name for one in visitors}
    assert all(by_id[one.actor_id].name == one.actor_name for one in taken_over)
    assert (await verified(db, keys_in(tmp_path))).seq == before + 50


@ON_POSTGRESQL
async def test_of_changes_at_once_each_tells_what_the_one_before_it_left(stage: Stage, db: Database) -> None:
    lead = await stage.agent("lead", "supervisor")
    data_of(await lead.put("/api/tags/tag_vip", {"color": "#000000"}))
    reply = data_of(await lead.post("/api/quick-replies", {"title": "t", "content": "c", "is_shared": True}), 201)
    changes = [
        change
        for n in range(8)
        for change in (
            lead.put("/api/tags/tag_vip", {"color": f"#00000{n + 1}"}),
            lead.put(f"/api/quick-replies/{reply['id']}", {"title": f"t{n}"}),
            lead.put("/api/shops/default/routing", {"mode": "manual", "accept_seconds": 100 + n}),
        )
    ]
    assert {one.status_code for one in await asyncio.gather(*changes)} == {200}
    for action in ("tag.changed", "quick_reply.changed", "shop.routing_changed"):
        found = await entries(db, action)
        assert [one.before for one in found[1:]] == [one.after for one in found[:-1]], action


async def test_the_first_entries_written_at_once_begin_one_chain(db: Database) -> None:
    sealed(db)
    await asyncio.gather(*(write(db, f"thing.{n}", "thing.again") for n in range(12)))
    assert [one.seq for one in await entries(db)] == list(range(1, 25))
    assert (await verified(db, KEYS)).seq == 24


async def test_an_entry_says_who_did_what_from_where(stage: Stage, db: Database) -> None:
    lead = await stage.agent("lead", "supervisor")
    visitor = await stage.visitor()
    answer = await lead.post(
        f"/api/sessions/{visitor.name}/takeover", **{"User-Agent": "Desk" * 100, "X-Request-ID": "request-12345"}
    )
    data_of(answer)
    (entry,) = await entries(db, "session.taken_over")
    assert (entry.actor_id, entry.actor_name, entry.actor_role) == (lead.id, lead.name, "supervisor")
    assert (entry.object_type, entry.object_id) == ("session", visitor.name)
    assert (entry.address, entry.user_agent, entry.request_id) == ("127.0.0.1", "Desk" * 75, "request-12345")
    assert entry.before is None
    after = json.loads(entry.after or "")
    assert (after["from"], after["to"], after["agent"]["id"]) == ("bot_active", "manual_live", lead.id)


async def test_of_a_change_only_what_differs_is_kept_and_no_change_is_no_entry(db: Database) -> None:
    sealed(db)
    async with db.write() as tx:
        audit(tx, "changed", ("thing", "1"), {"a": 1, "b": "x"}, {"a": 2, "b": "x"})
        audit(tx, "same", ("thing", "1"), {"a": 1}, {"a": 1})
        audit(tx, "made", ("thing", "1"), after={"api": {"keys": [1], "secrets": ["hunter-22"]}, "long": "好" * 5000})
    changed, made = await entries(db)
    assert (changed.before, changed.after) == ('{"a":1}', '{"a":2}')
    assert (changed.actor_role, changed.address) == ("system", "")
    assert json.loads(made.after or "") == {
        "api": {"keys": [1], "secrets": ["***"]},
        "long": "好" * 2000 + "… (5000)",
    }


async def color_of(db: Database) -> str:
    async with db.read() as tx:
        return (await tx.scalars(select(Shop.color))).one()


async def test_what_is_undone_is_not_written_and_what_cannot_be_written_is_undone(db: Database) -> None:
    sealed(db)
    async with db.write() as tx:
        await first_shop(tx)
    before = await color_of(db)

    async def fail(tx: AsyncSession) -> None:
        assert await tx.scalar(text("SELECT count(*) FROM audit_entries")) == 1
        raise ZeroDivisionError

    async def change() -> None:
        async with db.write() as tx:
            (await tx.get_one(Shop, "default")).color = "#000000"
            audit(tx, "shop.changed", ("shop", "default"))
            before_commit(tx, fail)

    with pytest.raises(ZeroDivisionError):
        await change()
    assert (await color_of(db), await entries(db)) == (before, [])


@ON_POSTGRESQL
async def test_a_process_killed_before_the_commit_leaves_neither_change_nor_entry(db: Database) -> None:
    async with db.write() as tx:
        await first_shop(tx)
    before = await color_of(db)
    died = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", DIES, db.url], timeout=60, check=False)
    assert died.returncode == 9
    assert (await color_of(db), await entries(db)) == (before, [])
    await write(sealed(db), "next")
    assert [one.seq for one in await entries(db)] == [1]


@pytest.mark.parametrize(
    "verb", ["UPDATE audit_entries SET action = 'x'", "DELETE FROM audit_entries", "DELETE FROM audit_head"]
)
async def test_the_database_itself_refuses_to_change_the_log(db: Database, verb: str) -> None:
    await write(sealed(db), "one")
    with pytest.raises(DBAPIError, match="only ever added to"):
        async with db.write() as tx:
            await tx.execute(text(verb))
    assert (await verified(db, KEYS)).seq == 1


@ON_POSTGRESQL
async def test_nor_can_it_be_emptied_at_once(db: Database) -> None:
    await write(sealed(db), "one")
    with pytest.raises(DBAPIError, match="only ever added to"):
        async with db.write() as tx:
            await tx.execute(text("TRUNCATE audit_entries"))


@ON_POSTGRESQL
@pytest.mark.parametrize(
    ("mutation", "seq"),
    [
        ("UPDATE audit_entries SET actor_name = 'Nobody' WHERE seq = 3", 3),
        ("DELETE FROM audit_entries WHERE seq = 3", 3),
        ("DELETE FROM audit_entries WHERE seq = 6", 6),
        (f"INSERT INTO audit_entries SELECT 7, {REST} FROM audit_entries WHERE seq = 6", 7),  # noqa: S608 - own names
        ("DELETE FROM audit_head", 6),
    ],
)
async def test_what_a_superuser_changes_in_postgresql_is_found(db: Database, mutation: str, seq: int) -> None:
    await write(sealed(db), "a", "b", "c", "d", "e", "f")
    async with db.write() as tx:
        await tx.execute(text("SET LOCAL session_replication_role = replica"))
        await tx.execute(text(mutation))
    with pytest.raises(Broken) as broken:
        await verified(db, KEYS)
    assert broken.value.seq == seq


COUNT = 6
ROWS = st.integers(1, COUNT)
VALUES = st.one_of(st.none(), st.integers(-5, 2**40), st.text(max_size=12))
MUTATIONS = st.one_of(
    st.tuples(st.just("edit"), ROWS, st.sampled_from(COLUMNS), VALUES),
    st.tuples(st.just("delete"), ROWS),
    st.tuples(st.just("insert"), ROWS, st.integers(-3, COUNT + 3)),
    st.tuples(st.just("swap"), ROWS, ROWS),
    st.tuples(st.just("head"), st.sampled_from(["seq", "hash"]), VALUES),
    st.tuples(st.just("cut"), ROWS),
    st.just(("no head",)),
)


def mutate(file: sqlite3.Connection, what: str, *how: object) -> None:
    """As somebody does who may do everything in the database."""
    if what == "edit":
        file.execute(f'UPDATE audit_entries SET "{how[1]}" = ? WHERE seq = ?', (how[2], how[0]))  # noqa: S608 - own names
    elif what == "delete":
        file.execute("DELETE FROM audit_entries WHERE seq = ?", how)
    elif what == "insert":
        file.execute(f"INSERT INTO audit_entries SELECT ?, {REST} FROM audit_entries WHERE seq = ?", (how[1], how[0]))  # noqa: S608 - own names
    elif what == "swap":
        for seq, to in ((how[0], -1), (how[1], how[0]), (-1, how[1])):
            file.execute("UPDATE audit_entries SET seq = ? WHERE seq = ?", (to, seq))
    elif what == "head":
        file.execute(f"UPDATE audit_head SET {how[0]} = ?", how[1:])  # noqa: S608 - own names
    elif what == "cut":
        file.execute("DELETE FROM audit_entries WHERE seq >= ?", how)
    else:
        file.execute("DELETE FROM audit_head")


def table(file: sqlite3.Connection) -> list[object]:
    return [file.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall() for name in ("audit_entries", "audit_head")]  # noqa: S608 - own names


async def six_entries(file: Path) -> None:
    """Sealed with two keys; nothing in the file keeps them from being changed."""
    db = sealed(Database(f"sqlite:///{file}"))
    await write(db, *"abcd")
    seal_with(db, lambda: ROTATED)
    await write(db, *"ef")
    async with db.write() as tx:
        for name in (await tx.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))).scalars().all():
            await tx.execute(text(f"DROP TRIGGER {name}"))
    assert (await verified(db, ROTATED)).seq == COUNT
    await db.close()


async def check(file: Path) -> None:
    db = Database(f"sqlite:///{file}")
    try:
        await verified(db, ROTATED)
    finally:
        await db.close()


def is_changed(path: Path, mutation: tuple[object, ...]) -> bool:
    """Whether it could be done, and is another log."""
    file = sqlite3.connect(path)
    try:
        before = table(file)
        mutate(file, *mutation)  # type: ignore[arg-type]  # the first is its name
        file.commit()
        return table(file) != before
    except sqlite3.IntegrityError:
        return False
    finally:
        file.close()


def test_any_one_change_of_the_tables_is_found(sqlite_template: Path, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.db", tmp_path / "bad.db"
    shutil.copyfile(sqlite_template, good)
    with asyncio.Runner() as loop:
        loop.run(six_entries(good))

        @settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(MUTATIONS)
        def find(mutation: tuple[object, ...]) -> None:
            shutil.copyfile(good, bad)
            if is_changed(bad, mutation):
                with pytest.raises(Broken):
                    loop.run(check(bad))

        find()


async def test_a_head_that_was_written_down_finds_what_was_taken_away_together_with_the_head(db: Database) -> None:
    await write(sealed(db), "a", "b", "c")
    known = await verified(db, KEYS)
    assert await verified(db, KEYS, known) == known
    await write(db, "d")
    assert (await verified(db, KEYS, known)).seq == 4
    with pytest.raises(Broken) as broken:
        await verified(db, KEYS, Head(5, "0" * 64))
    assert broken.value.seq == 5
    with pytest.raises(Broken) as broken:
        await verified(db, KEYS, Head(2, "0" * 64))
    assert broken.value.seq == 2


async def test_after_a_rotation_of_the_secret_the_old_one_is_still_needed(db: Database) -> None:
    await write(sealed(db), "a", "b")
    seal_with(db, lambda: Keys("the next secret"))
    await write(db, "c")
    assert (await verified(db, ROTATED)).seq == 3
    with pytest.raises(Broken, match="JWT_SECRET_KEYS_OLD"):
        await verified(db, Keys("the next secret"))
