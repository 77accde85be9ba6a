"""Settings from the environment, checked at the start.

A wrong one stops the start with its name, the reason and the remedy.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from kefu.kit.addresses import is_address
from kefu.kit.clock import time_zones
from kefu.kit.model_settings import REMEDIES as MODEL_REMEDIES
from kefu.kit.model_settings import ModelSettings
from kefu.kit.secrets import kept_secret

TIME = r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"
REDIS_URL = re.compile(r"rediss?://[^\s/?]+(/\d*)?(\?\S*)?|unix://\S+")
PUBLIC_URL = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?")
# What everybody tries first, and what samples and manuals say.
KNOWN = re.compile(
    r"admin|agent|password|secret|change.?me|letmein|welcome|default|example|qwerty|abc123|12345|kefu", re.IGNORECASE
)
WEB_ADDRESS = re.compile(r"(https://[^\s/?#@]+|http://(127\.0\.0\.1|localhost)(:\d+)?)(/[^\s?#]*)?")


class Settings(ModelSettings):
    """Every setting. The name in the environment is `validation_alias`; `.env.example` lists them all."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", populate_by_name=True, case_sensitive=True, frozen=True
    )

    env: Literal["development", "production"] = Field("development", validation_alias="KEFU_ENV")
    data_dir: Path = Field(Path("data"), validation_alias="KEFU_DATA_DIR")
    database_url: str = Field("", validation_alias="DATABASE_URL")
    redis_url: str = Field("", validation_alias="REDIS_URL")
    redis_max_connections: int = Field(32, validation_alias="REDIS_MAX_CONNECTIONS", ge=4, le=1000)
    metrics_token: SecretStr = Field(SecretStr(""), validation_alias="METRICS_TOKEN")
    jwt_secret_key: SecretStr = Field(SecretStr(""), validation_alias="JWT_SECRET_KEY")
    jwt_secret_keys_old: SecretStr = Field(SecretStr(""), validation_alias="JWT_SECRET_KEYS_OLD")
    field_keys: SecretStr = Field(SecretStr(""), validation_alias="FIELD_KEYS")
    second_factor_roles: Annotated[list[str], NoDecode] = Field([], validation_alias="SECOND_FACTOR_ROLES")
    super_admin_username: str = Field("admin", validation_alias="SUPER_ADMIN_USERNAME", min_length=3, max_length=50)
    super_admin_password: SecretStr = Field(SecretStr(""), validation_alias="SUPER_ADMIN_PASSWORD")
    public_url: str = Field("", validation_alias="PUBLIC_URL")
    oidc_issuer: str = Field("", validation_alias="OIDC_ISSUER")
    oidc_client_id: str = Field("", validation_alias="OIDC_CLIENT_ID", validate_default=True)
    oidc_client_secret: SecretStr = Field(SecretStr(""), validation_alias="OIDC_CLIENT_SECRET")
    oidc_redirect_uri: str = Field("", validation_alias="OIDC_REDIRECT_URI", validate_default=True)
    oidc_scopes: str = Field("openid email profile", validation_alias="OIDC_SCOPES", pattern=r"^openid( [\w.:/-]+)*$")
    oidc_default_role: str = Field("", validation_alias="OIDC_DEFAULT_ROLE", pattern=r"^[a-z0-9_]{0,40}$")
    cors_origins: Annotated[list[str], NoDecode] = Field([], validation_alias="CORS_ORIGINS")
    session_expire_seconds: int = Field(86_400, validation_alias="SESSION_EXPIRE_SECONDS", ge=60, le=31_536_000)
    human_shift_start: str = Field("00:00", validation_alias="HUMAN_SHIFT_START", pattern=TIME)
    human_shift_end: str = Field("24:00", validation_alias="HUMAN_SHIFT_END", pattern=TIME)
    timezone: str = Field("Asia/Shanghai", validation_alias="TIMEZONE")
    weekends_disabled: bool = Field(default=False, validation_alias="WEEKENDS_DISABLED")
    holidays: Annotated[list[date], NoDecode] = Field([], validation_alias="HOLIDAYS")
    smtp_host: str = Field("", validation_alias="SMTP_HOST", max_length=253)
    smtp_port: int = Field(465, validation_alias="SMTP_PORT", ge=1, le=65535)
    smtp_username: str = Field("", validation_alias="SMTP_USERNAME")
    smtp_password: SecretStr = Field(SecretStr(""), validation_alias="SMTP_PASSWORD")
    smtp_use_tls: bool = Field(default=True, validation_alias="SMTP_USE_TLS")
    smtp_ca_file: Path | None = Field(None, validation_alias="SMTP_CA_FILE")
    email_recipients: Annotated[list[str], NoDecode] = Field([], validation_alias="EMAIL_RECIPIENTS")
    email_from: str = Field("", validation_alias="EMAIL_FROM")
    email_from_name: str = Field("Kefu", validation_alias="EMAIL_FROM_NAME", max_length=80)
    agent_auto_busy_seconds: int = Field(300, validation_alias="AGENT_AUTO_BUSY_SECONDS", ge=30, le=86_400)
    transfer_expire_seconds: int = Field(120, validation_alias="TRANSFER_EXPIRE_SECONDS", ge=1, le=3600)
    trusted_proxies: Annotated[list[str], NoDecode] = Field(
        ["127.0.0.1/32", "::1/128"], validation_alias="TRUSTED_PROXIES"
    )
    outbound_allow: Annotated[list[str], NoDecode] = Field([], validation_alias="OUTBOUND_ALLOW")
    rate_limits: Literal["on", "off"] = Field("on", validation_alias="RATE_LIMITS")
    upload_max_mb: int = Field(50, validation_alias="UPLOAD_MAX_MB", ge=1, le=50)
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", validation_alias="LOG_LEVEL")
    log_file: Path | None = Field(None, validation_alias="LOG_FILE")
    log_keep_days: int = Field(14, validation_alias="LOG_KEEP_DAYS", ge=1, le=3650)
    log_slow_query_ms: int = Field(500, validation_alias="LOG_SLOW_QUERY_MS", ge=1, le=600_000)

    @field_validator(
        "holidays", "email_recipients", "trusted_proxies", "outbound_allow", "second_factor_roles", mode="before"
    )
    @classmethod
    def _parted(cls, value: Any) -> Any:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("second_factor_roles")
    @classmethod
    def _role_names(cls, value: list[str]) -> list[str]:
        if not all(re.fullmatch(r"[a-z][a-z0-9_-]{0,39}", one) for one in value):
            raise ValueError("is not a list of roles")
        return value

    @field_validator("trusted_proxies", "outbound_allow")
    @classmethod
    def _networks(cls, value: list[str]) -> list[str]:
        """Raises ValueError, for the whole internet too: it is nobody's own."""
        networks = [ip_network(one) for one in value]
        if any(one.prefixlen == 0 for one in networks):
            raise ValueError("means everybody")
        return [str(one) for one in networks]

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in time_zones():
            raise ValueError("is not a time zone")
        return value

    @field_validator("human_shift_end")
    @classmethod
    def _some_hours(cls, value: str, info: ValidationInfo) -> str:
        if value == info.data.get("human_shift_start"):
            raise ValueError("is the same as HUMAN_SHIFT_START")
        return value

    @field_validator("smtp_ca_file")
    @classmethod
    def _readable(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError("is not a file")
        return value

    @field_validator("email_recipients", "email_from")
    @classmethod
    def _addresses(cls, value: Any) -> Any:
        given = value if isinstance(value, list) else [value] * bool(value)
        if not all(is_address(one) for one in given):
            raise ValueError("is not an e-mail address")
        return value

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return (
            [part.strip().rstrip("/") for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        )

    @field_validator("oidc_issuer", "oidc_redirect_uri")
    @classmethod
    def _over_tls(cls, value: str) -> str:
        if value and not WEB_ADDRESS.fullmatch(value):
            raise ValueError("must begin with https:// (or http://127.0.0.1 for a trial)")
        return value

    @field_validator("oidc_client_id", "oidc_redirect_uri")
    @classmethod
    def _with_the_issuer(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("oidc_issuer") and not value:
            raise ValueError("is needed when OIDC_ISSUER is set")
        return value

    @field_validator("oidc_default_role")
    @classmethod
    def _no_administrator(cls, value: str) -> str:
        if value == "super_admin":
            raise ValueError("would make everybody at the provider an administrator")
        return value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if value and not value.startswith(("sqlite:///", "postgresql://", "postgres://")):
            raise ValueError("must begin with sqlite:/// or postgresql://")
        return value

    @field_validator("public_url")
    @classmethod
    def _bare_address(cls, value: str) -> str:
        value = value.rstrip("/")
        if value and not PUBLIC_URL.fullmatch(value):
            raise ValueError("is not the address of a site")
        return value

    @field_validator("redis_url")
    @classmethod
    def _known_redis(cls, value: str) -> str:
        if value and not REDIS_URL.fullmatch(value):
            raise ValueError("is not the address of a Redis")
        return value

    @field_validator("metrics_token")
    @classmethod
    def _long_token(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < 16:
            raise ValueError("is too easy to guess")
        return value

    @property
    def is_production(self) -> bool:
        return self.env == "production"

    @property
    def database(self) -> str:
        """`sqlite:///…` or `postgresql://…`; the file in the data folder when DATABASE_URL is empty."""
        return self.database_url or f"sqlite:///{self.data_dir.absolute() / 'kefu.db'}"

    def signing_key(self) -> str:
        """The key of all tokens: JWT_SECRET_KEY, or one made once and kept in the data folder."""
        return self.jwt_secret_key.get_secret_value() or kept_secret(self.data_dir / "jwt_secret")

    def signing_keys(self) -> list[str]:
        """`signing_key`, which signs and seals, and the old ones that are still believed."""
        return [self.signing_key(), *self.old_signing_keys()]

    def old_signing_keys(self) -> list[str]:
        """Earlier values of the key, of JWT_SECRET_KEYS_OLD: what was signed with one of them is still known."""
        return _listed(self.jwt_secret_keys_old)

    def all_field_keys(self) -> list[str]:
        """What seals contact details and shops' secrets: the first. The others open what was sealed before.

        FIELD_KEYS, and behind them those of the tokens, which seal as long as FIELD_KEYS is empty.
        """
        return [*_listed(self.field_keys), *self.signing_keys()]

    def names_of_field_keys(self) -> list[str]:
        """What people call each of `all_field_keys`, of two that are the same the first."""
        names = {key: f"FIELD_KEYS, number {n}" for n, key in enumerate(_listed(self.field_keys), 1)}
        old = {key: f"JWT_SECRET_KEYS_OLD, number {n}" for n, key in enumerate(self.old_signing_keys(), 1)}
        names = old | {self.signing_key(): "JWT_SECRET_KEY"} | names
        return [names[key] for key in dict.fromkeys(self.all_field_keys())]


def _listed(secret: SecretStr) -> list[str]:
    return [key.strip() for key in secret.get_secret_value().split(",") if key.strip()]


@dataclass(frozen=True)
class Problem:
    name: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}\n    → {self.remedy}"


class BadSettings(Exception):
    """Raised by `load_settings`; `problems` says everything that is wrong, not only the first."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("Kefu cannot start with these settings:\n" + "\n".join(f"  {problem}" for problem in problems))


REMEDIES = {
    "KEFU_ENV": "Use development or production.",
    "DATABASE_URL": "Leave it empty for SQLite, or use postgresql://user:password@host:5432/database.",
    "PUBLIC_URL": "Use what people type to reach Kefu: https://desk.shop.example, or leave it empty.",
    **MODEL_REMEDIES,
    "REDIS_URL": "Leave it empty for one process, or use redis://:password@host:6379/0 (rediss:// with TLS).",
    "REDIS_MAX_CONNECTIONS": "Use a number from 4 to 1000; 32 serves a busy process.",
    "METRICS_TOKEN": "Use at least 16 random characters, or leave it empty for direct readers in the same network.",
    "TRUSTED_PROXIES": "List networks with commas between: 127.0.0.1/32,10.0.0.0/8.",
    "OUTBOUND_ALLOW": "List networks of your own with commas between: 10.1.2.0/24.",
    "RATE_LIMITS": "Use on or off.",
    "SESSION_EXPIRE_SECONDS": "Use whole seconds from 60 to 31536000; 86400 is a day.",
    "HUMAN_SHIFT_START": "Use a time of the day: 09:00.",
    "HUMAN_SHIFT_END": "Use a time of the day: 18:00; one before the start is on the next day, 24:00 is midnight.",
    "TIMEZONE": "Use a name of the IANA list: Asia/Shanghai, Europe/Berlin.",
    "WEEKENDS_DISABLED": "Use true or false.",
    "HOLIDAYS": "List days with commas between: 2026-12-25,2026-12-26.",
    "SMTP_PORT": "Use 465 (TLS from the beginning), or 587 (STARTTLS).",
    "SMTP_USE_TLS": "Use true, or false for a mail server in your own network that knows no TLS.",
    "SMTP_CA_FILE": "Name a PEM file with the certificate of your own authority, or leave it empty.",
    "EMAIL_RECIPIENTS": "List addresses with commas between: desk@shop.example,lead@shop.example.",
    "EMAIL_FROM": "Use one address: service@shop.example.",
    "AGENT_AUTO_BUSY_SECONDS": "Use whole seconds from 30 to 86400; 300 is five minutes.",
    "TRANSFER_EXPIRE_SECONDS": "Use whole seconds from 1 to 3600; 120 is two minutes.",
    "UPLOAD_MAX_MB": "Use whole MiB from 1 to 50; pictures and documents are never more than 10.",
    "JWT_SECRET_KEYS_OLD": "List earlier values of JWT_SECRET_KEY with commas between.",
    "SECOND_FACTOR_ROLES": "List roles with commas between: super_admin,supervisor.",
    "OIDC_ISSUER": "Use the address of your provider as its discovery document writes it, or leave it empty.",
    "OIDC_CLIENT_ID": "Use what your provider calls this application.",
    "OIDC_REDIRECT_URI": "Use the address of your workbench's login: https://desk.shop.example/workbench/login.",
    "OIDC_SCOPES": "Use openid email profile, or more with spaces between.",
    "OIDC_DEFAULT_ROLE": "Use agent or another role for whoever signs in at the provider, or leave it empty.",
    "LOG_LEVEL": "Use debug, info, warning or error.",
    "LOG_KEEP_DAYS": "Use whole days from 1 to 3650.",
    "LOG_SLOW_QUERY_MS": "Use whole milliseconds from 1 to 600000.",
}


def load_settings() -> Settings:
    """Read and check the environment (and a `.env` file beside it). Raises BadSettings."""
    try:
        settings = Settings()
    except ValidationError as error:
        raise BadSettings([_problem(one["loc"], one["msg"]) for one in error.errors()]) from None
    problems = [*_incomplete(settings), *unsafe(settings)]
    if problems:
        raise BadSettings(problems)
    return settings


def _problem(loc: tuple[int | str, ...], reason: str) -> Problem:
    name = str(loc[0]) if loc else "settings"
    return Problem(name, reason, REMEDIES.get(name, "See .env.example for what it may be."))


def _incomplete(settings: Settings) -> Iterator[Problem]:
    for name in settings.lacking():
        yield Problem(name, f"is needed with {settings.ai_provider}", REMEDIES[name])
    if settings.ai_embedding_model and settings.ai_provider not in {"openai", "azure", "custom"}:
        yield Problem("AI_EMBEDDING_MODEL", f"is not for {settings.ai_provider}", REMEDIES["AI_EMBEDDING_MODEL"])
    if "AI_PROVIDER" in os.environ:
        yield Problem("AI_PROVIDER", "has another name now", "Write AI_SERVICE_PROVIDER.")


def unsafe(settings: Settings) -> list[Problem]:
    """What must not go into production, each with its remedy; nothing in development."""
    if not settings.is_production:
        return []
    return [Problem(*one) for one in (*_weak_secrets(settings), *_weak_field_keys(settings), *_open_doors(settings))]


def _weak_secrets(settings: Settings) -> Iterator[tuple[str, str, str]]:
    secret = settings.jwt_secret_key.get_secret_value()
    if not secret:
        yield "JWT_SECRET_KEY", "is required in production", "Set it to the output of: openssl rand -hex 32"
    elif _is_weak_key(secret):
        yield "JWT_SECRET_KEY", "is too easy to guess", "Use at least 32 random characters: openssl rand -hex 32"
    if any(_is_weak_key(old) for old in settings.old_signing_keys()):
        yield "JWT_SECRET_KEYS_OLD", "has one that is too easy to guess", "Remove it: who guesses it signs tokens."
    password = settings.super_admin_password.get_secret_value()
    if 0 < len(password) < 12:
        yield "SUPER_ADMIN_PASSWORD", "is shorter than 12 characters", "Use a long random one, or leave it empty."
    elif password and (_is_guessable(password) or settings.super_admin_username.lower() in password.lower()):
        yield "SUPER_ADMIN_PASSWORD", "is too easy to guess", "Use a long random one, or leave it empty."
    metrics = settings.metrics_token.get_secret_value()
    if metrics and _is_guessable(metrics):
        yield "METRICS_TOKEN", "is too easy to guess", "Use random characters, or leave it empty."
    if secret and secret in {password, metrics}:
        yield "JWT_SECRET_KEY", "is used elsewhere too", "Use it for nothing else."


def _weak_field_keys(settings: Settings) -> Iterator[tuple[str, str, str]]:
    for number, key in enumerate(_listed(settings.field_keys), 1):
        if _is_weak_key(key):
            yield "FIELD_KEYS", f"number {number} is too easy to guess", "Use the output of: openssl rand -hex 32"
        elif key == settings.jwt_secret_key.get_secret_value():
            yield "FIELD_KEYS", f"number {number} is JWT_SECRET_KEY", "Use one for nothing else, or leave it empty."


def _open_doors(settings: Settings) -> Iterator[tuple[str, str, str]]:
    if settings.rate_limits == "off":
        yield "RATE_LIMITS", "off is refused in production", "Remove it, or set it to on."
    if any("*" in origin for origin in settings.cors_origins):
        yield "CORS_ORIGINS", "* lets any site act for your visitors", "List your shop's origins: https://shop.example"
    if settings.public_url.startswith("http:"):
        yield "PUBLIC_URL", "without TLS everybody on the way reads along", "Use the https:// address."
    if settings.log_level == "debug":
        yield "LOG_LEVEL", "debug may write what people say", "Use info."
    if settings.ai_provider == "scripted":
        yield "AI_SERVICE_PROVIDER", "scripted answers nothing; it is for tests", "Use builtin."


def _is_weak_key(key: str) -> bool:
    return len(key) < 32 or _is_guessable(key)


def _is_guessable(secret: str) -> bool:
    """Few different characters, or mostly words that everybody knows."""
    return len(set(secret)) < 8 or len(KNOWN.sub("", secret)) < len(secret) / 2
