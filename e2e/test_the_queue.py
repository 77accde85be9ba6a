"""A visitor who waits is offered to an agent who is online, and sees how long it will take."""

import time

import httpx2
from playwright.sync_api import expect

from e2e.actors import AgentDesk
from e2e.conftest import PATIENCE, Desk, Visit
from e2e.product import LENA, WANG, Account, Product, kefu

BOSS = Account("boss", "Boss", "bicycle-horn-9")


def assigns(product: Product, mode: str) -> None:
    """Somebody who may has set how the shop assigns."""
    with httpx2.Client(base_url=product.address, timeout=10) as client:
        if client.post("/api/agent/login", json=BOSS.credentials).status_code == 403:
            named = ("--username", BOSS.username, "--name", BOSS.name, "--password", BOSS.password)
            kefu(product.data, "agent", "create", *named, "--role", "supervisor")
        token = client.post("/api/agent/login", json=BOSS.credentials).raise_for_status().json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        client.put("/api/agent/status", json={"status": "break"}, headers=headers).raise_for_status()
        shop = client.get("/api/sessions", headers=headers).json()["data"]["sessions"][0]["shop"]
        client.put(f"/api/shops/{shop}/routing", json={"mode": mode}, headers=headers).raise_for_status()


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
