"""The log: an event is written once, read in order, and looks the same to everybody."""

from collections.abc import Sequence

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from kefu.kit.db import Database
from kefu.log.log import (
    BOT,
    SYSTEM,
    VISITOR,
    Actor,
    Audience,
    Entry,
    Fact,
    append,
    entry,
    find_client_message,
    read,
    read_last,
)

AT = 1_795_176_000_123


def facts(count: int) -> list[Entry]:
    """Every third one is internal; every second one has its sender's id."""
    kinds = ("note", "message", "message")
    return [
        entry("session/s", seq, Fact(kinds[seq % 3], VISITOR, {"n": seq}, audience(seq), own_id(seq)), AT + seq)
        for seq in range(1, count + 1)
    ]


def audience(seq: int) -> Audience:
    return "internal" if seq % 3 == 0 else "public"


def own_id(seq: int) -> str | None:
    return f"m-{seq}" if seq % 2 else None


async def write(db: Database, entries: Sequence[Entry]) -> None:
    async with db.write() as tx:
        await append(tx, entries)


async def test_what_is_written_is_read_again_from_any_place(db: Database) -> None:
    written = facts(20)
    await write(db, written[:12])
    await write(db, written[12:])
    async with db.read() as tx:
        assert await read(tx, "session/s", public_only=False) == written
        assert await read(tx, "session/s", 15, public_only=False) == written[15:]
        assert await read(tx, "session/s", 3, public_only=False, limit=2) == written[3:5]
        assert await read(tx, "session/s", 20, public_only=False) == []
        assert await read(tx, "session/other", public_only=False) == []


async def test_visitors_get_no_internal_entry(db: Database) -> None:
    written = facts(20)
    await write(db, written)
    async with db.read() as tx:
        public = await read(tx, "session/s", public_only=True)
        assert [one.seq for one in public] == [seq for seq in range(1, 21) if seq % 3]
        last = await read_last(tx, "session/s", 3, types=["message", "note"], public_only=True)
        assert [one.seq for one in last] == [17, 19, 20]
        last = await read_last(tx, "session/s", 2, types=["note"], public_only=False)
        assert [one.seq for one in last] == [15, 18]


async def test_a_place_and_a_senders_id_are_given_once_per_stream(db: Database) -> None:
    await write(db, facts(3))
    for taken in (
        entry("session/s", 3, Fact("message", BOT), AT),
        entry("session/s", 4, Fact("message", BOT, client_msg_id="m-1"), AT),
    ):
        with pytest.raises(IntegrityError):
            await write(db, [taken])
    await write(db, [entry("session/other", 3, Fact("message", BOT, client_msg_id="m-1"), AT)])
    await write(db, [entry("session/s", 4, Fact("message", BOT), AT)])
    async with db.read() as tx:
        assert [one.seq for one in await read(tx, "session/s", public_only=False)] == [1, 2, 3, 4]
        found = await find_client_message(tx, "session/s", "m-3")
        assert found is not None
        assert found.seq == 3
        assert await find_client_message(tx, "session/s", "m-2") is None


async def test_entries_are_announced_after_the_commit_only(db: Database) -> None:
    heard: list[Entry] = []
    db.signals.listen("log", heard.extend)
    await write(db, facts(2))
    with pytest.raises(IntegrityError):
        await write(db, facts(2))
    assert heard == facts(2)


NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | NAMES
PAYLOADS = st.dictionaries(
    NAMES.filter(lambda name: name not in {"seq", "type", "at", "actor", "client_msg_id"}), VALUES, max_size=4
)
ACTORS = st.sampled_from([VISITOR, BOT, SYSTEM]) | st.builds(Actor, st.just("agent"), NAMES, NAMES)


@settings(derandomize=True, database=None, deadline=None)
@given(
    payload=PAYLOADS, actor=ACTORS, client_msg_id=st.none() | st.from_regex(r"[A-Za-z0-9_.:\-]{1,64}", fullmatch=True)
)
def test_the_form_in_which_it_leaves_is_json_whatever_it_says(
    payload: dict[str, object], actor: Actor, client_msg_id: str | None
) -> None:
    one = entry("session/s", 7, Fact("message.posted", actor, payload, client_msg_id=client_msg_id), AT)
    shown = orjson.loads(one.json())
    assert "\n" not in one.json()
    who = {"kind": actor.kind, "id": actor.id, "name": actor.name}
    own = {"client_msg_id": client_msg_id} if client_msg_id else {}
    assert shown == {
        "seq": 7,
        "type": "message.posted",
        "at": "2026-11-20T12:00:00.123Z",
        "actor": {key: value for key, value in who.items() if value},
        **own,
        **payload,
    }
    assert one.facts == payload
