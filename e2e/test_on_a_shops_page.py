"""The chat on somebody else's page: one line, an API of its own, and a door for that page only."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from e2e.actors import Visitor, comes
from e2e.conftest import Desk, OpenContext, Visit
from e2e.host_pages import CHATWOOT, ELEMENT, FUNCTION, Site, served
from e2e.product import CHEN, Product
from e2e.shop_settings import asks_for_consent, enforced, invites
from e2e.test_looks import faults_by_day_and_by_night
from servers import free_port
from shops.signing import signed

KEY = "3f1c9a7e5b2d8064c1e9f7a35d2b8c60"
STRICT = (Path(__file__).parents[1] / "docs/guide/strict-policy.html").read_text()
SAMPLE = (Path(__file__).parents[1] / "docs/guide/sample-shop.html").read_text()
LEFT = """
() => [document.querySelectorAll("#fiido-kefu").length, document.documentElement.getAttributeNames(), document.cookie]
"""
LOOK = """
it => {
  const { color, fontSize, letterSpacing, direction, opacity, textAlign } = getComputedStyle(it);
  return [color, fontSize, letterSpacing, direction, opacity, textAlign];
}
"""
NOTE = """
() => {
  window.noted = [];
  FiidoKefu.on("unread", ({ count }) => noted.push(count));
  FiidoKefu.on("message", ({ content }) => noted.push(content));
}
"""
# All that a script of the page gets hold of.
SPY = """
() => {
  const frame = document.querySelector("#fiido-kefu").shadowRoot.querySelector("iframe");
  const doors = [
    () => frame.contentDocument.body.innerHTML,
    () => frame.contentWindow.localStorage["kefu.visit.demo"],
    () => frame.contentWindow.location.href,
    () => frame.contentWindow.document.cookie,
  ];
  const inside = doors.map((open) => { try { return open(); } catch { return null; } });
  const kept = [{ ...localStorage }, { ...sessionStorage }, document.cookie, frame.src];
  const loaded = performance.getEntries().map(({ name }) => name);
  return [inside, JSON.stringify([kept, loaded, overheard])];
}
"""
HEAR = "name => { window.heard = []; FiidoKefu.on(name, (detail) => window.heard.push(detail)); }"

IDENTIFY = "token => FiidoKefu.identify(token)"
REFUSED = """
token => new Promise((done) => { FiidoKefu.on("error", ({ code }) => done(code)); FiidoKefu.identify(token) })
"""


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with served(free_port()) as site:
        yield site


@pytest.fixture(scope="module")
def product(start: Callable[..., Product], staffed: Path, site: Site) -> Product:
    """In production only the pages of CORS_ORIGINS may hold the chat."""
    return start(staffed, KEFU_ENV="production", RATE_LIMITS="on", JWT_SECRET_KEY=KEY, CORS_ORIGINS=site.address)


@pytest.fixture
def line(product: Product) -> str:
    return f'<script async src="{product.address}/sdk/fiido-kefu.js" data-shop="demo"></script>'


@pytest.fixture
def shopper(context: OpenContext, product: Product) -> Visitor:
    """On the pages of the site."""
    return Visitor(context().new_page(), product.address, "en")


def test_one_line_puts_the_chat_on_the_page_and_loads_no_frame_before_it_is_wanted(
    shopper: Visitor, site: Site, line: str
) -> None:
    shopper.page.goto(site.put("/one-line", body=line))
    expect(shopper.launcher).to_be_visible()
    expect(shopper.page.locator("#fiido-kefu iframe")).to_have_count(0)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    shopper.page.route("**/static/widget/assets/index-*.js", hold)
    shopper.launcher.click()
    expect(shopper.chat.locator(".coming")).to_be_visible()
    for route in held:
        route.continue_()
    expect(shopper.field).to_be_visible()
    expect(shopper.chat.locator(".coming")).to_have_count(0)
    shopper.asks("How do I return my bike?")
    assert [role for role, _ in shopper.said()] == ["user", "assistant"]


def test_calls_before_the_script_are_kept(shopper: Visitor, site: Site, line: str) -> None:
    calls = """<script>
      window.FiidoKefu = [];
      FiidoKefu.push(["setContext", { kind: "product", title: "T3 Trek", detail: "€2,399" }]);
      FiidoKefu.push(["sendMessage", "Said before the script came"]);
    </script>"""

    shopper.page.goto(site.put("/queued", head=calls, body=line))

    shopper.sees("Said before the script came")
    card = shopper.chat.get_by_role("complementary")
    expect(card).to_contain_text("T3 Trek")
    card.get_by_role("button", name="Ask about it").click()
    expect(shopper.bubbles.filter(has_text="Tell me about the T3 Trek")).to_be_visible()
    expect(card).to_be_hidden()


def test_open_close_and_toggle_are_obeyed_and_told(shopper: Visitor, site: Site, line: str) -> None:
    page = shopper.page
    page.goto(site.put("/api", body=line))
    expect(shopper.launcher).to_be_visible()
    page.evaluate(
        "() => { window.told = []; for (const name of ['open', 'close']) FiidoKefu.on(name, () => told.push(name)); }"
    )

    page.evaluate("FiidoKefu.open()")
    expect(shopper.field).to_be_visible()
    page.evaluate("FiidoKefu.close()")
    expect(shopper.field).to_be_hidden()
    page.evaluate("FiidoKefu.toggle()")
    expect(shopper.field).to_be_visible()
    page.evaluate("FiidoKefu.off('open')")
    page.evaluate("FiidoKefu.toggle(); FiidoKefu.toggle()")
    expect(shopper.field).to_be_visible()
    assert page.evaluate("told") == ["open", "close", "open", "close"]

    page.evaluate("FiidoKefu.hide()")
    expect(shopper.launcher).to_be_hidden()
    page.evaluate("FiidoKefu.show()")
    expect(shopper.launcher).to_be_visible()
    page.evaluate("FiidoKefu.destroy()")
    expect(page.locator("#fiido-kefu")).to_have_count(0)


def test_what_comes_while_the_chat_is_closed_is_counted_until_it_is_opened(
    shopper: Visitor, site: Site, line: str, desk: Desk
) -> None:
    agent = desk()
    shopper.page.goto(site.put("/unread", body=line))
    shopper.opens_the_chat()
    shopper.asks("How do I return my bike?")
    shopper.calls_a_person()
    agent.opens(shopper.session)
    agent.takes_over()
    shopper.sees_status("Agent – Lena")
    shopper.page.evaluate(HEAR, "unread")
    shopper.chat.get_by_role("button", name="Minimise chat").click()

    agent.says("Are you still there?")

    expect(shopper.page.get_by_role("button", name="Open customer chat, 1 unread")).to_be_visible()
    expect(shopper.launcher.locator(".badge")).to_have_text("1")
    assert shopper.page.title() == "(1) A shop"
    shopper.opens_the_chat()
    shopper.sees("Are you still there?")
    shopper.page.wait_for_function("() => window.heard.at(-1)?.count === 0")
    assert {"count": 1} in shopper.page.evaluate("heard")
    assert shopper.page.title() == "A shop"


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(FUNCTION, id="FiidoChat.init"),
        pytest.param(ELEMENT, id="fiido-chat"),
        pytest.param(CHATWOOT, id="chatwootSDK.run"),
    ],
)
def test_the_older_ways_to_embed_do_the_same(shopper: Visitor, site: Site, product: Product, call: str) -> None:
    shopper.page.goto(site.put("/older", body=call.format(api=product.address)))

    expect(shopper.field).to_be_visible()
    expect(shopper.chat.locator("html")).to_have_attribute("data-theme", "dark")
    box = shopper.panel.bounding_box()
    assert box is not None
    assert box["x"] < 200
    shopper.asks("How do I return my bike?")


def test_the_chat_goes_along_on_a_strict_page_and_leaves_it_as_it_was(
    shopper: Visitor, site: Site, product: Product
) -> None:
    page, bikes = shopper.page, f"{site.address}/bikes"
    site.pages["/strict?email=ann@shop.example"] = STRICT.replace("https://kefu.example.com", product.address)
    page.goto(f"{site.address}/strict?email=ann@shop.example")
    shopper.opens_the_chat()
    shopper.frame.evaluate("window.stayed = true")

    page.evaluate("history.pushState(null, '', '/bikes?email=ann@shop.example')")
    page.evaluate("document.body.replaceWith(document.createElement('body'))")
    shopper.asks("How do I return my bike?")
    shopper.calls_a_person()

    comes(lambda: page.evaluate("told"), ["queue"])  # where Playwright's own waiting would need eval
    assert shopper.frame.evaluate("window.stayed")
    came_from = [one for one in product.log(shopper.session) if one["type"] == "page.came_from"]
    assert [(one["page"], one["referrer"]) for one in came_from] == [(bikes, "")]
    with page.expect_response("**/api/funnel?shop=demo"):
        page.evaluate("FiidoKefu.destroy()")
    assert page.evaluate(LEFT) == [0, ["lang"], ""]
    assert product.seen() == {f"{site.address}/strict": (1, 1), bikes: (1, 0)}


def test_the_shop_speaks_first_where_its_rule_holds_and_sees_what_came_of_it(
    shopper: Visitor, desk: Desk, site: Site, product: Product
) -> None:
    page, text, agent = shopper.page, "Shall we check the size with you?", desk(CHEN)
    lead = agent.page
    lead.get_by_role("link", name="Invitations").click()
    invites(lead, text)
    inviting = STRICT.replace("https://kefu.example.com", product.address)
    site.pages["/cart?size=m"] = inviting.replace("data-consent", "data-consent data-invite")
    page.goto(f"{site.address}/cart?size=m")
    expect(shopper.launcher).to_be_visible()
    expect(page.locator("#fiido-kefu iframe")).to_have_count(0)

    page.evaluate("FiidoKefu.setContext({ cart: 500 })")
    invitation = page.locator("#fiido-kefu .invitation")
    expect(invitation).to_be_visible()
    invitation.get_by_text(text).click()

    expect(shopper.field).to_be_visible()
    expect(shopper.chat.get_by_text(text)).to_be_visible()
    expect(invitation).to_have_count(0)
    shopper.asks("How do I return my bike?")
    lead.goto(f"{product.address}/workbench/sessions/{shopper.session}")
    expect(lead.get_by_role("log").get_by_text(f"Answers the invitation “{text}”")).to_be_visible()

    with page.expect_response("**/api/funnel?shop=demo"):
        page.evaluate("FiidoKefu.destroy()")
    lead.get_by_role("link", name="Visitor funnel").click()
    row = lead.get_by_role("row", name=f"{site.address}/cart")
    expect(row.get_by_role("cell")).to_have_count(7)
    assert row.get_by_role("cell").all_inner_texts()[:2] == ["1", "1"]
    expect(lead.get_by_role("row", name="Opened it").first).to_contain_text("of “Saw the chat”")
    assert faults_by_day_and_by_night(lead) == []


def test_a_hostile_page_neither_restyles_the_chat_nor_covers_it_nor_learns_its_secret(
    shopper: Visitor, site: Site, line: str
) -> None:
    page, looks = shopper.page, []
    for address in (site.put("/quiet", body=line), site.put_hostile(line)):
        page.goto(address)
        expect(shopper.launcher).to_be_visible()
        button = shopper.launcher.bounding_box()
        shopper.opens_the_chat()
        expect(shopper.panel).to_have_css("opacity", "1")
        looks.append((button, shopper.panel.bounding_box(), shopper.launcher.evaluate(LOOK)))
    assert page.evaluate("document.compatMode") == "BackCompat"
    assert looks[0] == looks[1]

    page.evaluate(NOTE)
    page.evaluate("url => { open(url); }", f"{site.other_address}/advert")
    shopper.asks("How do I return my bike?")
    secret = shopper.frame.evaluate("JSON.parse(localStorage['kefu.visit.demo']).token")
    inside, outside = page.evaluate(SPY)
    assert inside == [None] * 4
    assert shopper.session in outside, "the page hears which conversation it is"
    assert secret not in outside
    assert [role for role, _ in shopper.said()] == ["user", "assistant"], "nobody speaks for the visitor"
    expect(shopper.field).to_be_visible()
    expect(shopper.chat.locator("html")).to_have_attribute("lang", "en")
    assert {9, "Lies"}.isdisjoint(page.evaluate("noted")), "nobody speaks for the chat"
    pages = [frame for one in page.context.pages for frame in one.frames]
    liars = [frame for frame in pages if frame.url.endswith(("/advert", "/rival"))]
    assert [frame.evaluate("heard") for frame in liars] == [[], [], []], "two frames and a window"

    page.emulate_media(reduced_motion="reduce")
    expect(shopper.panel).to_have_css("transition-duration", "0s")
    assert shopper.frame.evaluate("matchMedia('(prefers-reduced-motion: reduce)').matches")
    shopper.launcher.click()
    expect(shopper.field).to_be_hidden()


def test_a_page_that_is_not_listed_cannot_hold_the_chat(chromium_refusal: Visitor, site: Site, line: str) -> None:
    site.put("/not-listed", body=line)
    chromium_refusal.page.goto(f"{site.other_address}/not-listed")

    with chromium_refusal.page.expect_console_message(lambda told: "frame-ancestors" in told.text):
        chromium_refusal.page.get_by_role("button", name="Open customer chat").click()
    expect(chromium_refusal.field).to_have_count(0)


def test_the_chat_obeys_no_page_but_the_one_it_was_opened_for(shopper: Visitor, site: Site, product: Product) -> None:
    frame = f"<iframe src='{product.address}/embed?shop=demo&locale=en&parent=https://shop.example'></iframe>"
    page = shopper.page
    page.goto(site.put("/foreign", body=frame))
    chat = page.frame_locator("iframe")
    expect(chat.get_by_text("Hello, I'm Velo")).to_be_visible()
    page.evaluate("() => { window.told = []; addEventListener('message', ({ data }) => told.push(data)); }")

    for message in ({"type": "send", "text": "Not from the visitor"}, {"type": "locale", "locale": "zh"}):
        page.evaluate("message => frames[0].postMessage({ kefu: 1, ...message }, '*')", message)
    chat.locator("textarea").fill("Mine")
    chat.locator("textarea").press("Enter")

    expect(chat.locator(".message.bot .text:not(.streaming)")).to_have_count(1)
    expect(chat.get_by_text("Not from the visitor")).to_have_count(0)
    expect(chat.locator("html")).to_have_attribute("lang", "en")
    assert page.evaluate("told") == []


def test_two_people_on_one_browser_never_see_each_others_conversation(
    visit: Visit, desk: Desk, product: Product
) -> None:
    lead = desk(CHEN)
    secret = enforced(lead.page)
    visitor = visit()
    page = visitor.page
    visitor.opens_the_shop()
    page.evaluate(IDENTIFY, signed(secret, "anna", aud="demo", name="Anna Bell"))
    visitor.opens_the_chat()
    visitor.asks("Which payment methods do you take?")
    said = visitor.said()
    other_tab = Visitor(page.context.new_page(), product.address, "en")
    other_tab.opens_the_shop()
    other_tab.page.evaluate(IDENTIFY, signed(secret, "anna", aud="demo"))
    other_tab.opens_the_chat()
    expect(other_tab.bubbles).to_have_count(2)

    page.evaluate("FiidoKefu.logout()")
    expect(visitor.field).to_be_hidden()
    expect(other_tab.bubbles).to_have_count(0)
    kept = page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('kefu.'))")
    assert [key for key in kept if "visit" in key or "outbox" in key] == []

    assert page.evaluate(REFUSED, signed("somebody else's secret", "anna", aud="demo")) == "IDENTITY_UNVERIFIED"
    page.evaluate(IDENTIFY, signed(secret, "ben", aud="demo"))
    visitor.opens_the_chat()
    expect(visitor.bubbles).to_have_count(0)
    visitor.asks("Do you ship to Norway?")
    page.evaluate(IDENTIFY, signed(secret, "anna", aud="demo"))
    expect(visitor.bubbles).to_have_count(2)
    assert visitor.said() == said, "who proves it finds their own again"
    lead.page.goto(f"{product.address}/workbench/sessions/{visitor.session}")
    expect(lead.header.get_by_title(re.compile("^anna · "))).to_have_text("Verified")


def test_what_is_chosen_in_the_workbench_is_previewed_and_then_on_the_page(
    shopper: Visitor, desk: Desk, site: Site, product: Product
) -> None:
    lead = desk(CHEN).page
    lead.goto(f"{product.address}/workbench/widget")
    lead.get_by_label("Colour of the button as #rrggbb").fill("#ffd400")
    expect(lead.get_by_text("Contrast 1.43:1, too low to be read")).to_be_visible()
    expect(lead.get_by_role("button", name="Save")).to_be_disabled()
    lead.get_by_label("Colour of the button as #rrggbb").fill("#b3261e")
    lead.get_by_label("Welcome in English").fill("Good day from the workshop!")
    lead.get_by_text("Left", exact=True).click()
    preview = lead.frame_locator("iframe")
    expect(preview.get_by_text("Good day from the workshop!")).to_be_visible()
    expect(preview.locator(".avatar")).to_have_css("background-color", "rgb(179, 38, 30)")
    lead.get_by_role("button", name="Save").click()
    expect(lead.get_by_text("Saved.")).to_be_visible()

    site.pages["/sample"] = SAMPLE.replace("http://127.0.0.1:8000", product.address)
    assert lead.locator("pre").inner_text() in site.pages["/sample"]
    shopper.page.goto(f"{site.address}/sample")
    expect(shopper.launcher).to_have_css("background-color", "rgb(179, 38, 30)")
    expect(shopper.launcher).to_have_css("left", "20px")
    shopper.opens_the_chat()
    expect(shopper.chat.get_by_text("Good day from the workshop!")).to_be_visible()

    asks_for_consent(lead)
    shopper.says("Written before the form came")
    shopper.chat.get_by_label("We keep it a year.").check()
    shopper.chat.get_by_role("button", name="Start the chat").click()
    expect(shopper.answers).to_have_count(1)
    assert [words for _, words in shopper.said()][:1] == ["Written before the form came"]
    lead.goto(f"{product.address}/workbench/sessions/{shopper.session}")
    expect(lead.get_by_role("complementary").get_by_text("We keep it a year.")).to_be_visible()
