"""A supervisor chooses who answers for the shop, tries the connection, reads what is wrong and what it cost."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from e2e.conftest import Desk
from e2e.product import CHEN, Product
from e2e.test_looks import faults, faults_by_day_and_by_night
from e2e.test_shots import shoot
from e2e.words import Locale
from servers import free_port

ROOT = Path(__file__).parents[1]
WORDS: dict[Locale, dict[str, str]] = {
    "en": {
        "bot": "Bot",
        "url": "Address",
        "key": "Key",
        "model": "Model",
        "try": "Test connection",
        "well": "bench answers",
        "embedding": "Embedding model",
        "embeds": "bge-m3 gives vectors",
        "refused": "Nobody takes the connection there",
        "save": "Save",
        "kept": "A key is stored",
        "costs": "Model costs",
        "tests": "Connection tests",
    },
    "zh": {
        "bot": "机器人",
        "url": "地址",
        "key": "密钥",
        "model": "模型名称",
        "try": "测试连接",
        "well": "bench 已回复",
        "embedding": "向量模型",
        "embeds": "bge-m3 可以生成向量",
        "refused": "无法建立连接",
        "save": "保存",
        "kept": "已保存密钥",
        "costs": "模型费用",
        "tests": "连接测试",
    },
}


@pytest.fixture(scope="module")
def product(start: Callable[..., Product], staffed: Path) -> Product:
    return start(staffed, OUTBOUND_ALLOW="127.0.0.1/32")


@pytest.fixture(scope="module")
def model() -> Iterator[str]:
    """The address of a provider."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.provider", str(port)], cwd=ROOT)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(20)


@pytest.mark.parametrize("locale", ["zh"])
def test_a_supervisor_chooses_who_answers_and_tries_it_before(desk: Desk, model: str, locale: Locale) -> None:
    words = WORDS[locale]
    page = desk(CHEN, locale).page
    page.get_by_role("link", name=words["bot"], exact=True).click()
    page.locator("main select").select_option("custom")
    key = page.get_by_role("main").get_by_label(words["key"]).first
    page.get_by_role("textbox", name=words["model"]).first.fill("small")
    key.fill(f"sk-of-{locale}-0123456789")
    page.get_by_role("textbox", name=words["url"]).first.fill("http://127.0.0.1:9/v1")
    page.get_by_role("button", name=words["try"]).click()
    expect(page.get_by_text(words["refused"]).first).to_be_visible(timeout=20_000)
    page.get_by_role("textbox", name=words["url"]).first.fill(f"{model}/{locale}")
    page.get_by_role("textbox", name=words["embedding"]).fill("bge-m3")
    page.get_by_role("button", name=words["try"]).click()
    expect(page.get_by_text(words["well"])).to_be_visible(timeout=20_000)
    expect(page.get_by_text(words["embeds"])).to_be_visible()
    page.get_by_role("button", name=words["save"], exact=True).click()
    expect(page.get_by_text(words["kept"])).to_be_visible(timeout=20_000)
    assert key.input_value() == ""
    shoot(page, f"bot-{locale}")
    expect(page.locator(".el-message")).to_have_count(0, timeout=20_000)  # half gone it has no contrast
    assert faults_by_day_and_by_night(page) == []
    page.get_by_role("link", name=words["costs"]).click()
    expect(page.get_by_role("cell", name=words["tests"]).first).to_be_visible()
    shoot(page, f"costs-{locale}")
    assert faults(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
