"""A visitor who comes again: their earlier chats, a file of them, and conversations that an agent joins or divides."""

from collections.abc import Callable

import pypdfium2
import pytest
from playwright.sync_api import Page, expect

from e2e.actors import Visitor
from e2e.conftest import Desk, Visit
from e2e.product import CHEN, Product
from e2e.test_looks import faults
from e2e.test_shots import shoot
from e2e.words import Locale

FIRST = {"en": "My battery does not charge any more", "zh": "我的电池充不进电了"}
SECOND = {"en": "And my brakes squeak", "zh": "另外刹车有异响"}
THIRD = {"en": "The lamp is loose too", "zh": "车灯也松了"}
WORDS = {
    "en": {
        "history": "Earlier chats", "back": "Back", "continue": "Continue this chat",
        "side": "History", "merge": "Merge into this one", "yes": "Merge", "from": "From another conversation",
        "split": "Move from here on to a new conversation", "divide": "Divide",
    },
    "zh": {
        "history": "历史对话", "back": "返回", "continue": "继续此对话",
        "side": "历史", "merge": "并入当前会话", "yes": "合并", "from": "以下来自另一个会话",
        "split": "从此处拆分为新会话", "divide": "拆分",
    },
}  # fmt: skip


def two_chats(visitor: Visitor) -> tuple[str, str]:
    """One, and after starting over another; their names."""
    visitor.is_in_the_chat()
    visitor.asks(FIRST[visitor.locale])
    first = visitor.session
    visitor.starts_over()
    expect(visitor.bubbles.get_by_text(FIRST[visitor.locale])).to_have_count(0)
    visitor.asks(SECOND[visitor.locale])
    return first, visitor.session


def opens_the_history(visitor: Visitor) -> None:
    visitor.chat.get_by_role("button", name=WORDS[visitor.locale]["history"]).click()
    expect(visitor.chat.get_by_role("dialog")).to_be_visible()


def saved(page: Page, act: Callable[[], None]) -> bytes:
    with page.expect_download() as download:
        act()
    return download.value.path().read_bytes()


def test_a_visitor_reads_an_earlier_chat_keeps_it_as_a_file_and_goes_on_with_it(visit: Visit) -> None:
    visitor = visit("zh")
    words = WORDS["zh"]
    first, second = two_chats(visitor)
    opens_the_history(visitor)
    dialog = visitor.chat.get_by_role("dialog")
    expect(dialog.get_by_role("listitem")).to_have_count(1)
    pdf = saved(visitor.page, dialog.get_by_role("button", name="PDF").click)
    text = "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf))
    assert SECOND["zh"] in text
    assert FIRST["zh"] not in text

    dialog.get_by_role("listitem").get_by_role("button").click()
    expect(dialog.get_by_text(FIRST["zh"])).to_be_visible()
    assert FIRST["zh"] in saved(visitor.page, dialog.get_by_role("button", name="文本").click).decode()
    dialog.get_by_role("button", name=words["continue"]).click()

    expect(dialog).to_have_count(0)
    visitor.sees(FIRST["zh"])
    assert visitor.session == first != second
    visitor.says(THIRD["zh"])
    visitor.sees(THIRD["zh"])
    visitor.page.reload()
    visitor.opens_the_chat()
    visitor.sees(THIRD["zh"])


def test_when_an_agent_joins_two_conversations_the_chat_moves_over(visit: Visit, desk: Desk, product: Product) -> None:
    visitor, agent = visit(), desk(CHEN)
    first, second = two_chats(visitor)
    agent.looks_at("all")
    agent.opens(first)
    agent.page.get_by_role("tab", name="History").click()
    agent.page.get_by_role("button", name="Merge into this one").click()
    dialog = agent.page.get_by_role("dialog")
    expect(dialog.get_by_text(SECOND["en"], exact=True)).to_be_visible()
    dialog.get_by_role("button", name="Merge", exact=True).click()

    expect(agent.page.get_by_text("From another conversation")).to_be_visible()
    agent.sees(SECOND["en"])
    visitor.sees(FIRST["en"])
    visitor.sees(SECOND["en"])
    assert visitor.session == first
    visitor.says(THIRD["en"])
    agent.sees(THIRD["en"])
    assert THIRD["en"] in [text for _, text in product.messages(first)]
    assert THIRD["en"] not in [text for _, text in product.messages(second)]

    agent.bubbles.get_by_text(THIRD["en"], exact=True).hover()
    agent.page.locator(".line", has_text=THIRD["en"]).get_by_role("button", name="Move from here on").click()
    agent.page.get_by_role("dialog").get_by_role("button", name="Divide").click()
    expect(agent.bubbles.get_by_text(FIRST["en"], exact=True)).to_have_count(0)
    agent.sees(THIRD["en"])
    expect(visitor.bubbles.get_by_text(FIRST["en"], exact=True)).to_have_count(0)
    visitor.sees(THIRD["en"])
    assert visitor.session not in {first, second}


@pytest.mark.parametrize("locale", ["zh"])
def test_how_it_looks(visit: Visit, desk: Desk, locale: Locale) -> None:
    words = WORDS[locale]
    visitor, agent = visit(locale), desk(CHEN, locale)
    first, _ = two_chats(visitor)
    opens_the_history(visitor)
    dialog = visitor.chat.get_by_role("dialog")
    expect(dialog.get_by_role("listitem")).to_have_count(1)
    shoot(visitor.page, f"history-1-list-{locale}")
    assert faults(visitor.frame) == []
    dialog.get_by_role("listitem").get_by_role("button").click()
    expect(dialog.get_by_text(FIRST[locale])).to_be_visible()
    shoot(visitor.page, f"history-2-reading-{locale}")
    assert faults(visitor.frame) == []
    dialog.get_by_role("button", name=words["back"]).click()
    dialog.get_by_role("button", name=words["back"]).click()

    agent.looks_at("all")
    agent.opens(first)
    agent.page.get_by_role("tab", name=words["side"]).click()
    expect(agent.page.get_by_role("button", name=words["merge"])).to_be_visible()
    shoot(agent.page, f"history-3-desk-{locale}")
    assert faults(agent.page) == []
    agent.page.get_by_role("button", name=words["merge"]).click()
    expect(agent.page.get_by_role("dialog").get_by_text(SECOND[locale], exact=True)).to_be_visible()
    agent.page.get_by_role("dialog").get_by_role("button", name=words["yes"], exact=True).click()
    expect(agent.page.get_by_text(words["from"])).to_be_visible()
    expect(agent.page.get_by_role("dialog")).to_be_hidden()
    shoot(agent.page, f"history-4-merged-{locale}")
    assert faults(agent.page) == []
