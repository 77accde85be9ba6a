"""What was read and what was not, who is here, and a reply that did not know the newest words."""

import pytest
from playwright.sync_api import Locator, expect

from e2e.actors import AgentDesk, Visitor
from e2e.conftest import Desk, Visit
from e2e.product import CHEN, LENA, Product
from e2e.test_looks import faults
from e2e.test_shots import shoot
from e2e.words import Locale

QUESTION = {"en": "How do I return my bike?", "zh": "怎么退货？"}
NEWS = {
    "en": ("Wait, I found the receipt after all.", "It says NV-20418. Is the refund still possible with that one?"),
    "zh": ("等一下，我找到收据了。", "上面写着 NV-20418，用这张还能退款吗？"),
}
REPLY = {
    "en": "Without a receipt we cannot refund you, I am sorry.",
    "zh": "很抱歉，没有收据我们无法退款。",
}


def served(visitor: Visitor, agent: AgentDesk) -> str:
    """The visitor has asked and the agent has taken over; the session."""
    visitor.is_in_the_chat()
    visitor.asks(QUESTION[visitor.locale])
    visitor.calls_a_person()
    agent.opens(visitor.session)
    agent.takes_over()
    return visitor.session


def another_tab(agent: AgentDesk) -> AgentDesk:
    """The same agent in the same browser."""
    tab = AgentDesk(agent.page.context.new_page(), agent.address, agent.locale)
    tab.page.goto(f"{agent.address}/workbench/")
    expect(tab.page.get_by_role("tablist")).to_be_visible()
    return tab


def badge(agent: AgentDesk, session: str) -> Locator:
    return agent.row(session).locator(".badge")


# First: nobody else has written to this agent yet, so that the title is known.
def test_what_an_agent_reads_in_one_tab_is_read_in_the_other(visit: Visit, desk: Desk) -> None:
    agent, visitor = desk(), visit()
    session = served(visitor, agent)
    agent.says("One moment")
    other = another_tab(agent)
    other.looks_at("mine")
    expect(badge(other, session)).to_have_count(0)
    agent.page.goto(f"{agent.address}/workbench/")
    agent.looks_at("mine")

    visitor.says("Hello?")
    visitor.says("Are you there?")

    for tab in (agent, other):
        expect(badge(tab, session)).to_have_text("2")
        expect(tab.page).to_have_title("(2) Agent workbench · Kefu")
    expect(visitor.ticks.last).to_have_text("Delivered")
    agent.opens(session)
    for tab in (agent, other):
        expect(badge(tab, session)).to_have_count(0)
        expect(tab.page).to_have_title("Agent workbench · Kefu")
    expect(visitor.ticks.last).to_have_text("Read")
    other.page.reload()
    other.looks_at("mine")
    expect(other.row(session)).to_be_visible()
    expect(badge(other, session)).to_have_count(0)


def test_what_stands_below_the_fold_is_unread_until_it_is_looked_at(visit: Visit, desk: Desk) -> None:
    agent, visitor = desk(viewport={"width": 1440, "height": 500}), visit()
    session = served(visitor, agent)
    for n in range(5):
        visitor.says(f"Line {n} of a long story")
        agent.sees(f"Line {n} of a long story")
    expect(visitor.ticks.last).to_have_text("Read")
    agent.page.get_by_role("log").evaluate("(log) => log.scrollTo({ top: 0 })")
    expect(agent.page.get_by_role("button", name="To the latest message")).to_be_visible()

    visitor.says("The end of it")

    expect(badge(agent, session)).to_have_text("1")
    expect(visitor.ticks.last).to_have_text("Delivered")
    agent.page.get_by_role("button", name="New messages").click()
    expect(badge(agent, session)).to_have_count(0)
    expect(visitor.ticks.last).to_have_text("Read")


def test_a_visitor_who_comes_back_finds_what_is_unread_and_the_agent_sees_it_read(visit: Visit, desk: Desk) -> None:
    agent, visitor = desk(), visit()
    served(visitor, agent)
    expect(agent.presence).to_have_text("Online")
    visitor.sees_status("Agent – Lena")
    visitor.chat.get_by_role("button", name=visitor.words.minimise).click()
    agent.says("Are you still there?")
    expect(visitor.launcher.locator(".badge")).to_have_text("1")
    expect(agent.receipt).to_be_hidden()

    visitor.page.reload()

    expect(visitor.launcher.locator(".badge")).to_have_text("1")
    visitor.page.get_by_role("button", name="Open customer chat, 1 unread").click()
    visitor.sees("Are you still there?")
    expect(agent.receipt).to_have_text("Read")
    visitor.page.reload()
    expect(visitor.launcher).to_be_visible()
    expect(visitor.launcher.locator(".badge")).to_be_hidden()
    visitor.page.close()
    expect(agent.presence).to_have_text("Away")


def test_agents_see_who_else_looks(visit: Visit, desk: Desk) -> None:
    lena, chen, visitor = desk(), desk(CHEN), visit()
    session = served(visitor, lena)
    expect(lena.viewers).to_have_count(0)

    chen.looks_at("all")
    chen.opens(session)

    expect(lena.viewers).to_have_accessible_name("Also looking: 陈静")
    expect(chen.viewers).to_have_accessible_name("Also looking: Lena")
    chen.page.close()
    expect(lena.viewers).to_have_count(0)


def writes_in_ignorance(visitor: Visitor, agent: AgentDesk, news: tuple[str, ...]) -> None:
    """The agent replies while the line is down, and the visitor goes on."""
    agent.page.context.set_offline(offline=True)
    agent.says(REPLY[visitor.locale])
    for words in news:
        visitor.says(words)
        visitor.sees(words)
    expect(visitor.chat.get_by_text(visitor.words.sending)).to_have_count(0)
    agent.page.context.set_offline(offline=False)
    expect(agent.page.get_by_role("dialog")).to_be_visible()


def test_a_reply_that_did_not_know_the_newest_words_waits_for_its_writer(
    visit: Visit, desk: Desk, product: Product
) -> None:
    agent, visitor = desk(), visit()
    session = served(visitor, agent)
    first, second = NEWS["en"]
    writes_in_ignorance(visitor, agent, (first, second))
    dialog = agent.page.get_by_role("dialog")
    expect(dialog.get_by_role("listitem")).to_have_count(2)
    expect(dialog).to_contain_text(first)
    expect(dialog).to_contain_text(second)
    expect(dialog.get_by_role("button", name="Let me read first")).to_be_focused()

    agent.page.keyboard.press("Enter")

    expect(dialog).to_be_hidden()
    expect(agent.composer).to_have_value(REPLY["en"])
    expect(agent.composer).to_be_focused()
    agent.composer.fill("Then of course, here is your refund.")
    agent.composer.press("Enter")
    visitor.sees("Then of course, here is your refund.")
    assert REPLY["en"] not in [words for _, words in visitor.said()]

    writes_in_ignorance(visitor, agent, ("And the bag?",))
    agent.composer.fill("begun since")
    agent.page.keyboard.press("Escape")
    expect(agent.composer).to_have_value(f"{REPLY['en']}\nbegun since")

    is_sent_all_the_same_once(visitor, agent)
    (forced,) = (event for event in product.log(session) if event["type"] == "reply.forced")
    assert forced["missed"] == 2


def is_sent_all_the_same_once(visitor: Visitor, agent: AgentDesk) -> None:
    writes_in_ignorance(visitor, agent, ("And the lock?", "And the lamp?"))
    agent.page.get_by_role("dialog").get_by_role("button", name="Send anyway").click()
    visitor.sees(REPLY["en"])
    expect(agent.page.get_by_role("dialog")).to_be_hidden()
    assert [words for _, words in agent.said()].count(REPLY["en"]) == 1


@pytest.mark.parametrize("locale", ["zh"])
def test_how_it_looks(visit: Visit, desk: Desk, locale: Locale) -> None:
    """By day and by night, at the desk and on the phone; axe finds nothing serious."""
    agent, colleague, visitor = desk(LENA, locale), desk(CHEN, locale), visit(locale)
    session = served(visitor, agent)
    colleague.looks_at("all")
    colleague.opens(session)
    expect(agent.viewers).to_be_visible()
    agent.says({"en": "Do you have the receipt?", "zh": "您有收据吗？"}[locale])
    expect(agent.receipt).to_be_visible()
    shoot(agent.page, f"reading-1-read-{locale}")
    lost = {"en": "No, I lost it.", "zh": "没有，弄丢了。"}[locale]
    visitor.says(lost)
    visitor.sees(lost)
    expect(visitor.ticks.last).to_have_text({"en": "Read", "zh": "已读"}[locale])
    shoot(visitor.page, f"reading-2-ticks-{locale}")
    writes_in_ignorance(visitor, agent, NEWS[locale])
    shoot(agent.page, f"reading-3-stale-{locale}")
    assert faults(agent.page) == []
    agent.page.keyboard.press("Enter")
    agent.page.goto(f"{agent.address}/workbench/")
    agent.looks_at("mine")
    for words in NEWS[locale]:
        visitor.says(words)
    expect(badge(agent, session)).to_have_text("2")
    shoot(agent.page, f"reading-4-unread-{locale}")
    assert faults(agent.page) == []
