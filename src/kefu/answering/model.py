"""The answerer that asks a model, and lets it say only what the shop's knowledge says.

The question is looked up as the builtin answerer does it. To have the model rewrite it first would cost each visitor
the wait for a second answer, so follow-ups are told by rule. What comes back is shown while it comes, and judged in the
end: where no passage says what the model said, all of it is taken back. A model that fails, or that the budget does not
allow, is followed by the next one, and the last by the builtin answerer.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from hashlib import sha256

import orjson

from kefu.ai.catalog import Price
from kefu.ai.ports import Ask, ChatModel, Finished, Message, ProviderFailed
from kefu.answering import wording
from kefu.answering.builtin import BuiltinAnswerer, passage_of, source_of
from kefu.answering.citing import check
from kefu.answering.off_topic import Offer
from kefu.answering.pii import Placeholders
from kefu.answering.ports import Answer, Delta, Evidence, Speech, TakenBack, Turn
from kefu.answering.prompt import Voice, build
from kefu.answering.saying import Saying
from kefu.kit.errors import Unavailable
from kefu.kit.i18n import Locale
from kefu.knowledge.search import Found, Hit
from kefu.knowledge.words import language_of

# Behind an answer that the provider cut short.
CUT_SHORT = "…"


@dataclass(frozen=True, slots=True)
class Setup:
    """How a shop's bot answers a turn. `models`: each is asked when the one before it could not answer.

    `masks`: contact data of the customer does not reach a model.
    """

    models: Sequence[ChatModel] = ()
    voice: Voice = field(default_factory=Voice)
    masks: bool = True


SetupOf = Callable[[Turn], Awaitable[Setup]]
PriceOf = Callable[[str], Price]


@dataclass(frozen=True, slots=True)
class _Task:
    """What each model is asked alike. `failed`: who did not answer, and why, so far."""

    turn: Turn
    locale: Locale
    setup: Setup
    found: Found
    failed: list[str]

    @property
    def hits(self) -> Sequence[Hit]:
        """What the model may answer from."""
        return self.found.best


class ModelAnswerer:
    """Answers by the models that `setup_of` names for a turn; as `builtin` does where none does."""

    def __init__(self, builtin: BuiltinAnswerer, setup_of: SetupOf, price_of: PriceOf) -> None:
        self._builtin = builtin
        self._setup_of = setup_of
        self._price_of = price_of

    async def answer(self, turn: Turn) -> Speech:
        task = await self._task(turn)
        failed = task.failed if task else []
        for n, model in enumerate(task.setup.models if task else (), 1):
            assert task
            async with aclosing(self._by(model, task)) as speech:
                async for piece in speech:
                    yield piece
            if len(failed) < n:
                return
        async with aclosing(self._without_model(turn, failed)) as speech:
            async for piece in speech:
                yield piece

    async def _task(self, turn: Turn) -> _Task | None:
        """None when no model is needed, or there is none, or nothing to answer from."""
        if wording.needs_no_knowledge(turn.question):
            return None
        setup = await self._setup_of(turn)
        if not setup.models:
            return None
        locale = language_of(turn.question, turn.locale)
        found = await self._builtin.look_up(turn, locale)
        return _Task(turn, locale, setup, found, []) if found.best else None

    async def _by(self, model: ChatModel, task: _Task) -> Speech:
        """The model's answer; or what it began is taken back, and why stands in `task.failed`."""
        is_heard = False
        try:
            async with aclosing(self._heard(model, task)) as speech:
                async for piece in speech:
                    is_heard = True
                    yield piece
        except ProviderFailed as failed:
            task.failed.append(f"{failed.details['provider']}: {failed.details['reason']}")
            if is_heard:
                yield TakenBack()

    async def _heard(self, model: ChatModel, task: _Task) -> Speech:
        started = time.perf_counter()
        placeholders = Placeholders(task.locale, is_on=task.setup.masks)
        messages = build(task.turn, task.locale, task.hits, task.setup.voice, placeholders.mask)
        saying, end = Saying(placeholders.unmask, partial(_is_given, task)), None
        async with aclosing(model.stream(Ask(messages, task.turn.session_name, "answer"))) as stream:
            async for piece in stream:
                if isinstance(piece, Finished):
                    end = piece
                elif new := saying.hear(piece.text):
                    yield Delta(new)
        if end is None or end.stopped == "filter":
            raise ProviderFailed(provider=end.provider if end else "model", reason="cut")
        if rest := saying.end(CUT_SHORT if end.stopped == "length" else ""):
            yield Delta(rest)
        evidence = self._evidence(task, messages, end, round((time.perf_counter() - started) * 1000))
        async for judged in _judged(task, saying, evidence):
            yield judged

    def _evidence(self, task: _Task, messages: Sequence[Message], end: Finished, took: int) -> Evidence:
        return Evidence(
            provider=end.provider,
            model=end.model,
            knowledge_version=task.found.version,
            passages=[passage_of(hit) for hit in task.hits],
            prompt_hash=sha256(orjson.dumps([asdict(one) for one in messages])).hexdigest(),
            tokens=end.usage.tokens_in + end.usage.tokens_out,
            cost=self._price_of(end.model).of(end.usage),
            latency_ms=took,
            answered=False,
            fell_back_from=tuple(task.failed),
            retrieval=task.found.retrieval,
            embedder=task.found.embedder,
        )

    async def _without_model(self, turn: Turn, failed: Sequence[str]) -> Speech:
        """The builtin answerer; when that cannot answer either, an apology and the way to a person."""
        is_heard = False
        try:
            async with aclosing(self._builtin.answer(turn)) as speech:
                async for piece in speech:
                    is_heard = True
                    yield _after(failed, piece)
        except Unavailable as error:
            failed = (*failed, f"builtin: {error.code}")
            if is_heard:
                yield TakenBack()
            async for piece in Offer(wording.SORRY, "sorry").answer(turn):
                yield _after(failed, piece)


async def _judged(task: _Task, saying: Saying, evidence: Evidence) -> Speech:
    """The end of the answer: with the passages that say it, or that the bot does not know after all."""
    claims = check(saying.raw, task.hits) if not saying.refuses else []
    evidence = replace(evidence, claims=claims)
    named = dict.fromkeys(n for claim in claims if not claim.doubt for n in claim.cited)
    if named:
        sources = [source_of(task.hits[n - 1]) for n in named]
        yield Answer(saying.shown, answered=True, sources=sources, evidence=replace(evidence, answered=True))
        return
    if saying.shown:
        yield TakenBack()
    text = wording.unknown(task.locale, task.turn.history)
    yield Delta(text)
    refused = "" if saying.refuses else saying.raw
    yield Answer(text, answered=False, sources=(), evidence=replace(evidence, refused=refused))


def _after(failed: Sequence[str], piece: Delta | TakenBack | Answer) -> Delta | TakenBack | Answer:
    if isinstance(piece, Answer) and failed:
        return replace(piece, evidence=replace(piece.evidence, fell_back_from=tuple(failed)))
    return piece


def _is_given(task: _Task, address: str) -> bool:
    """Whether an address stands in a passage, or the team wrote it: the bot sends nobody anywhere else."""
    texts = (task.setup.voice.instructions, *(hit.text for hit in task.hits))
    return any(address.lower() in text.lower() for text in texts)
