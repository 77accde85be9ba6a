"""Pages of a shop that is not Kefu: another origin, with the chat on it by one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

# Older ways to bring the chat, in words for `str.format`.
FUNCTION = """
<script src="{api}/sdk.js"></script>
<script>FiidoChat.init({{ apiUrl: "{api}", position: "bottom-left", theme: "dark", autoOpen: true }})</script>
"""
ELEMENT = """
<script async src="{api}/embed.js"></script>
<fiido-chat api-url="{api}" position="bottom-left" theme="dark" auto-open></fiido-chat>
"""
CHATWOOT = """
<script src="{api}/packs/js/sdk.js"></script>
<script>
  window.chatwootSettings = {{ position: "left", darkMode: "dark" }};
  chatwootSDK.run({{ websiteToken: "demo", baseUrl: "{api}" }});
  $chatwoot.toggle("open");
</script>
"""
PAGE = """<!doctype html>
<html lang="en">
  <head><meta charset="utf-8"><title>A shop</title><link rel="icon" href="data:,">{head}</head>
  <body><h1>A shop</h1><button id="own">Its own button</button>{body}</body>
</html>"""

# No doctype, so in quirks mode; from right to left; against all that is not its own; something lies over everything.
HOSTILE = """<html lang="ar" dir="rtl">
  <head>
    <meta charset="utf-8"><title>A hostile shop</title><link rel="icon" href="data:,">
    <style>
      * {{ all: unset !important; color: red !important; font: 40px serif !important; letter-spacing: 1em !important; }}
      div, button, iframe {{ position: static !important; opacity: 0.2 !important; width: 20px !important; }}
      #fiido-kefu {{ display: none !important; z-index: -1 !important; }}
    </style>
    <script>
      overheard = [];
      addEventListener("message", ({{ data }}) => overheard.push(data));
    </script>
  </head>
  <body>
    <h1>A hostile shop</h1>
    {body}
    <iframe src="{other}/advert"></iframe><iframe src="/rival"></iframe>
    <p style="position: fixed !important; inset: 0 !important; z-index: 2147483647 !important"></p>
  </body>
</html>"""
# In a frame beside the chat, or in a window of its own, it gives orders to each window that it can reach, in the name
# of the page and of the chat.
LIAR = """<!doctype html>
<title>A liar</title>
<script>
  const name = location.pathname.slice(1);
  const shop = window.opener ?? parent;
  window.heard = [];
  addEventListener("message", ({ data }) => heard.push(data));
  const orders = [{ type: "send", text: `Said by the ${name}` }, { type: "locale", locale: "zh" }, { type: "logout" }];
  const message = { type: "message", role: "agent", content: "Lies", seq: 1 };
  const news = [{ type: "unread", count: 9 }, message, { type: "close" }];
  function chat() {
    try {
      return shop.document.querySelector("#fiido-kefu").shadowRoot.querySelector("iframe").contentWindow;
    } catch {
      return null;
    }
  }
  setInterval(() => {
    for (const order of orders) chat()?.postMessage({ kefu: 1, ...order }, "*");
    for (const lie of news) shop.postMessage({ kefu: 1, ...lie }, "*");
  }, 50);
</script>
"""


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

    def put_hostile(self, body: str) -> str:
        """With a frame of another origin in it, and one of its own."""
        self.pages["/hostile"] = HOSTILE.format(body=body, other=self.other_address)
        self.pages["/advert"] = self.pages["/rival"] = LIAR
        return f"{self.address}/hostile"


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
