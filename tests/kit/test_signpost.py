"""The signpost leads where the router itself would go."""

import httpx2
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import BaseRoute, Match

from kefu.kit.signpost import Signpost

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def tried(app: FastAPI, method: str, path: str) -> BaseRoute | None:
    """The first that takes the request, when one after the other is tried."""
    scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}
    return next((route for route in app.router.routes if route.matches(scope)[0] is Match.FULL), None)


def test_every_route_is_found_where_trying_one_after_the_other_finds_it(app: FastAPI) -> None:
    signpost = Signpost(app.router)
    routes = [one for one in iter_route_contexts(app.routes) if isinstance(one.original_route, APIRoute)]
    paths = {(one.path or "").replace("{name}", "s-1").replace("{", "").replace("}", "") for one in routes}
    assert len(paths) > 100
    found = {(method, path): signpost.find(method, path) for method in METHODS for path in paths if ":" not in path}
    assert {one: router for one, router in found.items() if router is not tried(app, *one)} == {}
    assert sum(router is not None for router in found.values()) >= len(routes) - 5  # those that take the rest of a path


async def test_what_is_nobodys_and_other_methods_are_refused_as_ever(client: httpx2.AsyncClient) -> None:
    asked = (("DELETE", "/api/sessions/s-1/messages"), ("POST", "/api/sessions/s-1/messages/"), ("GET", "/api//health"))
    answers = [await client.request(*one) for one in asked]
    assert [one.status_code for one in answers] == [405, 404, 404]
    assert answers[0].headers["allow"] == "POST"
