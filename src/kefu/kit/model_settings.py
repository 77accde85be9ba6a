"""The settings of the model that answers for shops which have chosen none of their own."""

from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

WEB = r"^(https?://[^\s]{1,400})?$"
ID = r"^[\x21-\x7e]{0,200}$"
# What each provider needs.
NEEDS: dict[str, tuple[str, ...]] = {
    "openai": ("AI_SERVICE_API_KEY", "AI_MODEL"),
    "azure": ("AI_SERVICE_URL", "AI_SERVICE_API_KEY", "AI_DEPLOYMENT_NAME"),
    "custom": ("AI_SERVICE_URL", "AI_MODEL"),
    "coze": ("COZE_APP_ID", "COZE_WORKFLOW_ID", "COZE_OAUTH_CLIENT_ID", "COZE_OAUTH_PUBLIC_KEY_ID"),
}
REMEDIES = {
    "AI_SERVICE_PROVIDER": "Use builtin (answers from the knowledge, needs no key), openai, azure, custom or coze.",
    "AI_SERVICE_URL": "Use the address up to the version: https://api.deepseek.com/v1.",
    "AI_SERVICE_API_KEY": "Use a key of this provider.",
    "AI_MODEL": "Use the provider's name of a model: gpt-4o-mini, deepseek-chat.",
    "AI_EMBEDDING_MODEL": "Use openai, azure or custom with it, or leave it empty: the search goes by words then.",
    "AI_DEPLOYMENT_NAME": "Use the name of the deployment at Azure.",
    "AI_PRICES": 'Use US dollars for a million tokens in and out: {"my-model": [0.5, 1.5]}.',
    "COZE_API_BASE": "Use https://api.coze.com or https://api.coze.cn.",
    "COZE_APP_ID": "Use the id of the application at Coze.",
    "COZE_WORKFLOW_ID": "Use the id of the chat workflow at Coze.",
    "COZE_OAUTH_CLIENT_ID": "Use the client id of the OAuth app (JWT) at Coze.",
    "COZE_OAUTH_PUBLIC_KEY_ID": "Use the fingerprint that Coze shows beside the public key.",
    "COZE_OAUTH_PRIVATE_KEY": "Use the private key (PEM) of the OAuth app, or COZE_OAUTH_PRIVATE_KEY_FILE.",
    "COZE_OAUTH_PRIVATE_KEY_FILE": "Name the PEM file with the private key of the OAuth app.",
    "HTTP_TIMEOUT_CONNECT": "Use seconds from 0.1 to 60.",
    "HTTP_TIMEOUT_READ": "Use seconds from 0.1 to 300.",
}


class ModelSettings(BaseSettings):
    """A part of `kit.config.Settings`."""

    ai_provider: Literal["builtin", "scripted", "openai", "azure", "custom", "coze"] = Field(
        "builtin", validation_alias="AI_SERVICE_PROVIDER"
    )
    ai_url: str = Field("", validation_alias="AI_SERVICE_URL", pattern=WEB)
    ai_key: SecretStr = Field(SecretStr(""), validation_alias="AI_SERVICE_API_KEY")
    ai_model: str = Field("", validation_alias="AI_MODEL", pattern=ID)
    ai_cheaper_model: str = Field("", validation_alias="AI_CHEAPER_MODEL", pattern=ID)
    ai_embedding_model: str = Field("", validation_alias="AI_EMBEDDING_MODEL", pattern=ID)
    ai_deployment: str = Field("", validation_alias="AI_DEPLOYMENT_NAME", pattern=ID)
    ai_api_version: str = Field("2024-10-21", validation_alias="AI_API_VERSION", pattern=ID)
    ai_prices: str = Field("", validation_alias="AI_PRICES")
    coze_url: str = Field("https://api.coze.com", validation_alias="COZE_API_BASE", pattern=WEB)
    coze_app_id: str = Field("", validation_alias="COZE_APP_ID", pattern=ID)
    coze_workflow_id: str = Field("", validation_alias="COZE_WORKFLOW_ID", pattern=ID)
    coze_client_id: str = Field("", validation_alias="COZE_OAUTH_CLIENT_ID", pattern=ID)
    coze_public_key_id: str = Field("", validation_alias="COZE_OAUTH_PUBLIC_KEY_ID", pattern=ID)
    coze_private_key: SecretStr = Field(SecretStr(""), validation_alias="COZE_OAUTH_PRIVATE_KEY")
    coze_private_key_file: Path | None = Field(None, validation_alias="COZE_OAUTH_PRIVATE_KEY_FILE")
    http_timeout_connect: float = Field(5.0, validation_alias="HTTP_TIMEOUT_CONNECT", ge=0.1, le=60)
    http_timeout_read: float = Field(20.0, validation_alias="HTTP_TIMEOUT_READ", ge=0.1, le=300)

    @field_validator("coze_private_key_file")
    @classmethod
    def _is_there(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError("is not a file")
        return value

    @field_validator("ai_prices")
    @classmethod
    def _are_prices(cls, value: str) -> str:
        prices(value)
        return value

    def coze_key(self) -> str:
        """The private key of the OAuth app, PEM."""
        if self.coze_private_key_file is not None:
            return self.coze_private_key_file.read_text(encoding="ascii")
        return self.coze_private_key.get_secret_value().replace("\\n", "\n")

    def lacking(self) -> list[str]:
        """The settings that the provider needs and that are empty."""
        by_name = {str(field.validation_alias): name for name, field in type(self).model_fields.items()}
        empty = [name for name in NEEDS.get(self.ai_provider, ()) if not _text(getattr(self, by_name[name]))]
        if self.ai_provider == "coze" and not self.coze_key():
            empty.append("COZE_OAUTH_PRIVATE_KEY")
        return empty


def _text(value: Any) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def prices(text: str) -> dict[str, tuple[float, float]]:
    """`{model: (in, out)}`, in US dollars for a million tokens. Raises ValueError."""
    found = orjson.loads(text) if text else {}
    if not isinstance(found, dict) or not all(_is_price(price) for price in found.values()):
        raise ValueError("is not a list of prices")
    return {model: (float(price[0]), float(price[1])) for model, price in found.items()}


def _is_price(price: Any) -> bool:
    return (
        isinstance(price, list)
        and len(price) == 2
        and all(isinstance(one, int | float) and 0 <= one < 10_000 for one in price)
    )
