"""Outside service hours: a visitor leaves an address, an agent answers by mail, a lead changes the hours."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from playwright.sync_api import Page, expect

from e2e.conftest import Desk, Visit
from e2e.product import CHEN, Product
from e2e.test_looks import Beholder, faults
from kefu.kit.clock import now_ms
from servers import free_port


class Mailbox:
    """What a mail server in this process took."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, EmailMessage]] = []

    async def handle_DATA(self, _: Any, __: Any, envelope: Any) -> str:  # noqa: N802 - as aiosmtpd names it
        mail = message_from_bytes(envelope.content, EmailMessage, policy=policy.default)
        self.mails += [(to, mail) for to in envelope.rcpt_tos]
        return "250 OK"

    def letter_to(self, address: str) -> EmailMessage | None:
        return next((mail for to, mail in self.mails if to == address), None)


@pytest.fixture(scope="module")
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    box, port = Mailbox(), free_port()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    yield box, port
    server.stop()


@pytest.fixture(scope="module")
def product(start: Callable[..., Product], staffed: Path, mailbox: tuple[Mailbox, int]) -> Product:
    """It is closed now: the shift begins in three hours."""
    begins = datetime.fromtimestamp(now_ms() / 1000, UTC) + timedelta(hours=3)
    hours = {"HUMAN_SHIFT_START": f"{begins:%H:%M}", "HUMAN_SHIFT_END": f"{begins + timedelta(hours=1):%H:%M}"}
    mail = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(mailbox[1]), "SMTP_USE_TLS": "false"}
    mail |= {"EMAIL_FROM": "service@shop.example", "EMAIL_RECIPIENTS": "desk@shop.example"}
    return start(staffed, TIMEZONE="UTC", **hours, **mail)


def arrives(page: Page, mailbox: Mailbox, address: str) -> EmailMessage:
    for _ in range(100):
        if mail := mailbox.letter_to(address):
            return mail
        page.wait_for_timeout(100)
    raise AssertionError(f"nothing came for {address}")


def test_who_comes_too_late_is_answered_by_mail(visit: Visit, desk: Desk, mailbox: tuple[Mailbox, int]) -> None:
    box, visitor = mailbox[0], visit("zh")
    visitor.is_in_the_chat()
    visitor.asks("电池保修多久？")
    visitor.chat.locator("form").get_by_role("button", name=visitor.words.person).click()
    form = visitor.chat.get_by_role("dialog", name="现在是非工作时间")
    beholder = Beholder(visitor, "light")
    beholder.sees("letter")
    visitor.page.emulate_media(color_scheme="dark")
    assert beholder.found + faults(visitor.frame) == []
    form.get_by_label("留言（选填）").fill("显示 E07，启动不了")
    form.get_by_label("邮箱").fill("anna@")
    form.get_by_role("button", name="提交留言").click()
    expect(form.get_by_role("alert")).to_contain_text("有效的邮箱")
    visitor.page.reload()
    visitor.launcher.click()
    expect(form.get_by_label("留言（选填）")).to_have_value("显示 E07，启动不了")
    form.get_by_label("邮箱").fill("anna@example.com")
    form.get_by_label("邮箱").press("Enter")
    expect(form).to_be_hidden()
    expect(visitor.chat.get_by_role("log")).to_contain_text("我们会回复到 anna@example.com")
    expect(visitor.status).to_contain_text("非工作时间")
    told = arrives(visitor.page, box, "desk@shop.example")
    assert "显示 E07，启动不了" in told.get_body(("plain",)).get_content()  # type: ignore[union-attr]  # each mail has plain text

    session = visitor.session
    visitor.page.close()
    lena = desk()
    lena.page.get_by_role("tab", name="After hours").click()
    lena.opens(session)
    expect(lena.page.get_by_role("log")).to_contain_text("The team was told by mail: desk@shop.example")
    lena.takes_over()
    expect(lena.presence).to_have_attribute("aria-label", re.compile("Away", re.IGNORECASE))
    expect(lena.page.get_by_role("checkbox", name="anna@example.com")).to_be_checked()
    lena.says("请长按电源键十秒。")
    expect(lena.page.get_by_role("log")).to_contain_text("The answer was mailed to anna@example.com")
    answer = arrives(lena.page, box, "anna@example.com")
    assert "请长按电源键十秒。" in answer.get_body(("plain",)).get_content()  # type: ignore[union-attr]  # each mail has plain text


def test_a_lead_changes_the_hours_and_sees_the_next_week(visit: Visit, desk: Desk) -> None:
    page = desk(CHEN).page
    page.get_by_role("link", name="Service hours").click()
    days = page.get_by_role("figure")
    expect(days.get_by_role("img")).to_have_count(7)
    save = page.get_by_role("button", name="Save", exact=True)
    expect(save).to_be_disabled()
    first = page.get_by_label("Monday, span 1")
    first.nth(0).fill("09:00")
    first.nth(1).fill("12:00")
    page.get_by_role("button", name="Add a span on Monday").click()
    second = page.get_by_label("Monday, span 2")
    second.nth(0).fill("11:00")
    second.nth(1).fill("18:00")
    expect(page.get_by_role("alert")).to_have_text("Spans overlap")
    expect(save).to_be_disabled()
    second.nth(0).fill("13:00")
    expect(days.get_by_role("img", name="09:00–12:00, 13:00–18:00")).to_be_visible()
    page.get_by_role("button", name="Copy Monday to Friday").click()
    expect(days.get_by_role("img", name="09:00–12:00, 13:00–18:00")).to_have_count(5)
    for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"):
        page.get_by_role("button", name=f"Remove span 2 on {day}").click()
    for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"):
        page.get_by_label(f"{day}, span 1").nth(0).fill("00:00")
        page.get_by_label(f"{day}, span 1").nth(1).fill("00:00")
    expect(days.get_by_role("img", name="00:00–24:00")).to_have_count(7)
    save.click()
    expect(page.get_by_text("Hours saved")).to_be_visible()
    page.reload()
    expect(days.get_by_role("img", name="00:00–24:00")).to_have_count(7)
    visitor = visit()
    visitor.is_in_the_chat()
    visitor.asks("Do you deliver to Norway?")
    visitor.calls_a_person()
    visitor.sees_status(visitor.words.waiting)
