"""Every filter and every order of the list of sessions."""

from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from actors import Agent, Stage, data_of
from faults.waiting import until
from kefu.kit.db import Database
from kefu.kit.ids import new_id
from kefu.sessions import listing
from kefu.sessions.models import Session
from kefu.sessions.states import Status
from kefu.sessions.summaries import ListQuery
from kefu.sessions.visibility import Reader
from kefu.shops.service import put_shop
from sessions.records import bring_to, has_packet, open_session

HOUR = 3_600_000
SHOP = {
    "name": {"en": "Other", "zh": "另一家"}, "locales": ["en"], "bot_name": {"en": "B", "zh": "B"},
    "description": {"en": "", "zh": ""}, "welcome": {"en": "", "zh": ""}, "suggestions": {"en": [], "zh": []},
    "color": "#0f8f86", "is_demo": False,
}  # fmt: skip


async def lists(agent: Agent, query: str) -> list[str]:
    """The numbers of the sessions, page by page of two, which is the same as all at once."""
    whole = [one["session_name"] for one in data_of(await agent.get(f"/api/sessions?{query}"))["sessions"]]
    paged: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        data = data_of(await agent.get(f"/api/sessions?{query}&limit=2&cursor={cursor}"))
        paged += [one["session_name"] for one in data["sessions"]]
        assert data["total"] == len(whole)
        cursor = data["next_cursor"]
    assert paged == whole
    return [name.removeprefix("s-") for name in whole]


@pytest.fixture
async def lead(stage: Stage, db: Database) -> Agent:
    """Six sessions: 0 to 5, an hour apart, the oldest first. 1 and 4 are of one visitor, 2 and 3 are VIPs."""
    lead = await stage.agent("lead", "supervisor")
    await nobody_closes(db)
    async with db.write() as tx:
        await put_shop(tx, id="other", **SHOP)
    states = [Status.BOT_ACTIVE, Status.CLOSED, Status.PENDING_MANUAL, Status.MANUAL_LIVE, Status.BOT_ACTIVE]
    for n, status in enumerate([*states, Status.PENDING_MANUAL]):
        await open_session(db, f"s-{n}")
        await bring_to(db, f"s-{n}", status)
        if status == Status.PENDING_MANUAL:
            await has_packet(db, f"s-{n}")  # which changes the session, too
        changes: dict[str, Any] = {
            "created_at": (n + 1) * HOUR, "updated_at": (n + 1) * HOUR + 60_000, "is_vip": n in {2, 3},
            "visitor_id": f"v-{n % 3 if n in {1, 4} else new_id('v')}", "shop": "other" if n in {0, 5} else "default",
        }  # fmt: skip
        async with db.write() as tx:
            await tx.execute(update(Session).where(Session.name == f"s-{n}").values(changes))
    async with db.write() as tx:
        for n, escalated_at in ((2, 90), (5, 80)):
            await tx.execute(update(Session).where(Session.name == f"s-{n}").values(escalated_at=escalated_at * HOUR))
    return lead


async def nobody_closes(db: Database) -> None:
    """Sessions as old as these are closed, or somebody is reminded of them, by the next round of recurring work.

    There shall be none. On PostgreSQL closing is the work of another process.
    """
    kinds = {"remind_queue", "close_idle"} if db.is_sqlite else {"remind_queue"}

    async def is_put() -> bool:
        return kinds <= {kind for (kind,) in await db.fetch("SELECT kind FROM jobs")}

    await until(is_put, 10)
    await db.execute("DELETE FROM jobs")


async def test_filters(lead: Agent) -> None:
    assert await lists(lead, "status=pending_manual,manual_live&sort=oldest") == ["2", "3", "5"]
    assert await lists(lead, "status=closed&status=bot_active&sort=oldest") == ["0", "1", "4"]
    assert await lists(lead, "status=all&sort=oldest") == list("012345")
    assert await lists(lead, "customer_type=vip&sort=oldest") == ["2", "3"]
    assert await lists(lead, "customer_type=old&sort=oldest") == ["4"]
    assert await lists(lead, "customer_type=new&sort=oldest") == ["0", "1", "2", "3", "5"]
    assert await lists(lead, "shop=other&sort=oldest") == ["0", "5"]
    assert await lists(lead, "shop=none") == []
    assert await lists(lead, "time_start=7200&time_end=10800&sort=oldest") == ["1", "2"]
    assert await lists(lead, "time_start=10800&time_end=7200") == []
    assert await lists(lead, "agent=unassigned&sort=oldest") == ["2", "5"]
    assert await lists(lead, "agent=agent_1") == ["3"]
    assert await lists(lead, "status=pending_manual&shop=other&time_start=1") == ["5"]


async def test_orders(lead: Agent) -> None:
    assert await lists(lead, "") == ["5", "2", "3", "4", "0", "1"]
    assert await lists(lead, "sort=newest") == list("543210")
    assert await lists(lead, "sort=oldest") == list("012345")
    assert await lists(lead, "sort=vip") == ["3", "2", "5", "4", "1", "0"]
    assert await lists(lead, "sort=waitTime") == ["5", "2", "0", "1", "3", "4"]
    assert await lists(lead, "sort=vip&status=pending_manual,closed") == ["2", "5", "1"]


async def test_a_tag_narrows_the_list(lead: Agent) -> None:
    assert await lists(lead, "tag=tag_urgent") == []
    data_of(await lead.post("/api/sessions/s-3/tags", {"tag_id": "tag_urgent"}))
    assert await lists(lead, "tag=tag_urgent") == ["3"]


async def test_counting_stops_at_its_limit(lead: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "COUNT_LIMIT", 1)
    data = data_of(await lead.get("/api/sessions?limit=3"))
    assert (data["total"], data["counts"]) == (
        1,
        {status.value: int(status != "after_hours_email") for status in Status},
    )


PLANS = {
    "sort=newest": "ix_sessions_updated_at",
    "": "ix_sessions_status_updated_at",
    "sort=vip": "ix_sessions_vip_updated_at",
    "agent=mine&sort=newest": "ix_sessions_agent_id_updated_at",
    "shop=other&sort=newest": "ix_sessions_shop_updated_at",
}


async def test_each_order_and_filter_has_an_index(db: Database, lead: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sorting is not needed where the index gives the order: a page costs what a page has."""
    del lead

    async def is_used(query: str, index: str) -> bool:
        return index in await plans(db, query, monkeypatch)

    for query, index in PLANS.items():  # an index that was just made anew serves nobody who began before
        await until(partial(is_used, query, index), 20)


async def plans(db: Database, query: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """How the database reads the first page."""
    asked = ListQuery.model_validate(dict(part.split("=") for part in query.split("&") if part))
    found: list[str] = []
    async with db.read() as tx:
        if not db.is_sqlite:  # of six rows it would read all
            await tx.execute(text("SET LOCAL enable_seqscan = off"))
            await tx.execute(text("SET LOCAL enable_sort = off"))
            await tx.execute(text("SET LOCAL enable_incremental_sort = off"))
            await tx.execute(text("SET LOCAL enable_bitmapscan = off"))
        explains = "EXPLAIN QUERY PLAN" if db.is_sqlite else "EXPLAIN"
        execute = tx.execute

        async def explain(statement: Any, *rest: Any, **options: Any) -> Any:
            if not str(statement).startswith("SET"):
                dialect = tx.get_bind().dialect
                written = statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
                explained = await (await tx.connection()).exec_driver_sql(f"{explains} {written}")
                found.extend(str(tuple(row)) for row in explained)
            return await execute(statement, *rest, **options)

        monkeypatch.setattr(tx, "execute", explain)
        await listing.list_sessions(tx, Reader("me", sees_all=True), asked.narrow, asked.sort, 2)
    return "\n".join(found)


async def test_a_keyword_finds_parts_of_what_is_shown_and_whole_names(lead: Agent, db: Database) -> None:
    async with db.write() as tx:
        assert (await tx.execute(select(func.count()).select_from(Session))).scalar_one() == 6
        await tx.execute(update(Session).where(Session.name == "s-4").values(nickname="Änne 100%_sure"))
    assert await lists(lead, "keyword=s-4") == ["4"]
    assert await lists(lead, "keyword=100%25_SURE") == ["4"]
    assert await lists(lead, "keyword=nothing") == []
