"""A setting that cannot be is named at the start, with the remedy."""

import pytest

from kefu.kit.config import BadSettings, load_settings

ADDRESSES = (
    "redis://127.0.0.1:6379",
    "redis://:secret@redis:6379/0",
    "rediss://user:secret@redis.example:6380/3?ssl_cert_reqs=none",
    "unix:///run/redis.sock?db=1",
)
WRONG = {
    "REDIS_URL": ("127.0.0.1:6379", "http://redis:6379/0", "redis://", "redis://redis:6379/main"),
    "REDIS_MAX_CONNECTIONS": ("3", "1001", "many"),
    "METRICS_TOKEN": ("short", "fifteen letters"),
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
