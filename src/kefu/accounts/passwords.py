"""Argon2id on a thread of its own, so that neither the event loop nor a transaction waits for it."""

import asyncio
import secrets
from collections.abc import Callable
from threading import BoundedSemaphore
from typing import ClassVar, TypeVar

from prometheus_client import Counter
from pwdlib.hashers.argon2 import Argon2Hasher

from kefu.kit.errors import Unavailable
from kefu.kit.i18n import Text
from kefu.kit.threads import modest_threads

T = TypeVar("T")

SHORTEST = 8
LONGEST = 128
PLACES = 32

# Easy to read aloud and to type: without 0 O 1 l i.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"

# Of random bytes that nobody kept: an unknown username's password is checked against it, and so takes as long.
NOBODYS_HASH = "$argon2id$v=19$m=19456,t=2,p=1$47Z7lkQTyIUnrhAlbsoAdA$tCyc9NSkEUyRh/9rSyVsrLm54btGFdTyRgHpwVmmWP4"

CHECKS = Counter("kefu_password_checks_total", "Passwords checked, whether or not the username is somebody's")

_hasher = Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1)
_thread = modest_threads(1, "argon2")  # so that there is always a core left
_places = BoundedSemaphore(PLACES)


class TooManySignIns(Unavailable):
    code = "SIGN_IN_BUSY"
    text: ClassVar[Text] = {
        "en": "Too many people are signing in. Try again in {retry_after} s.",
        "zh": "当前登录人数过多，请在 {retry_after} 秒后再试。",
    }


def is_acceptable(password: str) -> bool:
    """The rule for new passwords: 8 to 128 characters, with a letter and a digit."""
    return (
        SHORTEST <= len(password) <= LONGEST
        and any(one.isalpha() for one in password)
        and any(one.isdecimal() for one in password)
    )


def one_time_password() -> str:
    """16 random characters (79 bits) that keep the rule."""
    while True:
        password = "".join(secrets.choice(ALPHABET) for _ in range(16))
        if is_acceptable(password):
            return password


async def hash_password(password: str) -> str:
    """Raises TooManySignIns."""
    return await _on_thread(lambda: _hasher.hash(password))


async def check_password(password: str, known_hash: str | None) -> bool:
    """Whether the password is the one; with `None` (nobody) it is not, after the same time. Raises TooManySignIns."""
    CHECKS.inc()
    is_right = await _on_thread(lambda: _hasher.verify(password, known_hash or NOBODYS_HASH))
    return is_right and known_hash is not None


async def _on_thread(work: Callable[[], T]) -> T:
    if not _places.acquire(blocking=False):
        raise TooManySignIns
    future = _thread.submit(work)
    future.add_done_callback(lambda _: _places.release())
    return await asyncio.wrap_future(future)
