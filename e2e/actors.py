"""Who acts in the browser: a visitor on the shop's page and an agent at the desk, so that a test reads as sentences."""

import re
import time
from collections.abc import Callable
from typing import Literal

from playwright.sync_api import Frame, FrameLocator, Locator, Page, expect

from e2e.product import Account
from e2e.words import CHAT, DESK, ChatWords, DeskWords, Locale

# What "at once" means between the two sides of a conversation.
A_SECOND = 4_000  # and what a machine adds on which everything is tested at once
Tab = Literal["waiting", "mine", "bot", "all"]
TABS: tuple[Tab, ...] = ("waiting", "mine", "bot", "all")

SESSION = """
() => Object.entries(localStorage).filter(([key]) => key.startsWith("kefu.visit."))
  .map(([, visit]) => JSON.parse(visit).session)[0]
"""
SAID = """
rows => rows.map(row => [
  row.classList.contains("own") ? "user" : row.classList.contains("agent") ? "agent" : "assistant",
  row.querySelector(".bubble").textContent.trim(),
])
"""
DESK_SAID = """
rows => rows.map(row => [
  ["user", "agent", "assistant"].find(role => row.classList.contains(`by-${role}`)),
  row.querySelector(".bubble").textContent.trim(),
])
"""

AT_REST = """
async () => {
  await document.fonts.ready;
  await Promise.all(document.getAnimations()
    .filter(({ effect }) => effect.getTiming().iterations !== Infinity)
    .map((animation) => animation.finished.catch(() => undefined)));
}
"""

# All that this browser keeps of the workbench but who is signed in.
FORGET = """
() => Object.keys(localStorage).filter((key) => !["kefu.tokens", "kefu.agent"].includes(key))
  .forEach((key) => localStorage.removeItem(key))
"""


def comes_to_rest(where: Page | Frame) -> None:
    """Waits until what moved has arrived."""
    where.evaluate(AT_REST)


def comes(look: Callable[[], object], what: object) -> None:
    """Look until that is there."""
    deadline = time.monotonic() + 10
    while (found := look()) != what and time.monotonic() < deadline:
        time.sleep(0.1)
    assert found == what


class Visitor:
    """A customer with the chat on a page of the shop."""

    def __init__(self, page: Page, address: str, locale: Locale) -> None:
        self.page = page
        self.address = address
        self.locale: Locale = locale

    @property
    def words(self) -> ChatWords:
        return CHAT[self.locale]

    @property
    def chat(self) -> FrameLocator:
        return self.page.frame_locator("#fiido-kefu iframe")

    @property
    def launcher(self) -> Locator:
        return self.page.locator("#fiido-kefu button.launcher")

    @property
    def panel(self) -> Locator:
        return self.page.locator("#fiido-kefu .panel")

    @property
    def field(self) -> Locator:
        return self.chat.locator("textarea")

    @property
    def status(self) -> Locator:
        return self.chat.locator("header .status")

    @property
    def bubbles(self) -> Locator:
        return self.chat.locator(".message .bubble")

    @property
    def answers(self) -> Locator:
        """The bot's, those that stand and not the one it is writing."""
        return self.chat.locator(".message.bot:has(.text:not(.streaming))")

    @property
    def ticks(self) -> Locator:
        """What became of the visitor's own messages."""
        return self.chat.locator(".message.own .meta span")

    @property
    def sources(self) -> Locator:
        return self.answers.last.locator("ul a")

    @property
    def frame(self) -> Frame:
        frame = self.page.frame(url=re.compile("/embed"))
        assert frame is not None
        return frame

    @property
    def session(self) -> str:
        """The name of the conversation this browser is in."""
        name: str = self.frame.evaluate(SESSION)
        return name

    def opens_the_shop(self) -> None:
        self.page.goto(f"{self.address}/demo?lang={self.locale}")

    def opens_the_chat(self) -> None:
        self.page.get_by_role("button", name=self.words.open).click()
        expect(self.field).to_be_visible()

    def is_in_the_chat(self) -> None:
        self.opens_the_shop()
        self.opens_the_chat()

    def says(self, text: str) -> None:
        self.field.fill(text)
        self.field.press("Enter")

    def asks(self, question: str) -> None:
        """And waits until the bot has answered."""
        before = self.answers.count()
        self.says(question)
        expect(self.answers).to_have_count(before + 1)

    def calls_a_person(self) -> None:
        self.chat.locator("form").get_by_role("button", name=self.words.person).click()
        self.chat.get_by_role("dialog").get_by_role("button", name=self.words.person).click()

    def starts_over(self) -> None:
        self.chat.get_by_role("button", name=self.words.new_chat).click()
        self.chat.get_by_role("dialog").get_by_role("button", name=self.words.new_chat).click()

    def sees(self, text: str, within: float | None = None) -> None:
        expect(self.bubbles.get_by_text(text, exact=True)).to_be_visible(timeout=within)

    def sees_status(self, text: str) -> None:
        """The estimate may stand behind it."""
        expect(self.status).to_contain_text(text)

    def said(self) -> list[tuple[str, str]]:
        """Role and words of all messages in sight, oldest first."""
        return [(role, words) for role, words in self.chat.locator(".message").evaluate_all(SAID)]


class AgentDesk:
    """An agent at the workbench."""

    def __init__(self, page: Page, address: str, locale: Locale) -> None:
        self.page = page
        self.address = address
        self.locale: Locale = locale
        self.words: DeskWords = DESK[locale]

    @property
    def composer(self) -> Locator:
        return self.page.get_by_label(self.words.reply)

    @property
    def bubbles(self) -> Locator:
        return self.page.get_by_role("log").locator(".bubble")

    @property
    def header(self) -> Locator:
        return self.page.locator("header.head:has(.actions)")

    @property
    def status(self) -> Locator:
        return self.header.get_by_role("status")

    @property
    def typing(self) -> Locator:
        return self.page.get_by_role("log").locator(".typing")

    @property
    def presence(self) -> Locator:
        """Whether the visitor is there."""
        return self.header.locator(".presence")

    @property
    def viewers(self) -> Locator:
        """The colleagues who look too."""
        return self.header.locator(".viewers")

    @property
    def receipt(self) -> Locator:
        """Below the last answer, once the visitor has read it."""
        return self.page.get_by_role("log").locator(".read")

    def row(self, session: str) -> Locator:
        return self.page.locator(f'[data-name="{session}"]')

    def opens_the_login(self) -> None:
        self.page.goto(f"{self.address}/workbench/")
        expect(self.page.get_by_role("button", name=self.words.sign_in, exact=True)).to_be_visible()

    def tries(self, username: str, password: str) -> None:
        self.page.get_by_label(self.words.username).fill(username)
        self.page.get_by_label(self.words.password, exact=True).fill(password)
        self.page.get_by_role("button", name=self.words.sign_in, exact=True).click()

    def signs_in(self, account: Account) -> None:
        self.opens_the_login()
        self.tries(account.username, account.password)
        expect(self.page.get_by_role("tablist")).to_be_visible()

    def sits_down(self, account: Account) -> None:
        """Signed in, with nothing left of who sat in this browser before."""
        self.page.goto(f"{self.address}/api/health/ready")
        self.page.evaluate(FORGET)
        self.page.goto(f"{self.address}/workbench/")
        tabs = self.page.get_by_role("tablist")
        expect(tabs.or_(self.page.get_by_label(self.words.username))).to_be_visible()
        if not tabs.is_visible():
            self.tries(account.username, account.password)
        expect(tabs).to_be_visible()

    def signs_out(self) -> None:
        self.page.locator("button.opener").click()
        # The page is loaded anew, so that nothing of this agent is left in it.
        with self.page.expect_event("load"):
            self.page.get_by_role("button", name=self.words.sign_out).click()

    def looks_at(self, tab: Tab) -> None:
        self.page.get_by_role("tab", name=self.words.tabs[TABS.index(tab)]).click()

    def opens(self, session: str) -> None:
        self.row(session).click()
        expect(self.header).to_be_visible()

    def takes_over(self) -> None:
        self.header.get_by_role("button", name=self.words.take_over).click()
        expect(self.composer).to_be_visible()

    def releases(self) -> None:
        self.header.get_by_role("button", name=self.words.release).click()

    def closes(self) -> None:
        self.header.get_by_role("button", name=self.words.close, exact=True).click()
        self.page.get_by_role("dialog").get_by_role("button", name=self.words.confirm_close).click()

    def says(self, text: str) -> None:
        self.composer.fill(text)
        self.composer.press("Enter")

    def sees(self, text: str, within: float | None = None) -> None:
        expect(self.bubbles.get_by_text(text, exact=True)).to_be_visible(timeout=within)

    def sees_status(self, text: str) -> None:
        expect(self.status).to_contain_text(text)

    def said(self) -> list[tuple[str, str]]:
        """Role and words of all messages in sight, oldest first."""
        return [(role, words) for role, words in self.page.get_by_role("log").locator(".line").evaluate_all(DESK_SAID)]
