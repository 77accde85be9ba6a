"""Pictures and files go both ways, and the line may break meanwhile."""

from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from e2e.actors import A_SECOND
from e2e.conftest import Desk, Visit

# 24 × 12, teal.
PNG = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAABgAAAAMCAIAAAD3UuoiAAAAF0lEQVR42mPwO3uEKohh1KBRg0YNwocAr+Ma/yzntggAAAAASUVORK5CYII="
)
PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
# What a browser does with a picture from the clipboard, or with a file that is let go.
BRING = """
(element, { type, name, kind, content }) => {
  const transfer = new DataTransfer();
  const bytes = Uint8Array.from(atob(content), (one) => one.charCodeAt(0));
  transfer.items.add(new File([bytes], name, { type: kind }));
  const Event = type === "paste" ? ClipboardEvent : DragEvent;
  const data = type === "paste" ? "clipboardData" : "dataTransfer";
  element.dispatchEvent(new Event(type, { bubbles: true, cancelable: true, [data]: transfer }));
}
"""


def may_attach(composer: Locator) -> Locator:
    """The field, once the form around it takes files."""
    expect(composer.locator("xpath=ancestor::form").locator("button.attach")).to_be_visible()
    return composer


def brought(type_: str, content: bytes = PNG, name: str = "shot.png", kind: str = "image/png") -> dict[str, str]:
    return {"type": type_, "name": name, "kind": kind, "content": b64encode(content).decode()}


def test_a_visitor_pastes_a_picture_and_the_agent_answers_with_a_file(visit: Visit, desk: Desk) -> None:
    visitor, agent = visit(), desk()
    visitor.is_in_the_chat()
    visitor.says("Hello")
    may_attach(visitor.field).evaluate(BRING, brought("paste"))
    chip = visitor.chat.locator(".attached li")
    expect(chip).to_contain_text("shot.png")
    visitor.says("It looks like this")
    expect(chip).to_have_count(0)
    picture = visitor.chat.get_by_role("button", name="Look at shot.png")
    expect(picture.locator("img")).to_have_js_property("naturalWidth", 24)

    visitor.calls_a_person()
    agent.opens(visitor.session)
    shown = agent.page.get_by_role("log").get_by_role("button", name="Look at shot.png")
    expect(shown.locator("img")).to_have_js_property("naturalWidth", 24)
    shown.click()
    large = agent.page.get_by_role("dialog", name="shot.png")
    expect(large.locator("img")).to_be_visible()
    agent.page.keyboard.press("Escape")
    expect(large).to_have_count(0)

    agent.takes_over()
    may_attach(agent.composer).evaluate(BRING, brought("drop", PDF, "Bill 77.pdf", "application/pdf"))
    expect(agent.page.locator(".attached li")).to_contain_text("Bill 77.pdf")
    agent.composer.press("Enter")
    card = visitor.chat.get_by_role("button", name="Download Bill 77.pdf")
    expect(card).to_be_visible(timeout=5 * A_SECOND)
    with visitor.page.expect_download() as download:
        card.click()
    assert download.value.suggested_filename == "Bill 77.pdf"
    assert Path(download.value.path()).read_bytes() == PDF


@pytest.fixture
def uploads() -> list[str]:
    return []


def _fails_once(page: Page, uploads: list[str]) -> None:
    def answer(route: Route) -> None:
        uploads.append(route.request.url)
        if len(uploads) == 1:
            route.abort()
        else:
            route.continue_()

    page.route("**/api/sessions/*/files", answer)


def test_what_did_not_arrive_is_tried_again_and_is_sent_up_once(visit: Visit, uploads: list[str]) -> None:
    visitor = visit("zh")
    _fails_once(visitor.page, uploads)
    visitor.is_in_the_chat()
    may_attach(visitor.field).evaluate(BRING, brought("paste"))
    chip = visitor.chat.locator(".attached li")
    expect(chip).to_contain_text("网络已断开")
    chip.get_by_role("button", name="重试").click()
    expect(chip.locator("progress")).to_have_count(0)
    may_attach(visitor.field).evaluate(BRING, brought("paste", b"<svg/>", "virus.svg", "image/svg+xml"))
    refused = visitor.chat.locator(".attached li.failed")
    expect(refused).to_contain_text("仅支持发送图片")
    refused.get_by_role("button", name="移除 virus.svg").click()
    # The message is refused its way once, too: what it takes along is there already.
    visitor.page.route("**/messages", lambda route: route.abort(), times=1)
    visitor.field.press("Enter")
    expect(visitor.ticks.last).to_have_text("已送达", timeout=10 * A_SECOND)
    expect(visitor.chat.get_by_role("button", name="查看图片 shot.png").locator("img")).to_be_visible()
    assert len(uploads) == 3
