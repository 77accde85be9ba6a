"""Which policies hit: pure decisions, so that a back-test decides as the bot's turn does."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from kefu.shops.hours import Hours, is_open
from kefu.supervision import policies as kinds
from kefu.supervision.lexicon import complaints_in, sums_in, topics_in
from kefu.supervision.matching import Phrases, Span, found_by
from kefu.supervision.policies import Kind, Point, Policy, in_order
from kefu.supervision.talk import Step, Talk

Why = dict[str, Any]
# `closed`: a person was to be asked for, and nobody was there. `none`: a dry run.
Effect = Literal["escalated", "closed", "tagged", "told", "none"]
DONE: dict[str, Effect] = {"tag": "tagged", "tell": "told"}
FOUND_LIMIT = 5


@dataclass(frozen=True, slots=True)
class Scene:
    """What a policy may ask of the session beside its talk. `hours`: when its shop is served."""

    shop: str
    is_vip: bool
    hours: Hours


@dataclass(frozen=True)
class Moment:
    """What is judged: the visitor's message `about`, and the bot's answer to it where there is one.

    Its time is the message's own, so that it is judged the same whenever that is done.
    """

    scene: Scene
    talk: Talk
    about: Step
    answer: Step | None = None

    @property
    def at(self) -> int:
        return self.about.at

    @property
    def point(self) -> Point:
        return "question" if self.answer is None else "answer"

    @property
    def text(self) -> str:
        return str(self.about.facts["content"])

    @cached_property
    def is_open(self) -> bool:
        return is_open(self.scene.hours, self.at)


@dataclass(frozen=True, slots=True)
class Ruling:
    """A policy hit. `why`: what was found, and in `spans` where in the message."""

    policy: Policy
    version: int
    moment: Moment
    why: Why
    effect: Effect

    @property
    def facts(self) -> dict[str, Any]:
        """As it stands in the log."""
        return {
            "policy": self.policy.id,
            "version": self.version,
            "kind": self.policy.kind,
            "name": self.policy.name.model_dump(),
            "severity": self.policy.severity,
            "does": self.policy.does,
            "dry_run": self.policy.dry_run,
            "effect": self.effect,
            "point": self.moment.point,
            "about": self.moment.about.seq,
            "moment": self.moment.at,
            "why": self.why,
        }


Check = Callable[[Moment], Why | None]


@dataclass(frozen=True)
class Book:
    """The policies of one version, ready to be asked."""

    version: int
    policies: tuple[Policy, ...]
    _ready: Mapping[Point, list[tuple[Policy, Check]]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        ready: dict[Point, list[tuple[Policy, Check]]] = {"question": [], "answer": []}
        for policy in in_order(self.policies):
            if policy.enabled:
                ready[policy.point].append((policy, CHECKS[policy.kind](policy.rule)))
        object.__setattr__(self, "_ready", ready)

    @property
    def asks_costs(self) -> bool:
        return any(policy.kind == "spend" and policy.enabled for policy in self.policies)

    def judge(self, moment: Moment) -> list[Ruling]:
        """What hits, in the order of precedence; after one that asks for a person no further one is looked at.

        The talk knows of the hits afterwards.
        """
        rulings = []
        for policy, check in self._ready[moment.point]:
            if not _applies(policy, moment) or (why := check(moment)) is None:
                continue
            ruling = Ruling(policy, self.version, moment, why, _effect(policy, moment))
            moment.talk.decided(ruling.facts)
            rulings.append(ruling)
            if policy.moves:
                break
        return rulings


def asks_for_person(rulings: Iterable[Ruling]) -> bool:
    """Whether, by the last of them, a person is asked for."""
    return any(one.effect == "escalated" for one in rulings)


def _applies(policy: Policy, moment: Moment) -> bool:
    if policy.shop not in {None, moment.scene.shop}:
        return False
    last = moment.talk.fired.get(policy.id)
    if last is not None and moment.at - last < policy.cooldown_minutes * 60_000:
        return False
    return policy.hours == "any" or moment.is_open == (policy.hours == "open")


def _effect(policy: Policy, moment: Moment) -> Effect:
    if policy.dry_run:
        return "none"
    if policy.does == "escalate":
        return "escalated" if moment.is_open else "closed"
    return DONE[policy.does]


def _found(text: str, spans: Iterable[Span]) -> Why | None:
    first = sorted(set(spans))[:FOUND_LIMIT]
    return {"found": [text[slice(*span)] for span in first], "spans": first} if first else None


def _keyword(rule: kinds.Keyword) -> Check:
    phrases = Phrases(rule.words, by_words=rule.match == "word")
    return lambda moment: _found(moment.text, phrases.find(moment.text))


def _regex(rule: kinds.Regex) -> Check:
    return lambda moment: _found(moment.text, found_by(rule.pattern, moment.text))


def _topic(rule: kinds.TopicRule) -> Check:
    def check(moment: Moment) -> Why | None:
        found = topics_in(moment.text, rule.topics)
        why = _found(moment.text, (span for spans in found.values() for span in spans))
        return why and {"topics": [*found], **why}

    return check


def _sentiment(rule: kinds.Sentiment) -> Check:
    def check(moment: Moment) -> Why | None:
        last = [*moment.talk.said][-rule.in_a_row :]
        if len(last) < rule.in_a_row or not all(complaints_in(one.facts["content"]) for one in last):
            return None
        return {"count": rule.in_a_row, **(_found(moment.text, complaints_in(moment.text)) or {})}

    return check


def _vip(_: kinds.Vip) -> Check:
    return lambda moment: {} if moment.scene.is_vip else None


def _order_value(rule: kinds.OrderValue) -> Check:
    def check(moment: Moment) -> Why | None:
        large = [(amount, span) for amount, span in sums_in(moment.text) if amount >= rule.at_least]
        why = _found(moment.text, (span for _, span in large))
        return why and {"amount": max(amount for amount, _ in large), "limit": rule.at_least, **why}

    return check


def _spend(rule: kinds.Spend) -> Check:
    def check(moment: Moment) -> Why | None:
        cost = round(moment.talk.cost, 6)
        return {"cost": cost, "limit": rule.at_least} if cost >= rule.at_least else None

    return check


def _time(rule: kinds.Time) -> Check:
    def check(moment: Moment) -> Why | None:
        minutes = (moment.at - moment.talk.since) // 60_000
        value = minutes if rule.measure == "minutes" else moment.talk.written
        return {rule.measure: value, "limit": rule.at_least} if value >= rule.at_least else None

    return check


def _fail_loop(rule: kinds.FailLoop) -> Check:
    apologies = Phrases(rule.apologies, by_words=False)

    def check(moment: Moment) -> Why | None:
        last = [*moment.talk.answers][-rule.in_a_row :]
        failed = [one for one in last if not one.facts["answered"] or apologies.find(one.facts["content"])]
        return {"count": rule.in_a_row} if len(failed) == rule.in_a_row else None

    return check


def _low_confidence(rule: kinds.LowConfidence) -> Check:
    def check(moment: Moment) -> Why | None:
        passages = moment.answer.facts.get("passages", ()) if moment.answer else ()
        best = max((one["score"] for one in passages), default=None)
        return {"score": round(best, 4), "limit": rule.below} if best is not None and best < rule.below else None

    return check


CHECKS: Mapping[Kind, Callable[[Any], Check]] = {
    "keyword": _keyword,
    "regex": _regex,
    "topic": _topic,
    "sentiment": _sentiment,
    "vip": _vip,
    "order_value": _order_value,
    "spend": _spend,
    "time": _time,
    "fail_loop": _fail_loop,
    "low_confidence": _low_confidence,
}
