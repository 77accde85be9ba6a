"""Secrets the product keeps: its own in a file, those of others sealed in the database (docs/adr/0020)."""

import hmac
import os
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class Unreadable(Exception):
    """Sealed with a key that is no longer there, or changed since."""


class Sealer:
    """Seals short texts for the database (Fernet: AES-128-CBC with HMAC-SHA256).

    The first of `keys` seals, all of them open. Each becomes a key of its own that is no other key of that secret.
    `kids` tell each from another without saying what it is, `kid` the first.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        derived = [hmac.digest(key.encode(), b"kefu sealed text", "sha256") for key in dict.fromkeys(keys)]
        self._each = [Fernet(urlsafe_b64encode(one)) for one in derived]
        self._fernet = MultiFernet(self._each)
        self.kids = tuple(hmac.digest(one, b"kid", "sha256").hex()[:8] for one in derived)
        self.kid = self.kids[0]
        # A list shows the same few customers again and again; opening one takes as long as reading its row.
        self._opened = lru_cache(4096)(self._open)

    def seal(self, text: str) -> str:
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """Raises Unreadable."""
        text = self._opened(sealed)
        if text is None:
            raise Unreadable
        return text

    def _open(self, sealed: str) -> str | None:
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            return None

    def key_of(self, sealed: str) -> int | None:
        """Which of the keys it is sealed with, 0 for the first; None for one that is not here."""
        for number, fernet in enumerate(self._each):
            try:
                fernet.decrypt(sealed.encode())
            except InvalidToken:
                continue
            return number
        return None

    def reseal(self, sealed: str) -> str:
        """The same text under the newest key. Raises Unreadable."""
        return self.seal(self.open(sealed))


def kept_secret(path: Path) -> str:
    """The secret in the file, made on first use (64 hexadecimal digits, readable by the owner only).

    Safe when two processes start at once: the file is created exclusively and the loser reads the winner's.
    """
    if not path.exists():
        _make_secret(path)
    return path.read_text().strip()


def _make_secret(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
