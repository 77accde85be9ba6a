"""The settings of backups."""

from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

REMEDIES = {
    "BACKUP_TO": "Name a folder, better on another machine's disk, or leave it empty: nothing is backed up by itself.",
    "BACKUP_KEY": "Use the output of: openssl rand -hex 32",
    "BACKUP_KEY_FILE": "Name the file that holds the key of the backups.",
    "BACKUP_EVERY_MINUTES": "Use whole minutes from 1 to 10080, or leave it empty.",
    "BACKUP_KEEP_DAYS": "Use whole days from 1 to 3650.",
    "BACKUP_DATABASE_URL": "Use postgresql://role:password@host:5432/database with a role that may replicate.",
}
WITH_A_SERVER, EMBEDDED = 1440, 4


class BackupSettings(BaseSettings):
    """A part of `kit.config.Settings`."""

    backup_to: Path | None = Field(None, validation_alias="BACKUP_TO")
    backup_secret: SecretStr = Field(SecretStr(""), validation_alias="BACKUP_KEY")
    backup_key_file: Path | None = Field(None, validation_alias="BACKUP_KEY_FILE")
    backup_every: int | None = Field(None, validation_alias="BACKUP_EVERY_MINUTES", ge=1, le=10_080)
    backup_keep: int = Field(14, validation_alias="BACKUP_KEEP_DAYS", ge=1, le=3650)
    backup_database_url: SecretStr = Field(SecretStr(""), validation_alias="BACKUP_DATABASE_URL")

    @field_validator("backup_key_file")
    @classmethod
    def _key_there(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError("is not a file")
        return value

    @field_validator("backup_database_url", mode="before")
    @classmethod
    def _of_a_server(cls, value: Any) -> Any:
        if isinstance(value, str) and value and not value.startswith(("postgresql://", "postgres://")):
            raise ValueError("must begin with postgresql://")
        return value

    def backup_key(self) -> str:
        """What seals the backups: BACKUP_KEY, or what BACKUP_KEY_FILE holds; "" for none."""
        if self.backup_key_file is not None:
            return self.backup_key_file.read_text().strip()
        return self.backup_secret.get_secret_value()
