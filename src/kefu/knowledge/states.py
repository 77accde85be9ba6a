"""The states of an article and the moves between them: one table."""

from enum import StrEnum
from typing import ClassVar

from kefu.kit.errors import Conflict
from kefu.kit.i18n import Text


class Status(StrEnum):
    DRAFT = "draft"
    REVIEW = "review"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class Move(StrEnum):
    EDIT = "edit"
    SUBMIT = "submit"
    SEND_BACK = "send_back"
    PUBLISH = "publish"
    ARCHIVE = "archive"


# An edit of what is public leaves it public as it was: the new version is a draft beside it. What was never public
# cannot be archived (`service.archive_article`).
MOVES: dict[tuple[Status, Move], Status] = {
    (Status.DRAFT, Move.EDIT): Status.DRAFT,
    (Status.REVIEW, Move.EDIT): Status.DRAFT,
    (Status.PUBLISHED, Move.EDIT): Status.DRAFT,
    (Status.ARCHIVED, Move.EDIT): Status.DRAFT,
    (Status.DRAFT, Move.SUBMIT): Status.REVIEW,
    (Status.REVIEW, Move.SEND_BACK): Status.DRAFT,
    (Status.DRAFT, Move.PUBLISH): Status.PUBLISHED,
    (Status.REVIEW, Move.PUBLISH): Status.PUBLISHED,
    (Status.ARCHIVED, Move.PUBLISH): Status.PUBLISHED,
    (Status.PUBLISHED, Move.ARCHIVE): Status.ARCHIVED,
    (Status.DRAFT, Move.ARCHIVE): Status.ARCHIVED,
    (Status.REVIEW, Move.ARCHIVE): Status.ARCHIVED,
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
