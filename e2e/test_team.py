"""Agents among themselves: a session changes hands, notes name colleagues, a question is asked; by day and by night."""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from e2e.actors import AgentDesk
from e2e.conftest import Desk, Visit
from e2e.product import LENA, WANG, Product
from e2e.test_looks import faults
from e2e.test_reading import served
from e2e.test_shots import shoot
from e2e.words import Locale

TRANSFER = {"en": "Transfer to a colleague", "zh": "转接给同事"}
REASON = {"en": "Language", "zh": "语言要求"}
SEND = {"en": "Ask to take over", "zh": "请求转接"}
ACCEPT = {"en": "Accept", "zh": "接受"}
WAITS = {"en": "王芳 is asked to take over.", "zh": "已请 王芳 接手，等待回应。"}
ASKED = {"en": "Lena asks you to take over", "zh": "Lena 请您接手会话"}
LINE = {"en": "You are now talking to 王芳.", "zh": "已为您转接，现在由 王芳 为您服务。"}
HANDED = {"en": "Lena passed the conversation on to 王芳", "zh": "会话已由 Lena 转接给 王芳"}
NAMED_AND_ASKED = ["Lena 在备注中提及了您", "Lena 请您协助"]
WHY = {"en": "Speaks Mandarin, asks about a battery.", "zh": "顾客只会说普通话，咨询电池问题。"}


@pytest.fixture
def on_duty(product: Product) -> Iterator[None]:
    """All are at their desks, for the next hour unless the test ends before."""
    are_seen(product, timedelta(hours=1))
    yield
    are_seen(product, timedelta())


def are_seen(product: Product, from_now: timedelta) -> None:
    seen = int((time.time() + from_now.total_seconds()) * 1000)
    with closing(sqlite3.connect(product.data / "kefu.db", timeout=10)) as database, database:
        database.execute("UPDATE agents SET status = 'online', last_seen_at = ?", (seen,))


def dialog(agent: AgentDesk) -> Locator:
    return agent.page.get_by_role("dialog")


def wants_news(product: Product) -> dict[str, Any]:
    """A browser whose agent has switched on notifications, at any hour."""
    wish = json.dumps({"sound": False, "notifications": True, "quiet": {"from": "", "until": ""}})
    kept = {"origin": product.address, "localStorage": [{"name": "kefu.alerts", "value": wish}]}
    return {"storage_state": {"cookies": [], "origins": [kept]}, "permissions": ["notifications"]}


def looks_away(agent: AgentDesk) -> None:
    """The page is hidden and may notify, which a browser without a screen does not say, and keeps what it is told."""
    agent.page.evaluate("""() => {
      Object.defineProperty(document, "hidden", { get: () => true });
      const told = (window.told = []);
      window.Notification = class extends Notification {
        static get permission() { return "granted"; }
        constructor(title, options) { super(title, options); told.push([title, options.body]); }
      };
    }""")


@pytest.mark.usefixtures("on_duty")
@pytest.mark.parametrize("locale", ["en"])
def test_a_session_goes_to_a_colleague_who_accepts(product: Product, visit: Visit, desk: Desk, locale: Locale) -> None:
    lena, wang, visitor = desk(LENA, locale), desk(WANG, locale, **wants_news(product)), visit(locale)
    looks_away(wang)
    session = served(visitor, lena)
    lena.header.get_by_role("button", name=TRANSFER[locale]).click()
    dialog(lena).get_by_text("@wang").click()
    dialog(lena).get_by_text(REASON[locale], exact=True).click()
    dialog(lena).locator("textarea").fill(WHY[locale])
    shoot(lena.page, f"team-1-dialog-{locale}")
    assert faults(lena.page) == []

    dialog(lena).get_by_role("button", name=SEND[locale]).click()

    expect(lena.page.get_by_text(WAITS[locale])).to_be_visible()
    shoot(lena.page, f"team-2-sent-{locale}")
    card = wang.page.locator("article", has_text=ASKED[locale])
    expect(card).to_be_visible()
    told = wang.page.evaluate("told")
    assert told[-1] == [ASKED[locale], WHY[locale]]
    wang.page.reload()
    expect(card).to_contain_text(WHY[locale])
    shoot(wang.page, f"team-3-asked-{locale}")
    assert faults(wang.page) == []
    lena.composer.fill("half-written")
    card.get_by_role("button", name=ACCEPT[locale]).click()
    expect(wang.composer).to_be_visible()
    expect(wang.page.get_by_role("log").get_by_text(HANDED[locale])).to_be_visible()
    expect(visitor.chat.get_by_text(LINE[locale])).to_be_visible()
    visitor.sees_status({"en": "Agent – 王芳", "zh": "人工客服 – 王芳"}[locale])
    expect(lena.composer).to_have_count(0)
    expect(lena.page.get_by_text(WAITS[locale])).to_have_count(0)
    assert wang.page.url.endswith(session)


@pytest.mark.usefixtures("on_duty")
def test_a_note_names_a_colleague_and_a_question_is_answered(product: Product, visit: Visit, desk: Desk) -> None:
    lena, wang, visitor = desk(LENA, "zh"), desk(WANG, "zh", **wants_news(product)), visit("zh")
    looks_away(wang)
    served(visitor, lena)
    lena.page.get_by_role("tab", name="备注").click()
    field = lena.page.locator("form.write textarea")
    field.press_sequentially("请 @wa")
    lena.page.get_by_role("option", name="王芳 @wang").click()
    field.press_sequentially("确认电池保修")
    lena.page.get_by_role("button", name="添加备注").click()
    notes = lena.page.get_by_label("顾客与会话信息").get_by_role("listitem")
    expect(notes).to_contain_text("请 @wang 确认电池保修")
    notes.get_by_role("button", name="编辑").click()
    notes.locator("textarea").fill("请 @wang 确认电池保修期限")
    notes.get_by_role("button", name="保存").click()
    notes.get_by_role("button", name="历史版本").click()
    expect(notes.first).to_contain_text("请 @wang 确认电池保修期限")
    shoot(lena.page, "team-6-notes-zh")
    assert faults(lena.page) == []

    lena.header.get_by_role("button", name="请同事协助").click()
    dialog(lena).get_by_text("@wang").click()
    dialog(lena).get_by_label("您的问题").fill("保修是两年还是三年？")
    dialog(lena).get_by_role("button", name="发送").click()

    bell = wang.page.get_by_role("button", name="协助与提及")
    expect(bell.locator(".badge")).to_have_text("2")
    assert [title for title, _ in wang.page.evaluate("told")][-2:] == NAMED_AND_ASKED
    bell.click()
    inbox = wang.page.get_by_role("region", name="协助与提及")
    expect(inbox).to_contain_text("保修是两年还是三年？")
    shoot(wang.page, "team-7-inbox-zh")
    assert faults(wang.page) == []
    inbox.get_by_label("答复").fill("两年。")
    inbox.get_by_role("button", name="发送答复").click()
    expect(lena.page.get_by_role("log").get_by_text("王芳 答复：两年。")).to_be_visible()
    inbox.get_by_text("确认电池保修期限").click()
    wang.page.get_by_role("tab", name="备注").click()
    expect(bell.locator(".badge")).to_have_count(0)
    assert "保修" not in visitor.frame.locator("body").inner_text()
