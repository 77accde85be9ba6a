"""Whose a session is (spec U5): off, report, enforce; two people on one browser never mix."""

import asyncio
import time
from datetime import timedelta
from typing import Any

import jwt
import pytest
from fastapi import FastAPI

from actors import Caller, Stage, Visitor, code_of, data_of
from kefu.kit.db import Database
from kefu.kit.ids import new_id
from kefu.sessions.models import stream_of
from sessions.records import log_of, row_of
from shops.signing import demand, hashed, secure, signed

IDENTIFY = "/api/visitor/identify"


async def enter(stage: Stage, body: dict[str, Any]) -> Any:
    """Identify without a token."""
    return data_of(await stage.http.post(IDENTIFY, json=body))


async def become(visitor: Visitor, **proof: Any) -> Any:
    """Identify with the visitor's token, and go on with the new one."""
    found = data_of(await visitor.post(IDENTIFY, proof))
    assert found["session_name"] == visitor.name
    visitor.token = found["visitor_token"]
    return found


async def refusal(visitor: Caller, path: str, body: object = None) -> tuple[int, str]:
    answer = await (visitor.get(path) if body is None else visitor.post(path, body))
    return answer.status_code, code_of(answer)


async def test_a_signed_customer_is_shown_to_the_agents_and_the_row_is_the_fold(stage: Stage, db: Database) -> None:
    lead, visitor = await stage.agent("lead", "supervisor"), await stage.visitor()
    secret = await secure(lead)
    await visitor.says("hello")
    token = signed(secret, name="Ada\n Lovelace", email="ada@shop.example", phone="+44 20 7946")
    assert (await become(visitor, token=token))["verified"] is True
    shown = await lead.reads(visitor)
    assert shown["customer"] == {
        "id": "42",
        "name": "Ada Lovelace",
        "email": "ada@shop.example",
        "phone": "+44 20 7946",
        "verified_by": "token",
        "doubt": None,
    }
    assert shown["user_profile"]["nickname"] == "Ada Lovelace"
    await become(visitor, token=token)
    await become(visitor, token=signed(secret, name="Ada Lovelace", email="ada@shop.example", phone="+44 20 7946"))
    kinds = [one.type for one in await log_of(db, visitor.name)]
    assert kinds.count("session.identified") == 1, "a repeat changes nothing"
    await become(visitor, token=signed(secret, name="Ada King"))
    assert [one.type for one in await log_of(db, visitor.name)] == [*kinds, "customer.described"]
    assert (await lead.reads(visitor))["user_profile"]["nickname"] == "Ada King"
    assert {"customer", "identified"}.isdisjoint({event["type"] for event in await public(visitor)})


async def public(visitor: Visitor) -> list[Any]:
    watch = await visitor.follows(visitor.name)
    await watch.sees("stream.ready")
    return watch.events


async def test_signing_in_makes_the_tokens_of_the_time_before_void_on_every_door(stage: Stage) -> None:
    secret = await secure(await stage.agent("lead", "supervisor"))
    visitor = await stage.visitor()
    await visitor.says("before")
    watch = await visitor.follows(visitor.name)
    await watch.sees("message.posted")
    before = Caller(stage, visitor.token)
    await become(visitor, token=signed(secret))
    assert (await watch.ends())["reason"] == "revoked"
    changed = (401, "IDENTITY_CHANGED")
    path = f"/api/sessions/{visitor.name}"
    assert await refusal(before, path) == changed
    assert await refusal(before, f"{path}/messages", {"content": "x", "client_msg_id": "m"}) == changed
    assert await refusal(before, f"{path}/events") == changed
    assert await refusal(before, f"{path}/events?wait=0") == changed
    assert await refusal(before, "/api/visitor/sessions") == changed
    assert await refusal(before, f"/api/visitor/sessions/{visitor.name}/token", {}) == changed
    assert await refusal(before, "/api/conversation/new", {"session_id": visitor.name}) == changed
    assert await refusal(before, "/api/chat", {"message": "x", "user_id": visitor.name}) == changed
    assert await visitor.says("after") > 0


async def test_who_comes_with_a_void_token_is_not_seen_to_be_here(app: FastAPI, stage: Stage) -> None:
    secret = await secure(await stage.agent("lead", "supervisor"))
    visitor = await stage.visitor()
    before = Caller(stage, visitor.token)
    await become(visitor, token=signed(secret))
    assert await refusal(before, f"/api/sessions/{visitor.name}/events") == (401, "IDENTITY_CHANGED")
    assert not app.state.presence.has_visitor(stream_of(visitor.name))
    await (await visitor.follows(visitor.name)).sees("stream.ready")
    assert app.state.presence.has_visitor(stream_of(visitor.name))


async def test_two_people_on_one_browser_never_mix(stage: Stage, db: Database) -> None:
    secret = await secure(await stage.agent("lead", "supervisor"))
    ada = await stage.visitor()
    await become(ada, token=signed(secret, "ada"))
    await ada.says("my address is …")
    watch = await ada.follows(ada.name)
    await watch.sees("message.posted")
    left = Caller(stage, ada.token)
    data_of(await left.post("/api/visitor/logout"))
    data_of(await left.post("/api/visitor/logout"))  # safe to repeat
    assert (await watch.ends())["reason"] == "revoked"
    assert await refusal(left, f"/api/sessions/{ada.name}") == (401, "IDENTITY_CHANGED")

    bob = Visitor(
        stage, data_of(await left.post("/api/conversation/new", {"identity": {"token": signed(secret, "bob")}}))
    )
    assert (await row_of(db, bob.name))["visitor_id"] != (await row_of(db, ada.name))["visitor_id"]
    assert data_of(await bob.get("/api/visitor/sessions"))["sessions"] == []
    for path in (f"/api/sessions/{ada.name}", f"/api/visitor/sessions/{ada.name}/messages"):
        assert await refusal(bob, path) == (403, "FOREIGN_SESSION")
    assert (await enter(stage, {"token": signed(secret, "bob")}))["session_name"] == bob.name

    back = await enter(stage, {"token": signed(secret, "ada")})
    assert back["session_name"] == ada.name
    ada.token = back["visitor_token"]
    assert await ada.says("I am back") > 0
    assert (await become(ada, token=signed(secret, "ada")))["verified"] is True


async def test_another_identity_ends_the_token_of_the_first(stage: Stage) -> None:
    secret = await secure(await stage.agent("lead", "supervisor"))
    visitor = await stage.visitor()
    await become(visitor, token=signed(secret, "ada"))
    answer = await visitor.post(IDENTIFY, {"token": signed(secret, "bob")})
    assert (answer.status_code, code_of(answer)) == (409, "IDENTITY_DIFFERS")
    assert await refusal(visitor, f"/api/sessions/{visitor.name}") == (401, "IDENTITY_CHANGED")
    again = data_of(await visitor.post(IDENTIFY, {"token": signed(secret, "bob")}))
    assert (again["session_name"], again["verified"]) == (None, True), "the browser opens a new one"


async def test_two_tabs_that_sign_in_at_once_both_go_on(stage: Stage, db: Database) -> None:
    secret = await secure(await stage.agent("lead", "supervisor"))
    visitor = await stage.visitor()
    body = {"token": signed(secret, "ada")}
    tabs = await asyncio.gather(*[visitor.post(IDENTIFY, body) for _ in range(6)])
    for answer in tabs:
        found = data_of(answer)
        assert found["session_name"] == visitor.name
        assert (await Caller(stage, found["visitor_token"]).get(f"/api/sessions/{visitor.name}")).status_code == 200
    assert [one.type for one in await log_of(db, visitor.name)].count("session.identified") == 1
    assert (await row_of(db, visitor.name))["identity_epoch"] == 1


async def test_a_customer_finds_their_sessions_of_other_devices_and_nobody_elses(stage: Stage) -> None:
    lead = await stage.agent("lead", "supervisor")
    secret = await secure(lead)
    phone, desk, stranger = [await stage.visitor() for _ in range(3)]
    for visitor in (phone, desk, stranger):
        await visitor.says("hello")
    await become(phone, token=signed(secret, "ada"))
    await become(desk, token=signed(secret, "ada"))
    (other,) = data_of(await desk.get("/api/visitor/sessions"))["sessions"]
    assert other["session_name"] == phone.name
    (seen,) = data_of(await lead.get(f"/api/sessions/{desk.name}/history"))["sessions"]
    assert seen["session_name"] == phone.name
    assert data_of(await stranger.get("/api/visitor/sessions"))["sessions"] == []
    new = Visitor(stage, data_of(await desk.post("/api/conversation/new", {})))
    assert (await lead.reads(new))["customer"]["id"] == "ada", "a new chat of a customer is the customer's"
    assert len(data_of(await new.get("/api/visitor/sessions"))["sessions"]) == 2


async def test_a_hash_of_the_identifier_is_as_good_but_vouches_for_nothing_else(stage: Stage) -> None:
    lead, visitor = await stage.agent("lead", "supervisor"), await stage.visitor()
    secret = await secure(lead)
    proof = {
        "identifier": "客户-42",
        "identifier_hash": hashed(secret, "客户-42"),
        "name": "Ada",
        "email": "a@b.example",
    }
    assert (await become(visitor, **proof))["verified"] is True
    shown = await lead.reads(visitor)
    assert (shown["customer"]["verified_by"], shown["customer"]["email"]) == ("hash", "a@b.example")
    assert shown["user_profile"]["nickname"] != "Ada"
    await become(visitor, token=signed(secret, "客户-42", email="true@b.example"))
    await become(visitor, **proof)
    assert (await lead.reads(visitor))["customer"]["email"] == "true@b.example", "what was signed stands above"


NOW = int(time.time())
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "an hour old": ({"exp": NOW - 3600}, "expired"),
    "for a week": ({"exp": NOW + 7 * 86_400}, "lives_too_long"),
    "for ever": ({"exp": None}, "bad_claims"),
    "of another shop": ({"aud": "other"}, "wrong_shop"),
    "of no shop": ({"aud": None}, "bad_claims"),
    "not valid yet": ({"nbf": NOW + 3600}, "not_yet_valid"),
    "without a signature": ({"alg": "none"}, "wrong_algorithm"),
    "with another algorithm": ({"alg": "HS512"}, "wrong_algorithm"),
    "of nobody": ({"sub": None}, "bad_claims"),
    "of a number": ({"sub": 42}, "bad_claims"),
    "of a line": ({"sub": "a\nb"}, "bad_claims"),
}


async def test_every_bad_proof_is_refused_by_name(stage: Stage) -> None:
    secret = await secure(await stage.agent("lead", "supervisor"))
    visitor = await stage.visitor()
    tokens = {name: (signed(secret, **claims), reason) for name, (claims, reason) in BAD.items()}
    tokens["signed by somebody else"] = (signed("x" * 43), "wrong_signature")
    tokens["no token at all"] = ("rubbish", "bad_claims")
    tokens["deep"] = ("e30." + "W1tb" * 900 + ".x", "bad_claims")
    for name, (token, reason) in tokens.items():
        answer = await visitor.post(IDENTIFY, {"token": token})
        code = "IDENTITY_EXPIRED" if reason == "expired" else "IDENTITY_UNVERIFIED"
        assert (answer.status_code, code_of(answer)) == (403, code), name
        assert answer.json()["error"]["details"]["reason"] == reason, name
    for claim in ({"identifier": "42"}, {"identifier": "42", "identifier_hash": hashed("other", "42")}):
        assert await refusal(visitor, IDENTIFY, claim) == (403, "IDENTITY_UNVERIFIED")
    wrong: list[object] = [
        {"token": "x" * 5000},
        {"token": 7},
        {"identifier": "x" * 300},
        {"identifier": "a\0b"},
        [],
        {"shop": "?"},
    ]
    for body in wrong:
        assert await refusal(visitor, IDENTIFY, body) == (422, "VALIDATION_FAILED"), body
    assert await refusal(visitor, IDENTIFY, {"token": "x" * 300_000}) == (413, "TOO_LARGE")
    assert await refusal(visitor, IDENTIFY, {"shop": "nowhere"}) == (404, "SHOP_NOT_FOUND")
    assert (await visitor.reads())["customer"] is None, "nothing of it was kept"


async def test_report_only_marks_and_off_reads_nothing(stage: Stage) -> None:
    lead = await stage.agent("lead", "supervisor")
    secret = await secure(lead, "report")
    visitor, other = await stage.visitor(), await stage.visitor()
    first = Caller(stage, visitor.token)
    assert (await become(visitor, token=signed(secret, "ada", exp=NOW - 3600)))["verified"] is False
    marked = (await lead.reads(visitor))["customer"]
    assert (await first.get(f"/api/sessions/{visitor.name}")).status_code == 200, (
        "a claim closes nothing: its answer may be lost"
    )
    assert (marked["id"], marked["verified_by"], marked["doubt"]) == ("ada", None, "expired")
    await become(other, token=signed(secret, "ada"))
    assert data_of(await visitor.get("/api/visitor/sessions"))["sessions"] == [], "a claim finds no sessions"
    assert (await enter(stage, {"identifier": "ada"}))["session_name"] is None
    assert (await become(visitor, token=signed(secret, "ada")))["verified"] is True, "a claim can be proven later"
    await demand(lead, identity_mode="off")
    silent = await stage.visitor()
    await become(silent, token=signed(secret, "bob"))
    assert (await lead.reads(silent))["customer"] is None


async def test_a_shop_may_require_an_identity(stage: Stage) -> None:
    secret = await secure(await stage.agent("lead", "supervisor"), identity_required=True)
    required = (403, "IDENTITY_REQUIRED")
    for path, body in [("/api/conversation/new", {}), ("/api/chat", {"message": "x"})]:
        answer = await stage.http.post(path, json=body)
        assert (answer.status_code, code_of(answer)) == required, path
    claim = await stage.http.post("/api/conversation/new", json={"identity": {"identifier": "ada"}})
    assert (claim.status_code, code_of(claim)) == (403, "IDENTITY_UNVERIFIED")
    identity = {"identity": {"token": signed(secret, "ada")}}
    ada = Visitor(stage, data_of(await stage.http.post("/api/conversation/new", json=identity)))
    again = Visitor(stage, data_of(await ada.post("/api/conversation/new", {})))
    assert (await again.reads())["customer"]["id"] == "ada", "whose token is good need not prove it again"


def ends(token: str) -> int:
    claims: dict[str, int] = jwt.decode(token, options={"verify_signature": False})
    return claims["exp"]


async def test_a_customers_token_lasts_a_day_and_is_not_made_to_last_longer(stage: Stage, app: FastAPI) -> None:
    secret = await secure(await stage.agent("lead", "supervisor"), "report")
    visitor = await stage.visitor()
    await become(visitor, token=signed(secret, "ada"))
    first = ends(visitor.token)
    assert 86_000 < first - time.time() <= 86_401
    short = Caller(stage, app.state.tokens.visitor(visitor.name, 1, lasts=timedelta(seconds=60)))
    for path, body in [
        ("/api/conversation/new", {"session_id": visitor.name}),
        ("/api/conversation/new", {}),
        (f"/api/visitor/sessions/{visitor.name}/token", {}),
        (IDENTIFY, {"identifier": "ada"}),
    ]:
        got = data_of(await short.post(path, body))["visitor_token"]
        assert ends(got) - time.time() < 62, path


@pytest.mark.parametrize("prefix", ["s", "conv"])
def test_names_that_we_make_are_unguessable(prefix: str) -> None:
    """80 random bits: among a million sessions, a thousand guesses a second find one in 38 million years."""
    names = {new_id(prefix) for _ in range(20_000)}
    assert len(names) == 20_000
    digits = [name.removeprefix(f"{prefix}_") for name in names]
    assert {len(one) for one in digits} == {20}
    for place in range(20):
        counts = [sum(one[place] == digit for one in digits) for digit in "0123456789abcdef"]
        assert min(counts) > 1000, "each digit is as likely as the others"
