"""An agent marks a conversation, answers with a quick reply, goes on with a draft elsewhere; the visitor rates it."""

import re

from playwright.sync_api import Locator, Page, expect

from e2e.actors import Visitor
from e2e.conftest import Desk, Visit
from e2e.product import LENA

HAS_FOCUS = "it => it === it.getRootNode().activeElement"


def walks_to(page: Page, goal: Locator, key: str = "Tab") -> None:
    """By the keyboard alone."""
    for _ in range(60):
        if goal.evaluate(HAS_FOCUS):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{goal} is out of the keyboard's reach")


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
    phone.sees("Are you there?")  # what one has not read one does not answer
    phone.composer.press("Enter")
    visitor.sees("From the desk")
    agent.page.reload()
    expect(agent.composer).to_be_visible()
    expect(agent.composer).to_have_value("")


def calls_a_person_by_keyboard(visitor: Visitor) -> None:
    page, keys = visitor.page, visitor.page.keyboard
    walks_to(page, visitor.launcher)
    keys.press("Enter")
    expect(visitor.field).to_be_focused()
    keys.type("Where is my bike?")
    keys.press("Enter")
    visitor.sees("Where is my bike?")
    person = visitor.chat.locator("form").get_by_role("button", name="Talk to a person")
    walks_to(page, person)
    keys.press("Enter")
    keys.press("Escape")
    expect(visitor.chat.get_by_role("dialog")).to_have_count(0)
    expect(person).to_be_focused()
    keys.press("Enter")
    expect(visitor.chat.get_by_role("dialog").get_by_role("button", name="Talk to a person")).to_be_focused()
    keys.press("Enter")
    expect(visitor.field).to_be_focused()
    visitor.sees_status("No. 1 in line")


def test_a_visitor_comes_from_the_button_to_the_rating_by_keyboard_and_the_agent_reads_it(
    visit: Visit, desk: Desk
) -> None:
    visitor, agent = visit(), desk()
    page, keys = visitor.page, visitor.page.keyboard
    visitor.opens_the_shop()
    calls_a_person_by_keyboard(visitor)
    agent.opens(visitor.session)
    agent.takes_over()
    agent.says("It comes tomorrow.")
    visitor.sees("It comes tomorrow.")
    card = visitor.chat.get_by_role("complementary", name="How did our colleague do?")
    expect(card).to_be_hidden()
    agent.releases()
    expect(card).to_be_visible()
    walks_to(page, card.get_by_role("radio").last, "Shift+Tab")
    keys.press("Space")
    keys.press("ArrowLeft")
    expect(card.get_by_role("radio", name="4 stars")).to_be_checked()
    expect(card.get_by_role("button", name="Quick answers")).to_be_visible()
    walks_to(page, card.get_by_role("button", name="Quick answers"))
    keys.press("Space")
    walks_to(page, card.get_by_role("textbox"))
    keys.type("Very kind <3")
    walks_to(page, card.get_by_role("button", name="Send rating"))
    keys.press("Enter")
    expect(visitor.chat.get_by_text("You rated our service ★★★★☆")).to_be_visible()
    expect(card).to_be_hidden()
    expect(visitor.field).to_be_focused()
    keys.press("Escape")
    expect(visitor.field).to_be_hidden()
    expect(visitor.launcher).to_be_focused()
    visitor.page.reload()
    visitor.opens_the_chat()
    expect(visitor.chat.get_by_text("You rated our service ★★★★☆")).to_be_visible()
    expect(card).to_be_hidden()
    log = agent.page.get_by_role("log")
    expect(log.get_by_text("The visitor rated the service 4 of 5")).to_be_visible()
    expect(log.get_by_text("Very kind <3")).to_be_visible()
