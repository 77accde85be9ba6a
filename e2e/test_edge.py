"""What the edge refuses: foreign scripts on any page, and more messages than a minute may have."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from e2e.actors import Visitor
from e2e.conftest import Desk, OpenContext, Visit
from e2e.product import CHEN, Product

SLOWLY = 30_000
INJECT = """
() => {
  const inline = document.createElement("script");
  inline.textContent = "window.hit = 'inline'";
  const named = document.createElement("script");
  named.src = "/sdk/fiido-kefu.js";
  const handler = document.createElement("div");
  handler.innerHTML = "<img src=x onerror=\\"window.hit = 'handler'\\"><b style='color: rgb(1, 2, 3)'>x</b>";
  document.body.append(inline, named, handler);
  return new Promise((done) => setTimeout(() => done(getComputedStyle(handler.querySelector("b")).color), 300));
}
"""
FRAMES = "() => [window.hit, document.querySelectorAll('#fiido-kefu').length]"


def test_no_page_needs_what_its_policy_refuses(visit: Visit, desk: Desk, product: Product) -> None:
    """The fixture of contexts fails a test in whose pages a policy refused something."""
    visitor = visit()
    visitor.is_in_the_chat()
    visitor.asks("How long is the warranty on the battery?")
    visitor.calls_a_person()
    lead = desk(CHEN)
    lead.opens(visitor.session)
    lead.takes_over()
    lead.says("**Hello** https://shop.example")
    for n in range(lead.page.locator("aside").get_by_role("tab").count()):
        lead.page.locator("aside").get_by_role("tab").nth(n).click()
    links = lead.page.locator("nav a")
    for n in range(links.count()):
        links.nth(n).click()
        lead.page.wait_for_load_state("networkidle")
    page = visitor.page
    page.goto(f"{product.address}/docs")
    page.locator("[data-tag=sessions]").click()
    expect(page.get_by_text("/api/conversation/new").first).to_be_visible()
    page.goto(f"{product.address}/embed?shop=demo")
    expect(page.locator("textarea")).to_be_visible()


@pytest.mark.parametrize("path", ["/workbench/", "/embed?shop=demo", "/docs"])
def test_a_script_that_the_page_did_not_name_does_not_run(chromium_refusal: Visitor, path: str) -> None:
    page: Page = chromium_refusal.page
    page.goto(f"{chromium_refusal.address}{path}", wait_until="networkidle")
    assert page.evaluate(INJECT) != "rgb(1, 2, 3)"
    assert page.evaluate(FRAMES) == [None, 0]


def test_who_writes_too_much_is_told_so_and_loses_nothing(
    start: Callable[..., Product], staffed: Path, context: OpenContext
) -> None:
    product = start(staffed, RATE_LIMITS="on")
    visitor = Visitor(context("zh", viewport={"width": 390, "height": 844}).new_page(), product.address, "zh")
    visitor.is_in_the_chat()
    for n in range(22):
        visitor.says(f"message {n}")
    notice = visitor.chat.get_by_role("status").filter(has_text="您发送得有点快")
    expect(notice).to_be_visible(timeout=SLOWLY)
    expect(visitor.chat.locator(".message.own .meta").last).to_have_text(visitor.words.sending)
    visitor.sees("message 21")
    visitor.page.reload()
    visitor.opens_the_chat()
    visitor.sees("message 20")
    visitor.sees("message 21")
    expect(notice).to_be_visible(timeout=SLOWLY)
    assert len([one for one in product.messages(visitor.session) if one[0] == "user"]) == 20
