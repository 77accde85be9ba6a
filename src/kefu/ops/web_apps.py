"""Serves the built front-ends: the workbench, the widget's page, the loader, the demo shop."""

import asyncio
import gzip
import json
import secrets
from functools import lru_cache
from pathlib import Path
from typing import Annotated, ClassVar

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.datastructures import Headers
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from kefu.accounts.identity import anyone
from kefu.kit.config import Settings
from kefu.kit.errors import Unavailable
from kefu.kit.i18n import Text
from kefu.shops.invitations import invitations_of
from kefu.shops.models import SHOP_ID
from kefu.shops.service import find_shop

STATIC = Path(__file__).parent.parent / "static"
YEAR = "public, max-age=31536000, immutable"
FRESH = "no-cache"
INVITING = "sdk/invite.js"
JAVASCRIPT = "text/javascript"
TEXT_FILES = (".js", ".css", ".svg", ".html", ".json")
LOCAL_PARENTS = ("http://localhost:*", "http://127.0.0.1:*")
# What the build writes where each answer puts a nonce of its own (`cspNonce` in the apps' vite.config.ts).
NONCE = "KEFU_NONCE"
# Only the scripts that the page names run, and what these import. Styles come from our files; `style` attributes that
# scripts set are not the policy's business.
OWN = (
    "default-src 'self'; script-src 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
    "img-src 'self' data: blob: https:; object-src 'none'; base-uri 'none'; form-action 'self'"
)

router = APIRouter(dependencies=[Depends(anyone)], include_in_schema=False)


class NotBuilt(Unavailable):
    code = "WEB_APP_NOT_BUILT"
    text: ClassVar[Text] = {
        "en": "The web apps are not built yet. Run: make setup",
        "zh": "前端尚未构建，请先运行：make setup",
    }


class Assets(StaticFiles):
    """Files whose names carry a hash of their content never change; the others are asked for again.

    Text goes out compressed; each file is compressed once and kept, for the build has few.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__(directory=directory, check_dir=False)
        self._compressed: dict[tuple[str, str], bytes] = {}

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if isinstance(response, FileResponse) and scope["method"] == "GET" and path.endswith(TEXT_FILES):
            response = await self._smaller(response, Headers(scope=scope))
        response.headers["Cache-Control"] = YEAR if "/assets/" in f"/{path}" else FRESH
        return response

    async def _smaller(self, file: FileResponse, asked: Headers) -> Response:
        file.headers["Vary"] = "Accept-Encoding"
        if "gzip" not in asked.get("accept-encoding", "") or "range" in asked:
            return file
        key = (str(file.path), file.headers["etag"])
        if key not in self._compressed:
            self._compressed[key] = await asyncio.to_thread(_compress, Path(file.path))
        headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding", "ETag": file.headers["etag"]}
        return Response(self._compressed[key], media_type=file.media_type, headers=headers)


ASSETS = Assets(STATIC)


def _compress(path: Path) -> bytes:
    return gzip.compress(path.read_bytes(), 6)


def add_web_apps(app: FastAPI) -> None:
    STATIC.mkdir(exist_ok=True)
    app.include_router(router)
    app.mount("/static", ASSETS)


def _page(name: str, more: str) -> Response:
    """`more`: what its policy says beside OWN."""
    path = STATIC / name
    if not path.is_file():
        raise NotBuilt
    nonce = secrets.token_urlsafe(16)
    html = _text(path, path.stat().st_mtime_ns).replace(NONCE, nonce)
    policy = f"{OWN.format(nonce=nonce)}; {more}"
    return HTMLResponse(html, headers={"Cache-Control": "no-store", "Content-Security-Policy": policy})


@lru_cache(maxsize=8)
def _text(path: Path, _changed: int) -> str:
    return path.read_text(encoding="utf-8")


def frame_ancestors(origins: list[str], settings: Settings) -> str:
    """Which pages may hold the widget: our own, those of the shop and, in development, any on this machine."""
    parents = ["'self'", *origins, *(() if settings.is_production else LOCAL_PARENTS)]
    return f"frame-ancestors {' '.join(parents)}"


@router.get("/")
async def home() -> Response:
    """The demo shop where there is one, else the workbench."""
    return RedirectResponse("/demo" if (STATIC / "demo-shop/index.html").is_file() else "/workbench/")


@router.get("/workbench")
@router.get("/workbench/{path:path}")
async def workbench() -> Response:
    """One page for every address below; its router reads the rest."""
    return _page("workbench/index.html", "frame-ancestors 'none'")


@router.get("/demo")
async def demo() -> Response:
    return _page("demo-shop/index.html", "frame-src 'self'; frame-ancestors 'self'")


@router.get("/docs")
@router.get("/documentation")
async def api_docs() -> Response:
    return _page("api-docs/index.html", "frame-ancestors 'none'")


@router.get("/embed")
async def embed(request: Request, shop: str = "") -> Response:
    """The widget's page, for the loader's iframe on the pages of the shop."""
    state = request.app.state
    await state.origins.refresh()
    return _page("widget/index.html", frame_ancestors(state.origins.of(shop), state.settings))


@router.get("/sdk/invite.js")
async def inviting(request: Request, shop: Annotated[str | None, Query(pattern=SHOP_ID)] = None) -> Response:
    """The script that invites visitors, with the shop's invitations. Only a page that asked for them loads it."""
    async with request.app.state.db.read() as tx:
        found = await find_shop(tx, shop)
    on = [one.model_dump(exclude={"is_on"}) for one in invitations_of(found) if one.is_on]
    if not on:
        return _for_any_site(Response("export const begin = () => {};", media_type=JAVASCRIPT))
    path = STATIC / INVITING
    if not path.is_file():
        raise NotBuilt
    # What JSON escapes can close neither the script nor one of its strings.
    script = f"{_text(path, path.stat().st_mtime_ns)}\nexport const invitations = {json.dumps(on)};\n"
    return _for_any_site(Response(script, media_type=JAVASCRIPT))


def _for_any_site(response: Response) -> Response:
    response.headers["Cache-Control"] = "public, max-age=300"
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
