"""Who may sit at the desk, and two who reach for the same conversation."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pyotp
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from e2e.actors import AgentDesk
from e2e.conftest import Desk, OpenContext, Visit
from e2e.product import LENA, WANG, ZHOU, Account, Product
from e2e.words import Locale

OWN = "my-own-bicycle-9"
# What this browser keeps: makes the access token look as if it ran out, in all tabs; gives the access token.
EXPIRE = """() => {
  const kept = JSON.parse(localStorage.getItem("kefu.tokens"));
  localStorage.setItem("kefu.tokens", JSON.stringify({ ...kept, expiresAt: Date.now() }));
  dispatchEvent(new StorageEvent("storage", { key: "kefu.tokens", storageArea: localStorage }));
}"""
HELD = """() => JSON.parse(localStorage.getItem("kefu.tokens")).access"""


@pytest.fixture
def desk(context: OpenContext, product: Product) -> Desk:
    """In a browser of its own: whoever signed in here may be out again."""

    def new(account: Account = LENA, locale: Locale = "en", **options: Any) -> AgentDesk:
        agent = AgentDesk(context(locale, **options).new_page(), product.address, locale)
        agent.signs_in(account)
        return agent

    return new


@pytest.fixture
def newcomer(context: OpenContext, product: Product) -> Callable[[Locale], AgentDesk]:
    """An agent before the login."""
    return lambda locale: AgentDesk(context(locale).new_page(), product.address, locale)


@pytest.mark.parametrize("locale", ["zh"])
def test_a_wrong_password_is_named_and_does_not_open_the_desk(
    newcomer: Callable[[Locale], AgentDesk], locale: Locale
) -> None:
    agent = newcomer(locale)
    agent.opens_the_login()

    agent.tries(LENA.username, "not-her-password-1")

    expect(agent.page.get_by_role("alert")).to_contain_text(agent.words.wrong)
    assert "/login" in agent.page.url
    agent.tries(LENA.username, LENA.password)
    expect(agent.page.get_by_role("tablist")).to_be_visible()


@pytest.mark.parametrize("locale", ["en"])
def test_the_first_admin_must_replace_the_password_that_was_shown(
    context: OpenContext, start: Callable[..., Product], stocked: Path, locale: Locale
) -> None:
    product = start(stocked)
    first = AgentDesk(context(locale).new_page(), product.address, locale)
    first.opens_the_login()
    first.tries("admin", product.one_time_password)
    dialog = first.page.get_by_role("dialog", name=first.words.choose_password)
    expect(dialog).to_be_visible()
    first.page.reload()
    expect(dialog).to_be_visible()

    for label, text in (
        (first.words.old_password, product.one_time_password),
        (first.words.new_password, OWN),
        (first.words.repeat_password, OWN),
    ):
        dialog.get_by_label(label, exact=True).fill(text)
    dialog.get_by_role("button", name=first.words.save_password).click()

    expect(first.page.get_by_text(first.words.password_saved)).to_be_visible()
    expect(first.page.get_by_role("tablist")).to_be_visible()
    first.signs_out()
    first.tries("admin", product.one_time_password)
    expect(first.page.get_by_role("alert")).to_contain_text(first.words.wrong)
    first.tries("admin", OWN)
    expect(first.page.get_by_role("tablist")).to_be_visible()


@pytest.mark.parametrize("locale", ["zh"])
def test_the_second_of_two_agents_is_told_who_was_faster(visit: Visit, desk: Desk, locale: Locale) -> None:
    faster, slower = desk(LENA), desk(WANG, locale)
    visitor = visit()
    visitor.is_in_the_chat()
    visitor.says("Hello")
    visitor.calls_a_person()
    faster.opens(visitor.session)
    slower.opens(visitor.session)
    on_the_way: list[Route] = []

    def hold(route: Route) -> None:
        on_the_way.append(route)

    slower.page.route("**/takeover", hold)
    slower.header.get_by_role("button", name=slower.words.take_over).click()
    expect(slower.header.locator("button.is-loading")).to_be_visible()

    faster.takes_over()
    on_the_way[0].continue_()

    expect(slower.page.get_by_text(slower.words.taken_by.format(name="Lena"))).to_be_visible()
    hidden = {"en": "A colleague looks after this", "zh": "此会话由同事负责"}[locale]
    expect(slower.page.get_by_text(hidden)).to_be_visible()
    expect(slower.composer).to_have_count(0)
    visitor.sees_status("Agent – Lena")


# What shows where the focus is: a ring around it, or around the field it is in.
SHOWS_FOCUS = """() => {
    const ringed = (part) => {
        const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(part);
        return (outlineStyle !== "none" && outlineWidth !== "0px") || boxShadow !== "none";
    };
    const at = document.activeElement;
    return at !== document.body && [at, at.parentElement, at.parentElement.parentElement].some(ringed);
}"""


def tabs_to(page: Page, goal: Locator) -> None:
    """By the keyboard, past places that all show that they have the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        assert page.evaluate(SHOWS_FOCUS), page.evaluate("() => document.activeElement.outerHTML.slice(0, 200)")
        if goal.evaluate("goal => goal === document.activeElement"):
            return
    raise AssertionError(f"{goal} is out of the keyboard's reach")


def signs_in_by_keyboard(agent: AgentDesk) -> None:
    agent.opens_the_login()
    keyboard = agent.page.keyboard
    expect(agent.page.get_by_label(agent.words.username)).to_be_focused()
    keyboard.type(LENA.username)
    keyboard.press("Tab")
    keyboard.type(LENA.password)
    keyboard.press("Enter")


def writes_a_note(agent: AgentDesk, words: str) -> None:
    keyboard = agent.page.keyboard
    keyboard.press("Control+Shift+b")
    expect(agent.page.get_by_role("textbox", name="Note", exact=True)).to_be_focused()
    keyboard.type(words)
    keyboard.press("Control+Enter")
    expect(agent.page.locator("aside").get_by_text(words)).to_be_visible()


def does(agent: AgentDesk, words: str, action: str) -> None:
    """By the palette."""
    keyboard = agent.page.keyboard
    keyboard.press("Control+k")
    field = agent.page.get_by_role("combobox", name="Command, page or customer")
    expect(field).to_be_focused()
    keyboard.type(words)
    chosen = agent.page.get_by_role("option", selected=True)
    expect(chosen).to_contain_text(action)
    expect(field).to_have_attribute("aria-activedescendant", chosen.get_attribute("id") or "none")
    keyboard.press("Enter")
    expect(field).to_have_count(0)


def test_the_desk_works_by_keyboard_alone(visit: Visit, newcomer: Callable[[Locale], AgentDesk]) -> None:
    visitor, agent = visit(), newcomer("en")
    visitor.is_in_the_chat()
    visitor.says("Hello")
    visitor.calls_a_person()
    keyboard = agent.page.keyboard
    signs_in_by_keyboard(agent)
    expect(agent.row(visitor.session)).to_be_visible()

    tabs_to(agent.page, agent.row(visitor.session))
    keyboard.press("Enter")
    expect(agent.row(visitor.session)).to_have_attribute("aria-current", "true")
    keyboard.press("t")
    agent.sees_status(agent.words.with_you)
    expect(agent.composer).to_be_focused()
    keyboard.type("Written without a mouse")
    keyboard.press("Enter")
    visitor.sees("Written without a mouse")

    writes_a_note(agent, "Asks about a return")
    does(agent, "reply", "Write a reply")
    expect(agent.composer).to_be_focused()
    keyboard.press("Escape")
    keyboard.press("/")
    expect(agent.page.get_by_label("Search name or message")).to_be_focused()
    tabs_to(agent.page, agent.composer)
    keyboard.press("Escape")
    keyboard.press("c")
    expect(agent.composer).to_be_focused()
    does(agent, "释放", "Release to the bot")
    visitor.sees_status(visitor.words.bot_here)
    expect(agent.page.get_by_role("dialog")).to_have_count(0)

    does(agent, "without a mouse", "Visitor")
    expect(agent.page).to_have_url(re.compile(visitor.session))
    keyboard.press("Shift+?")
    expect(agent.page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    keyboard.press("Escape")
    expect(agent.page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_hidden()


def test_what_was_sent_can_be_taken_back_for_a_moment(visit: Visit, newcomer: Callable[[Locale], AgentDesk]) -> None:
    visitor, agent = visit(), newcomer("en")
    visitor.is_in_the_chat()
    visitor.says("Hello")
    visitor.calls_a_person()
    clock = agent.page.clock
    clock.install()
    agent.signs_in(LENA)
    does(agent, "undo sending", "Undo sending within 5 seconds")
    agent.opens(visitor.session)
    agent.takes_over()

    # Time stands still, lest a busy machine use up the moment.
    clock.pause_at(time.time() + 20)
    agent.says("Sent to eraly")
    expect(agent.page.get_by_text("Being sent…")).to_be_visible()
    agent.page.keyboard.press("Control+z")
    expect(agent.composer).to_have_value("Sent to eraly")
    expect(agent.composer).to_be_focused()
    expect(agent.bubbles.get_by_text("Sent to eraly")).to_have_count(0)
    clock.resume()

    # Another one sends the first; giving the session away, or leaving the page, sends what waits.
    agent.says("Sent in good time")
    agent.says("And one more")
    visitor.sees("Sent in good time")
    agent.page.keyboard.press("Control+Shift+r")
    visitor.sees("And one more")
    visitor.sees_status(visitor.words.bot_here)
    agent.takes_over()
    agent.says("The last one")
    agent.page.reload()
    visitor.sees("The last one")
    for words in ("Sent in good time", "And one more", "The last one"):
        agent.sees(words)
    expect(visitor.page.get_by_text("eraly")).to_have_count(0)
    said = [words for role, words in agent.said() if role == "agent"]
    assert said == ["Sent in good time", "And one more", "The last one"], said


def test_the_chat_works_by_keyboard_alone(visit: Visit) -> None:
    visitor = visit()
    visitor.opens_the_shop()
    keyboard = visitor.page.keyboard
    visitor.launcher.focus()
    keyboard.press("Enter")
    expect(visitor.field).to_be_focused()
    keyboard.type("How do I return my bike?")
    keyboard.press("Enter")
    expect(visitor.answers).to_have_count(1)

    keyboard.press("Escape")

    expect(visitor.field).to_be_hidden()
    expect(visitor.launcher).to_be_focused()


def sets_up_the_second_step(agent: AgentDesk, account: Account) -> tuple[pyotp.TOTP, list[str]]:
    """The agent's app, and the recovery codes."""
    agent.page.locator("button.opener").click()
    agent.page.get_by_role("button", name="Two-step sign-in").click()
    dialog = agent.page.get_by_role("dialog", name="Two-step sign-in")
    dialog.get_by_label("Your password").fill(account.password)
    dialog.get_by_role("button", name="Set up").click()
    expect(dialog.get_by_role("img", name="QR code")).to_be_visible()
    app = pyotp.TOTP(dialog.locator("code").inner_text().replace(" ", ""))
    dialog.get_by_label("Then enter the six digits that it shows.").fill(app.now())
    dialog.get_by_role("button", name="Confirm").click()
    codes = dialog.get_by_role("listitem")
    expect(codes).to_have_count(10)
    shown = codes.all_inner_texts()
    dialog.get_by_role("button", name="I have kept them").click()
    expect(dialog).to_be_hidden()
    return app, shown


def test_a_second_step_is_set_up_and_then_asked_for(desk: Desk) -> None:
    agent = desk(ZHOU)
    app, codes = sets_up_the_second_step(agent, ZHOU)
    agent.signs_out()

    agent.tries(ZHOU.username, ZHOU.password)
    code = agent.page.get_by_label("Code", exact=True)
    expect(code).to_be_focused()
    code.fill("000000")
    code.press("Enter")
    expect(agent.page.get_by_role("alert")).to_contain_text("wrong, or was used already")
    code.fill(app.at(time.time(), counter_offset=1))
    code.press("Enter")
    expect(agent.page.get_by_role("tablist")).to_be_visible()

    agent.signs_out()
    agent.tries(ZHOU.username, ZHOU.password)
    agent.page.get_by_role("button", name="I have no access to the app").click()
    agent.page.get_by_label("Recovery code").fill(codes[3])
    agent.page.keyboard.press("Enter")
    expect(agent.page.get_by_role("tablist")).to_be_visible()


def test_two_tabs_renew_together_and_who_is_sent_to_the_login_keeps_the_draft(visit: Visit, desk: Desk) -> None:
    visitor, agent = visit(), desk()
    visitor.is_in_the_chat()
    visitor.says("Hello")
    visitor.calls_a_person()
    agent.opens(visitor.session)
    agent.takes_over()
    page, other = agent.page, AgentDesk(agent.page.context.new_page(), agent.address, "en")
    other.page.goto(page.url)
    expect(other.composer).to_be_visible()
    renewals: list[Route] = []

    def hold(route: Route) -> None:
        renewals.append(route)
        if len(renewals) > 1:
            route.continue_()

    page.context.route("**/api/agent/refresh", hold)
    page.evaluate(EXPIRE)
    for one in (agent, other):
        one.page.get_by_role("tab", name="History").click()
    deadline = time.monotonic() + 10
    while not renewals and time.monotonic() < deadline:
        page.wait_for_timeout(20)
    with page.expect_response("**/history*") as here, other.page.expect_response("**/history*") as there:
        renewals[0].continue_()
    assert here.value.status == there.value.status == 200
    page.context.unroute("**/api/agent/refresh")

    page.route("**/draft", lambda route: route.abort())
    agent.composer.fill("What I was about to say")
    held = page.evaluate(HELD)
    ended = httpx2.post(f"{agent.address}/api/agent/logout", json={}, headers={"Authorization": f"Bearer {held}"})
    assert ended.status_code == 200
    for tab in (page, other.page):
        expect(tab.get_by_text("Your session has ended. Please sign in again.")).to_be_visible()
    page.unroute("**/draft")
    agent.tries(LENA.username, LENA.password)
    expect(agent.composer).to_have_value("What I was about to say")
    expect(other.composer).to_be_visible()


def test_who_signs_out_is_out(desk: Desk) -> None:
    agent = desk()
    agent.signs_out()

    expect(agent.page).to_have_url(re.compile("/workbench/login"))
    agent.page.goto(f"{agent.address}/workbench/sessions")
    expect(agent.page).to_have_url(re.compile("/workbench/login"))
    expect(agent.page.get_by_role("button", name=agent.words.sign_in)).to_be_visible()


def test_who_signs_out_in_one_tab_is_out_in_all(desk: Desk) -> None:
    agent = desk()
    other = AgentDesk(agent.page.context.new_page(), agent.address, "en")
    other.page.goto(f"{agent.address}/workbench/")
    expect(other.page.get_by_role("tablist")).to_be_visible()

    agent.signs_out()

    expect(other.page).to_have_url(re.compile("/workbench/login"))


def test_a_link_to_a_conversation_opens_it_after_signing_in(
    visit: Visit, newcomer: Callable[[Locale], AgentDesk]
) -> None:
    visitor, agent = visit(), newcomer("en")
    visitor.is_in_the_chat()
    visitor.asks("How do I return my bike?")

    agent.page.goto(f"{agent.address}/workbench/sessions/{visitor.session}")
    agent.tries(LENA.username, LENA.password)

    agent.sees("How do I return my bike?")
