"""A shop that is closed now, and a mail server with a certificate of its own authority."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fastapi import FastAPI
from sqlalchemy import update

from channels.post_office import PASSWORD, USERNAME, PostOffice, post_office
from kefu.kit.clock import now_ms
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.main import bulk_worker
from kefu.shops.models import Shop

CLOSED = {"timezone": "Asia/Shanghai", "week": [[]] * 7, "special": {}}


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PEM file with the key and the certificate, which signs itself, for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.shop.example")])
    now = datetime.fromtimestamp(now_ms() / 1000, UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = (
        builder.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    )
    builder = builder.add_extension(
        x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    signed = builder.sign(key, hashes.SHA256())
    file = tmp_path_factory.mktemp("mail") / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return file


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
