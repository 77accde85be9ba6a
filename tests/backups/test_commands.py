"""`kefu backup` and `kefu restore`, as the operator runs them, on an embedded database."""

import asyncio
import fcntl
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from files.samples import png
from kefu.backups.place import AnotherRuns, NoBackup, Place, WrongKey
from kefu.backups.restoring import NotEmpty, OtherDatabase, StillRuns
from kefu.backups.sealed import Damaged, Key
from kefu.backups.taking import source_of, take
from kefu.cli import cli
from kefu.files.store import FileStore
from kefu.kit.config import BadSettings, Settings
from kefu.kit.db import Database
from kefu.kit.errors import KefuError
from kefu.shops.service import first_shop

KEY = "8f0c2a61d97e4b35a1c6e08d52f7b94310aa5c7d2e9f4b68"
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Machine:
    """The operator's shell on a machine with its data folder."""

    def __init__(self, data: Path, backups: Path) -> None:
        self.data, self.backups = data, backups
        self.place = Place(backups, Key(KEY))

    def run(self, *words: str, **settings: str) -> Result:
        environment = {"KEFU_DATA_DIR": str(self.data), "DATABASE_URL": "", "BACKUP_KEY": KEY, **settings}
        return CliRunner().invoke(cli, words, env=environment)

    def succeeds(self, *words: str) -> str:
        result = self.run(*words)
        assert result.exit_code == 0, (result.output, result.exception)
        return result.output

    def backup(self) -> str:
        """Its name."""
        self.succeeds("backup", "--to", str(self.backups))
        return self.place.names()[-1]

    def restore(self, *words: str) -> Result:
        return self.run("restore", "--from", str(self.backups), *words)

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in (self.data / "files").glob("??/*"))

    def shops(self) -> list[str]:
        with closing(sqlite3.connect(self.data / "kefu.db")) as connection:
            return [row[0] for row in connection.execute("SELECT id FROM shops")]


async def keep(data: Path, content: bytes) -> None:
    draft = data / "upload"
    draft.write_bytes(content)
    with draft.open("rb") as file:
        await FileStore(data / "files", 50).keep(file, "photo.png")


@pytest.fixture
def old(database_url: str, tmp_path: Path) -> Machine:
    """With a shop and a file."""

    async def furnish() -> None:
        db = Database(database_url)
        async with db.write() as tx:
            await first_shop(tx)
        await db.close()
        await keep(tmp_path, png(4, 2))

    asyncio.run(furnish())
    return Machine(tmp_path, tmp_path / "backups")


@pytest.fixture
def new(old: Machine) -> Machine:
    return Machine(old.data / "new", old.backups)


def refused(result: Result, error: type[KefuError]) -> bool:
    """In both languages, and with nothing left to fill in."""
    assert isinstance(result.exception, error), (result.output, result.exception)
    return all("{" not in result.exception.message(locale) for locale in ("en", "zh"))


def test_everything_comes_back_elsewhere(old: Machine, new: Machine) -> None:
    name = old.backup()
    told = new.restore().output
    assert name in told
    assert "Then: kefu migrate" in told
    assert "Keys of then" not in told
    assert new.shops() == ["default"]
    assert new.files == old.files
    assert len(new.files) == 1
    assert (new.data / "jwt_secret").read_text() == (old.data / "jwt_secret").read_text()
    assert new.succeeds("migrate", "--check") == "The database is up to date.\n"
    assert sorted(path.name for path in old.data.iterdir() if path.name.startswith(".backup")) == []
    with closing(sqlite3.connect(old.data / "kefu.db")) as connection:
        assert connection.execute("SELECT part, name FROM backups").fetchall() == [("database", name)]


def test_it_lists_and_verifies_what_it_made(old: Machine) -> None:
    name = old.backup()
    assert name in old.succeeds("backup", "list", "--to", str(old.backups))
    assert f"{name} is whole" in old.succeeds("backup", "verify", "--to", str(old.backups))


@pytest.mark.parametrize("part", ["database.sealed", "contents.sealed", "jwt_secret.sealed", "manifest.json"])
def test_what_was_changed_is_neither_verified_nor_restored(old: Machine, new: Machine, part: str) -> None:
    file = old.backups / old.backup() / part
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    assert refused(old.run("backup", "verify", "--to", str(old.backups)), Damaged)
    if part != "contents.sealed":  # of which a restore has no need
        assert refused(new.restore(), Damaged)
        assert not (new.data / "kefu.db").exists()


def test_a_file_that_is_gone_is_noticed(old: Machine) -> None:
    old.backup()
    shutil.rmtree(old.backups / "contents")
    assert refused(old.run("backup", "verify", "--to", str(old.backups)), Damaged)


def test_nothing_is_overwritten(old: Machine) -> None:
    old.backup()
    secret = (old.data / "jwt_secret").read_text()
    assert refused(old.restore(), NotEmpty)
    assert old.restore("--force").exit_code == 0
    (aside,) = old.data.glob("before-restore-*")
    assert sorted(path.name for path in aside.iterdir()) == ["jwt_secret", "kefu.db"]
    assert (old.data / "jwt_secret").read_text() == secret
    assert old.shops() == ["default"]


def test_a_database_that_is_served_is_left_alone(old: Machine) -> None:
    old.backup()
    with closing(sqlite3.connect(old.data / "kefu.db")) as connection:
        connection.execute("SELECT count(*) FROM shops").fetchone()
        assert refused(old.restore("--force"), StillRuns)
        assert connection.execute("SELECT id FROM shops").fetchall() == [("default",)]
    assert not list(old.data.glob("before-restore-*"))


def test_who_asks_for_what_is_not_there_is_told(old: Machine, new: Machine) -> None:
    assert refused(new.restore(), NoBackup)
    name = old.backup()
    assert refused(new.restore("--name", "20200101T000000000Z"), NoBackup)
    assert refused(new.restore("--until", "2020-01-01T00:00:00"), NoBackup)
    assert new.restore("--until", "yesterday").exit_code == 2
    assert refused(new.restore("--pgdata", str(new.data / "pg")), OtherDatabase)
    other = "another key that is long enough to be one 31415"
    wrong = new.run("restore", "--from", str(old.backups), BACKUP_KEY=other)
    assert refused(wrong, WrongKey)
    assert isinstance(old.run("backup").exception, BadSettings)
    assert isinstance(old.run("backup", "--to", str(old.backups), BACKUP_KEY="").exception, BadSettings)
    assert isinstance(old.run("backup", "--to", str(old.backups), BACKUP_KEY="short").exception, BadSettings)
    follow = old.run("backup", "follow", "--to", str(old.backups))
    assert isinstance(follow.exception, BadSettings)
    assert new.restore("--name", name).exit_code == 0


def test_missing_keys_are_named(old: Machine, new: Machine) -> None:
    old.run("backup", "--to", str(old.backups), FIELD_KEYS="a-key-of-the-fields-of-then-0123456789")
    told = new.restore().output
    assert "Keys of then that are not set now" in told
    assert "kefu secrets check" in told


def test_an_interrupted_backup_leaves_nothing_that_looks_whole(old: Machine) -> None:
    def dies(what: str, *_: int) -> None:
        if what == "files":
            raise KeyboardInterrupt

    async def interrupted() -> None:
        settings = Settings(data_dir=old.data)
        db = Database(settings.database)
        try:
            take(old.place, await source_of(db, settings), 1, dies)
        finally:
            await db.close()

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(interrupted())
    assert old.place.names() == []
    (old.backups / ".20260101T000000000Z").mkdir()  # as kill -9 leaves it
    assert refused(old.run("backup", "verify", "--to", str(old.backups)), NoBackup)
    old.backup()
    assert len(old.place.names()) == 1
    assert [path.name for path in old.backups.glob(".2*")] == []


def test_two_at_once_into_one_folder_are_refused(old: Machine) -> None:
    old.backup()
    with (old.backups / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert refused(old.run("backup", "--to", str(old.backups)), AnotherRuns)


def test_contents_go_with_the_last_backup_that_lists_them(old: Machine) -> None:
    first = old.backup()
    shutil.rmtree(old.data / "files")
    asyncio.run(keep(old.data, png(9, 9)))
    moved = old.backups / "20200101T000000000Z"
    old.backup()
    assert len(list(old.backups.glob("contents/??/*"))) == 2
    (old.backups / first).rename(moved)
    shutil.rmtree(moved)
    old.backup()
    assert len(list(old.backups.glob("contents/??/*"))) == 1


async def behind(url: str) -> None:
    db = Database(url)
    async with db.write() as tx:
        await tx.execute(text("DROP TABLE backups"))
    await db.close()


def test_a_database_of_an_older_release_is_backed_up_before_it_is_migrated(old: Machine, database_url: str) -> None:
    asyncio.run(behind(database_url))
    result = old.run("backup", "--to", str(old.backups))
    assert result.exit_code == 0
    assert len(old.place.names()) == 1
