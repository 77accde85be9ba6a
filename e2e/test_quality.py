"""A lead guards the knowledge with golden questions, looks at the scores, and lets the bot practise in silence."""

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

ASKED = "电池可以带上飞机吗？"
OTHERS = (
    ("unanswerable", "Who won the football world cup in 1990?"),
    ("escalate", "Let me talk to a person"),
    ("unanswerable", "Do you deliver to France?"),
)


@pytest.fixture(scope="module")
def product(start: Callable[..., Product], staffed: Path) -> Product:
    """With three golden questions, one of which is not what the bot does."""
    product = start(staffed)
    with httpx2.Client(base_url=product.address, verify=NO_TLS) as http:
        token = http.post("/api/agent/login", json=CHEN.credentials).raise_for_status().json()["token"]
        for kind, question in OTHERS:
            new = {"lang": "en", "kind": kind, "question": question}
            http.post("/api/golden/questions", json=new, headers=bearer(token)).raise_for_status()
    return product


def test_a_lead_adds_a_question_asks_them_all_and_silences_the_bot(desk: Desk) -> None:
    page = desk(CHEN, "zh").page
    page.get_by_role("link", name="机器人质量").click()
    page.get_by_role("button", name="添加问题").click()
    form = page.get_by_role("dialog")
    form.get_by_label("问题（按顾客的原话）").fill(ASKED)
    form.get_by_role("combobox", name="正确的文章").fill("飞机")
    page.locator(".el-select-dropdown__item:visible").filter(has_text="飞机").first.click()
    form.get_by_label("问题（按顾客的原话）").click()
    assert faults(page) == []
    form.get_by_role("button", name="添加", exact=True).click()
    expect(page.get_by_role("listitem").get_by_text(ASKED, exact=True).first).to_be_visible()

    page.get_by_role("button", name="检查全部问题").click()
    expect(page.get_by_text("4 个中 3 个正确")).to_be_visible()
    page.get_by_text("不符合预期的问题 (1)").click()
    page.get_by_role("button", name="开启", exact=True).click()
    page.get_by_role("tooltip").get_by_role("button").last.click()
    expect(page.get_by_text("已开启：机器人在该店铺保持沉默")).to_be_visible()
    shoot(page, "quality-zh")
    assert faults(page) == []

    english = desk(CHEN, "en").page
    english.get_by_role("link", name="Bot quality").click()
    expect(english.get_by_text("3 of 4 right")).to_be_visible()
    shoot(english, "quality-en")
    assert faults(english) == []
