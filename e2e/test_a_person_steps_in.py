"""A person takes the conversation over from the bot and gives it back."""

import pytest
from playwright.sync_api import expect

from e2e.actors import A_SECOND
from e2e.conftest import Desk, Visit
from e2e.words import Locale


@pytest.mark.parametrize("locale", ["zh"])
def test_a_person_steps_in_and_leaves_again(visit: Visit, desk: Desk, locale: Locale) -> None:
    agent = desk(locale=locale)
    visitor = visit(locale)
    visitor.is_in_the_chat()
    visitor.sees_status(visitor.words.bot_here)
    visitor.asks({"en": "How long is delivery to Germany?", "zh": "多久能送到德国？"}[locale])

    visitor.calls_a_person()
    visitor.sees_status(visitor.words.waiting)
    expect(agent.row(visitor.session)).to_be_visible()  # the page was never loaded again
    agent.opens(visitor.session)
    agent.takes_over()
    visitor.sees_status(visitor.words.agent_here.format(name="Lena"))
    agent.sees_status(agent.words.with_you)

    agent.says("Hello, Lena speaking. 您好！")
    visitor.sees("Hello, Lena speaking. 您好！", within=A_SECOND)
    visitor.says("There you are. 太好了。")
    agent.sees("There you are. 太好了。", within=A_SECOND)

    agent.composer.press_sequentially("One")
    expect(visitor.chat.get_by_text(visitor.words.typing.format(name="Lena"))).to_be_visible()
    visitor.field.press_sequentially("And")
    expect(agent.typing).to_contain_text(agent.words.typing)
    agent.says("One moment")
    expect(visitor.chat.get_by_text(visitor.words.typing.format(name="Lena"))).to_be_hidden()

    agent.releases()
    visitor.sees_status(visitor.words.bot_here)
    visitor.asks({"en": "Can I take the battery on a plane?", "zh": "电池可以带上飞机吗？"}[locale])
    expect(agent.bubbles.last).to_contain_text({"en": "battery", "zh": "电池"}[locale])

    agent.closes()
    visitor.sees_status(visitor.words.ended)
    agent.sees_status(agent.words.closed)


def test_the_visitor_may_write_again_after_the_end(visit: Visit, desk: Desk) -> None:
    agent, visitor = desk(), visit()
    visitor.is_in_the_chat()
    visitor.asks("How do I return my bike?")
    agent.looks_at("bot")
    agent.opens(visitor.session)
    agent.closes()
    visitor.sees_status(visitor.words.ended)

    visitor.asks("Which payment methods do you take?")

    visitor.sees_status(visitor.words.bot_here)
    agent.sees("Which payment methods do you take?")


def test_the_agent_sees_what_the_bot_said_and_what_it_read(visit: Visit, desk: Desk) -> None:
    agent, visitor = desk(), visit()
    visitor.is_in_the_chat()
    visitor.asks("Can I take the battery on a plane?")
    title = visitor.sources.first.locator(".title").inner_text()

    agent.looks_at("bot")
    agent.opens(visitor.session)

    evidence = agent.page.get_by_role("log").locator("details")
    evidence.locator("summary").click()
    expect(evidence.get_by_text(title).first).to_be_visible()
