"""Finding a conversation again: filters of the list, the search and its way to the message; and the live board."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from playwright.sync_api import expect

from e2e.actors import AgentDesk, Visitor
from e2e.conftest import Desk, Visit
from e2e.product import CHEN, LENA, Product
from e2e.test_looks import faults
from e2e.test_shots import QUESTION, shoot
from e2e.words import Locale

PAGES = {"en": ("Search", "Live board"), "zh": ("搜索", "实时看板")}
FILTER = {"en": ("Filter and sort", "Taken by nobody", "First visit"), "zh": ("筛选与排序", "无人接入", "首次来访")}
WORDS = {"en": "battery plane", "zh": "飞机 电池"}
STORY = 15


def searches(agent: AgentDesk, words: str) -> None:
    agent.page.get_by_role("navigation").get_by_role("link", name=PAGES[agent.locale][0]).click()
    field = agent.page.get_by_role("search").get_by_role("textbox").first
    field.fill(words)
    field.press("Enter")


def finds(agent: AgentDesk, words: str) -> None:
    """Asks again until what was said a moment ago is in the index."""
    hits = agent.page.locator("a.hit")
    for _ in range(20):
        searches(agent, words)
        agent.page.wait_for_load_state("networkidle")
        if hits.count():
            return
        agent.page.wait_for_timeout(500)
        agent.page.reload()
    raise AssertionError(f"never found {words}")


def choose(agent: AgentDesk, what: str) -> None:
    agent.page.get_by_role("button", name=FILTER[agent.locale][0]).first.click()
    agent.page.get_by_role("tooltip").get_by_role("button", name=what).click()
    agent.page.keyboard.press("Escape")


def narrows_and_widens(agent: AgentDesk) -> None:
    """The address keeps the filters, so that going back and loading anew find the same."""
    page, hits = agent.page, agent.page.locator("a.hit")
    page.get_by_label("State").select_option("Closed")
    expect(hits).to_have_count(0)
    page.reload()
    expect(page.get_by_text("Nothing found for")).to_be_visible()
    page.go_back()
    expect(hits).to_have_count(1)
    page.get_by_label("Written from").fill("2020-01-01")
    page.get_by_role("combobox", name="Customer").select_option("First visit")
    page.get_by_role("button", name="Tag: Any tag").click()
    page.get_by_role("tooltip").get_by_role("button", name="Refund").click()
    expect(hits).to_have_count(0)
    assert "from=2020-01-01" in page.url
    page.get_by_role("button", name="Clear filters").first.click()
    expect(hits).to_have_count(1)
    assert page.url.endswith("/search?q=purple+helmets")


def test_a_search_leads_to_the_very_message_and_a_colleagues_conversation_is_gone(visit: Visit, desk: Desk) -> None:
    lena, chen, visitor = desk(), desk(CHEN), visit()
    visitor.is_in_the_chat()
    visitor.says("It began with a purple helmet")
    visitor.calls_a_person()  # before the bot has failed so often that it does so itself
    for n in range(STORY):
        visitor.says(f"And then, in part {n}, much more happened on a very long road")
    finds(lena, "purple helmets")
    expect(lena.page.locator("a.hit mark")).to_have_text(["purple", "helmet"])
    narrows_and_widens(lena)

    lena.page.locator("a.hit").click()

    expect(lena.page.locator("article.found")).to_contain_text("purple helmet")
    expect(lena.page.locator("article.found")).to_be_in_viewport()
    chen.opens(visitor.session)
    chen.takes_over()
    expect(lena.page.get_by_text("A colleague looks after this")).to_be_visible()
    expect(lena.row(visitor.session)).to_have_count(0)
    lena.looks_at("all")
    expect(lena.row(visitor.session)).to_have_count(0)


def test_filters_narrow_the_list_and_are_remembered(visit: Visit, desk: Desk) -> None:
    agent, visitor = desk(), visit()
    visitor.is_in_the_chat()
    visitor.says("Hello")
    agent.looks_at("all")
    expect(agent.row(visitor.session)).to_be_visible()

    choose(agent, "Taken by nobody")

    expect(agent.row(visitor.session)).to_have_count(0)
    visitor.calls_a_person()
    expect(agent.row(visitor.session)).to_be_visible()  # nothing was chosen or loaded anew
    agent.page.reload()
    expect(agent.row(visitor.session)).to_be_visible()
    agent.page.get_by_role("button", name="Remove: Taken by nobody").click()
    expect(agent.page.locator(".chips")).to_have_count(0)


def asked(visitor: Visitor) -> str:
    visitor.is_in_the_chat()
    visitor.asks(QUESTION[visitor.locale])
    visitor.calls_a_person()
    return visitor.session


@pytest.fixture
def second_shop(product: Product) -> Iterator[Callable[[], None]]:
    """Opens one as the first is, with another name, until the end of the test."""
    with closing(sqlite3.connect(product.data / "kefu.db", timeout=10)) as database:
        yield lambda: opens_a_second_shop(database)
        with database:
            database.execute("DELETE FROM shops WHERE id = 'north'")


def opens_a_second_shop(database: sqlite3.Connection) -> None:
    with database:
        database.row_factory = sqlite3.Row
        shop = dict(database.execute("SELECT * FROM shops LIMIT 1").fetchone())
        shop |= {"id": "north", "name": '{"en": "Northern shop", "zh": "北方店"}', "is_default": 0}
        marks = ", ".join("?" * len(shop))
        database.execute(f"INSERT INTO shops ({', '.join(shop)}) VALUES ({marks})", list(shop.values()))  # noqa: S608 - names of columns


def watches(agent: AgentDesk, shop: str) -> None:
    agent.page.locator("main header .el-select").click()
    agent.page.get_by_role("option", name=shop).click()


@pytest.mark.parametrize("locale", ["en"])
def test_how_it_looks(second_shop: Callable[[], None], visit: Visit, desk: Desk, locale: Locale) -> None:
    """By day and by night, at the desk and on the phone; axe finds nothing serious."""
    agent, lena = desk(CHEN, locale), desk(LENA, locale)
    taken, _ = asked(visit(locale)), asked(visit(locale))
    lena.opens(taken)
    lena.takes_over()
    choose(agent, FILTER[locale][2])
    agent.page.get_by_role("button", name=FILTER[locale][0]).first.click()
    expect(agent.page.get_by_role("tooltip")).to_be_visible()
    shoot(agent.page, f"finding-1-filters-{locale}")
    assert faults(agent.page) == []
    agent.page.keyboard.press("Escape")
    finds(agent, WORDS[locale])
    shoot(agent.page, f"finding-2-hits-{locale}")
    assert faults(agent.page) == []
    searches(agent, "zebra")
    expect(agent.page.locator("main .notice")).to_be_visible()
    shoot(agent.page, f"finding-3-nothing-{locale}")
    second_shop()
    agent.page.get_by_role("link", name=PAGES[locale][1]).click()
    expect(agent.page.locator(".figure")).to_have_count(5)
    watches(agent, "Northern shop")
    expect(agent.page.locator(".figure").first).to_contain_text("nobody waits")
    agent.page.reload()
    expect(agent.page.locator(".figure").first).to_contain_text("nobody waits")
    watches(agent, "All shops")
    expect(agent.page.locator(".figure").first).not_to_contain_text("nobody waits")
    shoot(agent.page, f"finding-4-board-{locale}")
    assert faults(agent.page) == []
