"""How long what is kept, and where the WAL has a gap."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from kefu.backups.place import Facts, Manifest, Place, kept, name_of
from kefu.backups.sealed import Key
from kefu.backups.wal import breaks_off, needed, ship

KEY = Key("8f0c2a61d97e4b35a1c6e08d52f7b94310aa5c7d2e9f4b68")
NOW = datetime(2026, 11, 28, 2, 40, tzinfo=UTC)
SEGMENT = 16 << 20


def names(*ages: timedelta) -> list[str]:
    return sorted(name_of(int((NOW - age).timestamp() * 1000)) for age in ages)


def test_all_of_an_hour_one_of_each_hour_of_a_day_one_of_each_day() -> None:
    every = names(*(timedelta(minutes=4 * n) for n in range(15 * 24 * 10)))
    stay = sorted(kept(every, 7))
    assert stay[-15:] == every[-15:], "all of the last hour"
    hours = [one[:11] for one in stay if one >= name_of(int((NOW - timedelta(days=1)).timestamp() * 1000))]
    assert len(set(hours)) == 24 or len(set(hours)) == 25
    assert len({one[:8] for one in stay}) in {7, 8}
    assert len(stay) <= 15 + 24 + 8
    assert kept(stay, 7) == set(stay), "doing it again removes nothing"


def test_the_newest_is_never_removed() -> None:
    assert kept([], 1) == set()
    old = names(timedelta(days=400))
    assert kept(old, 1) == set(old)
    daily = names(*(timedelta(days=n) for n in range(30)))
    assert len(kept(daily, 14)) == 14


def manifest(first: str, last: str) -> Manifest:
    facts = Facts("postgresql", "15.8", "0031", "0.1.0", [], SEGMENT)
    return Manifest("one", 0, 0, KEY.kid, facts, {}, (first, last))


def segment(number: int, timeline: int = 1) -> str:
    return f"{timeline:08X}{number // 256:08X}{number % 256:08X}"


def test_a_gap_in_the_wal_is_found() -> None:
    made = manifest(segment(254), segment(255))
    assert breaks_off(made, []) is None
    assert breaks_off(made, [segment(n) for n in (254, 255, 256, 257)]) is None, "over the end of a log file"
    assert breaks_off(made, [segment(256), f"{segment(257)}.partial"]) is None
    assert breaks_off(made, [segment(257)]) == segment(255), "between the backup and the WAL"
    assert breaks_off(made, [segment(256), segment(258)]) == segment(256)
    assert breaks_off(made, ["00000002.history", segment(256), segment(256, 2), segment(257, 2)]) is None


def test_segments_are_shipped_once_and_a_partial_one_as_often_as_it_changes(tmp_path: Path) -> None:
    place, spool, seen = Place(tmp_path / "to", KEY), tmp_path / "spool", dict[str, int]()
    spool.mkdir()
    (spool / segment(1)).write_bytes(b"whole" * 1000)
    partial = spool / f"{segment(2)}.partial"
    partial.write_bytes(b"half")
    assert ship(place, spool, seen) > 0
    assert sorted(path.name for path in spool.iterdir()) == [partial.name]
    assert ship(place, spool, seen) == 0
    partial.rename(spool / segment(2))
    assert ship(place, spool, seen) > 0
    assert sorted(path.name for path in place.wal.iterdir()) == [segment(1), segment(2)]
    assert [path.name for path in needed(place, manifest(segment(2), segment(2)))] == [segment(2)]
