"""A supervisor plays a conversation event by event and hands the link on."""

import re
import time
from typing import Any

import httpx2
from playwright.sync_api import Page, expect

from accounts.team import bearer
from e2e.conftest import Desk
from e2e.product import CHEN, LENA, NO_TLS, WANG, Product
from e2e.test_looks import faults
from e2e.test_shots import shoot
from kefu.kit.ids import new_id
from kefu.sessions.fold import fold_all
from sessions.records import entry_of

PATIENCE = 30


def lives(product: Product) -> str:
    """The bot answers, a policy asks for a person, Lena comes and answers; the name of the session."""
    with httpx2.Client(base_url=product.address, verify=NO_TLS, timeout=20) as http:
        opened = http.post("/api/conversation/new", json={"shop": "demo", "locale": "en"}).raise_for_status().json()
        name: str = opened["session_name"]
        lena = http.post("/api/agent/login", json=LENA.credentials).raise_for_status().json()["token"]
        for text, comes in (
            ("Can I take the battery on a plane?", "answer.evidenced"),
            ("I want a human agent", "handoff.packet"),
        ):
            body = {"content": text, "client_msg_id": new_id("m")}
            path = f"/api/sessions/{name}/messages"
            http.post(path, json=body, headers=bearer(opened["visitor_token"])).raise_for_status()
            deadline = time.monotonic() + PATIENCE
            while not any(event["type"] == comes for event in log_of(http, lena, name)):
                assert time.monotonic() < deadline, comes
                time.sleep(0.1)
        http.post(f"/api/sessions/{name}/takeover", headers=bearer(lena)).raise_for_status()
        reply = {"session_name": name, "role": "agent", "content": "Hello, this is Lena."}
        http.post("/api/manual/messages", json=reply, headers=bearer(lena)).raise_for_status()
    return name


def log_of(http: httpx2.Client, token: str, name: str) -> list[dict[str, Any]]:
    answer = http.get(f"/api/sessions/{name}/events", params={"wait": 0}, headers=bearer(token)).raise_for_status()
    events: list[dict[str, Any]] = answer.json()["data"]["events"]
    return events


def shows_the_fold(page: Page, log: list[dict[str, Any]]) -> None:
    """The state at the newest of these events is what the server makes of all of them."""
    row = fold_all("s", [entry_of(event) for event in log])
    strip = page.get_by_label("The conversation at this event")
    expect(page.locator(".details")).to_have_attribute("data-seq", str(log[-1]["seq"]))
    expect(strip).to_have_attribute("data-status", row.status)
    expect(strip).to_have_attribute("data-epoch", str(row.epoch))
    expect(strip).to_contain_text(f"{row.message_count} messages")
    assert strip.get_by_text("With Lena").is_visible() == (row.agent_name == "Lena")


def test_a_conversation_is_replayed_and_its_link_leads_to_the_event(product: Product, desk: Desk) -> None:
    name = lives(product)
    log = product.log(name, CHEN)
    lead = desk(CHEN)
    page = lead.page
    lead.looks_at("all")
    lead.opens(name)
    lead.header.get_by_role("link", name="Replay").click()
    for n in range(1, len(log) + 1):
        shows_the_fold(page, log[:n])
        page.keyboard.press("ArrowRight")
    said = page.get_by_role("log")
    expect(said.get_by_text("Hello, this is Lena.")).to_be_visible()
    expect(said.get_by_text(re.compile("Waited for a person"))).to_be_visible()

    page.keyboard.press("Home")
    expect(said.get_by_text("Hello, this is Lena.")).to_be_hidden()
    for _ in range(4):
        page.keyboard.press("+")
    page.keyboard.press("Space")
    expect(page.get_by_role("slider")).to_have_attribute("aria-valuenow", str(len(log)))

    page.get_by_role("button", name="Policies").click()
    details = page.get_by_label("The event in full")
    expect(details).to_contain_text("Asks for a person")
    expect(details.get_by_text("The rule in that version")).to_be_visible()
    assert faults(page) == []
    shoot(page, "replay-en")
    hit = next(event["seq"] for event in log if event["type"] == "policy.decided")
    answer = next(event["seq"] for event in log if event["type"] == "answer.evidenced")
    expect(page).to_have_url(re.compile(rf"/sessions/{name}/replay\?at={hit}$"))
    page.goto(re.sub(r"\d+$", str(answer), page.url))
    expect(details).to_have_attribute("data-seq", str(answer))
    expect(details.get_by_text("The record is as it was made.").first).to_be_visible()

    other = desk(WANG, "zh").page
    other.goto(page.url)
    expect(other.get_by_role("alert")).to_contain_text("此会话由同事负责")
