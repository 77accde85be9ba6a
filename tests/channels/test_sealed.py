"""How to reach a visitor is nowhere in the database in the clear, and everywhere right for who may see it."""

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import text

from actors import Agent, Caller, Stage, Visitor, code_of, data_of, patiently
from channels.post_office import PostOffice
from channels.test_after_hours import mailed
from faults.waiting import until
from jobs.work import let_pauses_pass, rows
from kefu.kit.db import Database
from kefu.kit.sealed import UNREADABLE
from kefu.kit.secrets import Sealer
from kefu.ops import sealing
from kefu.ops.sealing import Tally, reseal
from kefu.sessions.fold import fold_all
from kefu.tables import Table
from sessions.records import all_of, columns_of, row_of
from shops.signing import hashed, secure, signed

ADA = {"email": "ada.canary@one.example", "phone": "+44 20 7946 0011"}
LIN = {"email": "lin.canary@two.example", "phone": "+86 138 1234 0022"}
BOB = {"email": "bob.canary@three.example", "phone": "+1 555 0100 0033"}
NUMBER = "eve.canary@four.example"  # what a shop takes for a number
LETTER = "dora.canary@five.example"
SECRETS = [*ADA.values(), *LIN.values(), *BOB.values(), NUMBER, LETTER]
LETTERS = {"email": LETTER, "message": "please write", "client_msg_id": "l1"}


async def everything(db: Database) -> str:
    """What stands in the database: every row of every table as text, and of SQLite every byte of its files."""
    if db.is_sqlite:
        files = sorted(Path(db.path).parent.glob(f"{Path(db.path).name}*"))
        assert files
        return "".join(file.read_bytes().decode("latin-1") for file in files)
    async with db.read() as tx:
        names = await tx.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        found = [await tx.scalars(text(f'SELECT t::text FROM "{name}" AS t')) for name in names.all()]  # noqa: S608 - names of tables
        return "\n".join(line for lines in found for line in lines)


async def in_the_clear(db: Database) -> list[str]:
    dump = await everything(db)
    assert "gAAAA" in dump
    return [one for one in SECRETS if one in dump]


async def become(stage: Stage, **proof: Any) -> Visitor:
    visitor = await stage.visitor()
    found = data_of(await visitor.post("/api/visitor/identify", proof))
    visitor.token = found["visitor_token"]
    return visitor


async def rotated(db: Database) -> Tally:
    tally = Tally()
    assert [one async for one in reseal(db, Table.metadata, tally)]
    return tally


async def stopped_halfway(db: Database) -> None:
    async for where, _ in reseal(db, Table.metadata, Tally()):
        if where.startswith("sessions."):
            return


async def counted(db: Database) -> Tally:
    tally = Tally()
    assert [one async for one in reseal(db, Table.metadata, tally, changes=False)]
    return tally


@pytest.fixture
async def lead(stage: Stage) -> Agent:
    return await stage.agent("lead", "super_admin")


@pytest.fixture
async def secret(lead: Agent) -> str:
    """The shop's, which takes unproven customers too."""
    return await secure(lead, "report")


@pytest.fixture
async def customers(stage: Stage, secret: str) -> dict[str, Visitor]:
    """One by a token, one by a hash, one who only says so, and one whose number is an address."""
    ada = await become(stage, token=signed(secret, "ada", **ADA))
    await ada.says("hello")
    data_of(await ada.post("/api/visitor/identify", {"token": signed(secret, "ada", name="Ada", **ADA)}))
    return {
        "ada": ada,
        "lin": await become(stage, identifier="lin", identifier_hash=hashed(secret, "lin"), **LIN),
        "bob": await become(stage, identifier="bob", **BOB),
        "eve": await become(stage, token=signed(secret, NUMBER)),
    }


@pytest.fixture
async def letter(closed: None, visitor: Visitor, lead: Agent, db: Database, office: PostOffice) -> Visitor:
    """Left out of hours, told the team and answered; the first answer was put off, the second refused for good."""
    assert closed is None
    data_of(await visitor.post(f"/api/sessions/{visitor.name}/email", LETTERS))
    await mailed(db, visitor.name)
    await lead.takes_over(visitor)
    busy, gone = f"450 4.2.1 <{LETTER}> is busy", f"550 5.1.1 <{LETTER}> is unknown"
    office.replies = {LETTER: [busy, gone]}
    data_of(await lead.acts("mail-reply", visitor, {"content": "hello", "client_msg_id": "r1"}))

    async def put_off() -> bool:
        return any("***" in (job.last_error or "") for job in await rows(db))

    await until(put_off, 20)
    assert not [job for job in await rows(db) if LETTER in (job.last_error or "")]
    await let_pauses_pass(db)
    await mailed(db, visitor.name, 2)
    data_of(await lead.acts("mail-reply", visitor, {"content": "again", "client_msg_id": "r2"}))
    await mailed(db, visitor.name, 3)
    return visitor


async def asks_all(caller: Caller, *names: str) -> str:
    """What the caller is told in every way there is."""
    paths = ["/api/sessions", "/api/events?limit=500", "/api/search/messages?q=hello", "/api/audit?limit=100"]
    paths += [f"/api/sessions/{name}{what}" for name in names for what in ("", "/history", "/events?wait=0")]
    paths += [f"/api/sessions/{name}/transcript?format={kind}" for name in names for kind in ("txt", "json")]
    answers = [await caller.get(path) for path in paths]
    statuses = {one.status_code for one in answers}
    assert statuses == {200} or not isinstance(caller, Agent) or caller.name != "Lead", statuses
    streams = [await caller.follows(name) for name in names]
    for one in streams:
        await one.sees("stream.ready")
    return "\n".join([*(one.text for one in answers), *(str(one.frames) for one in streams)])


async def test_contacts_are_sealed_wherever_they_came_from_and_right_for_who_may_see_them(
    customers: dict[str, Visitor], letter: Visitor, lead: Agent, stage: Stage, db: Database, office: PostOffice
) -> None:
    assert await in_the_clear(db) == []
    assert hashlib.sha256(f"default/{NUMBER}".encode()).hexdigest()[:30] not in await everything(db), (
        "a guess is no help"
    )
    for name, given in (("ada", ADA), ("lin", LIN), ("bob", BOB), ("eve", {})):
        shown = (await lead.reads(customers[name]))["customer"]
        assert (shown["id"], shown["email"], shown["phone"]) == (
            NUMBER if name == "eve" else name,
            given.get("email"),
            given.get("phone"),
        )
    assert (await lead.reads(letter))["email"] == (await letter.reads())["email"] == LETTER
    assert [(to, mail["Reply-To"]) for to, mail in office.mails] == [("desk@shop.example", LETTER), (LETTER, None)]
    names = [one.name for one in (*customers.values(), letter)]
    told = await asks_all(lead, *names)
    assert [one for one in SECRETS if one not in told] == []
    assert "gAAAA" not in told
    assert "gAAAA" not in await asks_all(letter, letter.name)
    inspector = await stage.agent("inspector", "inspector")
    told = await asks_all(inspector, *names)
    assert [one for one in SECRETS if one in told] == [NUMBER], "as a customer's number, not as an address"
    for name in names:
        row, log = await all_of(db, name)
        assert columns_of(fold_all(name, log)) == row


async def test_a_lost_key_costs_only_what_it_sealed(
    app: FastAPI, customers: dict[str, Visitor], letter: Visitor, lead: Agent, secret: str, stage: Stage
) -> None:
    app.state.db.seal_with(lambda: Sealer(["another key"]))
    assert len(data_of(await lead.get("/api/sessions"))["sessions"]) == 5
    shown = (await lead.reads(customers["ada"]))["customer"]
    assert (shown["id"], shown["email"], shown["phone"], shown["name"]) == (UNREADABLE, UNREADABLE, UNREADABLE, "Ada")
    assert (await lead.reads(letter))["email"] == UNREADABLE
    assert "gAAAA" not in await asks_all(lead, letter.name, customers["ada"].name)
    reply = {"content": "hello", "client_msg_id": "r3"}
    assert code_of(await lead.acts("mail-reply", letter, reply)) == "EMAIL_UNREADABLE"
    assert await customers["ada"].says("still here") > 0
    new = await stage.visitor()
    data_of(await new.post(f"/api/sessions/{new.name}/email", LETTERS | {"client_msg_id": "l2"}))
    assert (await lead.reads(new))["email"] == LETTER
    tally = await counted(app.state.db)
    # Of four customers id, e-mail and phone as far as they have them, twice of Ada, whose name came later.
    assert (tally.is_done, tally.plain, tally.unreadable) == (
        False,
        0,
        {
            "sessions.customer": 10,
            "events.payload": 13 + 5,
            "sessions.email": 1,
            "shop_secrets.sealed": 1,
            "shops.index_key": 1,
        },
    )
    assert "sessions.email open with none of these keys" in tally.told(["FIELD_KEYS, number 1"])
    again = await stage.http.post("/api/visitor/identify", json={"token": signed(secret, "ada")})
    assert (again.status_code, code_of(again)) == (503, "CUSTOMERS_UNKNOWN")
    app.state.sealer = app.state.db.sealing()
    anew = signed(await secure(lead), "ada")
    assert (await lead.reads(await become(stage, token=anew)))["customer"]["verified_by"] == "token"


@pytest.fixture
async def plain(customers: dict[str, Visitor], db: Database) -> str:
    """A customer as they stood in the database before anything was sealed: the name of the session."""
    name = customers["ada"].name
    customer = '{"id": "ada", "name": "Ada", "email": "%s", "phone": "%s", "verified_by": "token", "doubt": null}'
    customer %= (ADA["email"], ADA["phone"])
    payload = f'{{"customer":{customer},"visitor_id":"v","identity_epoch":1}}'
    async with db.write() as tx:
        as_json = ":customer" if db.is_sqlite else "CAST(:customer AS json)"
        row = f"UPDATE sessions SET customer = {as_json}, email = :email WHERE name = :name"  # noqa: S608 - constants
        await tx.execute(text(row), {"customer": customer, "email": LETTER, "name": name})
        event = "UPDATE events SET payload = :payload WHERE stream = :stream AND type = 'session.identified'"
        await tx.execute(text(event), {"payload": payload, "stream": f"session/{name}"})
    return name


async def test_what_was_plain_reads_as_it_stands_until_it_is_sealed(plain: str, lead: Agent, db: Database) -> None:
    row = await row_of(db, plain)
    assert (row["email"], row["customer"]["phone"]) == (LETTER, ADA["phone"])
    assert (await counted(db)).plain == 7  # three and one of the row, three of the event
    assert set(await in_the_clear(db)) == {LETTER, *ADA.values()}
    assert (await rotated(db)).is_done
    now = await row_of(db, plain)
    assert (now["email"], now["customer"]) == (row["email"], row["customer"])
    assert await in_the_clear(db) == []
    assert (await counted(db)).is_done
    assert "gAAAA" not in await asks_all(lead, plain)


@pytest.mark.usefixtures("closed")
async def test_keys_are_changed_while_people_write_and_nothing_is_lost(
    app: FastAPI,
    customers: dict[str, Visitor],
    secret: str,
    lead: Agent,
    db: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sealing, "PAGE", 3)
    stage = lead.stage
    app.state.db.seal_with(lambda: Sealer(["the new key", *app.state.settings.signing_keys()]))
    db.seal_with(app.state.db.sealing)
    visitors = [await stage.visitor() for _ in range(12)]

    async def leaves(number: int, visitor: Visitor) -> None:
        given = {"email": f"v{number}@five.example", "message": "", "client_msg_id": "l"}
        data_of(await patiently(lambda: visitor.posts(f"question {number}", "q")), 201)
        data_of(await patiently(lambda: visitor.post(f"/api/sessions/{visitor.name}/email", given)))
        data_of(await patiently(lambda: visitor.posts("and more", "m")), 201)

    writing = [leaves(number, visitor) for number, visitor in enumerate(visitors)]
    await asyncio.gather(stopped_halfway(db), rotated(db), rotated(db), *writing)
    assert (await rotated(db)).is_done
    db.seal_with(lambda: Sealer(["the new key"]))
    app.state.db.seal_with(db.sealing)
    app.state.sealer = db.sealing()
    tally = await counted(db)
    assert (tally.is_done, set(tally.by_key)) == (True, {0})
    for number, visitor in enumerate(visitors):
        row, log = await all_of(db, visitor.name)
        assert (row["email"], columns_of(fold_all(visitor.name, log))) == (f"v{number}@five.example", row)
        assert [one.seq for one in log] == [*range(1, row["seq"] + 1)]
    assert (await lead.reads(customers["lin"]))["customer"]["phone"] == LIN["phone"]
    found = data_of(await stage.http.post("/api/visitor/identify", json={"token": signed(secret, "ada")}))
    assert found["session_name"] == customers["ada"].name, "a customer is found again, whatever key seals"
