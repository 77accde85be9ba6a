"""What stands beside a conversation to help the agent: the packet above it, proposed replies, what messages say."""

import pytest
from playwright.sync_api import expect

from e2e.conftest import Desk, Visit
from e2e.product import Product
from e2e.test_looks import faults
from e2e.test_shots import shoot
from e2e.words import Locale

QUESTION = {"en": "I am disappointed. How do I return my bike? Order NV-20418", "zh": "很失望，怎么退货？订单 NV-20418"}
TAB = {"en": "AI help", "zh": "AI 助手"}
USE = {"en": "Put into the reply", "zh": "填入输入框"}
PACKET = {"en": "Handover", "zh": "交接摘要"}


@pytest.mark.parametrize("locale", ["zh"])
def test_an_agent_reads_the_packet_and_sends_a_proposed_reply(
    visit: Visit, desk: Desk, product: Product, locale: Locale
) -> None:
    visitor, agent = visit(locale), desk(locale=locale)
    visitor.is_in_the_chat()
    visitor.asks(QUESTION[locale])
    visitor.calls_a_person()
    agent.opens(visitor.session)
    packet = agent.page.locator("details.packet")
    expect(packet).to_contain_text(PACKET[locale])
    expect(packet).to_contain_text("NV-20418")
    agent.takes_over()
    shoot(agent.page, f"packet-{locale}")
    agent.page.get_by_role("tab", name=TAB[locale]).click()
    first = agent.page.locator(".cards .card").first
    button = first.get_by_role("button", name=USE[locale])
    expect(button).to_be_visible(timeout=20_000)
    assert faults(agent.page) == []
    shoot(agent.page, f"help-{locale}")
    text = first.locator(".text").inner_text()
    button.click()
    agent.composer.press("Enter")
    expect(agent.bubbles.last).to_contain_text(text[:30])
    assert "suggestion.used" in [one["type"] for one in product.log(visitor.session)]
