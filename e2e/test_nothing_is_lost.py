"""A dead server, a lost network, a reload, a second tab: nothing is lost and nothing doubled."""

import re
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import expect

from e2e.actors import Visitor
from e2e.conftest import Desk, Visit
from e2e.product import Product
from e2e.words import CHAT

SCRIPT = "This answer is read from a script, word by word, and knows nothing of the shop."
# A follower tries again after at most half a minute of doubling pauses; three deaths stay far below that.
AFTER_A_RESTART = 30_000
# What a killed process was working on is taken up again when its lease has passed.
AFTER_A_LEASE = 40_000
GROWTH = """
(log) => {
  window.lengths = [];
  new MutationObserver(() => {
    const text = log.querySelector(".text.streaming")?.textContent.length ?? 0;
    if (text > (window.lengths.at(-1) ?? 0)) window.lengths.push(text);
  }).observe(log, { childList: true, characterData: true, subtree: true });
}
"""

POSTS = re.compile("/messages$")
A_DAY_AHEAD = """
{
  const [real, now] = [Date, Date.now];
  Date = class extends real { constructor(...given) { super(...(given.length ? given : [real.now()])); } };
  real.now = Date.now = () => now() + 86_400_000;
}
"""
NOTHING_IS_KEPT = """
if (location.pathname === "/embed") {
  const refuse = () => { throw new DOMException("denied", "SecurityError"); };
  for (const name of ["localStorage", "sessionStorage", "indexedDB"])
    Object.defineProperty(window, name, { get: refuse });
  navigator.locks.request = async () => refuse();
}
"""
VOID = """
() => Object.entries(localStorage).filter(([key]) => key.startsWith("kefu.visit."))
  .forEach(([key, visit]) => (localStorage[key] = JSON.stringify({ ...JSON.parse(visit), token: "void" })))
"""


@pytest.fixture(scope="module")
def product(start: Callable[..., Product], staffed: Path) -> Product:
    """The bot takes its time, so that it can be interrupted."""
    return start(staffed, AI_SERVICE_PROVIDER="scripted")


@pytest.fixture(autouse=True)
def _alive(product: Product) -> None:
    """A test that failed between a death and a restart is not the next one's fault."""
    if not product.is_alive():
        product.start()


def test_nothing_is_lost_when_the_server_is_killed(visit: Visit, desk: Desk, product: Product) -> None:
    agent, visitor = desk(), visit()
    visitor.is_in_the_chat()
    visitor.asks("Is anybody there?")
    visitor.calls_a_person()
    agent.opens(visitor.session)
    agent.takes_over()
    expected = [("user", "Is anybody there?"), ("assistant", SCRIPT)]

    for n in range(2):
        visitor.says(f"{n}: posted as the server dies")
        product.kill()
        visitor.says(f"{n}: written while it is down")
        visitor.says(f"{n}: and this")
        expect(visitor.chat.get_by_text(CHAT["en"].sending)).not_to_have_count(0)
        product.start()
        expected += [
            ("user", f"{n}: {words}") for words in ("posted as the server dies", "written while it is down", "and this")
        ]
        agent.sees(f"{n}: and this", within=AFTER_A_RESTART)
        agent.says(f"{n}: all here")
        visitor.sees(f"{n}: all here", within=AFTER_A_RESTART)
        expected += [("agent", f"{n}: all here")]
    product.kill()
    agent.says("Written while the server is down")
    product.start()
    visitor.sees("Written while the server is down", within=AFTER_A_RESTART)
    expected += [("agent", "Written while the server is down")]

    log = product.log(visitor.session)
    assert all(later["seq"] == earlier["seq"] + 1 for earlier, later in pairwise(log)), "the log has gaps"
    assert product.messages(visitor.session) == expected
    assert visitor.said() == expected
    assert agent.said() == expected


def test_a_slow_answer_is_read_as_it_is_written(visit: Visit) -> None:
    visitor = visit()
    visitor.is_in_the_chat()
    visitor.chat.get_by_role("log").evaluate(GROWTH)

    visitor.asks("Tell me something long")

    assert visitor.frame.evaluate("window.lengths.length") > 3


def test_an_answer_cut_off_by_the_death_of_the_server_is_given_after_it(visit: Visit, product: Product) -> None:
    visitor = visit()
    visitor.is_in_the_chat()
    visitor.says("Tell me something long")
    expect(visitor.chat.locator(".text.streaming")).to_be_visible()

    product.kill()
    product.start()

    expect(visitor.answers).to_have_count(1, timeout=AFTER_A_LEASE)
    assert visitor.said() == [("user", "Tell me something long"), ("assistant", SCRIPT)]
    assert product.messages(visitor.session) == visitor.said()


def test_a_message_written_offline_is_sent_when_the_network_is_back(visit: Visit, product: Product) -> None:
    visitor = visit()
    visitor.is_in_the_chat()
    visitor.asks("Before the tunnel")
    visitor.page.context.set_offline(offline=True)
    expect(visitor.chat.get_by_text("No connection.")).to_be_visible()

    visitor.says("In the tunnel")
    expect(visitor.chat.get_by_text(visitor.words.sending)).to_be_visible()
    visitor.page.context.set_offline(offline=False)

    expect(visitor.answers).to_have_count(2)
    expect(visitor.chat.get_by_text("No connection.")).to_be_hidden()
    assert visitor.said() == product.messages(visitor.session)


def test_a_first_message_written_offline_opens_the_conversation_later(visit: Visit, product: Product) -> None:
    visitor = visit()
    visitor.is_in_the_chat()
    visitor.page.context.set_offline(offline=True)

    visitor.says("Written before there was a conversation")
    visitor.page.context.set_offline(offline=False)

    expect(visitor.answers).to_have_count(1)
    assert visitor.said() == product.messages(visitor.session)


def test_a_reload_keeps_the_conversation_and_what_was_typed(visit: Visit) -> None:
    visitor = visit()
    visitor.is_in_the_chat()
    visitor.asks("Do you know me?")
    before = visitor.session, visitor.said()
    visitor.field.fill("Not yet sent")

    visitor.page.reload()
    visitor.opens_the_chat()

    expect(visitor.answers).to_have_count(1)
    assert (visitor.session, visitor.said()) == before
    expect(visitor.field).to_have_value("Not yet sent")


def test_every_word_is_there_once_and_in_order_whatever_befalls_its_tab(visit: Visit, product: Product) -> None:
    """A reload in mid-answer, a clock that is a day ahead, answers that are lost, a tab that sleeps, a void token."""
    first = visit()
    first.page.add_init_script(A_DAY_AHEAD)
    first.is_in_the_chat()
    first.says("One")
    expect(first.chat.locator(".text.streaming")).to_be_visible()
    first.page.reload()
    first.opens_the_chat()
    second = Visitor(first.page.context.new_page(), product.address, "en")
    second.is_in_the_chat()
    second.sees("One")
    session = first.session

    first.page.context.route(POSTS, lambda route: route.abort())
    first.says("Two")
    expect(first.chat.get_by_text(first.words.sending)).to_be_visible()
    second.says("Three")
    devtools = first.page.context.new_cdp_session(first.page)
    devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
    first.page.context.unroute(POSTS)
    arrives(product, session, ["One", "Two", "Three"])
    second.page.route(POSTS, lambda route: (route.fetch(), route.abort()), times=1)
    second.says("Four")
    second.says("Five")
    arrives(product, session, ["One", "Two", "Three", "Four", "Five"])
    devtools.send("Page.setWebLifecycleState", {"state": "active"})
    first.sees("Five")
    # What is not known to have arrived would be said again, in the new conversation.
    expect(second.chat.get_by_text(second.words.sending)).to_have_count(0)

    second.frame.evaluate(VOID)
    second.page.reload()
    second.opens_the_chat()
    second.says("Six")
    first.sees("Six")
    assert first.session == second.session != session
    arrives(product, first.session, ["Six"])
    assert asked(product, session) == ["One", "Two", "Three", "Four", "Five"]


def arrives(product: Product, session: str, words: list[str]) -> None:
    """The visitor's words, one behind the other."""
    deadline = time.monotonic() + AFTER_A_RESTART / 1000
    while (found := asked(product, session)) != words and time.monotonic() < deadline:
        time.sleep(0.2)
    assert found == words


def asked(product: Product, session: str) -> list[str]:
    """What the visitor said."""
    return [words for role, words in product.messages(session) if role == "user"]


def test_where_the_browser_keeps_nothing_who_leaves_too_early_is_asked(visit: Visit, product: Product) -> None:
    visitor = visit()
    page = visitor.page
    page.add_init_script(NOTHING_IS_KEPT)
    visitor.is_in_the_chat()
    page.evaluate("() => { window.begun = []; FiidoKefu.on('conversation', ({ session }) => begun.push(session)); }")
    page.route(POSTS, lambda route: route.abort())
    visitor.says("One")
    visitor.says("Two")
    expect(visitor.chat.get_by_text(visitor.words.sending)).to_be_visible()

    with page.expect_event("dialog") as question:
        page.close(run_before_unload=True)
    assert question.value.type == "beforeunload"
    question.value.dismiss()
    page.unroute(POSTS)

    page.wait_for_function("() => begun.length > 0")
    (session,) = page.evaluate("begun")
    arrives(product, session, ["One", "Two"])
    expect(visitor.chat.get_by_text(visitor.words.sending)).to_have_count(0)
    with page.expect_event("close"):
        page.close(run_before_unload=True)


def test_two_tabs_show_one_conversation(visit: Visit, product: Product) -> None:
    first = visit()
    second = Visitor(first.page.context.new_page(), product.address, "en")
    first.is_in_the_chat()
    second.is_in_the_chat()

    first.asks("From the first tab")
    second.sees("From the first tab")
    second.asks("From the second tab")
    first.sees("From the second tab")
    expect(first.answers).to_have_count(2)

    assert first.session == second.session
    assert first.said() == second.said() == product.messages(first.session)


def test_a_new_chat_leaves_the_old_one_behind_in_every_tab(visit: Visit, product: Product) -> None:
    first = visit()
    second = Visitor(first.page.context.new_page(), product.address, "en")
    first.is_in_the_chat()
    second.is_in_the_chat()
    first.asks("The old one")
    old = first.session

    second.starts_over()
    expect(first.bubbles).to_have_count(0)
    first.asks("The new one")

    second.sees("The new one")
    assert first.session == second.session != old
    assert [words for _, words in product.messages(old)] == ["The old one", SCRIPT]
