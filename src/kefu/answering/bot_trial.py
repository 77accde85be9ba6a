"""Whether a provider answers: a tiny question, and what came of it in words."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import aclosing

from kefu.ai.catalog import Choice
from kefu.ai.ports import Ask, ChatModel, Embedder, Failing, Finished, Message, ProviderFailed
from kefu.answering.bot_shapes import EmbeddingTrialOut, TrialOut
from kefu.kit.i18n import Locale, Text

QUESTION = Ask([Message("user", "Reply with the one word: OK")], conversation="", purpose="test", max_tokens=16)
SECONDS = 60
BUILTIN: Text = {
    "en": "Answers are found in the knowledge, without a model. There is nothing to test.",
    "zh": "直接根据知识库回答，不使用模型，无需测试。",
}
WELL: Text = {"en": "It answers.", "zh": "连接正常，模型已回复。"}
WORDS: Mapping[Failing, Text] = {
    "refused": {
        "en": "Nobody takes the connection there. Check the address and the port.",
        "zh": "无法建立连接，请检查地址和端口。",
    },
    "unknown_host": {
        "en": "Nobody knows this host. Check how it is written.",
        "zh": "找不到该主机，请检查地址拼写。",
    },
    "slow": {
        "en": "It did not answer in time. It may be overloaded, or a wall stands between.",
        "zh": "响应超时，服务可能繁忙，或被防火墙拦截。",
    },
    "cut": {"en": "The answer broke off.", "zh": "回复中途断开。"},
    "busy": {
        "en": "It has too many requests now, or your limit there is reached.",
        "zh": "请求过多，或已达到该账号的限额。",
    },
    "broken": {"en": "Something is broken on their side.", "zh": "对方服务出现故障。"},
    "malformed": {
        "en": "What came is not what this kind of provider sends. Check provider and address.",
        "zh": "返回内容不符合该服务商的格式，请检查服务商类型和地址。",
    },
    "empty": {"en": "It answered with nothing.", "zh": "回复内容为空。"},
    "too_long": {"en": "The answer was longer than anybody would read.", "zh": "回复过长。"},
    "denied": {
        "en": "It does not do this for you. Check the key, the model's name and the account.",
        "zh": "请求被拒绝，请检查密钥、模型名称和账户状态。",
    },
}


EMBEDS: Text = {"en": "It gives vectors.", "zh": "向量模型连接正常。"}


async def tried_embedder(choice: Choice, embedder: Embedder, locale: Locale) -> EmbeddingTrialOut:
    """Never raises for what the provider does."""
    began = time.monotonic()
    found = EmbeddingTrialOut(ok=False, model=choice.embedding_model, total_ms=0, message="")
    try:
        async with asyncio.timeout(SECONDS):
            found.dimension = (await embedder.embed(["OK"])).dimension
        found.ok, found.message = True, EMBEDS[locale]
    except ProviderFailed as failure:
        found.reason, found.message, found.said = failure.reason, WORDS[failure.reason][locale], failure.said
    except TimeoutError:
        found.reason, found.message = "slow", WORDS["slow"][locale]
    found.total_ms = _ms(began)
    return found


async def tried(choice: Choice | None, model: ChatModel | None, locale: Locale) -> TrialOut:
    """Never raises for what the provider does."""
    if choice is None or model is None:
        return TrialOut(ok=True, provider="builtin", model="", total_ms=0, message=BUILTIN[locale])
    began, first = time.monotonic(), None
    found = TrialOut(ok=False, provider=choice.provider, model=choice.name, total_ms=0, message="")
    try:
        async with aclosing(model.stream(QUESTION)) as pieces:
            async for piece in pieces:
                first = first or _ms(began)
                found.model = piece.model if isinstance(piece, Finished) else found.model
        found.ok, found.message = True, WELL[locale]
    except ProviderFailed as failure:
        found.reason, found.message, found.said = failure.reason, WORDS[failure.reason][locale], failure.said
    found.first_ms, found.total_ms = first, _ms(began)
    return found


def _ms(began: float) -> int:
    return max(1, round((time.monotonic() - began) * 1000))
