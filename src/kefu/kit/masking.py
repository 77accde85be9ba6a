"""What must not stand in a log: secrets by the name of their field, and secrets and contact details by their look.

Rather too much is hidden than too little. Ids of ours, dates and IP addresses stay, for a log is read by them.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

HIDDEN = "***"
KEPT_KEYS = {"timestamp", "request_id", "incident", "level"}
SECRETS = (
    r"passw(?:or)?d|passphrase|secret|token|authorization|cookie|credential|signature|identifier[_-]?hash|"
    r"code[_-]?verifier|(?:api|private|access|signing|encryption|account|subscription)[_-]?key|totp|recovery[_-]?code"
)
NAMES = rf"{SECRETS}|e[_-]?mail|phone|mobile|id[_-]?card|card[_-]?(?:number|no)|iban"
# How keys that others give begin: OpenAI, Anthropic, Stripe, AWS, Google, Tencent, Alibaba, GitHub, GitLab, Slack,
# SendGrid, Shopify, Hugging Face, and signing secrets of Standard Webhooks.
OF_OTHERS = (
    r"(?:[spr]k[-_] | AKIA | ASIA | AKID | LTAI | AIza | gh[opsu]_ | github_pat_ | glpat- | xox[a-z]- | SG\. | "
    r"shp(?:at|ss)_ | hf_ | whsec_)"
)
SECRET_KEYS = re.compile(SECRETS, re.IGNORECASE)
HIDDEN_KEYS = re.compile(NAMES, re.IGNORECASE)
# Group `kept` is written again whole, `before` in front of what is hidden.
SECRET_TEXT = re.compile(
    rf"""
    (?P<kept> (?<![^\W_]) (?:
        [a-z]{{1,20}}_[0-9a-f]{{20}}                                                    # an id of ours
      | [0-9a-f]{{8}} - (?:[0-9a-f]{{4}}-){{3}} [0-9a-f]{{12}}                          # a UUID
      | (?:19|20)\d\d-[01]\d-[0-3]\d (?:[T\ ][0-2]\d:[0-5]\d(?::[0-5]\d(?:\.\d{{1,6}})?)?)?  # a date, a time
      | (?:25[0-5]|2[0-4]\d|1?\d?\d) (?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){{3}}            # an IPv4 address
      ) (?![^\W_]|[-.@]\w) )
    | (?P<before>
        :// [^\s/@:]{{0,100}} :                                                  # the password in an address
        # password=…, "token": "…", Authorization: Bearer …
      | (?:{NAMES}) [\w-]{{0,40}} \\*["']? \s{{0,4}} [=:] \s{{0,4}} \\*["']? (?:(?:bearer|basic) \s{{1,4}})?
      | \b (?:bearer|basic) \s{{1,4}} (?=[\w.~+/=-]{{8}})
      | [?&] (?:key|sig|sign|code|ticket) =                                    # an address that opens by itself
      | / (?:hooks? (?:/catch)? | services) /
      ) (?:(?<=:) \S{{1,200}} (?=@) | [^\s"'\\&;,<>)\]}}]+)
    | -----BEGIN\ [A-Z\ ]{{0,30}} PRIVATE\ KEY----- (?:(?!-----END) [\s\S])*
    | (?<![^\W_]) {OF_OTHERS} [\w./+=-]{{12,}}
    | (?<!\d) \d{{6,12}} : [\w-]{{30,}}                                # of a bot at Telegram
    | eyJ [\w-]{{8,}} (?:\.[\w-]*)*                                      # a JWT, or its beginning
    | (?<![\w.+-]) [\w.+-]+ @ [\w-]+ (?:\.[\w-]+)+                       # an e-mail address
    | (?<!\d) \+? \(? \d (?:[\ \t().-]{{0,3}} \d){{9,18}} x? (?!\d)      # phone, card and identity numbers
    | (?<!\d) \+ \d (?:[\ \t().-]{{0,3}} \d){{6,18}} (?!\d)
    | (?<![\w-]) (?=[\w-]*\d) (?=[\w-]*[a-z]) [\w-]{{40,}}               # an opaque token
    """,
    re.IGNORECASE | re.VERBOSE,
)
# To everything else in SECRET_TEXT one id of ours is like another.
ID = re.compile(r"(?<![^\W_]) ([a-z]{1,20}_) [0-9a-f]{20} (?![^\W_]|[-.@]\w)", re.IGNORECASE | re.VERBOSE)
SOME_ID = r"\g<1>0a0a0a0a0a0a0a0a0a0a"
SHORTEST_ID = 22
DEEPEST = 8
MOST = 65_536
NUMBERS = (bool, float, type(None))


def mask_text(text: str) -> str:
    """The text without what looks like a secret, cut where it is longer than MOST. Safe to repeat."""
    if len(text) > 200:
        return _hide(text)
    if len(text) < SHORTEST_ID:
        return _masked(text)
    shape = ID.sub(SOME_ID, text)  # so that the path of each session is not looked through anew
    masked = _masked(shape)
    if masked == shape:
        return text
    return masked if shape == text else _hide(text)


def _kept_or_hidden(found: re.Match[str]) -> str:
    return found["kept"] or (found["before"] or "") + HIDDEN


def _hide(text: str) -> str:
    if len(text) > MOST:
        text = text[:MOST] + "…"
    text = text.encode("utf-8", "replace").decode()
    while (shorter := SECRET_TEXT.sub(_kept_or_hidden, text)) != text:  # each time less is left that could be found
        text = shorter
    return text


_masked = lru_cache(4096)(_hide)  # a busy process writes the same few paths and names


def mask(value: Any, depth: int = 0) -> Any:
    """The same as plain JSON types, masked. Never raises, whatever it is given."""
    if isinstance(value, NUMBERS) or (isinstance(value, int) and abs(value) < 2**63):
        return value
    if depth > DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        return {mask_text(str(key)): _by_name(key, one, depth) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [mask(one, depth + 1) for one in value]
    return mask_text(_text(value))


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - whatever an object does when it is asked for its text
        return f"<{type(value).__name__}>"


def _by_name(key: object, value: Any, depth: int) -> Any:
    if key in KEPT_KEYS and isinstance(value, str):
        return value
    return HIDDEN if isinstance(key, str) and HIDDEN_KEYS.search(key) else mask(value, depth + 1)
