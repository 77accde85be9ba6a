"""The public page of an article.

Plain HTML that needs no script, readable by keyboard and screen reader, light and dark.
"""

import base64
import hashlib
from html import escape

import nh3
from markdown_it import MarkdownIt

from kefu.kit.clock import iso
from kefu.kit.i18n import Locale, Text
from kefu.knowledge.passages import PAGE_BREAK, parts
from kefu.knowledge.queries import PublicText

STYLE = """
:root { color-scheme: light dark; --text: #1d2427; --quiet: #566166; --page: #fbfcfc; --line: #dbe2e3; --accent:
#0b6b64; --note: #eef6f5; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e5eaeb; --quiet: #a3b0b3; --page: #14191b; --line: #2e383b; --accent: #5fd3c7; --note: #1b2a2a; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); overflow-wrap: break-word;
  font: 1rem/1.65 system-ui, "Segoe UI", Roboto, "PingFang SC", "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; }
main { max-width: 44rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.75rem; line-height: 1.3; margin: 0 0 .5rem; }
h2, h3, h4 { line-height: 1.35; margin: 2rem 0 .5rem; }
a { color: var(--accent); text-underline-offset: .15em; }
a:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 2px; }
.quiet { color: var(--quiet); font-size: .9rem; margin: 0 0 1.5rem; }
.note { background: var(--note); border: 1px solid var(--line); border-left: 4px solid var(--accent); border-radius:
6px; padding: .75rem 1rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border: 1px solid var(--line); padding: .4rem .7rem; text-align: left; }
.turn { display: flex; flex-wrap: wrap; gap: .5rem 1.25rem; }
pre { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; padding: .75rem 1rem; }
blockquote { margin: 1rem 0; padding-left: 1rem; border-left: 3px solid var(--line); color: var(--quiet); }
img { max-width: 100%; height: auto; }
"""

_style_hash = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_style_hash}'; img-src https:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-cache",
    "X-Robots-Tag": "noarchive",
}
TAGS = set(
    "p br hr h2 h3 h4 h5 h6 ul ol li strong em s code pre blockquote a img table thead tbody tr th td".split()  # noqa: SIM905 - a row of names
)
UPDATED: Text = {"en": "Version {version}, {day}", "zh": "第 {version} 版，{day}"}
NEWER: Text = {
    "en": 'This is the version that was quoted. <a href="{url}">Read the current version</a>.',
    "zh": '这是回答中引用的版本。<a href="{url}">查看最新版本</a>。',
}
AT_PAGE: Text = {"en": "Page {at} of {of}", "zh": "第 {at} 页，共 {of} 页"}
AT_PART: Text = {"en": "Part {at} of {of}", "zh": "第 {at} 部分，共 {of} 部分"}
BACK: Text = {"en": "Previous", "zh": "上一页"}
ON: Text = {"en": "Next", "zh": "下一页"}
MISSING: Text = {"en": "This article is not available", "zh": "文章不存在或已下线"}
MISSING_MORE: Text = {
    "en": "It may have been withdrawn, or the link is incomplete. Please ask us in the chat.",
    "zh": "文章可能已撤下，或链接不完整。如有疑问，请在对话中联系我们。",
}

_markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def article(article_id: str, text: PublicText, part: int = 1) -> str:
    """`part`: which one of a document's, from 1; the nearest there is."""
    day = iso(text.at)[:10]
    note = ""
    if text.version < text.latest:
        note = f'<p class="note" role="note">{NEWER[text.lang].format(url=f"/articles/{escape(article_id)}")}</p>'
    about = UPDATED[text.lang].format(version=text.version, day=f'<time datetime="{day}">{day}</time>')
    body, turn = text.body, ""
    if text.kind == "document":
        body, turn = _part(article_id, text, part)
    inner = f'<article><h1>{escape(text.title)}</h1><p class="quiet">{about}</p>{note}{turn}{body_html(body)}</article>'
    return _page(text.lang, text.title, inner + turn)


def _part(article_id: str, text: PublicText, part: int) -> tuple[str, str]:
    """The Markdown of one part of a document, and how to turn to the others."""
    found = parts(text.body)
    at = min(max(part, 1), len(found))
    if len(found) == 1:
        return found[0], ""
    place = f"/articles/{escape(article_id)}?v={text.version}&amp;p="
    before = f'<a rel="prev" href="{place}{at - 1}">{BACK[text.lang]}</a>' if at > 1 else ""
    after = f'<a rel="next" href="{place}{at + 1}">{ON[text.lang]}</a>' if at < len(found) else ""
    where = (AT_PAGE if PAGE_BREAK in text.body else AT_PART)[text.lang].format(at=at, of=len(found))
    return found[at - 1], f'<nav class="quiet turn">{before}<span>{where}</span>{after}</nav>'


def missing(lang: Locale) -> str:
    return _page(lang, MISSING[lang], f"<h1>{MISSING[lang]}</h1><p>{MISSING_MORE[lang]}</p>")


def body_html(markdown: str) -> str:
    """Safe HTML. The page has the title as its only `h1`, so the article's own headings begin at `h2`."""
    tokens = _markdown.parse(markdown)
    highest = min((int(token.tag[1]) for token in tokens if token.type == "heading_open"), default=2)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, int(token.tag[1]) - highest + 2)}"
    html = _markdown.renderer.render(tokens, _markdown.options, {})
    return nh3.clean(
        html,
        tags=TAGS,
        attributes={"a": {"href", "title"}, "img": {"src", "alt"}, "ol": {"start"}},
        url_schemes={"https", "http", "mailto", "tel"},
        attribute_filter=_as_allowed,
        link_rel="noopener noreferrer nofollow",
    )


def _as_allowed(tag: str, name: str, value: str) -> str | None:
    """A picture that the page's policy would refuse is not asked for; what it shows is told instead."""
    return None if (tag, name) == ("img", "src") and not value.lower().startswith("https://") else value


def _page(lang: Locale, title: str, inner: str) -> str:
    language = "zh-CN" if lang == "zh" else "en"
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="referrer" content="no-referrer"><title>{escape(title)}</title><style>{STYLE}</style></head>'
        f"<body><main>{inner}</main></body></html>"
    )
