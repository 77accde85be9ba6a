"""A shop that is closed now, and a mail server with a certificate of its own authority."""

from collections.abc import AsyncIterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from fastapi import FastAPI
from sqlalchemy import update

from certificates import own_certificate
from channels.post_office import PASSWORD, USERNAME, PostOffice, post_office
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.shops.models import Shop
from kefu.workers import bulk_worker

CLOSED = {"timezone": "Asia/Shanghai", "week": [[]] * 7, "special": {}}


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For 127.0.0.1."""
    return own_certificate(tmp_path_factory.mktemp("mail") / "server.pem", x509.IPAddress(ip_address("127.0.0.1")))


@pytest.fixture
async def office(certificate: Path) -> AsyncIterator[PostOffice]:
    async with post_office(certificate) as office:
        yield office


@pytest.fixture
def settings(database_url: str, tmp_path: Path, office: PostOffice, certificate: Path) -> Settings:
    mail = {
        "smtp_host": "127.0.0.1",
        "smtp_port": office.port,
        "smtp_username": USERNAME,
        "smtp_password": PASSWORD,
        "smtp_ca_file": certificate,
        "email_recipients": ["desk@shop.example"],
        "email_from_name": "店铺客服",
        "public_url": "https://desk.shop.example",
    }
    return Settings.model_validate({"data_dir": tmp_path, "database_url": database_url, "rate_limits": "off"} | mail)


@pytest.fixture
async def closed(app: FastAPI, db: Database, settings: Settings) -> AsyncIterator[None]:
    """Nobody serves now. On PostgreSQL a worker like that of `kefu worker` sends the mail; on SQLite the app does."""
    assert app.state.settings is settings
    async with db.write() as tx:
        await tx.execute(update(Shop).values(hours=CLOSED))
    worker = None if db.is_sqlite else bulk_worker(db, settings)
    if worker:
        worker.start()
    yield
    if worker:
        await worker.stop()
