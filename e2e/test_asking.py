"""A visitor asks; the bot answers from the shop's knowledge, or says that it cannot."""

import pytest
from playwright.sync_api import expect

from e2e.conftest import Visit
from e2e.words import Locale

ASKED: dict[Locale, tuple[str, str]] = {
    "en": ("Can I take the battery on a plane?", "battery"),
    "zh": ("电池可以带上飞机吗？", "电池"),
}
UNKNOWABLE: dict[Locale, tuple[str, str]] = {
    "en": ("Who won the football world cup in 1990?", "our help articles don't answer that"),
    "zh": ("1990 年世界杯足球赛谁赢了？", "没有找到这个问题的答案"),
}


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_an_answer_names_its_sources_and_they_open(visit: Visit, locale: Locale) -> None:
    question, word = ASKED[locale]
    visitor = visit(locale)
    visitor.is_in_the_chat()
    expect(visitor.chat.get_by_text(visitor.words.welcome)).to_be_visible()

    visitor.asks(question)

    expect(visitor.answers.last).to_contain_text(word)
    title = visitor.sources.first.locator(".title").inner_text()
    with visitor.page.expect_popup() as opened:
        visitor.sources.first.click()
    expect(opened.value.get_by_role("heading", level=1)).to_have_text(title)
    expect(opened.value.locator("html")).to_have_attribute("lang", {"en": "en", "zh": "zh-CN"}[locale])


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_what_the_shop_does_not_know_gets_an_honest_answer_and_the_way_to_a_person(
    visit: Visit, locale: Locale
) -> None:
    question, honest = UNKNOWABLE[locale]
    visitor = visit(locale)
    visitor.is_in_the_chat()

    visitor.asks(question)

    expect(visitor.answers.last).to_contain_text(honest)
    expect(visitor.sources).to_have_count(0)
    visitor.answers.last.get_by_role("button", name=visitor.words.person).click()
    visitor.chat.get_by_role("dialog").get_by_role("button", name=visitor.words.person).click()
    expect(visitor.status).to_have_attribute("data-status", "pending_manual")


def test_a_suggestion_and_a_question_on_the_page_are_asked_with_one_click(visit: Visit) -> None:
    visitor = visit("en")
    visitor.opens_the_shop()

    visitor.page.get_by_role("button", name="How long is delivery to Germany?").click()
    expect(visitor.answers).to_have_count(1)
    visitor.starts_over()
    visitor.chat.get_by_role("button", name="How do I return my bike?").click()

    expect(visitor.answers).to_have_count(1)
    assert [role for role, _ in visitor.said()] == ["user", "assistant"]
