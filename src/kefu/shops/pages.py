"""Which page of a shop's site something happened on, without anything that may say who looked at it."""

import re
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BaseModel, StringConstraints
from pydantic_core import PydanticCustomError

PAGE_LENGTH = 300
SITE_LENGTH = 200
# A part of a path that may name a person or an order: an address, a long number, a random token.
NAMING = re.compile(r"@|%40|\d{9}|[0-9a-f]{8}-[0-9a-f]{4}-|^(?=.*\d)[\w-]{32,}$", re.IGNORECASE)
UNNAMED = ":id"


def page_of(url: str) -> str:
    """Origin and path of an http(s) address; query, fragment and what could name somebody are gone.

    Raises PydanticCustomError for anything else. Safe to repeat.
    """
    parts = _split(url)
    path = "/".join(UNNAMED if NAMING.search(part) else part for part in parts.path.split("/"))
    return (_origin(parts) + (path or "/"))[:PAGE_LENGTH]


def site_of(url: str) -> str:
    """The origin alone; "" for ""."""
    return _origin(_split(url))[:SITE_LENGTH] if url else ""


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname or "\x00" in url:
        raise PydanticCustomError("bad_page", "not an address of a page")
    return parts


def _origin(parts: SplitResult) -> str:
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"


PageAddress = Annotated[str, StringConstraints(max_length=2000), AfterValidator(page_of)]
SiteAddress = Annotated[str, StringConstraints(max_length=2000), AfterValidator(site_of)]


class CameFrom(BaseModel):
    """Where on the shop's pages the visitor is: kept without query and, of the referrer, as its site alone."""

    page: PageAddress
    referrer: SiteAddress = ""
