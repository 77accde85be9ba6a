"""Who saw the chat, opened it, wrote, was answered, asked for a person, rated and closed: by page, naming nobody."""

import asyncio
import csv
import io
import json
from functools import partial
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import update

from actors import Agent, Stage, Visitor, code_of, data_of
from faults.waiting import until
from kefu.answering.builtin import BuiltinAnswerer
from kefu.answering.ports import Answerer
from kefu.kit.db import Database
from kefu.reports import funnel
from kefu.reports.funnel import FOLLOWER, follow_funnel
from kefu.reports.models import FunnelPage, FunnelSession
from kefu.sessions.work import FollowFunnel
from kefu.shops.models import Shop
from kefu.shops.pages import page_of, site_of
from routing.scene import is_followed, run_recurring

BIKES, CART = "https://shop.example/bikes", "https://shop.example/cart"
SEARCH = "https://search.example"
FUNNEL = "/api/reports/funnel"
ON_ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def answerer(db: Database) -> Answerer:
    return BuiltinAnswerer(db)


@pytest.fixture
async def lead(stage: Stage) -> Agent:
    return await stage.agent("lead", "supervisor")


async def beacon(stage: Stage, *events: dict[str, Any], shop: str = "", **headers: str) -> httpx2.Response:
    """As browsers send it."""
    text = {
        "Content-Type": "text/plain;charset=UTF-8",
        **{name.replace("_", "-"): said for name, said in headers.items()},
    }
    return await stage.http.post(f"/api/funnel{shop}", content=json.dumps({"events": events}), headers=text)


def seen(page: str = BIKES, stage: str = "impression", referrer: str = "") -> dict[str, Any]:
    return {"stage": stage, "page": page, "referrer": referrer}


async def opened_at(stage: Stage, page: str, referrer: str = "") -> Visitor:
    wish = {"came_from": {"page": page, "referrer": referrer}}
    return Visitor(stage, data_of(await stage.http.post("/api/conversation/new", json=wish)))


async def steps(db: Database, lead: Agent, query: str = "") -> dict[str, dict[str, int]]:
    """By key, with what is not zero, when the log was followed to its end, by two at once."""
    work = partial(follow_funnel, db, "Asia/Shanghai")
    await asyncio.gather(*(run_recurring(db, FollowFunnel(), work) for _ in range(2)))
    await until(lambda: is_followed(db, FOLLOWER), 30)
    rows = data_of(await lead.get(f"{FUNNEL}{query}"))["steps"]
    return {row["key"]: {name: n for name, n in row.items() if n and name not in {"shop", "key"}} for row in rows}


async def test_a_funnel_from_the_page_to_the_rating(db: Database, stage: Stage, lead: Agent) -> None:
    search = f"{SEARCH}/?q=bike"
    told = [seen(f"{BIKES}?email=ann@shop.example#t3", referrer=search), seen(), seen(CART), seen(stage="open")]
    await asyncio.gather(*(beacon(stage, *told) for _ in range(3)))
    lin = await stage.agent("lin")
    served = await opened_at(stage, f"{BIKES}?utm_source=x", search)
    seq = await served.says("How do I return my bike?")
    await served.sees("message.posted", role="assistant", reply_to=seq)
    data_of(await served.post("/api/manual/escalate", {"session_name": served.name}))
    await lin.takes_over(served)
    await lin.says(served, "Bring it to any of our shops.")
    await lin.releases(served)
    assert (await served.post(f"/api/sessions/{served.name}/rating", {"score": 5})).is_success
    await lead.closes(served)
    silent, unknown = await opened_at(stage, CART), await stage.visitor()
    await unknown.says("Hello")
    await unknown.sees("message.posted", role="assistant")
    all_of_it = {"sessions": 1, "first_messages": 1, "answered": 1, "escalated": 1, "rated": 1, "closed": 1}
    assert await steps(db, lead) == {
        BIKES: {"impressions": 6, "opens": 3, **all_of_it},
        CART: {"impressions": 3, "sessions": 1},
        "": {"sessions": 1, "first_messages": 1, "answered": 1},
    }
    await silent.says("Do you sell submarines?")
    await silent.sees("message.posted", role="assistant", answered=False)
    assert (await steps(db, lead))[CART] == {"impressions": 3, "sessions": 1, "first_messages": 1}
    by_site = await steps(db, lead, "?by=referrer")
    assert (by_site[SEARCH], by_site[""]["impressions"]) == ({"impressions": 3, **all_of_it}, 6)
    assert [row["sessions"] for row in (await steps(db, lead, "?by=day&shop=default")).values()] == [3]
    await _agrees_with_its_totals_and_its_file(lead)
    assert (await lin.get(f"{FUNNEL}/file")).status_code == 403
    assert await steps(db, lead, "?shop=other") == await steps(db, lead, "?to=2020-01-01") == {}
    watch = await served.follows(served.name)
    await watch.sees("stream.ready")
    assert "page.came_from" not in {frame["type"] for frame in watch.frames}, (
        "what led somebody here is for the team alone"
    )


async def _agrees_with_its_totals_and_its_file(lead: Agent) -> None:
    whole = data_of(await lead.get(f"{FUNNEL}?by=shop"))
    (by_shop,) = whole["steps"]
    assert by_shop == whole["total"] | {"shop": "default", "key": "default"}
    opened = {"sessions": 3, "first_messages": 3, "answered": 2, "escalated": 1, "rated": 1, "closed": 1}
    assert whole["total"] == {"impressions": 9, "opens": 3, **opened}
    assert whole["agreed"] == whole["total"] | {"sessions": 2, "first_messages": 2, "answered": 1}
    file = await lead.get(f"{FUNNEL}/file?locale=zh")
    assert file.headers["content-disposition"].startswith('attachment; filename="funnel.')
    head, first, *_ = csv.reader(io.StringIO(file.text.removeprefix("\ufeff")))
    assert (head[:3], first) == (["店铺", "页面", "看到入口"], ["default", BIKES, "6", "3", *"111111"])


async def test_who_does_not_agree_is_not_counted_and_nothing_names_anybody(
    db: Database, stage: Stage, lead: Agent
) -> None:
    for says in ({"sec_gpc": "1"}, {"dnt": "1"}):
        assert (await beacon(stage, seen(), **says)).status_code == 202
    assert await steps(db, lead) == {}
    named = [f"https://ann:secret@Shop.example/a/{part}/b?x" for part in ("ann@x.org", "ann%40x.org", "13800138000")]
    for url in named:
        assert page_of(url) == page_of(page_of(url)) == "https://shop.example/a/:id/b"
    assert page_of(f"{BIKES}/0b5e7a52-9a3e-4c39-8b1e-0d6c1f0a7d11") == f"{BIKES}/:id"
    assert (
        page_of(f"{BIKES}/a-long-name-of-a-product-without-number")
        == f"{BIKES}/a-long-name-of-a-product-without-number"
    )
    assert (page_of("http://shop.example"), site_of(named[0]), site_of("")) == (
        "http://shop.example/",
        "https://shop.example",
        "",
    )


@ON_ONE
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"events": []}',
        json.dumps({"events": [seen()] * 21}).encode(),
        json.dumps({"events": [seen(stage="paid")]}).encode(),
        *(
            json.dumps({"events": [seen(page)]}).encode()
            for page in ("", "bikes", "javascript:alert(1)", "https://", "https://[x", "https://a/\x00", "x" * 2001)
        ),
        json.dumps({"events": [seen(referrer="ftp://x")]}).encode(),
    ],
)
async def test_what_is_no_page_is_refused(stage: Stage, body: bytes) -> None:
    answer = await stage.http.post("/api/funnel", content=body, headers={"Content-Type": "text/plain"})
    assert (answer.status_code, code_of(answer)) == (422, "VALIDATION_FAILED")


@ON_ONE
async def test_only_pages_of_the_shop_are_counted(app: FastAPI, db: Database, stage: Stage, lead: Agent) -> None:
    async with db.write() as tx:
        await tx.execute(update(Shop).values(origins=["https://shop.example"]))
    app.state.origins.forget()
    foreign = await beacon(stage, seen(), origin="https://evil.example")
    assert (foreign.status_code, code_of(foreign)) == (403, "FOREIGN_ORIGIN")
    assert (await beacon(stage, seen(), origin="https://shop.example")).status_code == 202
    nowhere = await beacon(stage, seen(), shop="?shop=nowhere")
    assert (nowhere.status_code, code_of(nowhere)) == (404, "SHOP_NOT_FOUND")
    assert (await beacon(stage, seen(), shop="?shop=A%20B")).status_code == 422
    assert await steps(db, lead) == {BIKES: {"impressions": 1}}
    assert (await (await stage.agent("mei")).get(FUNNEL)).status_code == 403
    assert (await lead.get(f"{FUNNEL}?by=visitor")).status_code == 422


async def test_nobody_fills_the_table_and_what_is_old_goes(
    db: Database, stage: Stage, lead: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(funnel, "MOST_PAGES", 2)
    await beacon(stage, seen(), seen(CART))
    await beacon(stage, seen(), *(seen(f"{BIKES}/{n}", "open") for n in range(5)))
    assert await steps(db, lead) == {BIKES: {"impressions": 2}, CART: {"impressions": 1}, "": {"opens": 5}}
    await opened_at(stage, BIKES)
    await stage.visitor()
    found = await steps(db, lead)
    assert (found[BIKES], found[""]) == ({"impressions": 2, "sessions": 1}, {"opens": 5, "sessions": 1})
    async with db.write() as tx:
        for table in (FunnelPage, FunnelSession):
            await tx.execute(update(table).values(day="2020-01-01"))
    assert await steps(db, lead, "?from=2020-01-01&to=2020-01-01") == {}
