"""A long list and a long conversation: little of them is in the page, and all of them can be reached."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from bench.stock import EVENT_COLUMNS, SESSION_COLUMNS, Size, Talk, sentences
from playwright.sync_api import Page, expect

from e2e.actors import AgentDesk
from e2e.conftest import Desk
from e2e.product import CHEN, Product
from e2e.test_looks import faults
from e2e.test_shots import shoot
from e2e.words import Locale

SIZE = Size(sessions=300, longest=900)
LONGEST = f"s_{SIZE.sessions - 1:020d}"
OLDEST = f"s_{0:020d}"
WORDS: dict[Locale, tuple[str, ...]] = {
    "en": (
        "Views and rows",
        "Name of the view",
        "Save what is shown",
        "Compact",
        "Find in this conversation",
        "Go to a day",
    ),
    "zh": ("视图与行距", "视图名称", "保存当前视图", "紧凑", "在会话中查找", "跳转到日期"),
}


@pytest.fixture
def stocked_product(product: Product) -> Iterator[Product]:
    """With closed sessions of two months, the youngest of which never ended."""
    pool = sentences()
    talks = [Talk(number, pool, SIZE) for number in range(SIZE.sessions)]
    with closing(sqlite3.connect(product.data / "kefu.db", timeout=10)) as db, db:
        for table, columns, rows in (
            ("sessions", SESSION_COLUMNS, [(*one.row()[:2], "closed", *one.row()[3:]) for one in talks]),
            ("events", EVENT_COLUMNS, list(talks[-1].events())),
        ):
            marks = ", ".join("?" * len(columns))
            db.executemany(f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)  # noqa: S608 - names of columns
        db.commit()
        yield product
        db.execute("DELETE FROM sessions WHERE name LIKE 's/_00000%' ESCAPE '/'")
        # But for the newest: SQLite would give its place to the next one, which those who follow the log have passed.
        newest = "SELECT max(position) FROM events"
        db.execute(f"DELETE FROM events WHERE stream LIKE '%s/_00000%' ESCAPE '/' AND position < ({newest})")  # noqa: S608 - a constant


def scrolls(page: Page, where: str, to: str) -> None:
    page.locator(where).evaluate(f"box => box.scrollTo(0, {to})")


@pytest.mark.usefixtures("stocked_product")
@pytest.mark.parametrize("locale", ["en"])
def test_a_long_list_and_a_long_conversation(desk: Desk, locale: Locale) -> None:
    views, name, save, compact, find, day = WORDS[locale]
    agent = desk(CHEN, locale)
    page, rows, said = agent.page, agent.page.locator("[data-name]"), agent.page.locator("[data-seq]")
    agent.looks_at("all")
    expect(rows.first).to_be_visible()
    while not agent.row(OLDEST).is_visible():
        scrolls(page, ".scroller:has(.rows)", "box.scrollHeight")
        assert rows.count() < 40
    keeps_a_view(agent, views, name, save, compact)

    agent.row(LONGEST).click()
    expect(said.last).to_be_in_viewport()
    assert said.count() <= 60
    expect(page.get_by_role("complementary")).to_contain_text("900")
    page.get_by_role("button", name=find).click()
    page.get_by_label(day).fill(time.strftime("%Y-%m-%d", time.localtime(time.time() - 50 * 86_400)))
    expect(page.locator(".found")).to_be_in_viewport()
    assert said.count() <= 360
    shoot(page, f"desk-long-{locale}")
    assert faults(page) == []

    page.locator("button.down").click()
    expect(page.get_by_role("log").locator("[data-seq]").last).to_be_in_viewport()
    before = said.first.get_attribute("data-seq")
    scrolls(page, "[role=log]", "0")
    expect(said.first).not_to_have_attribute("data-seq", before or "")


def keeps_a_view(agent: AgentDesk, views: str, name: str, save: str, compact: str) -> None:
    """It is there after the page is loaded anew, and so is how tall the rows are."""
    page, rows = agent.page, agent.page.locator("[data-name]")
    page.get_by_role("button", name=views).click()
    page.get_by_label(name).fill("Everything")
    page.get_by_role("button", name=save).click()
    expect(page.get_by_role("button", name="Everything", exact=True)).to_be_visible()
    page.get_by_text(compact, exact=True).click()
    shoot(page, f"desk-views-{agent.locale}")
    page.reload()
    agent.looks_at("waiting")
    page.get_by_role("button", name=views).click()
    page.get_by_role("button", name="Everything", exact=True).click()
    page.keyboard.press("Escape")
    expect(rows.first).to_have_css("height", "52px")
    expect(agent.row(LONGEST)).to_be_visible()
