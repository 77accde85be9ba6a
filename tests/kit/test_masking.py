"""Nothing secret and nobody's contact details stand in a log, and what a log is read by stays readable."""

import logging
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from kefu.accounts.tokens import Tokens, new_refresh_token
from kefu.kit.logs import set_up_logs
from kefu.kit.masking import HIDDEN, mask, mask_text

JWT = Tokens("a key").visitor("s_1")
REFRESH = new_refresh_token()
FULL_WIDTH = {ord("0") + digit: 0xFF10 + digit for digit in range(10)}
# What is written, and what must not be left of it.
HIDES = {
    "an address": ("write to li.wei+shop@mail.example.com today", "li.wei", "mail.example.com"),
    "an address in Chinese text": ("我的邮箱是li.wei@example.com谢谢", "li.wei"),
    "a mobile number": ("打电话13812345678给我", "13812345678"),
    "a mobile number with spaces": ("138 1234 5678", "138", "5678"),
    "a number with the country": ("call +86-138-1234-5678", "138-1234"),
    "a short number with the country": ("+4930123456", "4930123456"),
    "a number with brackets": ("(010) 6512-3456", "6512"),
    "a number with dots": ("call 0171.555.01.23", "555"),
    "digits of full width": ("13812345678".translate(FULL_WIDTH), "1234".translate(FULL_WIDTH)),
    "a card number": ("4111 1111 1111 1111", "1111"),
    "a card number in one": ("pan=4111111111111111", "411111"),
    "an identity number": ("身份证110105199012310027", "19901231"),
    "an identity number with x": ("11010519901231002X", "19901231", "X"),
    "a signed token": (f"got {JWT}", JWT[:20], JWT[-20:]),
    "a cut token": (f"got {JWT[:30]}", JWT[:20]),
    "a refresh token": (f"got {REFRESH} again", REFRESH),
    "a header": ("Authorization: Bearer abc.def-123456", "abc.def", "123456"),
    "a header of a dictionary": ("{'authorization': 'Basic dXNlcjpwYXNz'}", "dXNlcjpwYXNz"),
    "headers as bytes": ("[(b'authorization', b'Bearer s3cr3t-value')]", "s3cr3t"),
    "a cookie": ("Cookie: sid=hunter2; theme=dark", "hunter2"),
    "a secret of a query": ("/api/x?access_token=hunter2&name=mei", "hunter2"),
    "a secret of a form": ("password=hunter2&next=1", "hunter2"),
    "a secret of JSON": ('{"username":"mei","password": "hunter2"}', "hunter2"),
    "a secret of JSON in JSON": ('"{\\"api_key\\": \\"hunter2\\"}"', "hunter2"),
    "a secret of a longer name": ("OIDC_CLIENT_SECRET=hunter2", "hunter2"),
    "a password of an address": ("postgresql://kefu:p@ss/word@db:5432/kefu", "p@ss", "word@"),
    "a password without a name": ("redis://:hunter2@redis:6379/0", "hunter2"),
    "a key of OpenAI": ("bad key sk-proj-aB3dE5gH7jK9mN1p", "aB3dE5", "mN1p"),
    "a key of Anthropic": ("sk-ant-api03-aB3dE5gH7jK9mN1p-x", "aB3dE5"),
    "a key of DeepSeek": ("Incorrect API key provided: sk-0123456789abcdef0123456789abcdef", "0123456789"),
    "a key of Stripe": ("sk_live_aB3dE5gH7jK9mN1p", "aB3dE5"),
    "a key of AWS": ("AKIAIOSFODNN7EXAMPLE is not valid", "IOSFODNN7"),
    "a key of Google": ("?q=1 AIzaSyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q", "SyA1b2"),
    "a key of Tencent": ("AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", "z8krbs"),
    "a key of Alibaba": ("LTAI5tExample7Kq9ZxEXAMPLE", "5tExample"),
    "a token of GitHub": ("ghp_aB3dE5gH7jK9mN1pQ3rS5tU7vW9xY1zA3b", "aB3dE5"),
    "a fine token of GitHub": ("github_pat_11AAAAAAA0aB3dE5gH7jK9", "11AAAA"),
    "a token of GitLab": ("glpat-aB3dE5gH7jK9mN1pQ3rS", "aB3dE5"),
    "a token of Slack": ("xoxb-123456789012-aB3dE5gH7jK9", "aB3dE5"),
    "a key of SendGrid": ("SG.aB3dE5gH7jK9mN1p.qR5tU7vW9xY1", "aB3dE5", "qR5tU7"),
    "a token of Shopify": ("shpat_0123456789abcdef0123456789abcdef", "0123456789"),
    "a token of Hugging Face": ("hf_aBcDeFgHiJkLmNoPqRsT", "aBcDeF"),
    "a secret of webhooks": ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8G"),
    "a token of Telegram": ("/bot123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/getMe", "AAHdqT"),
    "a robot of WeCom": ("/cgi-bin/webhook/send?key=3f2504e0-4f89-11d3-9a0c-0305e82c3301", "3f2504e0"),
    "a robot of Feishu": ("https://open.feishu.cn/open-apis/bot/v2/hook/3f2504e0-4f89-11d3-9a0c", "3f2504e0"),
    "a robot of DingTalk": ("https://oapi.dingtalk.com/robot/send?access_token=aB3dE5gH", "aB3dE5"),
    "a webhook of Slack": ("https://hooks.slack.com/services/T0AB/B0CD/aB3dE5gH", "T0AB", "aB3dE5"),
    "a signed address": ("/file?name=a.png&sig=aB3dE5gH7jK9", "aB3dE5"),
    "an address signed for S3": ("/b/o?X-Amz-Signature=0123abcd&X-Amz-Date=1", "0123abcd"),
    "a code of signing in": ("/login?code=aB3dE5gH&state=1", "aB3dE5"),
    "a private key": (
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nAB+/12==\n-----END RSA PRIVATE KEY-----",
        "MIIEow",
        "AB+/12",
    ),
    "a private key cut short": ("-----BEGIN PRIVATE KEY-----\nMIIEow", "MIIEow"),
    "a second factor": ("totp_secret=JBSWY3DPEHPK3PXP", "JBSWY3"),
    "a recovery code": ("recovery_code: aB3d-E5gH", "aB3d"),
    "a key to sign with": ("JWT_SIGNING_KEY=hunter2", "hunter2"),
    "an access key": ('{"accessKey": "hunter2"}', "hunter2"),
    "a bank account": ("DE89 3704 0044 0532 0130 00", "3704", "0532"),
    "a bank account by its name": ("IBAN: DE89370400440532013000", "DE8937"),
    "a parted number": ("tel 010-6512-3456 ext", "6512"),
    "a basic login": ("basic dXNlcjpwYXNzd29yZA==", "dXNlcj"),
}
STAYS = (
    "request.served",
    "/api/sessions/s_1a2b3c4d5e6f7a8b9c0d/messages",
    "/api/sessions/s_b7dfeb465e820228d188/events?after=12",
    "s_12345678901234567890",
    "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    "2026-11-27 14:45:53 and 2026-11-27T14:45:53.123456",
    "from 192.168.100.200 by 10.0.0.1",
    "took 1234.5 ms, 99 of 1,000",
    "TOKEN_EXPIRED",
    "/api/shops/demo/bot/rehearsal?lang=en&keyword=battery",
    "skill-of-the-desk asked for task-force-of-the-day",
    "services/knowledge and hooks of the page",
    "ConnectionError: Error 111 connecting to 127.0.0.1:6379. Connection refused.",
)
PIECES = (
    "password=|token: |Bearer |://u:|@|a@b.co|eyJhbGciOi|.|-| |\"|'|\\|***|+|1380013|8000|x|s_|中|\n|:|=|/|10.0.0.1"
)
WORDS = st.sampled_from([*PIECES.split("|"), "0123456789abcdef0123", "2026-11-27", "\udc80", "|"])


@pytest.mark.parametrize("case", HIDES)
def test_it_hides(case: str) -> None:
    text, *secrets = HIDES[case]
    shown = mask_text(text)
    assert HIDDEN in shown
    assert not [one for one in secrets if one in shown], shown


@pytest.mark.parametrize("text", STAYS)
def test_it_leaves_alone(text: str) -> None:
    assert mask_text(text) == text


@settings(derandomize=True, database=None, deadline=None)
@given(st.lists(WORDS, max_size=8).map("".join), st.lists(WORDS, max_size=8).map("".join))
def test_what_stands_beside_an_id_is_hidden_whatever_the_id_is(before: str, after: str) -> None:
    ids = ("s_1a2b3c4d5e6f7a8b9c0d", "agent_12345678901234567890")
    shown = [mask_text(f"{before}{id_}{after}") for id_ in ids]
    unknown = [mask_text(f"{before}{id_}{after}{' ' * 200}").rstrip() for id_ in ids]
    assert [one.rstrip() for one in shown] == unknown


@settings(derandomize=True, database=None, deadline=None)
@given(st.text() | st.lists(WORDS, max_size=12).map("".join))
def test_masking_again_changes_nothing(text: str) -> None:
    once = mask_text(text)
    assert mask_text(once) == once


class Silent:
    """Has no text to give."""

    def __str__(self) -> str:
        raise ValueError("no")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.builds(Silent) | st.dates(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.sets(st.integers()),
)


@settings(derandomize=True, database=None, deadline=None)
@given(ANYTHING)
def test_whatever_it_is_given_becomes_json_and_masking_that_again_changes_nothing(thing: object) -> None:
    once = mask({"given": thing})
    assert mask(once) == once or "nan" in str(once)
    orjson.dumps(once)


def test_long_and_hostile_texts_take_a_moment() -> None:
    """Each would take minutes if looking for one kind of secret began anew at every character."""
    for piece in (
        "-----BEGIN PRIVATE KEY-----",
        "sk-",
        "/hook/",
        "?key=",
        "123456:",
        "token",
        "://a:",
        "a.",
        "1 ",
        "eyJ",
        "a@",
        "bearer ",
        "password=",
        "-1",
        "s_",
        "Bearer \t ",
    ):
        assert mask_text(piece * 20_000)


def test_a_field_is_hidden_by_its_name_wherever_it_stands() -> None:
    planted = {"a": [{"password": "hunter2"}, ("x", {"X-Api-Key": b"hunter2"})], "refresh_token": {"deep": "hunter2"}}
    assert "hunter2" not in str(mask(planted))
    assert mask({"request_id": "4111111111111111"}) == {"request_id": "4111111111111111"}


@pytest.fixture
def logs_as_before() -> Iterator[None]:
    """Other tests keep the logs they had."""
    root, structured = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.configure(**structured)


@pytest.mark.usefixtures("logs_as_before")
def test_every_line_of_the_log_is_masked_whoever_writes_it(tmp_path: Path) -> None:
    file = tmp_path / "kefu.log"
    listener = set_up_logs("debug", file)
    structlog.get_logger().info("a.fact", user={"email": "mei@shop.example"}, path="/x?token=hunter2", odd=Silent())
    logging.getLogger("a.library").warning("could not reach %s", "redis://:hunter2@redis:6379")
    try:
        int("Authorization: Bearer hunter2-hunter2")
    except ValueError:
        structlog.get_logger().exception("it.failed")
        logging.getLogger("a.library").exception("for 13812345678")
    listener.stop()
    listener.handlers[0].close()
    lines = [orjson.loads(line) for line in file.read_bytes().splitlines()]
    assert [line["event"] for line in lines] == [
        "a.fact",
        f"could not reach redis://:{HIDDEN}@redis:6379",
        "it.failed",
        f"for {HIDDEN}",
    ]
    assert [HIDDEN in line["exception"] for line in lines[2:]] == [True, True]
    assert not [secret for secret in (b"hunter2", b"mei@", b"13812345678") if secret in file.read_bytes()]
