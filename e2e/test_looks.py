"""Languages, themes and screens of the widget; nobody with a keyboard or a screen reader is left out."""

from base64 import b64decode
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import FloatRect, Frame, Page, Route, expect

from e2e.actors import AgentDesk, Visitor, comes_to_rest
from e2e.conftest import SHOTS, Desk, OpenContext, Visit
from e2e.product import Product
from e2e.test_files import BRING, PDF, brought, may_attach
from e2e.test_shots import QUESTION, TALK, UNKNOWN
from e2e.words import CHAT, Locale

Scheme = Literal["light", "dark"]
AXE = (Path(__file__).parents[1] / "node_modules/axe-core/axe.min.js").read_text()
RUN_AXE = """
async () => (await axe.run(document, { resultTypes: ["violations"], iframes: false })).violations
  .filter(({ impact }) => impact === "serious" || impact === "critical")
  .map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(" | ")}`)
"""
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SMALL_PHONE = PHONE | {"viewport": {"width": 360, "height": 640}}
# What a phone's camera and its bar at the edge take.
NOTCH = {"top": 47, "bottom": 34, "left": 0, "right": 0}
# Links within words may be as small as the words are; a box is hit by its label.
TOO_SMALL = """
() => [...document.querySelectorAll("button, a, textarea, input:not(.visually-hidden), label.target")]
  .filter((it) => it.checkVisibility({ visibilityProperty: true }) && !it.closest(".text, .words, label.target input"))
  .filter((it) => { const { width, height } = it.getBoundingClientRect(); return Math.min(width, height) < 43.9; })
  .map((it) => it.outerHTML)
"""
EARLIER = {"en": "Earlier chats", "zh": "历史对话"}
# Neither the page nor, where there is one, the conversation in it.
NO_WIDER = """
[document.documentElement, ...document.querySelectorAll("[role=log]")].every((it) => it.scrollWidth <= it.clientWidth)
"""
# With the widest that anybody may write.
FITS = f"""
(words) => {{
  const wide = document.createElement("div");
  wide.innerHTML = "<p><a href='/'>" + "endless".repeat(60) + "</a></p><pre><code>" + "code ".repeat(90)
    + "</code></pre><table><tr>" + "<td>A cell of many</td>".repeat(12) + "</tr></table>";
  words.append(wide);
  const fits = {NO_WIDER.strip()};
  wide.remove();
  return fits;
}}
"""
# On top of the page's history.
NO_ENTRY = "() => !history.state?.kefu"
# A router of the page's own.
ROUTER = "() => { window.routed = []; addEventListener('popstate', ({ state }) => routed.push(state)); }"
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


def _comes_late(visitor: Visitor) -> None:
    """The chat, where the network is away when it is opened: there is a way out, and it comes when that is back."""
    visitor.page.context.set_offline(offline=True)
    visitor.launcher.click()
    expect(visitor.launcher).to_have_accessible_name(visitor.words.close)
    visitor.page.context.set_offline(offline=False)
    expect(visitor.field).to_be_visible()
    expect(visitor.launcher).to_be_hidden()
    visitor.page.go_back()
    expect(visitor.launcher).to_be_visible()
    visitor.page.wait_for_function(NO_ENTRY)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_chat_follows_the_colours_of_the_system(visit: Visit, scheme: str) -> None:
    visitor = visit(color_scheme=scheme)
    visitor.is_in_the_chat()

    brightness = visitor.frame.evaluate(BRIGHTNESS)

    assert brightness > 0.8 if scheme == "light" else brightness < 0.2


def test_on_a_phone_the_chat_fills_the_screen_and_back_closes_it(visit: Visit) -> None:
    visitor = visit("zh", **SMALL_PHONE)
    page = visitor.page
    page.context.new_cdp_session(page).send("Emulation.setSafeAreaInsetsOverride", {"insets": NOTCH})
    visitor.opens_the_shop()
    _comes_late(visitor)
    page.evaluate(ROUTER)
    page.evaluate("history.replaceState({ its: 'own' }, '')")
    before = page.url
    visitor.opens_the_chat()

    expect(visitor.panel).to_have_css("opacity", "1")
    page.wait_for_function(FILLS_THE_SCREEN)
    free: FloatRect = {"x": 0, "y": NOTCH["top"], "width": 360, "height": 640 - NOTCH["top"] - NOTCH["bottom"]}
    assert visitor.panel.locator("iframe").bounding_box() == free
    expect(visitor.launcher).to_be_hidden()
    expect(page.locator("html")).to_have_css("overflow", "hidden")
    assert page.evaluate("document.body.inert"), "no key leads behind it"
    visitor.asks("电池可以带上飞机吗？")
    assert visitor.frame.evaluate(NO_WIDER)
    for width, height in ((844, 390), (640, 360), (360, 640)):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_function(FILLS_THE_SCREEN)
        assert visitor.frame.evaluate(NO_WIDER)
        expect(visitor.field).to_be_in_viewport(ratio=1)

    assert page.evaluate("history.state") == {"its": "own", "kefu": 1}
    page.go_back()
    expect(visitor.launcher).to_be_visible()
    expect(page.locator("html")).not_to_have_css("overflow", "hidden")
    assert not page.evaluate("document.body.inert")
    visitor.opens_the_chat()
    visitor.chat.get_by_role("button", name=visitor.words.minimise).click()
    expect(visitor.launcher).to_be_visible()
    page.wait_for_function(NO_ENTRY)
    heard: list[object] = page.evaluate("routed")
    assert all(one == {"its": "own"} for one in heard), "the page was never left"
    page.evaluate("history.pushState({ its: 'next' }, '', '?next')")
    page.go_back()
    assert page.url == before
    assert page.evaluate("routed").pop() == {"its": "own"}


def test_the_window_can_be_larger_and_smaller_again(visit: Visit) -> None:
    visitor = visit()
    visitor.is_in_the_chat()
    expect(visitor.panel).to_have_attribute("data-layout", "panel")

    visitor.chat.get_by_role("button", name=visitor.words.maximise).click()
    expect(visitor.panel).to_have_attribute("data-layout", "maximised")
    visitor.chat.get_by_role("button", name=visitor.words.restore).click()

    expect(visitor.panel).to_have_attribute("data-layout", "panel")
    # A window of 1440 × 800, and all in it twice as large.
    visitor.page.set_viewport_size({"width": 720, "height": 400})
    visitor.page.wait_for_function(FILLS_THE_SCREEN)
    expect(visitor.field).to_be_in_viewport(ratio=1)
    expect(visitor.chat.get_by_text(visitor.words.welcome)).to_be_in_viewport(ratio=1)
    assert visitor.frame.evaluate(NO_WIDER)
    visitor.page.set_viewport_size({"width": 1440, "height": 800})
    visitor.page.wait_for_function(NO_ENTRY)
    expect(visitor.field).to_be_in_viewport(ratio=1)


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
    if where.evaluate("!window.axe"):
        where.evaluate(AXE)
    found: list[str] = where.evaluate(RUN_AXE)
    return found


class Beholder:
    """Looks at the states of a chat: as axe does, and with a finger; and keeps a picture of each."""

    def __init__(self, visitor: Visitor, scheme: Scheme) -> None:
        self.visitor = visitor
        self.scheme = scheme
        self.has_finger = visitor.page.evaluate("matchMedia('(pointer: coarse)').matches")
        self.browser = visitor.page.context.new_cdp_session(visitor.page)
        self.found: list[str] = []

    def sees(self, state: str) -> None:
        frame = self.visitor.frame
        self.found += [f"{state}: {fault}" for fault in faults(frame)]
        self._keep(state)
        if not frame.evaluate(NO_WIDER):
            self.found.append(f"{state}: wider than the screen")
        if self.has_finger:
            self.found += [f"{state}: {small} is too small" for small in frame.evaluate(TOO_SMALL)]

    def _keep(self, state: str) -> None:
        box = self.visitor.panel.bounding_box()
        shot = {"format": "webp", "quality": 80, "clip": {**(box or {}), "scale": 1.5}}
        picture = self.browser.send("Page.captureScreenshot", shot)["data"]
        folder = SHOTS / "states"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{state}-{self.visitor.locale}-{self.scheme}.webp").write_bytes(b64decode(picture))


def _asks_first(route: Route) -> None:
    answer = route.fetch()
    info = answer.json()
    consent = {"mode": "ask", "text": "I agree", "link": "https://shop.example/privacy"}
    info["bot"] |= {"asks": {"name": "required", "email": "required"}, "consent": consent}
    route.fulfill(response=answer, json=info)


def _is_welcome(visitor: Visitor, beholder: Beholder) -> None:
    """And first asked who they are, in a shop that does."""
    beholder.sees("welcome")
    page, form = visitor.page, visitor.chat.locator("form:has([name=agreed])")
    page.route("**/api/bot/info*", _asks_first)
    page.reload()
    visitor.launcher.click()
    form.locator("[type=submit]").click()
    expect(form.get_by_role("alert")).to_have_count(3)
    beholder.sees("form")
    page.unroute("**/api/bot/info*")
    page.reload()
    visitor.opens_the_chat()


def _talks_to_a_person(visitor: Visitor, agent: AgentDesk, beholder: Beholder) -> None:
    """With a picture, and with words that do not arrive."""
    page, chat, locale = visitor.page, visitor.chat, visitor.locale
    agent.opens(visitor.session)
    agent.takes_over()
    agent.says(TALK[locale][1])
    visitor.sees(TALK[locale][1])
    may_attach(visitor.field).evaluate(BRING, brought("paste"))
    visitor.field.evaluate(BRING, brought("paste", b"<svg/>", "virus.svg", "image/svg+xml"))
    expect(chat.locator(".attached progress")).to_have_count(0)
    agent.composer.press_sequentially("One")
    expect(chat.locator(".typing")).to_be_visible()
    beholder.sees("person")
    chat.locator(".attached li.failed .remove").click()
    visitor.says(TALK[locale][0])
    expect(chat.locator(".picture img")).to_be_visible()
    agent.composer.fill("")
    may_attach(agent.composer).evaluate(BRING, brought("drop", PDF, "Bill 77.pdf", "application/pdf"))
    expect(agent.page.locator(".attached progress")).to_have_count(0)
    agent.composer.press("Enter")
    expect(chat.get_by_role("button", name="Bill 77.pdf")).to_be_visible()

    page.route("**/messages", lambda route: route.fulfill(status=422, json={"error": {"code": "NO", "message": "No"}}))
    visitor.says(TALK[locale][3])
    expect(chat.locator(".bad")).to_be_visible()
    page.unroute("**/messages")
    page.context.set_offline(offline=True)
    visitor.says(TALK[locale][3])
    expect(chat.get_by_text(visitor.words.sending)).to_be_visible()
    beholder.sees("offline")
    page.context.set_offline(offline=False)


@pytest.mark.parametrize(
    ("locale", "scheme", "screen"),
    [pytest.param("en", "light", {}, id="en-desk"), pytest.param("zh", "dark", SMALL_PHONE, id="zh-phone")],
)
def test_no_state_of_the_chat_keeps_anybody_out(
    visit: Visit, desk: Desk, product: Product, locale: Locale, scheme: Scheme, screen: dict[str, Any]
) -> None:
    visitor, agent = visit(locale, color_scheme=scheme, **screen), desk()
    chat, page = visitor.chat, visitor.page
    visitor.opens_the_shop()
    assert faults(page) == []
    visitor.opens_the_chat()
    expect(chat.get_by_text(visitor.words.welcome)).to_be_visible()
    assert faults(page) == []
    beholder = Beholder(visitor, scheme)
    assert beholder.has_finger == bool(screen)
    _is_welcome(visitor, beholder)

    visitor.asks(QUESTION[locale])
    page.evaluate("FiidoKefu.setContext({ kind: 'product', title: 'T3 Trek', detail: '€2,399' })")
    expect(chat.get_by_role("complementary")).to_be_visible()
    beholder.sees("answer")
    assert visitor.answers.first.locator(".text").evaluate(FITS)
    page.evaluate("FiidoKefu.setContext(null)")
    visitor.asks(UNKNOWN[locale])
    chat.locator("form").get_by_role("button", name=visitor.words.person).click()
    beholder.sees("handoff")
    chat.get_by_role("dialog").get_by_role("button", name=visitor.words.person).click()
    visitor.sees_status(visitor.words.waiting)
    beholder.sees("waiting")

    _talks_to_a_person(visitor, agent, beholder)
    agent.releases()
    rating = chat.locator("aside:has(.stars)")
    rating.locator("label").nth(3).click()
    expect(rating.locator(".reasons button")).not_to_have_count(0)
    beholder.sees("rating")
    rating.locator(".send").click()
    expect(rating).to_be_hidden()
    product.closes_what_is_open()
    visitor.sees_status(visitor.words.ended)
    beholder.sees("ended")
    chat.get_by_role("button", name=EARLIER[locale]).click()
    expect(chat.get_by_role("dialog")).to_be_visible()
    beholder.sees("history")
    assert beholder.found == []


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
    agent.page.keyboard.press("Control+k")
    expect(agent.page.get_by_role("option", selected=True)).to_be_visible()
    assert faults_by_day_and_by_night(agent.page) == []
    agent.page.keyboard.type("keyboard shortcuts")
    agent.page.keyboard.press("Enter")
    expect(agent.page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
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
