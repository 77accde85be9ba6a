"""A colleague is asked about a session that stays where it is, and answers once."""

import asyncio

from actors import Agent, Stage, Visitor, code_of, data_of
from kefu.kit.db import Database
from sessions.records import log_of

PATH = "/api/assist-requests"


def question(visitor: Visitor, assistant: str = "bob", **more: object) -> dict[str, object]:
    return {"session_name": visitor.name, "assistant": assistant, "question": "能退吗？", **more}


async def asked(agent: Agent, visitor: Visitor) -> str:
    """Asks Bob; the address of the answer."""
    return f"{PATH}/{data_of(await agent.post(PATH, question(visitor)))['id']}/answer"


async def test_a_question_goes_to_a_colleague_and_the_session_stays(
    db: Database, stage: Stage, visitor: Visitor
) -> None:
    mei, bob = await stage.agent("mei"), await stage.agent("bob")
    await mei.takes_over(visitor)
    asked_of_bob, told_mei = await bob.watches_the_desk(), await mei.watches_the_desk()
    body = question(visitor, client_msg_id="q-1")
    assist = data_of(await mei.post(PATH, body))
    assert data_of(await mei.post(PATH, body)) == assist
    assert (assist["requester"], assist["assistant"], assist["status"]) == ("mei", "bob", "pending")
    await asked_of_bob.sees("assist.changed", assist_id=assist["id"], status="pending")
    received = data_of(await bob.get(f"{PATH}?status=pending"))
    assert received["count"] == {"received": 1, "sent": 0, "received_pending": 1}
    data_of(await bob.post(f"{PATH}/{assist['id']}/answer", {"answer": "可以"}))
    await told_mei.sees("assist.changed", assist_id=assist["id"], status="answered")
    (sent,) = data_of(await mei.get(f"{PATH}?status=answered"))["sent"]
    assert (sent["answer"], sent["status"]) == ("可以", "answered")
    types = [one.type for one in await log_of(db, visitor.name)]
    assert types == ["session.opened", "session.taken_over", "assist.requested", "assist.answered"]
    assert (await mei.reads(visitor))["assigned_agent"]["id"] == mei.id


async def test_of_two_answers_at_once_one_counts_and_may_be_repeated(
    db: Database, stage: Stage, visitor: Visitor
) -> None:
    mei, bob = await stage.agent("mei"), await stage.agent("bob")
    path = await asked(mei, visitor)
    both = await asyncio.gather(*(bob.post(path, {"answer": text}) for text in ("可以", "不可以")))
    assert sorted(one.status_code for one in both) == [200, 409]
    (late,) = (one for one in both if one.status_code == 409)
    assert code_of(late) == "ALREADY_ANSWERED"
    (sent,) = data_of(await mei.get(PATH))["sent"]
    assert data_of(await bob.post(path, {"answer": sent["answer"]})) == sent
    assert [one.type for one in await log_of(db, visitor.name)].count("assist.answered") == 1


async def test_what_is_wrong_is_refused(stage: Stage, visitor: Visitor) -> None:
    mei, bob, eve = await stage.agent("mei"), await stage.agent("bob"), await stage.agent("eve")
    inspector = await stage.agent("ins", "inspector")
    path = await asked(mei, visitor)
    refused = [
        (await eve.post(path, {"answer": "Yes"}), 403, "PERMISSION_DENIED"),
        (await bob.post(path, {"answer": ""}), 422, "VALIDATION_FAILED"),
        (await bob.post(f"{PATH}/none/answer", {"answer": "Yes"}), 404, "REQUEST_NOT_FOUND"),
        (await mei.post(PATH, question(visitor, "mei")), 409, "ASSIST_TO_SELF"),
        (await mei.post(PATH, question(visitor, "ins")), 404, "ASSISTANT_NOT_FOUND"),
        (await mei.post(PATH, question(visitor, "nobody")), 404, "ASSISTANT_NOT_FOUND"),
        (await mei.post(PATH, question(visitor) | {"session_name": "none"}), 404, "SESSION_NOT_FOUND"),
        (await mei.get(f"{PATH}?status=odd"), 422, "VALIDATION_FAILED"),
        (await inspector.post(PATH, question(visitor)), 403, "FORBIDDEN"),
    ]
    for answer, status, code in refused:
        assert (answer.status_code, code_of(answer)) == (status, code), answer.request.url
