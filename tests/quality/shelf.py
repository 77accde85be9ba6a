"""What a lead does with articles and golden questions, over HTTP."""

from typing import Any

import httpx2
from sqlalchemy import select

from actors import Agent, data_of
from kefu.kit.db import Database
from kefu.knowledge.models import Article
from kefu.knowledge.service import Content, put_published

ARTICLES = "/api/knowledge/articles"
QUESTIONS = "/api/golden/questions"
TEXTS = {
    "battery": (
        "Charging the battery",
        "The battery is fully charged after four hours.",
        "How long does charging take?",
    ),
    "returns": ("Returning a bike", "You may return your bike within thirty days.", "Can I send my bike back?"),
    "helmet": ("Helmet sizes", "Helmets come in the sizes S, M and L.", "Which helmet size fits my head?"),
    "postage": ("Shipping costs", "Shipping to France costs nineteen euros.", "What does delivery to France cost?"),
}


class Shelf:
    """`ids`: of the articles by slug."""

    def __init__(self, lead: Agent, db: Database) -> None:
        self.lead = lead
        self._db = db
        self.ids: dict[str, str] = {}

    async def filled(self) -> "Shelf":
        await self.put(
            *(Content("en", title, body, slug, questions=[asked]) for slug, (title, body, asked) in TEXTS.items())
        )
        return self

    async def put(self, *contents: Content) -> None:
        async with self._db.write() as tx:
            await put_published(tx, "default", contents)
            self.ids = dict((await tx.execute(select(Article.slug, Article.id))).all())

    async def move(self, slug: str, move: str, **more: Any) -> httpx2.Response:
        return await self.lead.post(f"{ARTICLES}/{self.ids[slug]}/{move}", {"version": 1, **more})

    async def change(self, slug: str, **changes: Any) -> httpx2.Response:
        """Write another version and publish it."""
        path = f"{ARTICLES}/{self.ids[slug]}"
        version = (await self.reads(slug))["version"]
        headers = {"Authorization": f"Bearer {self.lead.token}"}
        data_of(await self.lead.stage.http.patch(path, json={"version": version, **changes}, headers=headers))
        return await self.move(slug, "publish", version=version + 1)

    async def guards(self, question: str, *slugs: str, kind: str = "answerable", **more: Any) -> str:
        """A golden question; its id."""
        articles = [self.ids[slug] for slug in slugs]
        new = {"lang": "en", "kind": kind, "question": question, "articles": articles, **more}
        id_: str = data_of(await self.lead.post(QUESTIONS, new), 201)["id"]
        return id_

    async def reads(self, slug: str) -> Any:
        return data_of(await self.lead.get(f"{ARTICLES}/{self.ids[slug]}"))
