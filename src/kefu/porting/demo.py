"""The demo shop: an invented maker of e-bikes with knowledge in English and Chinese."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import orjson

from kefu.kit.db import Database
from kefu.kit.i18n import Locale
from kefu.knowledge.service import Content, put_published
from kefu.shops.service import put_shop

LANGUAGES: tuple[Locale, ...] = ("en", "zh")
FIELD = re.compile(r"(?P<name>[a-z]+):\s*(?P<value>.*)")


@dataclass(frozen=True, slots=True)
class DemoResult:
    """`articles` are in the shop now; `changed` of them were new or different."""

    shop: str
    articles: int
    changed: int


async def load_demo(db: Database) -> DemoResult:
    """Create the demo shop and its articles, or bring them to what this release holds. A repeat changes nothing."""
    folder = resources.files("kefu.porting") / "demo_shop"
    shop: dict[str, Any] = orjson.loads((folder / "shop.json").read_bytes())
    contents = [content for lang in LANGUAGES for content in _articles(folder, lang)]
    async with db.write() as tx:
        await put_shop(tx, **shop)
        changed = await put_published(tx, shop["id"], contents)
    return DemoResult(shop["id"], len(contents), changed)


def _articles(folder: Traversable, lang: Locale) -> Iterator[Content]:
    wordings = _wordings((folder / "wordings" / f"{lang}.txt").read_text("utf-8"))
    for file in sorted((folder / "knowledge" / lang).iterdir(), key=lambda one: one.name):
        if file.name.endswith(".md"):
            content = article_of(file.read_text("utf-8"), lang)
            yield replace(content, questions=[*content.questions, *wordings[content.slug]])


def _wordings(text: str) -> Mapping[str, list[str]]:
    """Other wordings by slug, from lines of `slug: question`."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in text.splitlines():
        slug, colon, said = line.partition(": ")
        if colon and not line.startswith("#"):
            found[slug].append(said)
    return found


def article_of(text: str, lang: Locale) -> Content:
    """An article from Markdown with front matter: `name: value` lines, lists in brackets or as `- ` lines."""
    _, front, body = text.split("---\n", 2)
    facts: dict[str, Any] = {}
    name = ""
    for line in front.splitlines():
        if line.lstrip().startswith("- "):
            facts.setdefault(name, []).append(_unquoted(line.lstrip()[2:]))
        elif found := FIELD.match(line):
            name, value = found["name"], found["value"].strip()
            if value.startswith("["):
                facts[name] = [_unquoted(one) for one in value.strip("[]").split(",") if one.strip()]
            elif value:
                facts[name] = _unquoted(value)
    return Content(lang=lang, body=body.strip(), **facts)


def _unquoted(value: str) -> str:
    value = value.strip()
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value
