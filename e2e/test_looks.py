"""Languages, themes and screens of the widget; nobody with a keyboard or a screen reader is left out."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Frame, Page, expect

from e2e.actors import comes_to_rest
from e2e.conftest import Desk, OpenContext, Visit
from e2e.product import Product
from e2e.words import CHAT, Locale

AXE = (Path(__file__).parents[1] / "node_modules/axe-core/axe.min.js").read_text()
RUN_AXE = """
async () => (await axe.run(document, { resultTypes: ["violations"], iframes: false })).violations
  .filter(({ impact }) => impact === "serious" || impact === "critical")
  .map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(" | ")}`)
"""
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
BRIGHTNESS = """
() => getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).slice(0, 3)
  .reduce((sum, part) => sum + Number(part), 0) / 765
"""
FILLS_THE_SCREEN = """
() => {
  const panel = document.querySelector("#fiido-kefu").shadowRoot.querySelector(".panel");
  const { x, y, width, height } = panel.getBoundingClientRect();
  return x === 0 && y === 0 && width === innerWidth && height === innerHeight;
}
"""


def test_the_language_changes_on_the_page_and_in_the_chat_without_losing_a_word(visit: Visit) -> None:
    visitor = visit("en")
    visitor.is_in_the_chat()
    visitor.asks("How do I return my bike?")
    said = visitor.said()

    visitor.page.get_by_role("button", name="中文").click()

    visitor.sees_status(CHAT["zh"].bot_here)
    expect(visitor.chat.get_by_text(CHAT["zh"].welcome)).to_be_visible()
    expect(visitor.launcher).to_have_accessible_name(CHAT["zh"].close)
    expect(visitor.chat.locator("html")).to_have_attribute("lang", "zh-CN")
    assert visitor.said() == said
    visitor.page.reload()
    expect(visitor.launcher).to_have_accessible_name(CHAT["zh"].open)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_chat_follows_the_colours_of_the_system(visit: Visit, scheme: str) -> None:
    visitor = visit(color_scheme=scheme)
    visitor.is_in_the_chat()

    brightness = visitor.frame.evaluate(BRIGHTNESS)

    assert brightness > 0.8 if scheme == "light" else brightness < 0.2


def test_on_a_phone_the_chat_fills_the_screen_and_the_page_behind_it_stands_still(visit: Visit) -> None:
    visitor = visit("zh", **PHONE)
    visitor.is_in_the_chat()

    expect(visitor.panel).to_have_css("opacity", "1")
    visitor.page.wait_for_function(FILLS_THE_SCREEN)
    expect(visitor.launcher).to_be_hidden()
    expect(visitor.page.locator("html")).to_have_css("overflow", "hidden")
    visitor.asks("电池可以带上飞机吗？")
    assert visitor.frame.evaluate("document.documentElement.scrollWidth <= innerWidth")

    visitor.chat.get_by_role("button", name=visitor.words.minimise).click()
    expect(visitor.launcher).to_be_visible()
    expect(visitor.page.locator("html")).not_to_have_css("overflow", "hidden")


def test_the_window_can_be_larger_and_smaller_again(visit: Visit) -> None:
    visitor = visit()
    visitor.is_in_the_chat()
    expect(visitor.panel).to_have_attribute("data-layout", "panel")

    visitor.chat.get_by_role("button", name=visitor.words.maximise).click()
    expect(visitor.panel).to_have_attribute("data-layout", "maximised")
    visitor.chat.get_by_role("button", name=visitor.words.restore).click()

    expect(visitor.panel).to_have_attribute("data-layout", "panel")


def test_on_a_phone_the_agent_goes_from_the_list_to_a_conversation_and_back(visit: Visit, desk: Desk) -> None:
    visitor, agent = visit(), desk(**PHONE)
    visitor.is_in_the_chat()
    visitor.asks("How do I return my bike?")
    visitor.calls_a_person()

    agent.opens(visitor.session)
    expect(agent.row(visitor.session)).to_be_hidden()
    agent.takes_over()
    agent.says("From my phone")
    visitor.sees("From my phone")
    agent.page.get_by_role("link", name="Back to the list").click()

    expect(agent.row(visitor.session)).to_be_visible()
    assert agent.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def faults(where: Page | Frame) -> list[str]:
    """What axe finds serious or critical."""
    comes_to_rest(where)
    where.evaluate(AXE)
    found: list[str] = where.evaluate(RUN_AXE)
    return found


@pytest.mark.parametrize(("locale", "scheme"), [("en", "light"), ("zh", "dark")])
def test_the_shop_and_the_chat_have_no_serious_fault(visit: Visit, desk: Desk, locale: Locale, scheme: str) -> None:
    visitor, agent = visit(locale, color_scheme=scheme), desk()
    visitor.opens_the_shop()
    assert faults(visitor.page) == []
    visitor.opens_the_chat()
    expect(visitor.chat.get_by_text(visitor.words.welcome)).to_be_visible()
    assert faults(visitor.page) == []
    assert faults(visitor.frame) == []

    visitor.asks({"en": "Can I take the battery on a plane?", "zh": "电池可以带上飞机吗？"}[locale])
    assert faults(visitor.frame) == []
    visitor.calls_a_person()
    agent.opens(visitor.session)
    agent.takes_over()
    agent.says("Hello")
    visitor.sees("Hello")
    assert faults(visitor.frame) == []


def faults_by_day_and_by_night(page: Page) -> list[str]:
    found = faults(page)
    page.emulate_media(color_scheme="dark")
    found += faults(page)
    page.emulate_media(color_scheme="light")
    return found


def test_the_workbench_has_no_serious_fault(context: OpenContext, visit: Visit, desk: Desk, product: Product) -> None:
    login = context().new_page()
    login.goto(f"{product.address}/workbench/")
    expect(login.get_by_role("button", name="Sign in")).to_be_visible()
    assert faults_by_day_and_by_night(login) == []

    agent, visitor = desk(), visit()
    assert faults_by_day_and_by_night(agent.page) == []
    visitor.is_in_the_chat()
    visitor.asks("Can I take the battery on a plane?")
    visitor.calls_a_person()
    agent.opens(visitor.session)
    assert faults_by_day_and_by_night(agent.page) == []
    agent.takes_over()
    agent.says("Hello")
    visitor.sees("Hello")
    assert faults_by_day_and_by_night(agent.page) == []


def test_the_article_behind_a_source_has_no_serious_fault(visit: Visit) -> None:
    visitor = visit()
    visitor.is_in_the_chat()
    visitor.asks("Can I take the battery on a plane?")

    with visitor.page.expect_popup() as opened:
        visitor.sources.first.click()

    assert faults(opened.value) == []


def test_the_last_message_stays_in_sight_when_a_keyboard_comes_up(visit: Visit, desk: Desk) -> None:
    visitor, agent = visit(**PHONE), desk(**PHONE)
    visitor.is_in_the_chat()
    visitor.asks("Can I take the battery on a plane?")
    visitor.asks("How do I return my bike?")
    visitor.calls_a_person()
    agent.opens(visitor.session)
    agent.takes_over()
    agent.says("Can you still see me?")
    visitor.sees("Can you still see me?")

    for page in (agent.page, visitor.page):
        page.set_viewport_size({"width": 390, "height": 500})

    expect(agent.bubbles.last).to_be_in_viewport(ratio=1)
    expect(visitor.bubbles.last).to_be_in_viewport(ratio=1)
