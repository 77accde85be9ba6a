"""What an e-mail address may look like: ASCII, one @, a domain with a dot. Nothing that could begin another header."""

import re
from typing import Annotated

from pydantic import StringConstraints

EMAIL = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$"
EmailAddress = Annotated[str, StringConstraints(pattern=EMAIL, max_length=254, strip_whitespace=True)]


def is_address(text: str) -> bool:
    return len(text) <= 254 and re.fullmatch(EMAIL, text) is not None and not text.endswith("\n")
