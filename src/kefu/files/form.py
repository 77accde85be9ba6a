"""A file that comes as the one part, `file`, of a form."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect

from kefu.files.store import FileTooLarge, NotStored
from kefu.kit.errors import Invalid, TooLarge
from kefu.kit.web import caller_locale, field_reasons

# What OpenAPI says of it.
FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "contentMediaType": "application/octet-stream"}},
                }
            }
        },
    }
}


@asynccontextmanager
async def one_file(request: Request, most_mb: int) -> AsyncIterator[UploadFile]:
    """The file, on the disk from its second mebibyte on, in a file without a name that ends with us.

    Raises FileTooLarge as soon as more has come, Invalid for what is no such form, NotStored.
    """
    try:
        form = await request.form(max_files=1, max_fields=0)
    except TooLarge:
        raise FileTooLarge(limit_mb=most_mb) from None
    except OSError as error:  # there is no room to receive it
        raise NotStored from error
    except ClientDisconnect:  # so nobody hears it
        raise Invalid(fields=[]) from None
    try:
        given = form.get("file")
        if not isinstance(given, UploadFile):
            raise Invalid(fields=field_reasons([{"type": "missing", "loc": ["file"]}], caller_locale(request)))
        yield given
    finally:
        await form.close()
