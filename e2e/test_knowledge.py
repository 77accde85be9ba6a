"""A manual becomes knowledge: uploaded, looked at by a colleague, found; and what the bot did not know is answered."""

from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import FilePayload, Page, expect

from documents import samples
from e2e.conftest import Desk
from e2e.product import CHEN, Account, Product, employ
from e2e.test_looks import faults
from e2e.test_shots import LOCALES, shoot
from e2e.words import Locale

ZHOU = Account("zhou", "周敏", "bicycle-pump-6", "supervisor")
ASKED = {"en": "Can the frame be engraved with my initials?", "zh": "你们老板喜欢吃什么水果？"}
WORDS: dict[Locale, dict[str, str]] = {
    "en": {
        "title": "Knowledge",
        "documents": "Documents",
        "unanswered": "Unanswered",
        "trial": "Try it",
        "scanned": "The PDF holds only pictures of pages",
        "exists": "This shop has the very same file already",
        "open": "Open the draft",
        "passages": "Passages",
        "submit": "Submit for review",
        "back": "Send back",
        "approve": "Approve and publish",
        "published": "Published",
        "versions": "Versions",
        "compare": "Compare with the one before",
        "find": "Find",
        "ask": "What would a customer ask?",
        "page": ", page 2",
        "write": "Write an answer",
        "save": "Save draft",
        "linked": "Answered",
    },
    "zh": {
        "title": "知识库",
        "documents": "文档",
        "unanswered": "未答问题",
        "trial": "命中测试",
        "scanned": "该 PDF 为扫描件",
        "exists": "本店铺已有内容相同的文件",
        "open": "打开草稿",
        "passages": "段落",
        "submit": "提交审核",
        "back": "退回",
        "approve": "通过并发布",
        "published": "已发布",
        "versions": "版本",
        "compare": "与上一版对比",
        "find": "查找",
        "ask": "输入顾客可能提出的问题",
        "page": "第 2 页",
        "write": "撰写答案",
        "save": "保存草稿",
        "linked": "已有答案",
    },
}


@pytest.fixture(scope="module")
def product(start: Callable[..., Product], staffed: Path) -> Product:
    """Two who may publish; visitors have asked what nobody knows."""
    product = start(staffed)
    employ(product.data, [ZHOU])
    with httpx2.Client(base_url=product.address) as http:
        for question in ASKED.values():
            http.post("/api/chat", json={"message": question}).raise_for_status()
    return product


def turns_to(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name, exact=True).locator("xpath=..").click()


def uploads(page: Page, content: bytes, name: str) -> None:
    file = FilePayload(name=name, mimeType="application/octet-stream", buffer=content)
    page.locator("input[type=file]").set_input_files(file)


@pytest.mark.parametrize("locale", LOCALES)
def test_a_manual_is_uploaded_approved_by_a_colleague_and_found(desk: Desk, locale: Locale) -> None:
    words, name = WORDS[locale], f"City5-{locale}"
    manual = samples.pdf(samples.MANUAL.replace("City 5", name))
    page = desk(CHEN, locale).page
    page.get_by_role("link", name=words["title"]).click()
    shoot(page, f"knowledge-{locale}")
    assert faults(page) == []
    turns_to(page, words["documents"])
    uploads(page, samples.scanned(), f"scan-{locale}.pdf")
    expect(page.get_by_text(words["scanned"])).to_be_visible()
    uploads(page, manual, f"{name}.pdf")
    uploads(page, manual, "again.pdf")
    expect(page.get_by_text(words["exists"])).to_be_visible()
    draft = page.get_by_role("listitem").filter(has_text=f"{name}.pdf").get_by_role("button", name=words["open"])
    expect(draft).to_be_visible()
    shoot(page, f"knowledge-documents-{locale}")
    assert faults(page) == []
    draft.click()
    turns_to(page, words["passages"])
    expect(page.get_by_text("one millimetre")).to_be_visible()
    shoot(page, f"knowledge-passages-{locale}")
    page.get_by_role("button", name=words["submit"]).click()

    colleague = desk(ZHOU, locale).page
    colleague.goto(page.url)
    expect(colleague.get_by_role("button", name=words["back"])).to_be_visible()
    shoot(colleague, f"knowledge-review-{locale}")
    assert faults(colleague) == []
    colleague.get_by_role("button", name=words["approve"]).click()
    expect(colleague.get_by_text(words["published"], exact=True).first).to_be_visible()
    colleague.get_by_role("link", name=words["title"]).click()
    turns_to(colleague, words["trial"])
    colleague.get_by_label(words["ask"]).fill("Brakes: when are the pads worn?")
    colleague.get_by_role("button", name=words["find"]).click()
    expect(colleague.get_by_role("button", name=f"{name}{words['page']}")).to_be_visible()
    shoot(colleague, f"knowledge-trial-{locale}")


@pytest.mark.parametrize("locale", LOCALES)
def test_what_the_bot_did_not_know_is_answered_from_the_list(desk: Desk, locale: Locale) -> None:
    words = WORDS[locale]
    page = desk(CHEN, locale).page
    page.get_by_role("link", name=words["title"]).click()
    turns_to(page, words["unanswered"])
    row = page.get_by_role("listitem").filter(has_text=ASKED[locale])
    expect(row).to_be_visible()
    shoot(page, f"knowledge-questions-{locale}")
    assert faults(page) == []
    row.get_by_role("button", name=words["write"]).click()
    page.locator("textarea").first.fill("Yes, **for free**.\n\n- up to 12 letters")
    shoot(page, f"knowledge-editor-{locale}")
    assert faults(page) == []
    page.get_by_role("button", name=words["save"]).click()
    page.locator("textarea").first.fill("Yes, **for 20 €**.\n\n- up to 12 letters")
    page.get_by_role("button", name=words["save"]).click()
    turns_to(page, words["versions"])
    page.get_by_role("button", name=words["compare"]).click()
    expect(page.locator(".plus")).to_contain_text("20 €")
    shoot(page, f"knowledge-versions-{locale}")
    assert faults(page) == []
    page.go_back()
    page.get_by_role("link", name=words["title"]).click()
    turns_to(page, words["unanswered"])
    turns_to(page, words["linked"])
    expect(page.get_by_role("listitem").filter(has_text=ASKED[locale])).to_be_visible()
