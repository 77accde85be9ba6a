"""A manual becomes knowledge: uploaded, looked at by a colleague, found; and what the bot did not know is answered."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect

from documents import samples
from e2e.conftest import Desk
from e2e.product import CHEN, NO_TLS, ZHOU, Product
from e2e.test_looks import faults
from e2e.test_shots import shoot

ASKED = "Can the frame be engraved with my initials?"


@pytest.fixture(scope="module")
def product(start: Callable[..., Product], staffed: Path) -> Product:
    """A visitor has asked what nobody knows."""
    product = start(staffed)
    with httpx2.Client(base_url=product.address, verify=NO_TLS) as http:
        http.post("/api/chat", json={"message": ASKED}).raise_for_status()
    return product


def turns_to(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name, exact=True).locator("xpath=..").click()


def uploads(page: Page, content: bytes, name: str) -> None:
    file = FilePayload(name=name, mimeType="application/octet-stream", buffer=content)
    page.locator("input[type=file]").set_input_files(file)


def comes_to(page: Page, row: Locator) -> None:
    """Until who follows the log has come so far."""
    for _ in range(20):
        with suppress(AssertionError):
            return expect(row).to_be_visible(timeout=1500)
        page.reload()
    return expect(row).to_be_visible()


def test_a_manual_is_uploaded_approved_by_a_colleague_and_found(desk: Desk) -> None:
    page = desk(CHEN, "zh").page
    page.get_by_role("link", name="知识库").click()
    turns_to(page, "文档")
    uploads(page, samples.scanned(), "scan.pdf")
    expect(page.get_by_text("该 PDF 为扫描件")).to_be_visible()
    uploads(page, samples.pdf(), "City5.pdf")
    draft = page.get_by_role("listitem").filter(has_text="City5.pdf").get_by_role("button", name="打开草稿")
    expect(draft).to_be_visible()
    uploads(page, samples.pdf(), "again.pdf")
    expect(page.get_by_text("本店铺已有内容相同的文件")).to_be_visible()
    shoot(page, "knowledge-documents-zh")
    assert faults(page) == []
    draft.click()
    turns_to(page, "段落")
    expect(page.get_by_text("one millimetre")).to_be_visible()
    page.get_by_role("button", name="提交审核").click()

    colleague = desk(ZHOU, "zh").page
    colleague.goto(page.url)
    expect(colleague.get_by_role("button", name="退回")).to_be_visible()
    assert faults(colleague) == []
    colleague.get_by_role("button", name="通过并发布").click()
    expect(colleague.get_by_text("已发布", exact=True).first).to_be_visible()
    colleague.get_by_role("link", name="知识库").click()
    turns_to(colleague, "命中测试")
    colleague.get_by_label("输入顾客可能提出的问题").fill("车架保修几年？")
    colleague.get_by_role("button", name="查找").click()
    expect(colleague.get_by_role("button", name="City5，第 3 页")).to_be_visible()


def test_what_the_bot_did_not_know_is_answered_from_the_list(desk: Desk) -> None:
    page = desk(CHEN, "en").page
    page.get_by_role("link", name="Knowledge").click()
    turns_to(page, "Unanswered")
    row = page.get_by_role("listitem").filter(has_text=ASKED)
    comes_to(page, row)
    assert faults(page) == []
    row.get_by_role("button", name="Write an answer").click()
    answer = page.locator("textarea").first
    answer.fill("Yes, **for free**.\n\n- up to 12 letters")
    shoot(page, "knowledge-editor-en")
    assert faults(page) == []
    page.get_by_role("button", name="Save draft").click()
    # Nothing that is typed while it is saved is lost: nothing can be typed.
    answer.fill("Yes, **for 20 €**.\n\n- up to 12 letters")
    page.get_by_role("button", name="Save draft").click()
    turns_to(page, "Versions")
    page.get_by_role("button", name="Compare with the one before").click()
    expect(page.locator(".plus")).to_contain_text("20 €")
    page.get_by_role("link", name="Knowledge").click()
    turns_to(page, "Unanswered")
    turns_to(page, "Answered")
    expect(row).to_be_visible()
