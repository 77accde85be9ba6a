"""The demo shop loads whole, quickly, and again without a change."""

import time

from sqlalchemy import func, select

from kefu.kit.db import Database
from kefu.knowledge.models import Article, KnowledgeState
from kefu.knowledge.service import change_article
from kefu.porting.demo import article_of, load_demo
from kefu.shops.models import Shop


async def test_a_repeat_changes_nothing(db: Database) -> None:
    started = time.process_time()
    first = await load_demo(db)
    assert time.process_time() - started < 3
    assert first.changed == first.articles >= 150
    again = await load_demo(db)
    assert (again.articles, again.changed) == (first.articles, 0)
    async with db.read() as tx:
        assert (await tx.execute(select(func.count()).select_from(Article))).scalar_one() == first.articles
        assert (await tx.execute(select(KnowledgeState.version))).scalar_one() == 1
        assert (await tx.get_one(Shop, "demo")).is_demo


async def test_each_article_is_there_in_both_languages(db: Database) -> None:
    await load_demo(db)
    async with db.read() as tx:
        slugs = (await tx.execute(select(Article.lang, Article.slug))).all()
    english = {slug for lang, slug in slugs if lang == "en"}
    assert english == {slug for lang, slug in slugs if lang == "zh"}


async def test_what_was_changed_by_hand_comes_back(db: Database) -> None:
    await load_demo(db)
    async with db.write() as tx:
        article = (await tx.execute(select(Article).limit(1))).scalar_one()
        body = article.body
        await change_article(tx, article.id, 1, {"body": "Tried out."}, "lin")
    assert (await load_demo(db)).changed == 1
    async with db.read() as tx:
        article = await tx.get_one(Article, article.id)
    assert (article.body, article.version) == (body, 3)


def test_front_matter_has_lists_in_two_forms() -> None:
    content = article_of(
        '---\nslug: a-b\nkind: qa\ncategory: x\ntitle: "A: b"\ntags: [one, "two"]\n'
        "questions:\n  - What: is it?\n---\nBody.\n",
        "en",
    )
    assert (content.slug, content.kind, content.title) == ("a-b", "qa", "A: b")
    assert (content.tags, content.questions, content.body) == (["one", "two"], ["What: is it?"], "Body.")
