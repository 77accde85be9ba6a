"""Identifiers: random, URL-safe, with a prefix that says what they name."""

import secrets
from typing import NewType

SessionName = NewType("SessionName", str)
AgentId = NewType("AgentId", str)
ShopId = NewType("ShopId", str)
ArticleId = NewType("ArticleId", str)


def new_id(prefix: str) -> str:
    """`prefix_` and 20 hexadecimal digits (80 random bits)."""
    return f"{prefix}_{secrets.token_hex(10)}"
