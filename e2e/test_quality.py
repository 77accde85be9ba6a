"""A lead guards knowledge and bot with golden questions, looks at the scores, and lets the bot practise in silence."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import orjson
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
    product = start(staffed, OUTBOUND_ALLOW="127.0.0.1/32")
    with httpx2.Client(base_url=product.address, verify=NO_TLS) as http:
        token = http.post("/api/agent/login", json=CHEN.credentials).raise_for_status().json()["token"]
        for kind, question in OTHERS:
            new = {"lang": "en", "kind": kind, "question": question}
            http.post("/api/golden/questions", json=new, headers=bearer(token)).raise_for_status()
    return product


class Talkative(BaseHTTPRequestHandler):
    """A provider that says the same to everything and names no passage; `stalled` waits until the test is over."""

    over = threading.Event()

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        if b"stalled" in asked:
            self.over.wait(60)
        choice = {"index": 0, "delta": {"content": "Whatever you like."}, "finish_reason": "stop"}
        facts = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "talkative", "choices": [choice]}
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b"data: " + orjson.dumps(facts) + b"\n\ndata: [DONE]\n\n")


@pytest.fixture(scope="module")
def model() -> Iterator[str]:
    """The address of a provider."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Talkative)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    Talkative.over.set()
    server.shutdown()
    server.server_close()


def a_lead_adds_a_question_asks_them_all_and_silences_the_bot(desk: Desk) -> None:
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


QUESTION = "可以带电池坐飞机吗？"


def guarded(product: Product) -> str:
    """The article on which a golden question rests."""
    with httpx2.Client(base_url=product.address) as http:
        token = http.post("/api/agent/login", json=CHEN.credentials).raise_for_status().json()["token"]
        listed = http.get("/api/knowledge/articles?lang=zh&keyword=飞机", headers=bearer(token)).raise_for_status()
        article: str = next(one["id"] for one in listed.json()["data"]["articles"] if one["title"] == ASKED)
        new = {"lang": "zh", "kind": "answerable", "question": QUESTION, "articles": [article]}
        http.post("/api/golden/questions", json=new, headers=bearer(token)).raise_for_status()
    return article


def what_makes_the_bot_worse_stays_outside_until_the_lead_says_why(desk: Desk, product: Product, model: str) -> None:
    article = guarded(product)
    page = desk(CHEN, "zh").page
    page.get_by_role("link", name="机器人", exact=True).click()
    page.locator("main select").select_option("custom")
    page.get_by_role("textbox", name="模型名称").first.fill("stalled")
    address = page.get_by_role("textbox", name="地址").first
    address.fill(model)
    save = page.get_by_role("button", name="保存", exact=True)
    save.click()
    expect(page.get_by_text("新设置正在等待检查")).to_be_visible()
    expect(save).to_be_disabled()
    assert faults(page) == []
    page.get_by_role("button", name="撤回").click()
    expect(page.get_by_text("新设置正在等待检查")).to_be_hidden()

    page.get_by_role("textbox", name="模型名称").first.fill("talkative")
    save.click()
    expect(page.get_by_text("该修改会让机器人变差")).to_be_visible(timeout=20_000)
    expect(page.get_by_text(QUESTION)).to_be_visible()
    shoot(page, "gate-refused-zh")
    assert faults(page) == []

    english = desk(CHEN, "en").page
    english.goto(f"{product.address}/workbench/knowledge/{article}")
    english.get_by_role("button", name="Archive").click()
    english.get_by_role("dialog").get_by_role("button", name="Archive").click()
    refusal = english.get_by_role("dialog", name="This change makes the bot worse")
    expect(refusal.get_by_text(QUESTION)).to_be_visible()
    shoot(english, "gate-knowledge-en")
    assert faults(english) == []

    address.fill("http://127.0.0.1:9/v1")
    save.click()
    expect(page.get_by_text("无法判断新设置是否够好")).to_be_visible(timeout=20_000)
    page.get_by_label("仍要生效的理由").fill("旧服务商明天停用")
    page.get_by_role("button", name="仍然生效").click()
    expect(page.get_by_text("已保存")).to_be_visible()


def test_a_lead_measures_the_bot_and_what_makes_it_worse_stays_outside(
    desk: Desk, product: Product, model: str
) -> None:
    a_lead_adds_a_question_asks_them_all_and_silences_the_bot(desk)
    what_makes_the_bot_worse_stays_outside_until_the_lead_says_why(desk, product, model)
