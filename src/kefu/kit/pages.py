"""Cursors: where a page of a list ended, as an opaque text."""

import base64
import binascii
from typing import Any, ClassVar

import orjson

from kefu.kit.errors import Invalid
from kefu.kit.i18n import Text


class BadCursor(Invalid):
    code = "BAD_CURSOR"
    text: ClassVar[Text] = {"en": "This cursor does not belong to this list.", "zh": "分页游标无效。"}


def to_cursor(key: list[Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


def from_cursor(cursor: str, shape: tuple[type, ...]) -> list[Any]:
    """The key that `to_cursor` was given.

    Raises BadCursor unless it has the `shape` (types of the key's parts) of this list.
    """
    try:
        key = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        raise BadCursor from None
    fits = (
        isinstance(key, list)
        and len(key) == len(shape)
        and all(type(one) is kind for one, kind in zip(key, shape, strict=True))
    )
    if not fits or not all(_is_storable(one) for one in key):
        raise BadCursor
    return list(key)


def _is_storable(part: Any) -> bool:
    """Whether both databases can compare it: eight-byte numbers, and text without NUL."""
    return abs(part) < 2**62 if isinstance(part, int) else "\x00" not in part
