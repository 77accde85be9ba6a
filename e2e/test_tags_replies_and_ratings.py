"""An agent marks a conversation, answers with a quick reply, goes on with a draft elsewhere; the visitor rates it."""

import re

from playwright.sync_api import expect

from e2e.conftest import Desk, Visit
from e2e.product import LENA


def test_an_agent_tags_a_conversation_and_answers_with_quick_replies(visit: Visit, desk: Desk) -> None:
    visitor, agent = visit(), desk()
    page = agent.page
    page.get_by_role("link", name="Quick replies").click()
    page.get_by_role("button", name="New quick reply").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Title").fill("Delivery check")
    form.get_by_role("textbox", name="Text", exact=True).fill(
        "Dear {customer_name}, I look into {order_id}. <b>{agent_name}</b>"
    )
    form.get_by_label("Key").select_option("3")
    expect(form.get_by_text("<b>Lena</b>")).to_be_visible()
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Delivery check")).to_be_visible()

    visitor.is_in_the_chat()
    visitor.says("Where is my bike?")
    visitor.calls_a_person()
    page.get_by_role("link", name="Conversations").click()
    agent.opens(visitor.session)
    agent.takes_over()
    agent.composer.press_sequentially("/dlv")
    picker = page.get_by_role("region", name="Quick replies")
    expect(picker.get_by_role("option", selected=True)).to_contain_text("Dear Visitor")
    agent.composer.press("Enter")
    expect(agent.composer).to_have_value(re.compile(r"^Dear Visitor \w+, I look into \{order_id\}\. <b>Lena</b>$"))
    expect(
        page.get_by_text("Still to be filled in: order_id").or_(page.get_by_text("{order_id}")).first
    ).to_be_visible()
    agent.composer.fill("Hello")
    agent.composer.press("Alt+3")
    expect(agent.composer).to_have_value(re.compile(r"^Hello Dear Visitor"))

    page.get_by_role("tab", name="Tags").click()
    page.get_by_role("button", name="Refund").click()
    page.get_by_label("Find a tag").fill("urg")
    page.get_by_role("button", name="Urgent").click()
    chips = agent.row(visitor.session).locator(".chip")
    expect(chips).to_have_text(["Refund", "Urgent"])
    page.get_by_role("button", name="Remove Refund").click()
    expect(chips).to_have_text(["Urgent"])


def test_a_draft_goes_on_on_another_device_and_is_gone_once_it_is_sent(visit: Visit, desk: Desk) -> None:
    visitor, agent = visit(), desk()
    visitor.is_in_the_chat()
    visitor.says("Are you there?")
    visitor.calls_a_person()
    agent.opens(visitor.session)
    agent.takes_over()
    agent.composer.press_sequentially("From the desk")
    expect(agent.page.get_by_text("Draft saved")).to_be_visible()
    phone = desk(LENA)
    phone.looks_at("mine")
    phone.opens(visitor.session)
    expect(phone.composer).to_have_value("From the desk")
    phone.composer.press("Enter")
    visitor.sees("From the desk")
    agent.page.reload()
    expect(agent.composer).to_be_visible()
    expect(agent.composer).to_have_value("")


def test_the_visitor_rates_the_service_once_by_keyboard_and_the_agent_reads_it(visit: Visit, desk: Desk) -> None:
    visitor, agent = visit(), desk()
    visitor.is_in_the_chat()
    visitor.says("Where is my bike?")
    visitor.calls_a_person()
    agent.opens(visitor.session)
    agent.takes_over()
    agent.says("It comes tomorrow.")
    visitor.sees("It comes tomorrow.")
    card = visitor.chat.get_by_role("complementary", name="How did our colleague do?")
    expect(card).to_be_hidden()
    agent.releases()
    expect(card).to_be_visible()
    card.get_by_role("radio", name="5 stars").focus()
    visitor.page.keyboard.press("ArrowLeft")
    visitor.page.keyboard.press("Space")
    expect(card.get_by_role("radio", name="4 stars")).to_be_checked()
    card.get_by_role("button", name="Quick answers").click()
    card.get_by_role("textbox").fill("Very kind <3")
    card.get_by_role("button", name="Send rating").click()
    expect(visitor.chat.get_by_text("You rated our service ★★★★☆")).to_be_visible()
    expect(card).to_be_hidden()
    visitor.page.reload()
    visitor.opens_the_chat()
    expect(visitor.chat.get_by_text("You rated our service ★★★★☆")).to_be_visible()
    expect(card).to_be_hidden()
    log = agent.page.get_by_role("log")
    expect(log.get_by_text("The visitor rated the service 4 of 5")).to_be_visible()
    expect(log.get_by_text("Very kind <3")).to_be_visible()
