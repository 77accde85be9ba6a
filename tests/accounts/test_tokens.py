"""What a token says, and for how long."""

import asyncio
import hmac
from datetime import timedelta

import jwt
import pytest

from kefu.accounts import tokens as module
from kefu.accounts.tokens import AccessClaims, Tokens
from kefu.kit.errors import TokenExpired, TokenInvalid
from kefu.kit.ids import AgentId

SECRET = "a secret of the tests"


@pytest.fixture
def tokens() -> Tokens:
    return Tokens(SECRET)


def test_a_visitor_token_names_its_session(tokens: Tokens) -> None:
    assert tokens.read_visitor(tokens.visitor("s-1")) == "s-1"
    assert Tokens(SECRET).read_visitor(tokens.visitor("s-1")) == "s-1"


def test_an_access_token_names_the_agent_and_the_sign_in(tokens: Tokens) -> None:
    assert tokens.read_access(tokens.access("agent_1", "family_1")) == AccessClaims(AgentId("agent_1"), "family_1")


def test_neither_kind_passes_for_the_other(tokens: Tokens) -> None:
    with pytest.raises(TokenInvalid):
        tokens.read_access(tokens.visitor("s-1"))
    with pytest.raises(TokenInvalid):
        tokens.read_visitor(tokens.access("agent_1", "family_1"))


def test_the_label_of_a_token_does_not_make_its_kind(tokens: Tokens) -> None:
    visitor_key = hmac.digest(SECRET.encode(), b"kefu visitor token", "sha256")
    claims = {"sub": "agent_1", "fam": "family_1", "aud": "agent", "exp": 4_000_000_000}
    for label in ("visitor", "agent"):
        with pytest.raises(TokenInvalid):
            tokens.read(jwt.encode(claims, visitor_key, "HS256", headers={"kid": label}))


def test_an_unsigned_or_endless_token_is_refused(tokens: Tokens) -> None:
    claims = {"sub": "s-1", "aud": "visitor", "exp": 4_000_000_000}
    key = hmac.digest(SECRET.encode(), b"kefu visitor token", "sha256")
    with pytest.raises(TokenInvalid):
        tokens.read(jwt.encode(claims, "", "none", headers={"kid": "visitor"}))
    with pytest.raises(TokenInvalid):
        tokens.read(jwt.encode({"sub": "s-1", "aud": "visitor"}, key, "HS256", headers={"kid": "visitor"}))


def test_a_changed_token_is_refused(tokens: Tokens) -> None:
    head, body, signature = tokens.visitor("s-1").split(".")
    other = tokens.visitor("s-2").split(".")[1]
    for changed in (f"{head}.{other}.{signature}", f"{head}.{body}.{signature[:-2]}", f"{head}.{body}."):
        with pytest.raises(TokenInvalid):
            tokens.read(changed)


async def test_a_remembered_token_still_runs_out(tokens: Tokens) -> None:
    token = tokens.visitor("s-1", lasts=timedelta(seconds=0.1))
    assert tokens.read_visitor(token) == "s-1"
    await asyncio.sleep(1.1)
    for _ in range(2):
        with pytest.raises(TokenExpired):
            tokens.read_visitor(token)


def test_only_so_many_tokens_are_remembered(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 3)
    issued = [tokens.visitor(f"s-{number}") for number in range(9)]
    for _ in range(2):
        assert [tokens.read_visitor(token) for token in issued] == [f"s-{number}" for number in range(9)]
    assert len(tokens._good) == 3  # noqa: SLF001 - memory is what this test is about
