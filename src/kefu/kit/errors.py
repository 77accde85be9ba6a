"""Everything that can go wrong for a caller.

    KefuError
    ├─ NotSignedIn   401   TOKEN_REQUIRED · TOKEN_INVALID · TOKEN_EXPIRED
    ├─ Forbidden     403
    ├─ NotFound      404
    ├─ Conflict      409
    ├─ TooLarge      413
    ├─ Invalid       422
    ├─ Locked        423   with Retry-After
    ├─ TooMany       429   with Retry-After
    └─ Unavailable   503   with Retry-After; StorageFailed 507

A feature subclasses one of these beside the code that raises it. A class carries a stable `code`, facts in `details`,
and a sentence for people in each language; the web layer (`kit.web`) turns it into a response once.
"""

from typing import Any, ClassVar

from kefu.kit.i18n import Locale, Text


class KefuError(Exception):
    """Base of every error a caller may see. `details` are facts for machines; texts may name them in braces."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "INTERNAL"
    text: ClassVar[Text] = {"en": "Something went wrong on our side.", "zh": "服务出现问题，请稍后再试。"}

    def __init__(self, **details: Any) -> None:
        super().__init__(self.code)
        self.details = details

    def message(self, locale: Locale) -> str:
        return self.text[locale].format_map(self.details)

    @property
    def headers(self) -> dict[str, str]:
        seconds = self.details.get("retry_after")
        return {} if seconds is None else {"Retry-After": str(seconds)}


class NotSignedIn(KefuError):
    status = 401
    code = "TOKEN_REQUIRED"
    text: ClassVar[Text] = {"en": "Please sign in first.", "zh": "请先登录。"}

    @property
    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": "Bearer"}


class TokenInvalid(NotSignedIn):
    code = "TOKEN_INVALID"
    text: ClassVar[Text] = {
        "en": "This sign-in is not valid. Please sign in again.",
        "zh": "登录凭证无效，请重新登录。",
    }


class TokenExpired(NotSignedIn):
    code = "TOKEN_EXPIRED"
    text: ClassVar[Text] = {"en": "This sign-in has expired. Please sign in again.", "zh": "登录已过期，请重新登录。"}


class Forbidden(KefuError):
    status = 403
    code = "FORBIDDEN"
    text: ClassVar[Text] = {"en": "You are not allowed to do this.", "zh": "您没有权限执行此操作。"}


class NotFound(KefuError):
    status = 404
    code = "NOT_FOUND"
    text: ClassVar[Text] = {"en": "There is nothing here.", "zh": "找不到所请求的内容。"}


class Conflict(KefuError):
    status = 409
    code = "CONFLICT"
    text: ClassVar[Text] = {"en": "This conflicts with what is already there.", "zh": "与当前状态冲突。"}


class TooLarge(KefuError):
    status = 413
    code = "TOO_LARGE"
    text: ClassVar[Text] = {"en": "The request is larger than {limit} bytes.", "zh": "请求超过 {limit} 字节。"}


class Invalid(KefuError):
    """`fields`: list of `{field, reason}`."""

    status = 422
    code = "VALIDATION_FAILED"
    text: ClassVar[Text] = {"en": "Some fields are not right.", "zh": "部分字段有误。"}


class Locked(KefuError):
    status = 423
    code = "LOCKED"
    text: ClassVar[Text] = {
        "en": "This is locked. Try again in {retry_after} s.",
        "zh": "已被锁定，请在 {retry_after} 秒后再试。",
    }


class TooMany(KefuError):
    status = 429
    code = "RATE_LIMITED"
    text: ClassVar[Text] = {
        "en": "Too many requests. Try again in {retry_after} s.",
        "zh": "请求过于频繁，请在 {retry_after} 秒后再试。",
    }


class Unavailable(KefuError):
    status = 503
    code = "UNAVAILABLE"
    text: ClassVar[Text] = {"en": "Not available right now. Try again soon.", "zh": "服务暂时不可用，请稍后再试。"}

    def __init__(self, **details: Any) -> None:
        super().__init__(**{"retry_after": 2, **details})


class Busy(Unavailable):
    """The database did not answer in time; nothing was written."""

    code = "DATABASE_BUSY"


class StorageFailed(Busy):
    """The disk of the database is full, or cannot be written; nothing was. Somebody has to make room."""

    status = 507
    code = "STORAGE_FAILED"
    text: ClassVar[Text] = {
        "en": "There is no room left on the server, so nothing was stored. Try again later.",
        "zh": "服务器存储空间不足或无法写入，内容未保存，请稍后再试。",
    }

    def __init__(self, **details: Any) -> None:
        super().__init__(**{"retry_after": 10, **details})
