"""A code beside the password: by an authenticator app (TOTP, RFC 6238), or one of ten recovery codes, each for one use.

Who calls holds the agent's row, so that of two who use a code at once one is late.
"""

import hashlib
import json
import secrets
from collections.abc import Collection
from io import BytesIO
from typing import ClassVar

import pyotp
import segno
from pyotp.exceptions import OTPVerificationError
from sqlalchemy import ColumnElement, exists
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.audit import audit
from kefu.accounts.models import Agent, SecondFactor
from kefu.accounts.passwords import ALPHABET
from kefu.kit.clock import now_ms
from kefu.kit.errors import Conflict, Forbidden, NotSignedIn
from kefu.kit.i18n import Text
from kefu.kit.secrets import Sealer, Unreadable

ISSUER = "Kefu"
RECOVERY_CODES = 10
# Clocks of phones are a little wrong: the code of the step before and of the one after are taken too.
STEPS_ASIDE = 1


class SecondFactorRequired(NotSignedIn):
    """`ticket`: for `POST /api/agent/login/second-factor`, and for nothing else."""

    code = "SECOND_FACTOR_REQUIRED"
    text: ClassVar[Text] = {
        "en": "Enter the code of your authenticator app.",
        "zh": "请输入身份验证器中的验证码。",
    }


class CodeWrong(Forbidden):
    code = "SECOND_FACTOR_WRONG"
    text: ClassVar[Text] = {"en": "The code is wrong, or was used before.", "zh": "验证码错误，或已被使用。"}


class AlreadyOn(Conflict):
    code = "SECOND_FACTOR_ON"
    text: ClassVar[Text] = {"en": "The second step is on already.", "zh": "两步验证已开启。"}


class NotOn(Conflict):
    code = "SECOND_FACTOR_OFF"
    text: ClassVar[Text] = {"en": "The second step is not set up.", "zh": "尚未设置两步验证。"}


class FactorUnreadable(Conflict):
    """It was sealed with a key that is not among ours any more: whoever administers resets it."""

    code = "SECOND_FACTOR_UNREADABLE"
    text: ClassVar[Text] = {
        "en": "The second step cannot be checked any more. Please ask an administrator to reset it.",
        "zh": "两步验证已无法校验，请联系管理员重置。",
    }


class Compulsory(Forbidden):
    code = "SECOND_FACTOR_COMPULSORY"
    text: ClassVar[Text] = {"en": "Your role needs the second step.", "zh": "您的角色必须使用两步验证。"}


def is_on() -> ColumnElement[bool]:
    """The condition that an agent has a second factor."""
    return exists().where(SecondFactor.agent_id == Agent.id, SecondFactor.confirmed_at.is_not(None))


async def of(tx: AsyncSession, agent_id: str) -> SecondFactor | None:
    """None also while it is only being set up."""
    factor = await tx.get(SecondFactor, agent_id)
    return factor if factor and factor.confirmed_at else None


async def lacks(tx: AsyncSession, agent: Agent, roles: Collection[str]) -> bool:
    """Whether the agent must set it up before anything else. `roles`: those that need it."""
    return agent.role in roles and await of(tx, agent.id) is None


def uri(secret: str, username: str) -> str:
    """What the QR code says to an authenticator app."""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=ISSUER)


def qr(secret: str, username: str) -> str:
    """As an SVG image."""
    image = BytesIO()
    segno.make(uri(secret, username), error="m").save(image, kind="svg", scale=5, border=4, light="#fff")
    return image.getvalue().decode()


async def begin(tx: AsyncSession, sealer: Sealer, agent_id: str) -> str:
    """The secret for an authenticator app; the last one made is the one that may be confirmed. Raises AlreadyOn."""
    if await of(tx, agent_id):
        raise AlreadyOn
    secret = pyotp.random_base32()
    sealed = SecondFactor(agent_id=agent_id, secret=sealer.seal(secret), last_step=0, recovery=sealer.seal("[]"))
    await tx.merge(sealed)
    audit(tx, "agent.second_factor_begun", ("agent", agent_id))
    return secret


async def confirm(tx: AsyncSession, sealer: Sealer, agent_id: str, code: str) -> list[str] | CodeWrong:
    """From now on a code is asked for. The recovery codes, to be shown once. Raises AlreadyOn or NotOn."""
    factor = await tx.get(SecondFactor, agent_id)
    if factor is None:
        raise NotOn
    if factor.confirmed_at:
        raise AlreadyOn
    if not _takes_step(sealer, factor, code):
        audit(tx, "agent.second_factor_refused", ("agent", agent_id), after={"code": CodeWrong.code})
        return CodeWrong()
    factor.confirmed_at = now_ms()
    audit(tx, "agent.second_factor_on", ("agent", agent_id))
    return _new_recovery(sealer, factor)


async def turn_off(tx: AsyncSession, factor: SecondFactor) -> None:
    await tx.delete(factor)
    audit(tx, "agent.second_factor_off", ("agent", factor.agent_id))


def renew_recovery(tx: AsyncSession, sealer: Sealer, factor: SecondFactor) -> list[str]:
    """Ten new ones, to be shown once; earlier ones are good no more."""
    audit(tx, "agent.recovery_codes_renewed", ("agent", factor.agent_id))
    return _new_recovery(sealer, factor)


def _new_recovery(sealer: Sealer, factor: SecondFactor) -> list[str]:
    made = ["".join(secrets.choice(ALPHABET) for _ in range(12)) for _ in range(RECOVERY_CODES)]
    _keep(sealer, factor, [_hashed(one) for one in made])
    return ["-".join((one[:4], one[4:8], one[8:])) for one in made]


def takes(sealer: Sealer, factor: SecondFactor, code: str) -> bool:
    """Whether the code is right; it is used up then. Raises FactorUnreadable."""
    return _takes_step(sealer, factor, code) or _takes_recovery(sealer, factor, code)


def _takes_step(sealer: Sealer, factor: SecondFactor, code: str) -> bool:
    totp = pyotp.TOTP(_opened(sealer, factor.secret))
    try:
        step = totp.verify_and_get_timecode(code.replace(" ", ""), for_time=now_ms() / 1000, valid_window=STEPS_ASIDE)
    except OTPVerificationError:
        return False
    if step <= factor.last_step:
        return False
    factor.last_step = step
    return True


def _takes_recovery(sealer: Sealer, factor: SecondFactor, code: str) -> bool:
    left = _left(sealer, factor)
    hashed = _hashed(code)
    if hashed not in left:
        return False
    _keep(sealer, factor, [one for one in left if one != hashed])
    return True


def recovery_left(sealer: Sealer, factor: SecondFactor) -> int:
    return len(_left(sealer, factor))


def _opened(sealer: Sealer, sealed: str) -> str:
    try:
        return sealer.open(sealed)
    except Unreadable:
        raise FactorUnreadable from None


def _left(sealer: Sealer, factor: SecondFactor) -> list[str]:
    left: list[str] = json.loads(_opened(sealer, factor.recovery))
    return left


def _keep(sealer: Sealer, factor: SecondFactor, hashes: list[str]) -> None:
    factor.recovery = sealer.seal(json.dumps(hashes))


def _hashed(code: str) -> str:
    letters = "".join(one for one in code.casefold() if one.isalnum())
    return hashlib.sha256(letters.encode()).hexdigest()
