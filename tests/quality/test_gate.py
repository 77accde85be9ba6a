"""No change of the published knowledge answers golden questions worse, unless somebody says why."""

import asyncio
from typing import Any

from sqlalchemy import select

from actors import Stage, code_of, data_of
from kefu.accounts.models import AuditEntry
from kefu.kit.db import Database
from kefu.knowledge.search import search
from kefu.knowledge.service import Content
from quality.shelf import ARTICLES, TEXTS, Shelf
from routing.scene import ON_ONE


async def test_breaking_an_article_fails_and_names_the_questions(shelf: Shelf, db: Database) -> None:
    asked = await shelf.guards("How many hours until the battery is charged?", "battery")
    await shelf.guards("What is the weather like on the moon?", kind="unanswerable")
    broken = await shelf.change("battery", title="Opening hours", body="We are open from nine to five.", questions=[])
    assert (broken.status_code, code_of(broken)) == (409, "GATE_FAILED"), broken.text
    details = broken.json()["error"]["details"]
    assert [one["id"] for one in details["broken"]] == [asked]
    assert details["broken"][0]["question"] == "How many hours until the battery is charged?"
    article = await shelf.reads("battery")
    assert (article["version"], article["status"]) == (2, "draft")
    async with db.read() as tx:
        assert "article.published" not in list(await tx.scalars(select(AuditEntry.action)))
        found = await search(tx, "default", TEXTS["battery"][2], "en")
    assert (found.hits[0].version, found.hits[0].title) == (1, TEXTS["battery"][0])


@ON_ONE
async def test_an_unrelated_edit_passes_and_so_does_one_that_mends_what_it_breaks(shelf: Shelf) -> None:
    await shelf.guards("How many hours until the battery is charged?", "battery")
    assert (await shelf.change("helmet", body="Helmets come in S, M, L and XL.")).status_code == 200
    assert (await shelf.change("battery", body="The battery is fully charged after five hours.")).status_code == 200
    await shelf.guards("Do you sell gift vouchers?", "postage")  # wrong so far, and nobody is kept from working
    vouchers: dict[str, Any] = {
        "title": "Gift vouchers",
        "body": "We sell gift vouchers.",
        "questions": ["Do you sell gift vouchers?"],
    }
    assert (await shelf.change("postage", **vouchers)).status_code == 200


@ON_ONE
async def test_an_article_that_questions_rest_on_is_not_taken_away(shelf: Shelf) -> None:
    await shelf.guards("May I return my bike?", "returns")
    assert code_of(await shelf.move("returns", "archive")) == "GATE_FAILED"
    assert (await shelf.reads("returns"))["status"] == "published"
    assert (await shelf.move("postage", "archive")).status_code == 200


@ON_ONE
async def test_what_silence_mends_does_not_make_up_for_what_it_no_longer_answers(shelf: Shelf) -> None:
    asked = await shelf.guards("May I return my bike?", "returns")
    await shelf.guards("Can I send my bike back?", kind="unanswerable")
    refused = await shelf.move("returns", "archive")
    assert code_of(refused) == "GATE_FAILED"
    details = refused.json()["error"]["details"]
    assert ([one["id"] for one in details["broken"]], details["mended"]) == ([asked], 1)


@ON_ONE
async def test_an_article_that_answers_what_must_be_refused_is_not_published(shelf: Shelf) -> None:
    await shelf.guards("Can you recommend a pizza place?", kind="unanswerable")
    pizza: dict[str, Any] = {
        "lang": "en",
        "slug": "pizza",
        "title": "Pizza",
        "body": "We recommend the pizza place next door.",
    }
    pizza |= {"questions": ["Can you recommend a pizza place?"]}
    shelf.ids["pizza"] = data_of(await shelf.lead.post(ARTICLES, pizza), 201)["id"]
    assert code_of(await shelf.move("pizza", "publish")) == "GATE_FAILED"
    assert (await shelf.reads("pizza"))["status"] == "draft"


@ON_ONE
async def test_who_may_says_why_and_that_is_audited(shelf: Shelf, stage: Stage, db: Database) -> None:
    asked = await shelf.guards("May I return my bike?", "returns")
    writer = await stage.agent("mei", "agent")
    refused = await writer.post(f"{ARTICLES}/{shelf.ids['returns']}/archive", {"version": 1, "force": "no more"})
    assert refused.status_code == 403
    assert (await shelf.move("returns", "archive", force=" ")).status_code == 422
    done = data_of(await shelf.move("returns", "archive", force="we take nothing back any more"))
    assert done["status"] == "archived"
    async with db.read() as tx:
        entry = (await tx.scalars(select(AuditEntry).where(AuditEntry.action == "gate.forced"))).one()
    assert entry.after
    assert "we take nothing back any more" in entry.after
    assert asked in entry.after


async def test_two_changes_that_only_together_break_a_question_do_not_both_pass(shelf: Shelf) -> None:
    title, body, question = TEXTS["returns"]
    await shelf.put(Content("en", title, body, "returns-2", questions=[question]))
    await shelf.guards("May I return my bike?", "returns", "returns-2")
    answers = await asyncio.gather(shelf.move("returns", "archive"), shelf.move("returns-2", "archive"))
    assert sorted(one.status_code for one in answers) == [200, 409]
    statuses = [(await shelf.reads(slug))["status"] for slug in ("returns", "returns-2")]
    assert sorted(statuses) == ["archived", "published"]


async def test_many_publish_at_once_and_all_pass(shelf: Shelf) -> None:
    await shelf.guards("May I return my bike?", "returns")
    changes = [shelf.change(slug, body=f"{TEXTS[slug][1]} Truly.") for slug in ("battery", "helmet", "postage")]
    answers = await asyncio.gather(*changes)
    assert [one.status_code for one in answers] == [200] * 3, [one.text for one in answers]
