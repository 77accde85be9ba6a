"""What a token says, and for how long."""

import hmac
import json
from base64 import urlsafe_b64encode
from datetime import timedelta

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faults.waiting import until
from kefu.accounts import tokens as module
from kefu.accounts.tokens import LEEWAY_SECONDS, AccessClaims, Tokens, new_refresh_token
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
    token = tokens.visitor("s-1", lasts=timedelta(seconds=0.1 - LEEWAY_SECONDS))
    assert tokens.read_visitor(token) == "s-1"
    await until(lambda: expired(tokens, token), 5)
    for _ in range(2):
        with pytest.raises(TokenExpired):
            tokens.read_visitor(token)


def expired(tokens: Tokens, token: str) -> bool:
    try:
        tokens.read(token)
    except TokenExpired:
        return True
    return False


def test_clocks_may_be_half_a_minute_apart(tokens: Tokens) -> None:
    behind, too_late = (
        tokens.access("agent_1", "family_1", lasts=timedelta(seconds=-ago))
        for ago in (LEEWAY_SECONDS - 2, LEEWAY_SECONDS + 2)
    )
    assert tokens.read_access(behind).agent_id == "agent_1"
    with pytest.raises(TokenExpired):
        tokens.read_access(too_late)


def test_after_a_new_secret_the_old_one_is_believed_as_long_as_it_is_named(tokens: Tokens) -> None:
    rotated, done = Tokens("a new secret", SECRET), Tokens("a new secret")
    visitor, access, ticket = tokens.visitor("s-1"), tokens.access("agent_1", "f"), tokens.ticket("agent_1", "hash")
    assert rotated.read_visitor(visitor) == "s-1"
    assert rotated.read_access(access).family == "f"
    assert rotated.read_ticket(ticket).agent_id == "agent_1"
    for read, token in (
        (done.read, visitor),
        (done.read, access),
        (done.read_ticket, ticket),
        (tokens.read, rotated.visitor("s-1")),
    ):
        with pytest.raises(TokenInvalid):
            read(token)
    assert done.read_visitor(rotated.visitor("s-2")) == "s-2"
    assert rotated.successors("old")[1:] == tokens.successors("old")


def test_the_header_names_the_key_and_each_kind_has_its_own(tokens: Tokens) -> None:
    made = (
        tokens.visitor("s-1"),
        tokens.visitor("s-2"),
        tokens.access("agent_1", "f"),
        tokens.ticket("agent_1", "hash"),
    )
    kids = [jwt.get_unverified_header(one)["kid"] for one in made]
    assert kids[0] == kids[1]
    assert len(set(kids)) == 3


def test_a_token_from_before_headers_named_a_key_is_still_good(tokens: Tokens) -> None:
    key = hmac.digest(SECRET.encode(), b"kefu visitor token", "sha256")
    earlier = jwt.encode({"sub": "s-1", "aud": "visitor", "exp": 4_000_000_000}, key, "HS256")
    assert tokens.read_visitor(earlier) == "s-1"


def test_a_ticket_and_a_refresh_token_are_no_access_tokens(tokens: Tokens) -> None:
    for token in (tokens.ticket("agent_1", "hash"), new_refresh_token(), tokens.successors("x")[0]):
        with pytest.raises(TokenInvalid):
            tokens.read(token)
    for token in (tokens.visitor("s-1"), tokens.access("agent_1", "f")):
        with pytest.raises(TokenInvalid):
            tokens.read_ticket(token)


SHARED = Tokens(SECRET)
KEYS = {
    kind: hmac.digest(SECRET.encode(), f"kefu {kind} token".encode(), "sha256")
    for kind in ("visitor", "agent", "second factor")
}
KIDS = [
    jwt.get_unverified_header(one)["kid"]
    for one in (SHARED.visitor("s"), SHARED.access("a", "f"), SHARED.ticket("a", "h"))
]
CLAIMS = st.fixed_dictionaries(
    {},
    optional={
        "sub": st.one_of(st.text(max_size=9), st.integers(), st.none()),
        "aud": st.one_of(st.sampled_from([*KEYS, "admin"]), st.lists(st.sampled_from([*KEYS]), max_size=3)),
        "exp": st.one_of(st.integers(-(2**40), 2**40), st.text(max_size=5), st.none()),
        "fam": st.text(max_size=9),
    },
)
HEADERS = st.fixed_dictionaries(
    {"alg": st.sampled_from(["HS256", "HS384", "HS512", "none", "None", "RS256", "ES256", "hs256", ""])},
    optional={
        "kid": st.one_of(st.sampled_from(KIDS), st.text(max_size=12), st.none(), st.integers()),
        "typ": st.text(max_size=4),
    },
)


def part(value: object) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@given(HEADERS, CLAIMS, st.sampled_from(["sha256", "sha384", "sha512", "empty"]), st.binary(min_size=1, max_size=40))
def test_nobody_without_the_key_makes_a_token(
    header: dict[str, object], claims: dict[str, object], digest: str, key: bytes
) -> None:
    signed = f"{part(header)}.{part(claims)}"
    signature = b"" if digest == "empty" else hmac.digest(key, signed.encode(), digest)
    token = f"{signed}.{urlsafe_b64encode(signature).decode().rstrip('=')}"
    for read in (SHARED.read, SHARED.read_visitor, SHARED.read_access, SHARED.read_ticket):
        with pytest.raises(TokenInvalid):
            read(token)


@given(HEADERS, CLAIMS, st.sampled_from(["visitor", "second factor"]))
def test_the_key_of_another_kind_makes_no_agent(
    header: dict[str, object], claims: dict[str, object], kind: str
) -> None:
    """Not even with `aud` and `kid` of an agent's token, and whatever the header calls the algorithm."""
    signed = f"{part(header)}.{part(claims)}"
    signature = urlsafe_b64encode(hmac.digest(KEYS[kind], signed.encode(), "sha256")).decode().rstrip("=")
    with pytest.raises((TokenInvalid, TokenExpired)):
        SHARED.read_access(f"{signed}.{signature}")


@given(st.text(max_size=60), st.integers(0, 2), st.integers(0, 400))
def test_whatever_is_sent_the_answer_is_a_refusal(text: str, at: int, cut: int) -> None:
    parts = SHARED.access("agent_1", "family_1").split(".")
    parts[at] = parts[at][:cut] + text
    token = ".".join(parts)
    if token != SHARED.access("agent_1", "family_1"):
        with pytest.raises((TokenInvalid, TokenExpired)):
            SHARED.read(token)


def test_only_so_many_tokens_are_remembered(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 3)
    issued = [tokens.visitor(f"s-{number}") for number in range(9)]
    for _ in range(2):
        assert [tokens.read_visitor(token) for token in issued] == [f"s-{number}" for number in range(9)]
    assert len(tokens._good) == 3  # noqa: SLF001 - memory is what this test is about
