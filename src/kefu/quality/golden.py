"""Golden questions, and what becomes of one when it is asked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

import orjson

from kefu.answering.ports import Answer, Answerer, Said, Turn
from kefu.kit.errors import Unavailable
from kefu.kit.i18n import Locale
from kefu.shops.hours import Hours
from kefu.supervision.defaults import DEFAULTS
from kefu.supervision.rules import Book, Moment, Scene
from kefu.supervision.rules import asks_for_person as policies_ask
from kefu.supervision.talk import Step, Talk

Kind = Literal["answerable", "unanswerable", "escalate"]
DEFAULT_BOOK = Book(0, DEFAULTS)
ALWAYS = Hours.model_validate({"timezone": "UTC", "week": [[{"opens": "00:00", "closes": "24:00"}]] * 7})
ANSWERED = {"answered": True, "reply_to": 0, "cost": 0.0}


@dataclass(frozen=True, slots=True)
class Golden:
    """A question and what must become of it.

    `expect`: ids of articles, any of which is a right source; none unless it is answerable. `history`: what was said
    before, oldest first.
    """

    id: str
    lang: Locale
    kind: Kind
    question: str
    expect: Sequence[str] = ()
    history: Sequence[Said] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it. `found`: articles, best first; `cited`: those the answer names as its sources.

    `provider`: who answered; empty for who failed to. `failed`: who should have answered and did not, and why.
    """

    golden: Golden
    found: Sequence[str]
    cited: Sequence[str]
    answered: bool
    escalated: bool
    provider: str = ""
    failed: str = ""

    @property
    def is_judged(self) -> bool:
        """Whether it says anything of who was to answer: not when they were away and another one spoke."""
        return not self.failed

    @property
    def is_cited(self) -> bool:
        """Answered, and from a right article."""
        return self.answered and bool({*self.cited} & {*self.golden.expect})

    @property
    def is_right(self) -> bool:
        if self.golden.kind == "answerable":
            return self.is_cited and not self.escalated
        return self.escalated if self.golden.kind == "escalate" else not self.answered

    @property
    def is_contained(self) -> bool:
        """Answered by the bot alone; where that was wrong, a customer is kept from help."""
        return self.answered and not self.escalated


def version_of(goldens: Iterable[Golden]) -> str:
    """Twelve digits that are others when any question is another."""
    lines = sorted(orjson.dumps(one, option=orjson.OPT_SORT_KEYS) for one in goldens)
    return sha256(b"\n".join(lines)).hexdigest()[:12]


async def attempt(
    answerer: Answerer, shop: str, golden: Golden, book: Book = DEFAULT_BOOK, run: str = "golden"
) -> Outcome:
    """Ask as a visitor of the shop would, watched by the policies of `book`.

    A provider that fails counts as no answer. `run`: begins the name of the session, so that a provider which keeps
    conversations does not know the question from an earlier run.
    """
    turn = Turn(shop, golden.lang, golden.question, f"{run}-{golden.id}", golden.history)
    answer: Answer | None = None
    failed = ""
    try:
        async for piece in answerer.answer(turn):
            answer = piece if isinstance(piece, Answer) else None
    except Unavailable as error:
        failed = error.code
    if answer and answer.evidence.fell_back_from:
        failed = ", ".join(answer.evidence.fell_back_from)
    found = dict.fromkeys(one.article_id for one in answer.evidence.passages) if answer else {}
    cited = dict.fromkeys(one.article_id for one in answer.sources) if answer else {}
    escalated = asks_for_person(book, shop, golden)
    provider = answer.evidence.provider if answer else ""
    return Outcome(golden, tuple(found), tuple(cited), bool(answer and answer.answered), escalated, provider, failed)


def asks_for_person(book: Book, shop: str, golden: Golden) -> bool:
    """Whether the policies hand a visitor who says this over to a person, in service hours."""
    talk, seq = Talk(), 0
    for seq, said in enumerate(golden.history, 1):
        talk.take(Step(seq, "message.posted", 0, {"role": said.role, "content": said.content, **ANSWERED}))
    about = Step(seq + 1, "message.posted", 0, {"role": "user", "content": golden.question})
    talk.take(about)
    scene = Scene(shop, is_vip=False, hours=ALWAYS)
    return policies_ask(book.judge(Moment(scene, talk, about)))
