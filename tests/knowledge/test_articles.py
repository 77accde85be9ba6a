"""Authors write, publish, change, archive and delete articles."""

from typing import Any

import httpx2
import pytest

from actors import code_of, data_of
from conftest import ON_ONE_DATABASE
from knowledge.desk import ARTICLES, HELMETS, Desk


async def test_a_new_article_is_a_draft_with_a_slug_from_its_title(author: Desk) -> None:
    article = data_of(await author.create(), 201)
    assert (article["status"], article["version"], article["shop"]) == ("draft", 1, "default")
    assert article["slug"] == "which-helmet-sizes-do-you-have"
    assert article["published_at"] is None
    assert data_of(await author.send("GET", f"{ARTICLES}/{article['id']}")) == article


async def test_a_chinese_title_gets_a_slug_too(author: Desk) -> None:
    article = data_of(await author.create(lang="zh", title="头盔有哪些尺码？"), 201)
    assert article["slug"]


async def test_only_what_is_published_is_found(author: Desk) -> None:
    draft = data_of(await author.create(), 201)
    assert await author.slugs("helmet size") == []
    await author.move(draft["id"], "publish")
    assert await author.slugs("helmet size") == [draft["slug"]]
    await author.move(draft["id"], "archive")
    assert await author.slugs("helmet size") == []
    await author.move(draft["id"], "publish")
    assert await author.slugs("helmet size") == [draft["slug"]]


async def test_an_edit_is_a_draft_beside_what_is_public_until_it_is_published(author: Desk) -> None:
    article = await author.published()
    edit: dict[str, Any] = {"body": "Also as a bonnet.", "title": "Bonnets", "questions": []}
    changed = data_of(await author.change(article["id"], version=1, **edit))
    assert (changed["version"], changed["status"], changed["public_version"]) == (2, "draft", 1)
    assert await author.slugs("bonnet") == []
    (hit,) = (await author.find("helmet size"))["hits"]
    assert (hit["title"], hit["version"]) == (HELMETS["title"], 1)
    public = data_of(await author.move(article["id"], "publish", 2))
    assert (public["status"], public["public_version"]) == ("published", 2)
    assert await author.slugs("bonnet") == [article["slug"]]
    assert await author.slugs("girth") == []


async def test_an_edit_without_news_makes_no_version(author: Desk) -> None:
    article = await author.published()
    same = data_of(await author.change(article["id"], version=1, title=HELMETS["title"]))
    assert same["version"] == 1


async def test_the_second_of_two_editors_is_told(author: Desk) -> None:
    article = await author.published()
    assert (await author.change(article["id"], version=1, title="Helmets")).status_code == 200
    late = await author.change(article["id"], version=1, title="Hats")
    assert (late.status_code, code_of(late)) == (409, "STALE_VERSION")
    assert late.json()["error"]["details"] == {"version": 2}
    assert (await author.move(article["id"], "archive", version=1)).status_code == 409


@pytest.mark.parametrize(
    ("moves", "last"),
    [
        ([], "archive"),
        (["submit"], "archive"),
        (["publish"], "publish"),
        (["publish"], "submit"),
        (["submit"], "submit"),
        (["publish", "archive"], "archive"),
        (["publish", "archive"], "submit"),
    ],
)
async def test_a_move_the_table_does_not_have_is_refused(author: Desk, moves: list[str], last: str) -> None:
    article = data_of(await author.create(), 201)
    for move in moves:
        assert (await author.move(article["id"], move)).status_code == 200
    refused = await author.move(article["id"], last)
    assert (refused.status_code, code_of(refused)) == (409, "INVALID_STATUS")


async def test_only_a_draft_can_be_deleted(author: Desk) -> None:
    draft = data_of(await author.create(), 201)
    assert (await author.send("DELETE", f"{ARTICLES}/{draft['id']}")).status_code == 200
    assert code_of(await author.send("GET", f"{ARTICLES}/{draft['id']}")) == "ARTICLE_NOT_FOUND"
    article = await author.published()
    refused = await author.send("DELETE", f"{ARTICLES}/{article['id']}")
    assert (refused.status_code, code_of(refused)) == (409, "INVALID_STATUS")


async def test_a_slug_is_unique_per_shop_and_language(author: Desk) -> None:
    await author.create(slug="helmets")
    taken = await author.create(slug="helmets")
    assert (taken.status_code, code_of(taken)) == (409, "SLUG_TAKEN")
    assert (await author.create(slug="helmets", lang="zh")).status_code == 201
    assert (await author.create(slug="helmets", shop="other")).status_code == 201
    other = data_of(await author.create(slug="hats"), 201)
    assert code_of(await author.change(other["id"], version=1, slug="helmets")) == "SLUG_TAKEN"


WRONG: list[dict[str, Any]] = [
    {"lang": "fr"},
    {"kind": "poem"},
    {"title": ""},
    {"title": "   "},
    {"title": "x" * 201},
    {"title": 7},
    {"title": "two\nlines"},
    {"body": ""},
    {"body": "x" * 50_001},
    {"body": "nul\x00"},
    {"questions": ["x" * 301]},
    {"questions": ["x"] * 51},
    {"questions": "one"},
    {"tags": ["x" * 41]},
    {"category": "x" * 61},
    {"slug": "Not a slug"},
    {"shop": "No Shop"},
    {"status": "published"},
]


@ON_ONE_DATABASE
@pytest.mark.parametrize("wrong", WRONG)
async def test_wrong_content_is_refused_with_its_field(author: Desk, wrong: dict[str, Any]) -> None:
    answer = await author.create(**wrong)
    assert (answer.status_code, code_of(answer)) == (422, "VALIDATION_FAILED")
    (name,) = wrong
    fields = [one["field"] for one in answer.json()["error"]["details"]["fields"]]
    assert all(field.split(".")[0] == name for field in fields)


async def test_a_shop_that_is_not_there(author: Desk) -> None:
    answer = await author.create(shop="nobody")
    assert (answer.status_code, code_of(answer)) == (404, "SHOP_NOT_FOUND")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("PATCH", ""),
        ("POST", "/submit"),
        ("POST", "/publish"),
        ("POST", "/archive"),
        ("DELETE", ""),
        ("GET", "/versions"),
        ("GET", "/versions/1"),
        ("GET", "/passages"),
    ],
)
async def test_an_article_that_is_not_there(author: Desk, method: str, path: str) -> None:
    body = {"version": 1} if method in {"PATCH", "POST"} else None
    answer = await author.send(method, f"{ARTICLES}/art_0{path}", body)
    assert (answer.status_code, code_of(answer)) == (404, "ARTICLE_NOT_FOUND")


async def test_an_agent_reads_but_does_not_write(author: Desk, reader: Desk, client: httpx2.AsyncClient) -> None:
    article = await author.published()
    assert (await reader.send("GET", ARTICLES)).status_code == 200
    assert (await reader.send("GET", f"{ARTICLES}/{article['id']}")).status_code == 200
    assert await reader.slugs("helmet size") == [article["slug"]]
    refused = [
        await reader.create(),
        await reader.change(article["id"], version=1, title="Hats"),
        await reader.move(article["id"], "archive"),
        await reader.send("DELETE", f"{ARTICLES}/{article['id']}"),
    ]
    assert [code_of(one) for one in refused] == ["FORBIDDEN"] * 4
    assert (await client.get(ARTICLES)).status_code == 401


async def test_the_list_pages_and_filters(author: Desk) -> None:
    for number in range(5):
        await author.create(slug=f"helmets-{number}", category="hats" if number % 2 else "shoes")
    await author.published(slug="gloves", title="Gloves", body="Warm ones.", lang="zh")
    first = data_of(await author.send("GET", f"{ARTICLES}?limit=4"))
    assert (len(first["articles"]), first["has_more"]) == (4, True)
    rest = data_of(await author.send("GET", f"{ARTICLES}?limit=4&cursor={first['next_cursor']}"))
    assert (len(rest["articles"]), rest["has_more"], rest["next_cursor"]) == (2, False, None)
    slugs = [one["slug"] for one in first["articles"] + rest["articles"]]
    assert slugs[0] == "gloves"
    assert len(set(slugs)) == 6

    async def listed(query: str) -> int:
        return len(data_of(await author.send("GET", f"{ARTICLES}?{query}"))["articles"])

    assert await listed("category=hats") == 2
    assert await listed("status=published") == 1
    assert await listed("lang=zh") == 1
    assert await listed("shop=other") == 0
    assert await listed("keyword=WARM") == 1
    assert await listed("keyword=%25") == 0
    assert (await author.send("GET", f"{ARTICLES}?cursor=nonsense")).status_code == 422
    assert (await author.send("GET", f"{ARTICLES}?limit=101")).status_code == 422
