"""Chat completions as they come over the wire, byte for byte as the providers write them."""

from collections.abc import Sequence
from typing import Any

import orjson

BASE = {"id": "chatcmpl-9lMgfRSWPHcw51s6wxKT1YEO2CKpd", "object": "chat.completion.chunk", "created": 1721075653}
USED = {"prompt_tokens": 21, "completion_tokens": 9, "total_tokens": 30}
FILTERS = {name: {"filtered": False, "severity": "safe"} for name in ("hate", "self_harm", "sexual", "violence")}


def frame(data: Any) -> bytes:
    return b"data: " + orjson.dumps(data) + b"\n\n"


def chunk(model: str, delta: dict[str, Any] | None, finish: str | None = None, **more: Any) -> bytes:
    """With `delta` None without choices."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return frame({**BASE, "model": model, "choices": [] if delta is None else [choice], **more})


def openai(texts: Sequence[str], finish: str = "stop", *, has_usage: bool = True) -> list[bytes]:
    model = "gpt-4o-mini-2024-07-18"
    usage = {"usage": None} if has_usage else {}
    frames = [chunk(model, {"role": "assistant", "content": "", "refusal": None}, **usage)]
    frames += [chunk(model, {"content": text}, **usage) for text in texts]
    frames.append(chunk(model, {}, finish, **usage))
    frames += [chunk(model, None, usage=USED)] if has_usage else []
    return [*frames, b"data: [DONE]\n\n"]


def azure(texts: Sequence[str]) -> list[bytes]:
    """First what its filters say of the prompt, without choices; ids and model are empty there."""
    results = [{"prompt_index": 0, "content_filter_results": FILTERS}]
    first = {"choices": [], "created": 0, "id": "", "model": "", "object": "", "prompt_filter_results": results}
    return [frame(first), *openai(texts)]


def deepseek(texts: Sequence[str]) -> list[bytes]:
    """Comments while it is busy, thoughts before the answer, usage in the last choice's chunk."""
    model = "deepseek-reasoner"
    frames = [b": keep-alive\n\n", chunk(model, {"role": "assistant", "content": None, "reasoning_content": ""})]
    frames += [chunk(model, {"content": None, "reasoning_content": "The visitor asks"})]
    frames += [chunk(model, {"content": text, "reasoning_content": None}) for text in texts]
    return [*frames, chunk(model, {"content": ""}, "stop", usage=USED), b"data: [DONE]\n\n"]


def qwen(texts: Sequence[str]) -> list[bytes]:
    """Usage in a chunk of its own, `finish_reason` "" before the end, space behind the colon left out."""
    model = "qwen-plus"
    frames = [chunk(model, {"role": "assistant", "content": ""}, "")]
    frames += [chunk(model, {"content": text}, "") for text in texts]
    frames += [chunk(model, {"content": ""}, "stop"), chunk(model, None, usage=USED), b"data: [DONE]\n\n"]
    return [one.replace(b"data: ", b"data:") for one in frames]


def ollama(texts: Sequence[str]) -> list[bytes]:
    model = "qwen2.5:7b"
    frames = [chunk(model, {"role": "assistant", "content": "", "reasoning": "Hm"}, system_fingerprint="fp_ollama")]
    frames += [chunk(model, {"role": "assistant", "content": text}) for text in texts]
    return [*frames, chunk(model, {"role": "assistant", "content": ""}, "stop", usage=USED), b"data: [DONE]\n\n"]


def vllm(texts: Sequence[str]) -> list[bytes]:
    """With CRLF, and usage in every chunk."""
    model = "Qwen/Qwen2.5-7B-Instruct"
    frames = [chunk(model, {"role": "assistant", "content": ""}, usage={"prompt_tokens": 21, "completion_tokens": 0})]
    frames += [chunk(model, {"content": text}, usage={**USED, "completion_tokens": 1}) for text in texts]
    frames += [chunk(model, {"content": ""}, "stop", stop_reason=None), chunk(model, None, usage=USED)]
    return [one.replace(b"\n", b"\r\n") for one in (*frames, b"data: [DONE]\n\n")]


def embeddings(vectors: Sequence[Sequence[float]], **more: Any) -> dict[str, Any]:
    data = [{"object": "embedding", "index": n, "embedding": list(one)} for n, one in enumerate(vectors)]
    usage = {"prompt_tokens": 8, "total_tokens": 8}
    return {"object": "list", "data": data, "model": "text-embedding-3-small", "usage": usage, **more}
