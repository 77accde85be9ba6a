"""What an author does with articles, over HTTP."""

from dataclasses import dataclass
from typing import Any

import httpx2

from accounts.team import Browser, bearer

ARTICLES = "/api/knowledge/articles"
HELMETS = {
    "lang": "en",
    "title": "Which helmet sizes do you have?",
    "body": "Helmets come in S, M and L.\n\nThe size is the girth of your head: S up to 55 cm, M up to 58 cm.",
    "questions": ["How do I measure my head?"],
    "tags": ["helmet", "size"],
    "category": "accessories",
}


@dataclass
class Desk:
    """A sign-in that reads and writes articles."""

    browser: Browser

    async def send(self, method: str, path: str, body: object = None) -> httpx2.Response:
        return await self.browser.client.request(method, path, json=body, headers=bearer(self.browser.token))

    async def create(self, **fields: Any) -> httpx2.Response:
        return await self.send("POST", ARTICLES, HELMETS | fields)

    async def change(self, article_id: str, **fields: Any) -> httpx2.Response:
        return await self.send("PATCH", f"{ARTICLES}/{article_id}", fields)

    async def move(self, article_id: str, move: str, version: int = 1) -> httpx2.Response:
        return await self.send("POST", f"{ARTICLES}/{article_id}/{move}", {"version": version})

    async def rewrites(self, article_id: str, version: int, **fields: Any) -> dict[str, Any]:
        """The article when the change of that version is public."""
        changed = await self.change(article_id, version=version, **fields)
        assert changed.status_code == 200, changed.text
        done = await self.move(article_id, "publish", version + 1)
        assert done.status_code == 200, done.text
        article: dict[str, Any] = done.json()["data"]
        return article

    async def published(self, **fields: Any) -> dict[str, Any]:
        """A new article that visitors can read."""
        made = await self.create(**fields)
        assert made.status_code == 201, made.text
        done = await self.move(made.json()["data"]["id"], "publish")
        assert done.status_code == 200, done.text
        article: dict[str, Any] = done.json()["data"]
        return article

    async def find(self, query: str, **fields: Any) -> dict[str, Any]:
        """The data of a hit test."""
        answer = await self.send("POST", "/api/knowledge/search", {"query": query, **fields})
        assert answer.status_code == 200, answer.text
        data: dict[str, Any] = answer.json()["data"]
        return data

    async def slugs(self, query: str, **fields: Any) -> list[str]:
        return [hit["slug"] for hit in (await self.find(query, **fields))["hits"]]
