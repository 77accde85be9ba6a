"""Pages of a shop that is not Kefu: another origin, with the chat on it by one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

PAGE = """<!doctype html>
<html lang="en">
  <head><meta charset="utf-8"><title>A shop</title><link rel="icon" href="data:,">{head}</head>
  <body><h1>A shop</h1><button id="own">Its own button</button>{body}</body>
</html>"""


class Site:
    """Serves the pages put into it under their paths."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.pages: dict[str, str] = {}

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def other_address(self) -> str:
        """The same pages under another origin."""
        return f"http://localhost:{self.port}"

    def put(self, path: str, head: str = "", body: str = "") -> str:
        self.pages[path] = PAGE.format(head=head, body=body)
        return f"{self.address}{path}"


@contextmanager
def served(port: int) -> Iterator[Site]:
    site = Site(port)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = site.pages.get(self.path)
            self.send_response(200 if page else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write((page or "").encode())

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Says nothing: pytest shows what matters."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        serving = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        yield site
        server.shutdown()
        serving.join()
