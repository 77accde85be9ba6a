r"""Streams under a key: compressed, then sealed in chunks, so that one that was cut, changed or exchanged is refused.

The construction is STREAM, as in the age format (https://age-encryption.org/v1): each chunk of 64 KiB is sealed by
AES-256-GCM, with its number and whether it is the last for a nonce, under a key of its own stream. That key comes by
HKDF from the secret, a random salt and the name of the stream, so that none passes for another.

    "kefu-sealed/1\n"  salt (32 bytes)  chunk  chunk  …  last chunk
"""

import hashlib
import hmac
import io
import os
import zlib
from collections.abc import Iterator
from typing import BinaryIO, ClassVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kefu.kit.errors import KefuError
from kefu.kit.i18n import Text

MAGIC = b"kefu-sealed/1\n"
SALT, CHUNK, TAG = 32, 1 << 16, 16
QUICKLY = 1  # of zlib's levels: the network and the disk are slower only than this one


class Damaged(KefuError):
    """`part`: of the backup, as it is called there."""

    code = "BACKUP_DAMAGED"
    text: ClassVar[Text] = {
        "en": "{part} is not what was backed up: it was cut or changed, or is under another key.",
        "zh": "备份内容 {part} 已损坏、被截断或使用了其他密钥。",
    }


class Key:
    """The secret of the backups (BACKUP_KEY). `kid` tells it from another without saying what it is."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self.kid = self._digest(b"kid", b"")[:8]

    def for_stream(self, name: str, salt: bytes) -> AESGCM:
        return AESGCM(HKDF(SHA256(), 32, salt, b"kefu backup stream " + name.encode()).derive(self._secret))

    def name_of(self, sha256: str) -> str:
        """What a content is called in a backup: its hash would tell who has the same one that it is there."""
        return self._digest(b"content", sha256.encode())

    def mac(self, data: bytes) -> str:
        return self._digest(b"manifest", data)

    def _digest(self, purpose: bytes, data: bytes) -> str:
        own = hmac.digest(self._secret, b"kefu backup " + purpose, "sha256")
        return hmac.digest(own, data, "sha256").hex()


class Sealed:
    """What is written to it is sealed into `out`, complete after `end`. `size` and `sha256` are of what `out` got."""

    def __init__(self, out: BinaryIO, key: Key, name: str) -> None:
        salt = os.urandom(SALT)
        self._out, self._aead = out, key.for_stream(name, salt)
        self._number, self._plain = 0, bytearray()
        self._zlib = zlib.compressobj(QUICKLY)
        self._hash, self.size = hashlib.sha256(), 0
        self._put(MAGIC + salt)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def write(self, data: bytes) -> None:
        self._plain += self._zlib.compress(data)
        while len(self._plain) > CHUNK:
            self._seal(bytes(self._plain[:CHUNK]), is_last=False)
            del self._plain[:CHUNK]

    def end(self) -> None:
        self._plain += self._zlib.flush()
        while len(self._plain) > CHUNK:
            self._seal(bytes(self._plain[:CHUNK]), is_last=False)
            del self._plain[:CHUNK]
        self._seal(bytes(self._plain), is_last=True)

    def _seal(self, chunk: bytes, *, is_last: bool) -> None:
        self._put(self._aead.encrypt(nonce(self._number, is_last=is_last), chunk, None))
        self._number += 1

    def _put(self, data: bytes) -> None:
        self._out.write(data)
        self._hash.update(data)
        self.size += len(data)


def nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])


def opened(file: BinaryIO, key: Key, name: str) -> Iterator[bytes]:
    """The plain pieces, each authentic when it comes; that the whole is there is known at the end. Raises Damaged."""
    expands = zlib.decompressobj()
    for chunk in _chunks(file, key, name):
        yield expands.decompress(chunk)
    if not expands.eof or expands.unused_data:
        raise Damaged(part=name)


def _chunks(file: BinaryIO, key: Key, name: str) -> Iterator[bytes]:
    head = file.read(len(MAGIC) + SALT)
    if len(head) < len(MAGIC) + SALT or not head.startswith(MAGIC):
        raise Damaged(part=name)
    aead, number = key.for_stream(name, head[len(MAGIC) :]), 0
    chunk = file.read(CHUNK + TAG)
    while chunk:
        following = file.read(CHUNK + TAG)
        try:
            yield aead.decrypt(nonce(number, is_last=not following), chunk, None)
        except InvalidTag:
            raise Damaged(part=name) from None
        chunk, number = following, number + 1
    if not number:
        raise Damaged(part=name)


class Reader(io.RawIOBase):
    """The pieces as a file that is read from front to back."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._left = pieces, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # io asks for any buffer, and gets one of these
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = piece
        count = min(len(buffer), len(self._left))
        buffer[:count], self._left = self._left[:count], self._left[count:]
        return count
