"""What is sealed in the database and plain to the program: columns, and fields of JSON (docs/adr/0020).

A column is sealed by its type, which is also how `kefu secrets` finds it. In JSON a sealed text is an object,
`{"sealed":"gAAAA…"}`, which nothing that a person writes can be. What cannot be opened reads as `UNREADABLE`; what was
written before it was sealed reads as it stands.
"""

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import orjson
from sqlalchemy import JSON, Dialect, Text
from sqlalchemy.types import TypeDecorator

from kefu.kit.config import Settings
from kefu.kit.secrets import Sealer, Unreadable

Sealing = Callable[[], Sealer]
UNREADABLE = "Unreadable"
# The attribute of an engine's dialect that holds its `Sealing`.
SEALING = "kefu_sealing"
TOKEN = re.compile(r"gAAAA[A-Za-z0-9_-]{90,}={0,2}")
IN_JSON = re.compile(r'\{"sealed": ?"([A-Za-z0-9_=-]+)"\}')


def no_keys() -> Sealer:
    """Raises Unreadable: nobody said which keys there are."""
    raise Unreadable


def sealing_of(settings: Settings) -> Sealing:
    """With the keys of this installation, made when they are first needed."""
    return cache(lambda: Sealer(settings.all_field_keys()))


def is_sealed(text: str) -> bool:
    return TOKEN.fullmatch(text) is not None


def opened(text: str, sealing: Sealing) -> str:
    """The text, or UNREADABLE."""
    try:
        return sealing().open(text) if is_sealed(text) else text
    except Unreadable:
        return UNREADABLE


def opened_json(text: str, sealing: Sealing) -> str:
    """JSON text with all in it opened."""
    if '{"sealed"' not in text:
        return text
    return IN_JSON.sub(lambda found: orjson.dumps(opened(found[1], sealing)).decode(), text)


def still_sealed(text: str) -> Any:
    """The text of a sealed column, as it stands in JSON."""
    return {"sealed": text} if is_sealed(text) else text


def seal_fields(facts: dict[str, Any], paths: Iterable[str], seal: Callable[[str], str]) -> dict[str, Any]:
    """The facts with the texts at these paths sealed, where there are any."""
    return with_changed(facts, paths, lambda plain: {"sealed": seal(plain)})


def with_changed(facts: dict[str, Any], paths: Iterable[str], change: Callable[[str], Any]) -> dict[str, Any]:
    """The facts with what `change` makes of the texts at these paths (`email`, `customer.email`)."""
    changed = dict(facts)
    for path in paths:
        name, _, rest = path.partition(".")
        value = changed.get(name)
        if rest and isinstance(value, dict):
            changed[name] = with_changed(value, [rest], change)
        elif not rest and isinstance(value, str):
            changed[name] = change(value)
    return changed


def _sealing(dialect: Dialect) -> Sealing:
    sealing: Sealing = getattr(dialect, SEALING, no_keys)
    return sealing


class SealedText(TypeDecorator[str]):
    """A text that is sealed."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else _sealing(dialect)().seal(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else opened(value, _sealing(dialect))


class SealedFields(TypeDecorator[dict[str, Any]]):
    """A JSON object of which some fields are sealed."""

    impl = JSON(none_as_null=True)
    cache_ok = True

    def __init__(self, names: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.names = names

    def process_bind_param(self, value: dict[str, Any] | None, dialect: Dialect) -> dict[str, Any] | None:
        return None if value is None else seal_fields(value, self.names, _sealing(dialect)().seal)

    def process_result_value(self, value: dict[str, Any] | None, dialect: Dialect) -> dict[str, Any] | None:
        if value is None:
            return None
        plain: dict[str, Any] = orjson.loads(opened_json(orjson.dumps(value).decode(), _sealing(dialect)))
        return plain


class OpenedText(TypeDecorator[str]):
    """JSON text in which whoever writes it seals (`seal_fields`) what must be."""

    impl = Text
    cache_ok = True

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else opened_json(value, _sealing(dialect))


class Token(TypeDecorator[str]):
    """What is sealed and opened by hand (`Sealer`)."""

    impl = Text
    cache_ok = True
