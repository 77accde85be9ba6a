"""A lead writes a policy, tries it, runs it over past conversations and publishes it; then it watches."""

from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import expect

from accounts.team import bearer
from e2e.conftest import Desk
from e2e.product import CHEN, NO_TLS, Product
from e2e.test_looks import faults
from e2e.test_shots import shoot
from e2e.words import Locale
from kefu.kit.ids import new_id

TITLE = {"en": "Policies", "zh": "监管策略"}
ADD = {"en": "New policy", "zh": "新建策略"}
NAME = {"en": "Name", "zh": "名称"}
WORDS = {"en": "Keywords, one a line", "zh": "关键词，每行一个"}
EDIT = {"en": "Edit", "zh": "编辑"}
SAVE = {"en": "Save to draft", "zh": "保存到草稿"}
TRY = {"en": "Write as a visitor would", "zh": "像访客一样输入"}
BACKTESTS = {"en": "Back-tests", "zh": "回测"}
VERSIONS = {"en": "Versions", "zh": "版本"}
START = {"en": "Start", "zh": "开始"}
ONLY = {"en": "Only in this one", "zh": "仅此版本命中"}
PUBLISH = {"en": "Publish…", "zh": "发布…"}
PUBLISH_NOW = {"en": "Publish", "zh": "发布"}
ADDED = {"en": "Added", "zh": "新增"}


def says(product: Product, text: str) -> str:
    """A new conversation that begins with this; its name."""
    with httpx2.Client(base_url=product.address, verify=NO_TLS) as http:
        opened = http.post("/api/conversation/new", json={}).raise_for_status().json()
        body = {"content": text, "client_msg_id": new_id("m")}
        path = f"/api/sessions/{opened['session_name']}/messages"
        http.post(path, json=body, headers=bearer(opened["visitor_token"])).raise_for_status()
    name: str = opened["session_name"]
    return name


@pytest.fixture
def product(start: Callable[..., Product], staffed: Path) -> Product:
    return start(staffed)


@pytest.mark.parametrize("locale", ["zh"])
def test_a_policy_is_written_tried_run_over_the_past_and_published(
    product: Product, desk: Desk, locale: Locale
) -> None:
    says(product, "刹车 brake 坏了")
    page = desk(CHEN, locale).page
    page.get_by_role("link", name=TITLE[locale]).click()
    page.get_by_role("button", name=ADD[locale]).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(NAME[locale], exact=True).fill("Brakes 刹车")
    dialog.get_by_label(WORDS[locale]).fill("brake\n刹车")
    shoot(page, f"policies-form-{locale}")
    dialog.get_by_role("button", name=SAVE[locale]).click()
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name=EDIT[locale]).last.click()
    expect(dialog.get_by_label(NAME[locale], exact=True)).to_have_value("Brakes 刹车")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.get_by_label(TRY[locale]).fill("我的刹车有点响")
    expect(page.locator("mark")).to_have_text("刹车")
    assert faults(page) == []
    shoot(page, f"policies-{locale}")

    page.get_by_text(BACKTESTS[locale], exact=True).click()
    page.get_by_role("button", name=START[locale], exact=True).click()
    page.get_by_text(ONLY[locale], exact=True).click()
    expect(page.get_by_role("listitem").filter(has_text="Brakes")).to_be_visible(timeout=20_000)
    assert faults(page) == []
    shoot(page, f"policies-backtest-{locale}")

    page.get_by_role("button", name=PUBLISH[locale]).click()
    expect(page.get_by_role("dialog").get_by_text(ADDED[locale])).to_be_visible()
    shoot(page, f"policies-publish-{locale}")
    page.get_by_role("dialog").get_by_role("button", name=PUBLISH_NOW[locale]).click()
    page.get_by_text(VERSIONS[locale], exact=True).click()
    expect(page.get_by_role("listitem")).to_have_count(2)
    shoot(page, f"policies-versions-{locale}")

    name = says(product, "the brake is loose")
    page.goto(f"{product.address}/workbench/sessions/{name}")
    expect(page.get_by_role("log").get_by_text("Brakes 刹车")).to_be_visible()
    shoot(page, f"policies-conversation-{locale}")
