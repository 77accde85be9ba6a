"""A setting that cannot be is named at the start, with the remedy."""

from pathlib import Path

import pytest

from kefu.kit.config import REMEDIES, BadSettings, Settings, load_settings

ADDRESSES = (
    "redis://127.0.0.1:6379",
    "redis://:secret@redis:6379/0",
    "rediss://user:secret@redis.example:6380/3?ssl_cert_reqs=none",
    "unix:///run/redis.sock?db=1",
)
WRONG = {
    "REDIS_URL": ("127.0.0.1:6379", "http://redis:6379/0", "redis://", "redis://redis:6379/main"),
    "REDIS_MAX_CONNECTIONS": ("3", "1001", "many"),
    "PUBLIC_URL": ("desk.shop.example", "ftp://desk.shop.example", "https://desk.shop.example/workbench"),
    "METRICS_TOKEN": ("short", "fifteen letters"),
    "TRUSTED_PROXIES": ("proxy", "10.0.0.1/8", "0.0.0.0/0", "::/0", "*"),
    "OUTBOUND_ALLOW": ("hooks.shop.example", "0.0.0.0/0"),
    "HUMAN_SHIFT_START": ("9", "25:00"),
    "HUMAN_SHIFT_END": ("18", "00:00"),
    "TIMEZONE": ("Mars/Olympus", "UTC+8"),
    "WEEKENDS_DISABLED": ("maybe",),
    "HOLIDAYS": ("2026-12-25,2026-02-30", "Christmas"),
    "SMTP_PORT": ("0", "smtp"),
    "SMTP_CA_FILE": ("nowhere.pem",),
    "EMAIL_RECIPIENTS": ("desk@shop.example,lead",),
    "OIDC_ISSUER": ("http://login.example", "https://user@login.example", "login.example"),
    "OIDC_SCOPES": ("email profile",),
    "OIDC_DEFAULT_ROLE": ("super_admin", "An Agent"),
    "EMAIL_FROM": ("service", "a@shop.example\r\nBcc: b@shop.example"),
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_of_a_redis_is_taken(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("REDIS_URL", address)
    assert load_settings().redis_url == address


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_what_cannot_be_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings, match=rf"{name}: .*\n +→ \w+"):
        load_settings()


SECRET = "d41f8c0a6b7e93521f0c4d8e7a6b5392"
SAFE = {
    "KEFU_ENV": "production",
    "JWT_SECRET_KEY": SECRET,
    "JWT_SECRET_KEYS_OLD": "7a90c1e65b3f482d9e0876d5c4b3a291, 90b1c7d2e3f4a5b6c7d8e9f0a1b2c3d4",
    "SUPER_ADMIN_PASSWORD": "vier Pferde im Regen 9",
    "METRICS_TOKEN": "6f0d2c9be1a84753",
    "CORS_ORIGINS": "https://shop.example",
    "PUBLIC_URL": "https://desk.shop.example/",
}
UNSAFE = {
    "JWT_SECRET_KEY": ("", "d41f8c0a6b7e9352", "a" * 64, "secret-secret-secret-secret-secret", "changeme" * 8),
    "JWT_SECRET_KEYS_OLD": ("changeme", f"7a90c1e65b3f482d9e0876d5c4b3a291, {'secret-' * 6}"),
    "SUPER_ADMIN_PASSWORD": (
        "admin123",
        "short-pass1",
        "password12345",
        "aaaaaaaaaaa1",
        "Admin-2026-Kefu",
        "x9-admin-x9-y",
    ),
    "METRICS_TOKEN": ("0000000000000000", "secretsecretsecret", SECRET),
    "FIELD_KEYS": ("0123456789abcdef", f"{SECRET[::-1]},{'a' * 64}", SECRET),
    "CORS_ORIGINS": ("*", "https://shop.example,*", "https://*.example"),
    "PUBLIC_URL": ("http://desk.shop.example",),
    "RATE_LIMITS": ("off",),
    "LOG_LEVEL": ("debug",),
    "AI_SERVICE_PROVIDER": ("scripted",),
}


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in SAFE.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.usefixtures("production")
def test_production_starts_with_safe_settings() -> None:
    assert load_settings().public_url == "https://desk.shop.example"


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in UNSAFE.items() for value in values])
def test_production_refuses_what_is_unsafe_and_development_does_not(
    production: pytest.MonkeyPatch, name: str, value: str
) -> None:
    production.setenv(name, value)
    with pytest.raises(BadSettings) as refused:
        load_settings()
    (problem,) = refused.value.problems
    assert problem.name in {name, "JWT_SECRET_KEY"}
    assert problem.remedy.endswith((".", "32", "https://shop.example"))
    production.setenv("KEFU_ENV", "development")
    load_settings()


def test_a_secret_may_be_a_file_and_the_environment_wins(production: pytest.MonkeyPatch, tmp_path: Path) -> None:
    production.setenv("KEFU_SECRETS_DIR", str(tmp_path))
    production.delenv("JWT_SECRET_KEY")
    with pytest.raises(BadSettings, match="JWT_SECRET_KEY: is required"):
        load_settings()
    (tmp_path / "JWT_SECRET_KEY").write_text(f"{SECRET}\n")
    (tmp_path / "LOG_LEVEL").write_text("warning")
    (tmp_path / "of_somebody_else").write_text("nothing to us")
    production.setenv("LOG_LEVEL", "error")
    settings = load_settings()
    assert (settings.signing_key(), settings.log_level) == (SECRET, "error")

    (tmp_path / "DATABASE_URL").write_text("mysql://db/kefu")
    with pytest.raises(BadSettings, match=r"DATABASE_URL: .*\n +→ ") as refused:
        load_settings()
    assert SECRET not in str(refused.value)
    (tmp_path / "DATABASE_URL").write_bytes(b"\xff\xfe")
    with pytest.raises(BadSettings, match=r"KEFU_SECRETS_DIR: .*database_url.*\n +→ "):
        load_settings()


def test_all_that_is_unsafe_is_said_at_once_and_no_secret_of_it(production: pytest.MonkeyPatch) -> None:
    for name, values in UNSAFE.items():
        production.setenv(name, values[1] if len(values) > 1 else values[0])
    with pytest.raises(BadSettings) as refused:
        load_settings()
    assert {one.name for one in refused.value.problems} == set(UNSAFE)
    assert not [
        values for values in UNSAFE.values() for value in values[:2] if len(value) > 10 and value in str(refused)
    ]


def test_every_remedy_is_for_a_setting_that_there_is() -> None:
    assert set(REMEDIES) <= {str(field.validation_alias) for field in Settings.model_fields.values()}


def test_what_seals_is_the_first_field_key_and_the_keys_of_the_tokens_still_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JWT_SECRET_KEY", "signs")
    monkeypatch.setenv("JWT_SECRET_KEYS_OLD", "signed,first")
    assert load_settings().all_field_keys() == ["signs", "signed", "first"]
    monkeypatch.setenv("FIELD_KEYS", " second, first,")
    settings = load_settings()
    assert settings.all_field_keys() == ["second", "first", "signs", "signed", "first"]
    assert settings.names_of_field_keys() == [
        "FIELD_KEYS, number 1",
        "FIELD_KEYS, number 2",
        "JWT_SECRET_KEY",
        "JWT_SECRET_KEYS_OLD, number 1",
    ]
