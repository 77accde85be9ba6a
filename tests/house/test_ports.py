"""A Protocol is worth its place when two implementations run in anger. This table is the list of them."""

import ast
from collections.abc import Iterator
from importlib import import_module

import pytest

from house.sources import Source, sources

PORTS = {
    "kefu.ai.ports.ChatModel": (
        "kefu.ai.openai.OpenAiModel",
        "kefu.ai.coze.CozeModel",
        "kefu.ai.scripted.ScriptedModel",
    ),
    "kefu.ai.ports.Embedder": (
        "kefu.ai.embedding.OpenAiEmbedder",
        "kefu.ai.embedding.TryingEmbedder",
        "kefu.ai.embedding.BookedEmbedder",
    ),
    "kefu.ai.telling.Reading": ("kefu.ai.openai.OpenAiReading", "kefu.ai.coze.CozeReading"),
    "kefu.answering.ports.Answerer": (
        "kefu.answering.builtin.BuiltinAnswerer",
        "kefu.answering.scripted.ScriptedAnswerer",
    ),
    "kefu.bus.ports.Bus": ("kefu.bus.local.LocalBus", "kefu.bus.redis.RedisBus"),
    "kefu.sessions.store.SessionStore": (
        "kefu.sessions.store.DatabaseStore",
        "kefu.sessions.redis_store.RedisStore",
    ),
}


def protocols(files: tuple[Source, ...]) -> Iterator[str]:
    for file in files:
        module = file.path.removeprefix("src/").removesuffix(".py").replace("/", ".")
        for node in ast.walk(file.tree):
            if isinstance(node, ast.ClassDef) and any(_is_protocol(base) for base in node.bases):
                yield f"{module}.{node.name}"


def _is_protocol(base: ast.expr) -> bool:
    named = base.value if isinstance(base, ast.Subscript) else base
    return "Protocol" in (getattr(named, "id", ""), getattr(named, "attr", ""))


def load(path: str) -> type:
    module, _, name = path.rpartition(".")
    found: type = getattr(import_module(module), name)
    return found


def promised(protocol: type) -> set[str]:
    """The methods and attributes a Protocol asks for."""
    return {name for name in (*vars(protocol), *protocol.__annotations__) if not name.startswith("_")}


def test_the_table_names_every_protocol() -> None:
    assert set(protocols(tuple(file for file in sources(".py") if file.is_in("src")))) == set(PORTS)


@pytest.mark.parametrize("port", PORTS)
def test_a_port_has_two_implementations(port: str) -> None:
    implementations = {load(path) for path in PORTS[port]}
    assert len(implementations) > 1
    for implementation in implementations:
        missing = {name for name in promised(load(port)) if not hasattr(implementation, name)}
        assert not missing, f"{implementation.__name__} lacks {missing}"


def test_a_planted_protocol_is_seen() -> None:
    planted = Source(
        "src/kefu/shops/ports.py", "class A(Protocol): ...\nclass B(typing.Protocol[T]): ...\nclass C(D): ..."
    )
    assert list(protocols((planted,))) == ["kefu.shops.ports.A", "kefu.shops.ports.B"]
