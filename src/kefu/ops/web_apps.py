"""Serves the built front-ends: the workbench, the widget's page, the loader, the demo shop."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import ClassVar

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import FileResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from kefu.accounts.identity import anyone
from kefu.kit.config import Settings
from kefu.kit.errors import Unavailable
from kefu.kit.i18n import Text

STATIC = Path(__file__).parent.parent / "static"
YEAR = "public, max-age=31536000, immutable"
FRESH = "no-cache"
LOCAL_PARENTS = ("http://localhost:*", "http://127.0.0.1:*")
OWN = (
    "default-src 'self'; img-src 'self' data: https:; style-src 'self' 'unsafe-inline'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'"
)

router = APIRouter(dependencies=[Depends(anyone)], include_in_schema=False)


class NotBuilt(Unavailable):
    code = "WEB_APP_NOT_BUILT"
    text: ClassVar[Text] = {
        "en": "The web apps are not built yet. Run: make setup",
        "zh": "前端尚未构建，请先运行：make setup",
    }


class Assets(StaticFiles):
    """Files whose names carry a hash of their content never change; the others are asked for again."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = YEAR if "/assets/" in f"/{path}" else FRESH
        return response


def add_web_apps(app: FastAPI) -> None:
    STATIC.mkdir(exist_ok=True)
    app.include_router(router)
    app.mount("/static", Assets(directory=STATIC, check_dir=False))


def _page(name: str, policy: str) -> Response:
    path = STATIC / name
    if not path.is_file():
        raise NotBuilt
    return FileResponse(path, headers={"Cache-Control": FRESH, "Content-Security-Policy": policy})


def frame_ancestors(settings: Settings) -> str:
    """Which pages may hold the widget: our own, those of CORS_ORIGINS and, in development, any on this machine."""
    parents = ["'self'", *settings.cors_origins, *(() if settings.is_production else LOCAL_PARENTS)]
    return f"frame-ancestors {' '.join(parents)}"


@router.get("/")
async def home() -> Response:
    """The demo shop where there is one, else the workbench."""
    return RedirectResponse("/demo" if (STATIC / "demo-shop/index.html").is_file() else "/workbench/")


@router.get("/workbench")
@router.get("/workbench/{path:path}")
async def workbench() -> Response:
    """One page for every address below; its router reads the rest."""
    return _page("workbench/index.html", f"{OWN}; frame-ancestors 'none'")


@router.get("/demo")
async def demo() -> Response:
    return _page("demo-shop/index.html", f"{OWN}; frame-src 'self'; frame-ancestors 'self'")


@router.get("/docs")
@router.get("/documentation")
async def api_docs() -> Response:
    return _page("api-docs/index.html", f"{OWN}; frame-ancestors 'none'")


@router.get("/embed")
async def embed(request: Request) -> Response:
    """The widget's page, for the loader's iframe."""
    return _page("widget/index.html", f"{OWN}; {frame_ancestors(request.app.state.settings)}")


def _loader_route(path: str) -> Callable[[], Awaitable[Response]]:
    @router.get(path)
    async def loader() -> Response:
        file = STATIC / "sdk/fiido-kefu.js"
        if not file.is_file():
            raise NotBuilt
        headers = {
            "Cache-Control": "public, max-age=300",
            "Access-Control-Allow-Origin": "*",
            "Cross-Origin-Resource-Policy": "cross-origin",
        }
        return FileResponse(file, media_type="text/javascript", headers=headers)

    return loader


for address in ("/sdk/fiido-kefu.js", "/sdk.js", "/embed.js"):
    _loader_route(address)
