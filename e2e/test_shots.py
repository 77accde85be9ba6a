"""Pictures of the main screens in both languages, by day and by night, at the desk and on the phone: e2e/shots/."""

from typing import Literal

import httpx2
import pytest
from playwright.sync_api import Page, expect

from e2e.actors import AgentDesk, Visitor, comes_to_rest
from e2e.conftest import SHOTS, Desk, OpenContext, Visit
from e2e.product import LENA, NO_TLS, Product
from e2e.words import Locale

SCREENS = {"desktop": (1440, 900), "phone": (390, 844)}
# As those of SCREENS have it.
SCHEMES: dict[str, tuple[Literal["light", "dark"], ...]] = {"en": ("light", "dark"), "zh": ("dark", "light")}
LOCALES: tuple[Locale, ...] = ("en", "zh")

QUESTION = {"en": "Can I take the battery on a plane?", "zh": "电池可以带上飞机吗？"}
UNKNOWN = {"en": "Who won the football world cup in 1990?", "zh": "1990 年世界杯足球赛谁赢了？"}
TALK = {
    "en": (
        "My order NV-20418 should have come on Tuesday.",
        "Hello, this is Lena. I have your order in front of me.",
        "The parcel reached Utrecht this morning and comes tomorrow from 9 to 12.\nThe carrier will ring you first.",
        "That is quick, thank you!",
    ),
    "zh": (
        "我的订单 NV-20418 本该周二到的。",
        "您好，我是 Lena，已经看到您的订单。",
        "包裹今早已到乌得勒支，明天 9 点到 12 点之间送达。\n我已请快递员上门前先给您打电话。",
        "太快了，谢谢！",
    ),
}
OTHERS = {
    "en": (
        ("How long is the warranty on the battery?", "The display of my T3 shows E07 and it will not start"),
        ("Do you deliver to Norway?", "I want my money back, now!"),
        ("Which bike is right for me?",),
    ),
    "zh": (
        ("电池保修多久？", "我的 T3 显示 E07，启动不了"),
        ("可以送到挪威吗？", "我要退款，马上！"),
        ("哪款车适合我？",),
    ),
}


@pytest.fixture
def product(shared: Product) -> Product:
    """An empty desk for each."""
    shared.closes_what_is_open()
    return shared


def shoot(page: Page, name: str) -> None:
    """At the desk and on the phone, one of them by night: in English the phone, in Chinese the desk."""
    page.mouse.move(0, 0)
    for (screen, (width, height)), scheme in zip(SCREENS.items(), SCHEMES[name.rpartition("-")[2]], strict=True):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        for frame in page.frames:
            comes_to_rest(frame)
        page.screenshot(path=SHOTS / f"{name}-{screen}-{scheme}.png", animations="disabled")
    width, height = SCREENS["desktop"]
    page.set_viewport_size({"width": width, "height": height})


def others_write(product: Product, locale: Locale) -> None:
    """Visitors whose pages nobody looks at; all but the last ask for a person."""
    with httpx2.Client(base_url=product.address, verify=NO_TLS) as client:
        for *texts, last in OTHERS[locale]:
            visit = client.post("/api/conversation/new", json={"shop": "demo", "locale": locale}).json()
            headers = {"Authorization": f"Bearer {visit['visitor_token']}"}
            name = visit["session_name"]
            for n, text in enumerate((*texts, last)):
                body = {"content": text, "client_msg_id": f"m{n}"}
                client.post(f"/api/sessions/{name}/messages", json=body, headers=headers).raise_for_status()
            if texts:
                body = {"session_name": name, "reason": "manual"}
                client.post("/api/manual/escalate", json=body, headers=headers).raise_for_status()


def they_talk(visitor: Visitor, agent: AgentDesk, locale: Locale) -> None:
    problem, hello, help_, thanks = TALK[locale]
    visitor.says(problem)
    agent.sees(problem)
    for text in (hello, help_):
        agent.says(text)
        visitor.sees(text)
    visitor.says(thanks)
    agent.sees(thanks)


@pytest.mark.parametrize("locale", LOCALES)
def test_the_chat_on_the_shops_page(visit: Visit, desk: Desk, locale: Locale) -> None:
    visitor = visit(locale)
    visitor.opens_the_shop()
    shoot(visitor.page, f"demo-{locale}")
    visitor.opens_the_chat()
    expect(visitor.chat.get_by_text(visitor.words.welcome)).to_be_visible()
    shoot(visitor.page, f"chat-1-welcome-{locale}")

    visitor.asks(QUESTION[locale])
    expect(visitor.sources.first).to_be_visible()
    shoot(visitor.page, f"chat-2-answer-{locale}")
    visitor.asks(UNKNOWN[locale])
    shoot(visitor.page, f"chat-3-honest-{locale}")

    agent = desk()
    visitor.calls_a_person()
    visitor.sees_status(visitor.words.waiting)
    shoot(visitor.page, f"chat-4-waiting-{locale}")
    agent.opens(visitor.session)
    agent.takes_over()
    they_talk(visitor, agent, locale)
    shoot(visitor.page, f"chat-5-live-{locale}")

    visitor.page.context.set_offline(offline=True)
    visitor.says({"en": "One more thing", "zh": "还有一件事"}[locale])
    expect(visitor.chat.get_by_text(visitor.words.sending)).to_be_visible()
    shoot(visitor.page, f"chat-6-offline-{locale}")


@pytest.mark.parametrize("locale", LOCALES)
def test_the_workbench(context: OpenContext, visit: Visit, product: Product, locale: Locale) -> None:
    agent = AgentDesk(context(locale).new_page(), product.address, locale)
    agent.opens_the_login()
    shoot(agent.page, f"desk-1-login-{locale}")
    agent.signs_in(LENA)
    expect(agent.page.get_by_role("tab").first).to_contain_text("0")
    shoot(agent.page, f"desk-2-empty-{locale}")

    others_write(product, locale)
    visitor = visit(locale)
    visitor.is_in_the_chat()
    visitor.asks(QUESTION[locale])
    visitor.calls_a_person()
    expect(agent.row(visitor.session)).to_be_visible()
    shoot(agent.page, f"desk-3-queue-{locale}")
    agent.opens(visitor.session)
    expect(agent.bubbles).to_have_count(2)
    shoot(agent.page, f"desk-4-waiting-{locale}")

    agent.takes_over()
    they_talk(visitor, agent, locale)
    shoot(agent.page, f"desk-5-live-{locale}")
    agent.closes()
    agent.sees_status(agent.words.closed)
    expect(agent.page.get_by_role("dialog")).to_be_hidden()
    shoot(agent.page, f"desk-6-closed-{locale}")
