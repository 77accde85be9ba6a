"""Secrets the product keeps for itself, and what it keeps sealed."""

import base64
import hmac
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class Unsealable(Exception):
    """Sealed with a key that is not among ours, or changed since."""


class Sealer:
    """Encrypts short texts for the database (Fernet: AES-128-CBC with HMAC-SHA256).

    `secrets`: the newest first, which seals; the others still open. Each becomes a key of its own that is no other key
    of that secret.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        self._keys = MultiFernet([Fernet(_sealing_key(one)) for one in secrets])

    def seal(self, text: str) -> str:
        return self._keys.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """Raises Unsealable."""
        try:
            return self._keys.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise Unsealable from None

    def reseal(self, sealed: str) -> str:
        """The same text under the newest key. Raises Unsealable."""
        return self.seal(self.open(sealed))


def _sealing_key(secret: str) -> bytes:
    return base64.urlsafe_b64encode(hmac.digest(secret.encode(), b"kefu sealed fields", "sha256"))


def kept_secret(path: Path) -> str:
    """The secret in the file, made on first use (64 hexadecimal digits, readable by the owner only).

    Safe when two processes start at once: the file is created exclusively and the loser reads the winner's.
    """
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
    return path.read_text().strip()
