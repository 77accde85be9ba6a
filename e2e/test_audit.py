"""An administrator looks up what was done, compares before and after, and takes it along as a file."""

import csv
import io
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import expect

from accounts.team import bearer
from e2e.conftest import Desk
from e2e.product import CHEN, NO_TLS, ROOT, Product
from e2e.test_looks import faults
from e2e.test_shots import shoot
from e2e.words import Locale

TITLE = {"en": "Audit log", "zh": "审计日志"}
CHANGED = {"en": "Changed a tag", "zh": "修改标签"}
WHAT = {"en": "What", "zh": "操作"}
TEXT = {"en": "Text", "zh": "文本"}
EMPTY = {"en": "No entries", "zh": "没有记录"}
CLEAR = {"en": "Clear filters", "zh": "清除筛选"}
ALL = {"en": "Show everything about this object", "zh": "查看该对象的全部记录"}
EXPORT = {"en": "Export CSV", "zh": "导出 CSV"}


@pytest.fixture
def product(shared: Product) -> Product:
    """A lead has made a tag and changed it; somebody tried to come in."""
    with httpx2.Client(base_url=shared.address, verify=NO_TLS) as http:
        http.post("/api/agent/login", json={"username": "chen", "password": "not-the-one-1"})
        token = http.post("/api/agent/login", json=CHEN.credentials).raise_for_status().json()["token"]
        made = http.post("/api/tags", json={"name": "Wet"}, headers=bearer(token)).raise_for_status().json()
        tag = f"/api/tags/{made['data']['tag']['id']}"
        change = {"name": "Damp", "description": "受潮的包裹", "color": "#3B82F6"}
        http.put(tag, json=change, headers=bearer(token)).raise_for_status()
    return shared


@pytest.mark.parametrize("locale", ["zh"])
def test_an_administrator_finds_who_changed_what_and_keeps_it_as_a_file(desk: Desk, locale: Locale) -> None:
    page = desk(ROOT, locale).page
    page.get_by_role("link", name=TITLE[locale]).click()
    rows = page.locator("tbody tr")
    expect(rows.filter(has_text=CHANGED[locale])).to_be_visible()
    shoot(page, f"audit-{locale}")
    assert faults(page) == []

    page.get_by_role("combobox", name=WHAT[locale], exact=True).select_option(label=CHANGED[locale])
    expect(rows).to_have_count(1)
    rows.get_by_role("button").click()
    drawer = page.get_by_role("dialog")
    expect(drawer.locator(".before").filter(has_text="Wet")).to_be_visible()
    expect(drawer.locator(".after").filter(has_text="Damp")).to_be_visible()
    shoot(page, f"audit-entry-{locale}")
    assert faults(page) == []
    drawer.get_by_role("button", name=ALL[locale]).click()
    expect(rows).to_have_count(2)
    assert "object=tag" in page.url

    with page.expect_download() as download:
        page.get_by_role("button", name=EXPORT[locale]).click()
    lines = list(csv.reader(io.StringIO(Path(download.value.path()).read_text("utf-8-sig"))))
    assert [line[5] for line in lines[1:]] == ["tag.changed", "tag.created"]

    page.get_by_label(TEXT[locale], exact=True).fill("=nowhere")
    page.get_by_label(TEXT[locale], exact=True).press("Enter")
    expect(page.get_by_text(EMPTY[locale], exact=True)).to_be_visible()
    shoot(page, f"audit-empty-{locale}")
    page.get_by_role("button", name=CLEAR[locale]).click()
    expect(rows.filter(has_text=CHANGED[locale])).to_be_visible()
