"""A visitor who waits is offered to an agent who is online, and sees how long it will take."""

import time
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Page, expect

from e2e.actors import AgentDesk
from e2e.conftest import PATIENCE, Desk, Visit
from e2e.product import CHEN, LENA, NO_TLS, WANG, ZHOU, Account, Product


@pytest.fixture(scope="module")
def product(start: Callable[..., Product], staffed: Path) -> Product:
    """Nobody waits in its queue but who is sent there."""
    return start(staffed)


def assigns(product: Product, mode: str, **more: int) -> None:
    """Somebody who may has set how the shop assigns."""
    with httpx2.Client(base_url=product.address, timeout=10, verify=NO_TLS) as client:
        token = client.post("/api/agent/login", json=ZHOU.credentials).raise_for_status().json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        client.put("/api/agent/status", json={"status": "break"}, headers=headers).raise_for_status()
        shop = client.get("/api/sessions", headers=headers).json()["data"]["sessions"][0]["shop"]
        client.put(f"/api/shops/{shop}/routing", json={"mode": mode} | more, headers=headers).raise_for_status()


def next_offered(*desks: AgentDesk) -> AgentDesk:
    """Who of them sees an offer."""
    deadline = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < deadline:
        for one in desks:
            if one.page.locator(".offers").is_visible():
                return one
        desks[0].page.wait_for_timeout(50)
    raise AssertionError("offered to nobody")


def test_an_offer_is_declined_by_one_and_accepted_by_the_next(product: Product, visit: Visit, desk: Desk) -> None:
    visitor = visit()
    visitor.is_in_the_chat()
    visitor.says("hello")
    lena, wang = desk(LENA), desk(WANG)
    assigns(product, "auto")
    visitor.calls_a_person()
    first = next_offered(lena, wang)
    second = wang if first is lena else lena
    bars = {one: one.page.locator(".offers") for one in (lena, wang)}
    bars[first].get_by_role("button", name="Decline").click()
    expect(bars[first]).to_have_count(0)
    expect(bars[second]).to_contain_text("0:")
    bars[second].get_by_role("button", name="Accept").click()
    expect(second.composer).to_be_visible()
    visitor.sees_status("Agent – ")
    assigns(product, "manual")
    waiting = visit()
    waiting.is_in_the_chat()
    waiting.calls_a_person()
    waiting.sees_status("No. 1 in line, about 1 min")


def acts(product: Product, account: Account, method: str, path: str, body: object = None) -> None:
    """Elsewhere than in the browser."""
    with httpx2.Client(base_url=product.address, timeout=10, verify=NO_TLS) as client:
        token = client.post("/api/agent/login", json=account.credentials).raise_for_status().json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        client.request(method, path, json=body, headers=headers).raise_for_status()


def three_are_tagged(product: Product, tag: str) -> list[str]:
    """Visitors whose pages nobody looks at; all but the last ask for a person. The names of their sessions."""
    names = []
    with httpx2.Client(base_url=product.address, timeout=10, verify=NO_TLS) as client:
        for n in range(3):
            visit = client.post("/api/conversation/new", json={"shop": "demo", "locale": "en"}).json()
            name, headers = visit["session_name"], {"Authorization": f"Bearer {visit['visitor_token']}"}
            if n < 2:  # before the first word, so that the bot answers the last alone
                body = {"session_name": name, "reason": "manual"}
                client.post("/api/manual/escalate", json=body, headers=headers).raise_for_status()
            body = {"content": "Hello", "client_msg_id": "m"}
            client.post(f"/api/sessions/{name}/messages", json=body, headers=headers).raise_for_status()
            names.append(name)
    acts(product, CHEN, "POST", f"/api/tags/{tag}/sessions", {"session_names": names})
    return names


def in_dialog(page: Page, choice: str, then: str | None = None) -> None:
    """Choose, and press the button where the choice is not yet the deed."""
    dialog = page.get_by_role("dialog")
    dialog.get_by_text(choice, exact=True).click()
    if then:
        dialog.get_by_role("button", name=then).click()


def test_a_lead_chooses_several_tags_them_and_offers_them_by_hand(product: Product, desk: Desk) -> None:
    lena, lead = desk(LENA), desk(CHEN)
    page, (waiting, *_) = lead.page, three_are_tagged(product, "tag_refund")
    lead.looks_at("all")
    page.get_by_role("button", name="Filter and sort").click()
    page.get_by_role("tooltip").get_by_role("button", name="Refund").click()
    page.keyboard.press("Escape")
    rows = page.locator("[data-name]")
    expect(rows).to_have_count(3)
    # The last to change stands first: once the bot has answered nothing more comes.
    expect(rows.filter(has_text="Bot:")).to_have_count(1)
    page.get_by_role("button", name="Choose several").click()
    boxes = page.get_by_role("checkbox", name="Choose Visitor")
    boxes.first.click()
    page.keyboard.press("ArrowDown")
    expect(boxes.nth(1)).to_be_focused()
    boxes.last.click(modifiers=["Shift"])
    bar = page.get_by_role("region", name="Choose several")
    bar.get_by_text("3 chosen").wait_for()
    bar.get_by_role("button", name="Tags").click()
    in_dialog(page, "Urgent")
    expect(rows.filter(has=page.locator(".chip", has_text="Urgent"))).to_have_count(3)
    bar.get_by_role("button", name="All 3 shown").click()
    bar.get_by_role("button", name="Offer").click()
    in_dialog(page, "@lena", "Offer")
    expect(bar.get_by_role("alert")).to_contain_text("2 done · 1 not")
    expect(bar.get_by_role("alert")).to_contain_text("does not wait for a person")
    expect(boxes.and_(page.locator(":checked"))).to_have_count(1)
    expect(lena.page.locator(".offers")).to_contain_text("0:")
    bar.get_by_role("button", name="All 3 shown").click()
    bar.get_by_role("button", name="Tags").click()
    in_dialog(page, "Take off")
    in_dialog(page, "Refund")
    expect(rows).to_have_count(0)
    bar.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Remove: Refund").click()
    is_told_who_went_away(product, lead, waiting)


def is_told_who_went_away(product: Product, lead: AgentDesk, waiting: str) -> None:
    """Lena goes while she is being chosen, and comes back."""
    page = lead.page
    lead.opens(waiting)
    acts(product, LENA, "POST", f"/api/sessions/{waiting}/assignment/decline")
    page.get_by_role("button", name="Offer to an agent").click()
    in_dialog(page, "@lena")
    acts(product, LENA, "PUT", "/api/agent/status", {"status": "break"})
    page.get_by_role("dialog").get_by_role("button", name="Offer").click()
    expect(page.get_by_text("Lena is not on duty")).to_be_visible()
    acts(product, LENA, "PUT", "/api/agent/status", {"status": "online"})
    page.get_by_role("dialog").get_by_role("button", name="Offer").click()
    expect(page.get_by_text("Offered to Lena", exact=True)).to_be_visible()


def test_two_leads_set_at_once_how_the_shop_assigns(product: Product, visit: Visit, desk: Desk) -> None:
    visitor, page = visit(), desk(CHEN).page
    visitor.is_in_the_chat()
    visitor.says("hello")
    assigns(product, "manual")
    page.get_by_role("link", name="Assignment").click()
    page.get_by_role("radio", name="By itself").check()
    page.get_by_label("Time to accept").fill("5")
    save = page.get_by_role("button", name="Save", exact=True)
    expect(save).to_be_disabled()
    page.get_by_label("Time to accept").fill("90")
    assigns(product, "manual", accept_seconds=30)
    save.click()
    bar = page.get_by_role("alert")
    expect(bar).to_contain_text("Somebody else has changed the assignment")
    bar.get_by_role("button", name="Save mine").click()
    expect(page.get_by_text("Assignment saved")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Time to accept")).to_have_value("90")
    expect(page.get_by_role("radio", name="By itself")).to_be_checked()
    assigns(product, "manual")


def test_an_agent_says_what_they_do_and_every_tab_knows(desk: Desk) -> None:
    agent = desk()
    other = agent.page.context.new_page()
    other.goto(agent.page.url)
    for page in (agent.page, other):
        expect(page.locator(".opener .dot.online")).to_be_visible()
    agent.page.locator("button.opener").click()
    agent.page.get_by_text("Lunch", exact=True).click()
    expect(other.locator(".opener .dot.lunch")).to_be_visible()
    agent.page.get_by_label("Note").fill("Back at two")
    agent.page.get_by_label("Note").press("Enter")
    other.reload()
    other.locator("button.opener").click()
    expect(other.get_by_label("Note")).to_have_value("Back at two")
    expect(other.get_by_role("radio", name="Lunch")).to_be_checked()
    agent.page.get_by_text("Online", exact=True).click()
    expect(other.locator(".opener .dot.online")).to_be_visible()
