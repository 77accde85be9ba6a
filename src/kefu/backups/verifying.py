"""Whether a backup is still what was written: its checksums, its seals, its files, and the WAL without a gap."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from kefu.backups.place import Manifest, Place
from kefu.backups.sealed import Damaged, opened
from kefu.backups.taking import PIECE, Tell
from kefu.backups.wal import breaks_off, needed
from kefu.kit.errors import KefuError
from kefu.kit.i18n import Text


class WalBreaksOff(KefuError):
    """`last`: the segment before the gap."""

    code = "BACKUP_WAL_BREAKS_OFF"
    text: ClassVar[Text] = {
        "en": "The WAL breaks off after {last}: what came later cannot be restored.\n    → Make a new backup now.",
        "zh": "WAL 在 {last} 之后中断，其后的内容无法恢复。\n    → 请立即重新备份。",
    }


@dataclass(frozen=True, slots=True)
class Verified:
    """`wal_at`: when the last of the WAL came, Unix seconds; None for none."""

    manifest: Manifest
    files: int
    segments: int
    wal_at: float | None


def verify(place: Place, manifest: Manifest, tell: Tell) -> Verified:
    """Reads all of it. Blocks. Raises Damaged for the first part that is not right."""
    name = manifest.name
    for number, (part, facts) in enumerate(manifest.parts.items()):
        tell("parts", number, len(manifest.parts))
        digest = hashlib.sha256()
        with place.open(name, part) as file:
            while piece := file.read(PIECE):
                digest.update(piece)
        if digest.hexdigest() != facts.sha256:
            raise Damaged(part=f"{name}/{part}")
        for _ in place.read(name, part):
            pass
    listed = place.listed(name)
    for number, content in enumerate(listed, 1):
        _read(place, place.contents / content[:2] / content, f"contents/{content}")
        tell("files", number, len(listed))
    segments = _verify_wal(place, manifest, tell)
    wal_at = max((path.stat().st_mtime for path in segments), default=None)
    return Verified(manifest, len(listed), len(segments), wal_at)


def _read(place: Place, path: Path, stream: str) -> None:
    try:
        with path.open("rb") as file:
            for _ in opened(file, place.key, stream):
                pass
    except FileNotFoundError:
        raise Damaged(part=stream) from None


def _verify_wal(place: Place, manifest: Manifest, tell: Tell) -> Sequence[Path]:
    paths = needed(place, manifest)
    for number, path in enumerate(paths, 1):
        _read(place, path, f"wal/{path.name}")
        tell("wal", number, len(paths))
    last = breaks_off(manifest, [path.name for path in paths])
    if last:
        raise WalBreaksOff(last=last)
    return paths
