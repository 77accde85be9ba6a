"""Where contents lie: a folder beside the database, each under the SHA-256 of what it is. No name is part of a path."""

import asyncio
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import BinaryIO, ClassVar

from kefu.files.kinds import CHUNK, FileTypeNotAllowed, Kind, kind_of, label
from kefu.files.pictures import Picture, Piece, cleaned
from kefu.kit.errors import TooLarge, Unavailable
from kefu.kit.i18n import Text

Tell = Callable[[mmap, str], Kind]
AT_ONCE = 2  # files that one process looks through; the others wait


class FileTooLarge(TooLarge):
    code = "FILE_TOO_LARGE"
    text: ClassVar[Text] = {"en": "The file is larger than {limit_mb} MB.", "zh": "文件超过 {limit_mb} MB。"}


class NotStored(Unavailable):
    """The disk is full, or gone."""

    code = "FILE_NOT_STORED"
    text: ClassVar[Text] = {"en": "The file could not be stored. Try again later.", "zh": "文件保存失败，请稍后再试。"}


@dataclass(frozen=True, slots=True)
class Kept:
    """What came, as it lies in the store."""

    name: str
    media_type: str
    size: int
    width: int | None
    height: int | None
    sha256: str


class FileStore:
    """The folder. `most_mb`: what the settings allow, in MiB.

    A content is written beside its place, synced and moved there, so that a place never holds half a file; one that is
    there already is replaced by its like. Where several machines serve, they share the folder.
    """

    def __init__(self, folder: Path, most_mb: int) -> None:
        self._folder = folder
        self._arriving = folder / "arriving"
        self._gate = asyncio.Semaphore(AT_ONCE)
        self.most_mb = most_mb

    def path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256

    async def keep(self, given: BinaryIO, name: str, kind_of: Tell = kind_of) -> Kept:
        """Look through the file (a real one), clean it and put it in its place. Storing it twice stores it once.

        `kind_of` says what it is, or raises. Raises FileTypeNotAllowed, FileDamaged, FileTooLarge, PictureTooLarge,
        NotStored.
        """
        async with self._gate:
            return await asyncio.to_thread(self._keep, given, name, kind_of)

    def _keep(self, given: BinaryIO, name: str, kind_of: Tell) -> Kept:
        descriptor = given.fileno()
        given.flush()
        if os.fstat(descriptor).st_size == 0:
            raise FileTypeNotAllowed
        with mmap(descriptor, 0, access=ACCESS_READ) as data:
            kind = kind_of(data, name)
            self._check_size(kind, len(data))
            picture = cleaned(kind, data) if kind.is_picture else None
            sha256, size = self._put(data, picture.pieces if picture else [slice(0, len(data))])
        width, height = _measures(picture)
        return Kept(label(name, kind), kind.media_type, size, width, height, sha256)

    def _check_size(self, kind: Kind, size: int) -> None:
        limit = min(kind.limit_mb, self.most_mb)
        if size > limit << 20:
            raise FileTooLarge(limit_mb=limit)

    def _put(self, data: mmap, pieces: list[Piece]) -> tuple[str, int]:
        draft = self._arriving / secrets.token_hex(16)
        digest, size = hashlib.sha256(), 0
        try:
            self._arriving.mkdir(parents=True, exist_ok=True)
            with draft.open("xb") as file:
                for chunk in _chunks(data, pieces):
                    digest.update(chunk)
                    size += file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            place = self.path(digest.hexdigest())
            place.parent.mkdir(exist_ok=True)
            draft.replace(place)
            _sync(place.parent)
        except OSError as error:
            raise NotStored from error
        finally:
            with suppress(OSError):  # it was moved, or never came to be
                draft.unlink()
        return digest.hexdigest(), size

    def older_than(self, before: float) -> list[str]:
        """The hashes of all contents that were stored before that time (Unix seconds).

        Drafts as old as that, left by a process that died, are removed on the way.
        """
        found = []
        for path in self._folder.glob("*/*"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime >= before:
                    continue
                if path.parent == self._arriving:
                    path.unlink()
                else:
                    found.append(path.name)
        return found

    def remove(self, sha256: str, before: float) -> None:
        """Take a content away that no row names, unless the same was stored again since `before`.

        It is moved aside before it is looked at: what is stored in the meantime is another file in its place.
        """
        place, aside = self.path(sha256), self._arriving / secrets.token_hex(16)
        self._arriving.mkdir(exist_ok=True)
        with suppress(FileNotFoundError):
            place.rename(aside)
            if aside.stat().st_mtime >= before:
                with suppress(FileExistsError):
                    place.hardlink_to(aside)
            aside.unlink()


def _measures(picture: Picture | None) -> tuple[int | None, int | None]:
    return (picture.width, picture.height) if picture else (None, None)


def _chunks(data: mmap, pieces: list[Piece]) -> Iterator[bytes]:
    for piece in pieces:
        if isinstance(piece, bytes):
            yield piece
        else:
            for start in range(piece.start, piece.stop, CHUNK):
                yield data[start : min(start + CHUNK, piece.stop)]


def _sync(folder: Path) -> None:
    """Have the folder's own list of names on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
