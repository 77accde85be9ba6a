"""What is written is looked at by somebody else before visitors see it."""

import asyncio

import httpx2
import pytest

from accounts.team import Team
from actors import code_of, data_of
from kefu.kit.db import Database
from knowledge.desk import ARTICLES, Desk


@pytest.fixture
async def editor(db: Database, client: httpx2.AsyncClient) -> Desk:
    team = Team(db, client)
    await team.hire("wang", "supervisor")
    return Desk(await team.sign_in("wang"))


async def sends_back(desk: Desk, article_id: str, version: int, reason: object = "Which sizes?") -> httpx2.Response:
    return await desk.send("POST", f"{ARTICLES}/{article_id}/send-back", {"version": version, "reason": reason})


async def test_a_draft_is_submitted_sent_back_rewritten_and_approved(author: Desk, editor: Desk) -> None:
    article = data_of(await author.create(), 201)
    assert data_of(await author.move(article["id"], "submit"))["status"] == "review"
    assert len(data_of(await editor.send("GET", f"{ARTICLES}?status=review"))["articles"]) == 1
    assert code_of(await author.move(article["id"], "publish")) == "OWN_WORK"
    back = data_of(await sends_back(editor, article["id"], 1))
    assert (back["status"], back["note"]) == ("draft", "Which sizes?")
    assert code_of(await sends_back(editor, article["id"], 1)) == "INVALID_STATUS"
    edited = data_of(await author.change(article["id"], version=1, body="S, M and L."))
    assert (edited["status"], edited["note"]) == ("draft", "")
    data_of(await author.move(article["id"], "submit", 2))
    assert code_of(await editor.move(article["id"], "publish", 1)) == "STALE_VERSION"
    public = data_of(await editor.move(article["id"], "publish", 2))
    assert (public["status"], public["public_version"], public["note"]) == ("published", 2, "")
    versions = data_of(await author.send("GET", f"{ARTICLES}/{article['id']}/versions"))
    assert [(one["version"], one["author"], bool(one["public_at"])) for one in versions] == [
        (2, "Lin", True),
        (1, "Lin", False),
    ]
    assert data_of(await author.send("GET", f"{ARTICLES}/{article['id']}/versions/1"))["body"].startswith(
        "Helmets come"
    )
    assert code_of(await author.send("GET", f"{ARTICLES}/{article['id']}/versions/3")) == "ARTICLE_NOT_FOUND"


async def test_an_edit_takes_it_out_of_review_and_whoever_edited_last_needs_a_colleague(
    author: Desk, editor: Desk
) -> None:
    article = data_of(await author.create(), 201)
    data_of(await author.move(article["id"], "submit"))
    assert data_of(await editor.change(article["id"], version=1, body="S to XL."))["status"] == "draft"
    assert code_of(await editor.move(article["id"], "publish", 2)) == "OWN_WORK"
    assert data_of(await author.move(article["id"], "publish", 2))["status"] == "published"


async def test_of_two_who_decide_at_once_one_does(author: Desk, editor: Desk) -> None:
    article = data_of(await author.create(), 201)
    data_of(await author.move(article["id"], "submit"))
    answers = await asyncio.gather(
        editor.move(article["id"], "publish"),
        sends_back(editor, article["id"], 1),
        editor.move(article["id"], "publish"),
    )
    statuses = sorted(one.status_code for one in answers)
    # Sent back first it may still be published from the draft; published first it is neither.
    assert statuses in ([200, 409, 409], [200, 200, 409])


async def test_who_only_reads_decides_nothing_and_a_reason_is_words(author: Desk, reader: Desk) -> None:
    article = data_of(await author.create(), 201)
    answers = [await reader.move(article["id"], "submit"), await sends_back(reader, article["id"], 1)]
    assert [code_of(one) for one in answers] == ["FORBIDDEN"] * 2
    data_of(await author.move(article["id"], "submit"))
    for wrong in ("", "  ", "x" * 501, 7, "a\x00b"):
        assert (await sends_back(author, article["id"], 1, wrong)).status_code == 422


async def test_archiving_takes_the_draft_beside_it_too_and_it_can_come_back(author: Desk) -> None:
    article = await author.published()
    data_of(await author.change(article["id"], version=1, body="A new text about hats."))
    archived = data_of(await author.move(article["id"], "archive", 2))
    assert (archived["status"], archived["public_version"]) == ("archived", None)
    assert await author.slugs("helmet size") == []
    refused = await author.send("DELETE", f"{ARTICLES}/{article['id']}")
    assert code_of(refused) == "INVALID_STATUS"
    data_of(await author.move(article["id"], "publish", 2))
    assert await author.slugs("hats") == [article["slug"]]
