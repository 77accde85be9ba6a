"""The handoff packet: what whoever takes over has to know, by rules or with a model's words (spec B7). Pure."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from kefu.analysis.rules import Intent, Reading, Sentiment, Urgency, analyse
from kefu.kit.i18n import Locale, Text
from kefu.log.log import Entry

RULES_NAME = "packet-rules-1"
LONGEST = 600
Line = Annotated[str, StringConstraints(max_length=LONGEST)]
Sure = Annotated[float, Field(ge=0, le=1)]
Step = Literal[
    "look_up_order", "start_return", "check_fault", "advise", "check_payment", "explain", "apologise", "call", "answer"
]
ORDER = re.compile(
    r"(?:order|订单|单号)\s*(?:no\.?|number|nr\.?|id|号|编号)?\s*[:#：]?\s*([A-Z]{0,4}-?\d{4,12})\b|#(\d{4,12})\b",
    re.IGNORECASE,
)
PRODUCT = re.compile(r"\b([A-Z]\d{1,2}(?: ?(?:City|Trek|Cargo|Fat|Fold|Pro|Max|Plus))?)\b")

STEPS: dict[Step, Text] = {
    "look_up_order": {"en": "Look the order up and say where it is.", "zh": "查询订单并告知物流进度。"},
    "start_return": {"en": "Check the order and settle the return or refund.", "zh": "核对订单并处理退换货或退款。"},
    "check_fault": {
        "en": "Ask for pictures of the fault and check the warranty.",
        "zh": "请客户提供故障照片并核实保修。",
    },
    "advise": {"en": "Advise on the product.", "zh": "为客户提供选购建议。"},
    "check_payment": {"en": "Check the payment or the invoice.", "zh": "核对付款或发票。"},
    "explain": {"en": "Explain how it is done.", "zh": "说明具体操作方法。"},
    "apologise": {"en": "Apologise, and say what happens next and when.", "zh": "先致歉，并说明接下来的处理与时间。"},
    "call": {"en": "Say hello and ask what it is about.", "zh": "问候客户并询问具体需求。"},
    "answer": {"en": "Read the last messages and answer them.", "zh": "阅读最近消息并回复。"},
}
BY_INTENT: dict[str, Step] = {
    "delivery": "look_up_order",
    "return": "start_return",
    "fault": "check_fault",
    "product": "advise",
    "payment": "check_payment",
    "usage": "explain",
    "complaint": "apologise",
    "person": "call",
    "chat": "call",
}


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class MadeBy(Shape):
    """Who made something: a model, or our rules; `name`: which."""

    kind: Literal["model", "rule"]
    name: Annotated[str, StringConstraints(max_length=120)]


class Judged(Shape):
    """`sure` 0…1: counted for rules, as the model says for models; `words`: the customer's words that told."""

    source: MadeBy
    sure: Sure
    words: list[str] = []


class Mood(Judged):
    label: Sentiment


class Pressure(Judged):
    label: Urgency


class Wish(Judged):
    label: Intent


class Attempt(Shape):
    """What the bot answered; `answered` is false when the knowledge did not say."""

    question: Line
    said: Line
    answered: bool


class PacketPassage(Shape):
    """What the bot found, as it was then. `score` 0…1."""

    passage_id: str
    article_id: str
    version: int
    title: str
    score: float


class NextStep(Shape):
    """`code` names one of our own proposals, for its words in any language; None: the model's."""

    code: Step | None
    text: Line


class Packet(Shape):
    """What is handed over. `up_to`: the last message it knows; `orders`, `products`: what they look at, and named."""

    episode: int
    up_to: int
    reason: str
    source: MadeBy
    wants: Line
    tried: Annotated[list[Attempt], Field(max_length=5)]
    evidence: Annotated[list[PacketPassage], Field(max_length=5)]
    mood: Mood
    urgency: Pressure
    intent: Wish
    orders: Annotated[list[str], Field(max_length=5)]
    products: Annotated[list[str], Field(max_length=5)]
    next_step: NextStep


class ModelWords(BaseModel):
    """What a model may put in words. Facts (evidence, orders, what was tried) stay ours."""

    wants: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST, strip_whitespace=True)]
    next_step: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST, strip_whitespace=True)]
    mood: Sentiment
    mood_sure: Sure


def by_rules(entries: Sequence[Entry], episode: int, reason: str, locale: Locale) -> Packet:
    """From messages and evidence, oldest first."""
    messages = [(one.seq, one.facts) for one in entries if one.type == "message.posted"]
    said = [facts["content"] for _, facts in messages if facts["role"] == "user" and facts["content"]]
    read = analyse("\n".join(said[-3:]), locale)
    about = _about(said, locale)
    intent = analyse(about, locale).intent if about else read.intent
    step = BY_INTENT.get(intent.label, "answer")
    everything = "\n".join(said)
    return Packet(
        episode=episode,
        up_to=max((seq for seq, _ in messages), default=0),
        reason=reason,
        source=MadeBy(kind="rule", name=RULES_NAME),
        wants=short(about),
        tried=_tried(messages),
        evidence=_evidence(entries),
        mood=Mood.model_validate(judged(read.sentiment)),
        urgency=Pressure.model_validate(judged(read.urgency)),
        intent=Wish.model_validate(judged(intent)),
        orders=_few([*_looked_at(entries, "order"), *(one or other for one, other in ORDER.findall(everything))]),
        products=_few([*_looked_at(entries, "product"), *PRODUCT.findall(everything)]),
        next_step=NextStep(code=step, text=STEPS[step][locale]),
    )


def in_words_of(packet: Packet, words: ModelWords, model: str) -> Packet:
    """The packet with what a model put better."""
    source = MadeBy(kind="model", name=model)
    return packet.model_copy(
        update={
            "source": source,
            "wants": words.wants,
            "next_step": NextStep(code=None, text=words.next_step),
            "mood": Mood(label=words.mood, source=source, sure=words.mood_sure),
        }
    )


def judged(reading: Reading) -> dict[str, Any]:
    """As `Judged` has it, and its label."""
    source = {"kind": "rule", "name": reading.rule}
    return {"label": reading.label, "source": source, "sure": reading.sure, "words": list(reading.words)}


def _looked_at(entries: Sequence[Entry], kind: str) -> list[str]:
    """What the shop's page says that the customer looks at."""
    cards = [one.facts["card"] for one in entries if one.type == "page.shown"][-1:]
    return [short(card["title"]) for card in cards if card and card["kind"] == kind]


def _about(said: Sequence[str], locale: Locale) -> str:
    """The newest words that are about something, with those right before them; the newest of all when none are."""
    telling = [n for n, text in enumerate(said) if analyse(text, locale).intent.label not in {"chat", "person"}]
    if not telling:
        return said[-1] if said else ""
    last = telling[-1]
    return "\n".join(said[n] for n in telling if last - n < 2)


def _tried(messages: Sequence[tuple[int, dict[str, Any]]]) -> list[Attempt]:
    """What the bot answered to what, the newest last."""
    by_seq, tried = dict(messages), list[Attempt]()
    for _, facts in messages:
        if facts["role"] == "assistant":
            question = by_seq.get(facts["reply_to"], {}).get("content", "")
            tried.append(Attempt(question=short(question), said=short(facts["content"]), answered=facts["answered"]))
    return tried[-5:]


def _evidence(entries: Sequence[Entry]) -> list[PacketPassage]:
    """The bot's passages, each once, the newest answer's first."""
    found: dict[str, PacketPassage] = {}
    for one in reversed(entries):
        if one.type == "answer.evidenced":
            for part in one.facts.get("passages", ()):
                found.setdefault(
                    part["passage_id"], PacketPassage(**{name: part[name] for name in PacketPassage.model_fields})
                )
    return list(found.values())[:5]


def _few(found: Any) -> list[str]:
    return list(dict.fromkeys(found))[-5:]


def short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
