"""A shop's security over HTTP: for those who may change the shop."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from kefu.accounts.identity import AgentIdentity, allowed
from kefu.kit.clock import iso
from kefu.kit.web import Done
from kefu.shops import security
from kefu.shops.models import SHOP_ID, IdentityMode, Shop, ShopSecret
from kefu.shops.origins import Origin
from kefu.shops.service import find_shop

router = APIRouter(tags=["shops"])

Writer = Annotated[AgentIdentity, Depends(allowed("shops.write"))]
ShopInPath = Annotated[str, Path(pattern=SHOP_ID)]
SecretInPath = Annotated[str, Path(pattern=r"^[a-z0-9_]{1,40}$")]


class SecretOut(BaseModel):
    id: str
    created_at: str
    retired_at: str | None


class SecurityOut(BaseModel):
    """`origins` null: those of the settings, which are `default_origins`. `secrets`: the newest first."""

    shop: str
    identity_mode: IdentityMode
    identity_required: bool
    origins: list[str] | None
    default_origins: list[str]
    secrets: list[SecretOut]
    version: int


class SecurityData(Done):
    data: SecurityOut


class PutSecurity(BaseModel):
    """`identity_required`: with `enforce`, nobody opens a conversation without a proven identity.

    `version`: of what the writer saw.
    """

    model_config = ConfigDict(extra="ignore")

    identity_mode: IdentityMode
    identity_required: bool = False
    origins: Annotated[list[Origin], Field(max_length=50)] | None
    version: Annotated[int, Field(ge=0, le=2**31 - 1)]


class NewSecret(SecretOut):
    """`secret`: to be copied now; it is not shown again."""

    secret: str


class NewSecretData(Done):
    data: NewSecret


class SecretData(Done):
    data: SecretOut


@router.get("/api/shops/{shop_id}/security")
async def read_security(request: Request, shop_id: ShopInPath, _: Writer) -> SecurityData:
    """What the shop demands, and its secrets without their text."""
    async with request.app.state.db.read() as tx:
        shop = await find_shop(tx, shop_id)
        secrets = await security.secrets_of(tx, shop_id)
    return _security_data(request, shop, secrets)


@router.put("/api/shops/{shop_id}/security")
async def put_security(request: Request, shop_id: ShopInPath, body: PutSecurity, _: Writer) -> SecurityData:
    """In force at once here, and in other processes within two seconds."""
    state = request.app.state
    origins = None if body.origins is None else list(dict.fromkeys(body.origins))
    demands = security.Demands(body.identity_mode, body.identity_required, origins)
    async with state.db.write() as tx:
        shop = await security.put_security(
            tx, shop_id, demands, body.version, is_production=state.settings.is_production
        )
        secrets = await security.secrets_of(tx, shop_id)
    state.origins.forget()
    return _security_data(request, shop, secrets)


@router.post("/api/shops/{shop_id}/secrets", status_code=201)
async def create_secret(request: Request, shop_id: ShopInPath, _: Writer) -> NewSecretData:
    """A secret for the shop's server. The answer is the only place where it stands."""
    state = request.app.state
    async with state.db.write() as tx:
        secret, text = await security.create_secret(tx, shop_id, state.sealer)
    return NewSecretData(data=NewSecret(**_secret_out(secret).model_dump(), secret=text))


@router.delete("/api/shops/{shop_id}/secrets/{secret_id}")
async def retire_secret(request: Request, shop_id: ShopInPath, secret_id: SecretInPath, _: Writer) -> SecretData:
    """From now on what it signed is refused. Safe to repeat."""
    async with request.app.state.db.write() as tx:
        secret = await security.retire_secret(tx, shop_id, secret_id)
    return SecretData(data=_secret_out(secret))


def _security_data(request: Request, shop: Shop, secrets: list[ShopSecret]) -> SecurityData:
    found = SecurityOut(
        shop=shop.id,
        identity_mode=shop.identity_mode,
        identity_required=shop.identity_required,
        origins=shop.origins,
        default_origins=request.app.state.settings.cors_origins,
        secrets=[_secret_out(one) for one in secrets],
        version=shop.security_version,
    )
    return SecurityData(data=found)


def _secret_out(secret: ShopSecret) -> SecretOut:
    retired = secret.retired_at
    return SecretOut(id=secret.id, created_at=iso(secret.created_at), retired_at=iso(retired) if retired else None)
