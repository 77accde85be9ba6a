"""Serves the script on the shops' pages, with the look of the shop in it: the page asks for nothing more."""

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import orjson
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from kefu.accounts.identity import anyone
from kefu.kit.db import Database
from kefu.kit.errors import Unavailable
from kefu.ops.web_apps import STATIC, NotBuilt
from kefu.shops.look import for_loader
from kefu.shops.service import ShopNotFound, all_shops, find_shop

LOADER = "sdk/fiido-kefu.js"
COMPATIBLE = "sdk/fiido-kefu-compat.js"
# In place of this text, in whatever quotes the build has put it, comes the look (`web/sdk/src/look.ts`).
MARK = re.compile(r"""(["'`])KEFU_LOOK\1""")

router = APIRouter(dependencies=[Depends(anyone)], include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Script:
    plain: bytes
    compressed: bytes
    etag: str


@router.get("/sdk/fiido-kefu.js")
@router.get("/sdk.js")
@router.get("/embed.js")
async def loader(request: Request, shop: str = "") -> Response:
    """The script on the shop's page; any site may load it."""
    return await _script(request, LOADER, shop)


@router.get("/sdk/fiido-kefu-compat.js")
@router.get("/packs/js/sdk.js")
async def compatible_loader(request: Request, shop: str = "") -> Response:
    """The same for pages that were written for another chat; the second path is where Chatwoot's snippet looks."""
    return await _script(request, COMPATIBLE, shop)


async def _script(request: Request, name: str, shop: str) -> Response:
    path = STATIC / name
    if not path.is_file():
        raise NotBuilt
    look = orjson.dumps(await _look(request.app.state.db, shop))
    script = _drawn(path, path.stat().st_mtime_ns, look)
    headers = {
        "Cache-Control": "public, max-age=300",
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Vary": "Accept-Encoding",
        "ETag": script.etag,
    }
    if request.headers.get("if-none-match") == script.etag:
        return Response(status_code=304, headers=headers)
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(script.plain, media_type="text/javascript", headers=headers)
    return Response(script.compressed, media_type="text/javascript", headers=headers | {"Content-Encoding": "gzip"})


async def _look(db: Database, shop: str) -> dict[str, str]:
    """That of the shop, or of the only one; a page gets its chat also while the database is away."""
    try:
        async with db.read() as tx:
            if not shop and len(await all_shops(tx)) > 1:
                return {}
            return for_loader(await find_shop(tx, shop or None))
    except (ShopNotFound, Unavailable):
        return {}


@lru_cache(maxsize=64)
def _drawn(path: Path, _changed: int, look: bytes) -> Script:
    plain = MARK.sub(lambda _: look.decode(), path.read_text("utf-8")).encode()
    return Script(plain, gzip.compress(plain, 6), f'"{hashlib.sha256(plain).hexdigest()[:32]}"')
