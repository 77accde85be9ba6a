"""The states of an article and the moves between them: one table."""

from enum import StrEnum
from typing import ClassVar

from kefu.kit.errors import Conflict
from kefu.kit.i18n import Text


class Status(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class Move(StrEnum):
    PUBLISH = "publish"
    ARCHIVE = "archive"


MOVES: dict[tuple[Status, Move], Status] = {
    (Status.DRAFT, Move.PUBLISH): Status.PUBLISHED,
    (Status.ARCHIVED, Move.PUBLISH): Status.PUBLISHED,
    (Status.PUBLISHED, Move.ARCHIVE): Status.ARCHIVED,
}


class InvalidStatus(Conflict):
    """`status`: where the article stands."""

    code = "INVALID_STATUS"
    text: ClassVar[Text] = {
        "en": "This is not possible while the article is {status}.",
        "zh": "文章处于 {status} 状态，无法执行此操作。",
    }


def moved(status: Status, move: Move) -> Status:
    """Where `move` leads. Raises InvalidStatus."""
    try:
        return MOVES[status, move]
    except KeyError:
        raise InvalidStatus(status=status.value) from None
