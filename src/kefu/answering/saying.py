"""What a model says, made fit to be shown while it still speaks.

Citations go, placeholders become what they stand for, and an address that nobody gave it is left out. What may become
one of these with the next piece is held back until that is decided; everything else is shown at once.
"""

import re
from collections.abc import Callable

from kefu.answering.citing import CITATION
from kefu.answering.prompt import NO_ANSWER

HELD_LIMIT = 300
BRACKETED = r"\[\w+\]"
LINK = r"[A-Za-z0-9][A-Za-z0-9-]*(?:://|\.)[A-Za-z0-9][^\s<>()\[\]{}\"'，。；：！？、）】》”’]*"
MARKS = re.compile(rf"(?P<cited>{CITATION.pattern})|(?P<placeholder>{BRACKETED})|(?P<link>{LINK})")
# An open bracket with the blanks before it, blanks, or a word that goes on behind a dot or a colon.
UNDECIDED = re.compile(
    r"[ \t]*[\[【][^\[\]【】\n]{0,24}$|[ \t]+$|(?<=[A-Za-z0-9])[.:][^\s<>()\[\]{}\"'，。；：！？、）】》”’]*$"
)
WORD = re.compile(r"[A-Za-z0-9-]*$")
IS_LINK = re.compile(
    r"://|\.(?:[a-z]{2,}|[A-Z]{2,}|(?i:com|net|org|cn|io|cc|me|shop|top|xyz|info|link|site|online|store))(?![A-Za-z0-9])"
)


class Saying:
    """`raw`: all that was said; `shown`: all that was shown of it. `may_link`: whether an address may be shown.

    `refuses`: it says, by the word that we gave it, that it does not know.
    """

    def __init__(self, unmask: Callable[[str], str], may_link: Callable[[str], bool]) -> None:
        self.raw = self.shown = ""
        self._unmask, self._may_link = unmask, may_link
        self._held = ""
        self._may_refuse = True
        self.refuses = False

    def hear(self, piece: str) -> str:
        """What may be shown now."""
        self.raw += piece
        self._held += piece
        # Nothing is looked at again with each piece but the end of what was said: answers may be long.
        self.refuses = self.refuses or NO_ANSWER in self.raw[-len(piece) - len(NO_ANSWER) :]
        self._may_refuse = self._may_refuse and NO_ANSWER.startswith(self.raw.strip())
        if self._may_refuse or self.refuses:
            return ""
        return self._show(self._decided() if len(self._held) <= HELD_LIMIT else len(self._held))

    def end(self, mark: str = "") -> str:
        """The rest, and `mark` behind it."""
        if self.refuses:
            return ""
        rest = self._show(len(self._held)) + mark
        self.shown += mark
        return rest

    def _decided(self) -> int:
        """How much of what is held may be shown."""
        begun = self._begun()
        found = UNDECIDED.search(begun + self._held)
        return max(0, found.start() - len(begun)) if found else len(self._held)

    def _show(self, until: int) -> str:
        """A link may begin in what was shown already: what is left of it is then not shown."""
        decided, self._held = self._held[:until], self._held[until:]
        begun = self._begun()
        new = MARKS.sub(self._fit, begun + decided)[len(begun) :]
        self.shown += new
        return new

    def _begun(self) -> str:
        """The word that was shown last, if it may go on."""
        found = WORD.search(self.shown[-HELD_LIMIT:])
        return found[0] if found else ""

    def _fit(self, found: re.Match[str]) -> str:
        if found["cited"]:
            return ""
        if found["placeholder"]:
            return self._unmask(found[0])
        address = found["link"].rstrip(".:,!?")
        if not IS_LINK.search(found["link"]) or self._may_link(address):
            return found[0]
        kept = re.match(r"[A-Za-z0-9-]*", found[0])
        return (kept[0] if kept else "") + "…"
