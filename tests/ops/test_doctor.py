"""`kefu doctor` finds what was really broken, and says so in both languages."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from string import Formatter

import pytest
from cryptography.x509 import DNSName
from sqlalchemy import text
from typer.testing import CliRunner

from certificates import own_certificate
from kefu.backups import postgres
from kefu.cli import cli
from kefu.histories import pdf
from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.ops import health
from kefu.ops.ailments import WORDS
from kefu.ops.migrate import newest_migration
from kefu.shops.service import first_shop

KEY = "8f0c2a61d97e4b35a1c6e08d52f7b94310aa5c7d2e9f4b68"
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Clinic:
    def __init__(self, url: str, data: Path) -> None:
        self.url, self.data = url, data
        self.settings = {"DATABASE_URL": url, "KEFU_DATA_DIR": str(data), "LANG": "C.UTF-8", "LC_ALL": ""}

    def visit(self, *words: str, **settings: str) -> tuple[int, str]:
        result = CliRunner().invoke(cli, ["doctor", *words], env=self.settings | settings)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.output

    def does(self, *statements: str) -> None:
        async def run() -> None:
            db = Database(self.url)
            async with db.write() as tx:
                for statement in statements:
                    await tx.execute(text(statement))
            await db.close()

        asyncio.run(run())

    def finds(self, wrong: str, *remedy: str, **settings: str) -> None:
        code, told = self.visit(**settings)
        assert code == 1, told
        assert wrong in told
        assert all(one in told for one in remedy), told


@pytest.fixture
def clinic(database_url: str, tmp_path: Path) -> Clinic:
    return Clinic(database_url, tmp_path)


@contextmanager
def nobody_listens() -> Iterator[int]:
    """A port that takes no connection."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_a_healthy_installation_is_told_so_with_advice(clinic: Clinic) -> None:
    code, told = clinic.visit()
    assert (code, told.splitlines()[-1]) == (0, "Nothing is wrong that could be seen from here.")
    assert "· Nothing was ever backed up.\n    → Set BACKUP_TO and BACKUP_KEY" in told
    assert "未发现问题。" in clinic.visit(LANG="zh_CN.UTF-8")[1]
    assert "从未备份过" in clinic.visit("--lang", "zh")[1]


def test_a_database_of_another_release(clinic: Clinic) -> None:
    try:
        clinic.does("UPDATE alembic_version SET version_num = '0030'")
        clinic.finds("schema 0030; this release needs", "Back up, then run: kefu migrate")
        clinic.does("UPDATE alembic_version SET version_num = '9999'")
        clinic.finds("schema 9999, of a newer release", "Go on with the newer release")
    finally:  # which no emptying of this worker's database does
        clinic.does(f"UPDATE alembic_version SET version_num = '{newest_migration()}'")  # noqa: S608 - ours


LATE = "INSERT INTO jobs (lane, kind, payload, run_at, created_at) VALUES ('bulk', 'x', '{}', 1, 1)"
DEAD = "INSERT INTO jobs (lane, kind, payload, run_at, created_at, is_dead) VALUES ('talk', 'x', '{}', 1, 1, true)"
BACKUP = "INSERT INTO backups (part, name, at, seconds, bytes) VALUES ('database', 'x', {at}, 1, 1)"
EVENT = """
INSERT INTO events (stream, seq, type, audience, actor, payload, at)
VALUES ('session/s', 1, 'x', 'public', '{{}}', '{{}}', {at})
"""


def test_clocks_and_work_that_nobody_does(clinic: Clinic) -> None:
    hour = 3_600_000
    clinic.does(LATE, DEAD, EVENT.format(at=now_ms() + hour), BACKUP.format(at=now_ms() - 240 * hour))
    _, told = clinic.visit()
    for wrong, remedy in {
        "Work of the lane bulk is due": "start kefu worker",
        "1 jobs were given up": "kefu jobs dead",
        "The newest event is of 3": "NTP",
        "The last backup is 240 hours old": "kefu backup --to DIR",
    }.items():
        assert wrong in told
        assert remedy in told


def test_a_database_that_is_not_there(clinic: Clinic, tmp_path: Path) -> None:
    with nobody_listens() as port:
        url = f"postgresql://kefu:hidden-word@127.0.0.1:{port}/kefu"
        clinic.finds("The database does not answer", "DATABASE_URL", DATABASE_URL=url)
        assert "hidden-word" not in clinic.visit(DATABASE_URL=url)[1]
    clinic.finds("The database is empty", "kefu migrate", DATABASE_URL=f"sqlite:///{tmp_path / 'none/kefu.db'}")


@ON_SQLITE
def test_what_it_stands_on_is_away(clinic: Clinic) -> None:
    with nobody_listens() as port:
        clinic.finds("Redis does not answer", "REDIS_URL", REDIS_URL=f"redis://127.0.0.1:{port}/0")
        mail = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(port)}
        clinic.finds(f"The mail server 127.0.0.1:{port}", "SMTP_PORT", EMAIL_FROM="a@shop.example", **mail)
        clinic.finds("nobody mail could come from", "EMAIL_FROM", **mail)

        async def open_shop() -> None:
            db = Database(clinic.url)
            async with db.write() as tx:
                await first_shop(tx)
            await db.close()

        asyncio.run(open_shop())
        model = {"AI_SERVICE_PROVIDER": "custom", "AI_MODEL": "m", "OUTBOUND_ALLOW": "127.0.0.0/8"}
        clinic.finds(
            "The model of the shop default (custom m): Nobody takes the connection there",
            "builtin bot answers",
            AI_SERVICE_URL=f"http://127.0.0.1:{port}/v1",
            **model,
        )


@ON_SQLITE
def test_bad_settings_and_folders(clinic: Clinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clinic.finds("HUMAN_SHIFT_END", "Use a time of the day", HUMAN_SHIFT_END="noon")
    file = tmp_path / "file"
    file.write_text("")
    backup = {"BACKUP_KEY": KEY, "BACKUP_TO": str(file)}
    clinic.finds("so nothing is backed up", "Is its disk mounted?", **backup)
    clinic.finds(f"{file}/data cannot be written", "KEFU_DATA_DIR", DATABASE_URL="", KEFU_DATA_DIR=f"{file}/data")
    monkeypatch.setattr(health, "LEAST_BYTES", 1 << 62)  # as if there were so little room on this disk
    clinic.finds("GB are free where", "Make room")


def test_what_is_not_installed_and_what_ends(clinic: Clinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_certificate(tmp_path / "own.pem", DNSName("mail.shop.example"))
    for setting in ("SMTP_CA_FILE", "TLS_CERTIFICATE_FILE"):
        clinic.finds("own.pem ends on", setting, **{setting: str(tmp_path / "own.pem")})
    clinic.finds("no certificate that can be read", "correct", TLS_CERTIFICATE_FILE=str(tmp_path / "gone.pem"))
    monkeypatch.setattr(pdf, "FAMILIES", ())
    assert "There is no font for PDF files" in clinic.visit()[1]
    monkeypatch.setattr(postgres, "DEBIAN", tmp_path)
    backup = {"BACKUP_KEY": KEY, "BACKUP_TO": str(tmp_path / "backups"), "PATH": str(tmp_path)}
    told = clinic.visit(**backup)[1]
    assert ("pg_basebackup is not installed" in told) is clinic.url.startswith("postgresql")


def test_every_ailment_is_told_in_both_languages_with_the_same_facts() -> None:
    for wrong, remedy in WORDS.values():
        for words in (wrong, remedy):
            facts = [{name for _, name, _, _ in Formatter().parse(words[locale]) if name} for locale in ("en", "zh")]
            assert facts[0] == facts[1]
            assert words["en"] != words["zh"]
