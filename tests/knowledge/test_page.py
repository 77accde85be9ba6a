"""The page that a source link opens."""

import httpx2
import pytest

from actors import data_of
from knowledge.desk import Desk


async def test_a_source_link_shows_what_was_quoted_and_points_to_what_is_new(
    author: Desk, client: httpx2.AsyncClient
) -> None:
    article = await author.published()
    quoted = (await author.find("helmet size"))["hits"][0]
    assert quoted["url"] == article["url"] == f"/articles/{article['id']}?v=1"
    await author.rewrites(article["id"], 1, body="Only one size is left.")
    old = await client.get(quoted["url"])
    assert old.status_code == 200
    assert "girth of your head" in old.text
    assert f'<a href="/articles/{article["id"]}">' in old.text
    new = await client.get(f"/articles/{article['id']}")
    assert "Only one size is left." in new.text
    assert "girth" not in new.text
    assert 'class="note"' not in new.text


async def test_what_was_never_public_stays_so(author: Desk, client: httpx2.AsyncClient) -> None:
    draft = data_of(await author.create(body="A secret plan."), 201)
    page = f"/articles/{draft['id']}"
    assert (await client.get(page)).status_code == 404
    data_of(await author.change(draft["id"], version=1, body="What everybody may know."))
    data_of(await author.move(draft["id"], "publish", version=2))
    assert (await client.get(page)).status_code == 200
    assert (await client.get(f"{page}?v=1")).status_code == 404
    assert (await client.get(f"{page}?v=2")).status_code == 200
    data_of(await author.move(draft["id"], "archive", version=2))
    data_of(await author.change(draft["id"], version=2, body="A second secret."))
    for version in ("", "?v=2", "?v=3"):
        assert (await client.get(page + version)).status_code == 404
    data_of(await author.move(draft["id"], "publish", version=3))
    assert "A second secret." in (await client.get(page)).text


@pytest.mark.parametrize("path", ["art_0", "x" * 300, "%00", "a%2Fb"])
async def test_an_unknown_article_is_a_page_too(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.get(f"/articles/{path}", headers={"Accept-Language": "zh"})
    assert answer.status_code == 404
    if path == "art_0":
        assert 'lang="zh-CN"' in answer.text
        assert "文章不存在" in answer.text


@pytest.mark.parametrize("version", ["0", "9", "-1", "x", "1e1", "٣", "99999999999999999999"])
async def test_a_version_that_never_was(author: Desk, client: httpx2.AsyncClient, version: str) -> None:
    article = await author.published()
    assert (await client.get(f"/articles/{article['id']}", params={"v": version})).status_code == 404


HOSTILE = """# Top

<script>alert(1)</script> <img src=x onerror=alert(2)>

[click](javascript:alert(3)) [data](data:text/html,x) [good](https://shop.example/a "t")

![picture](javascript:alert(4)) ![ok](https://shop.example/p.png) ![here](x"onerror="alert(6))

| a | b |
|---|---|
| <b onclick="x">1</b> | 2 |

```html
</code><script>alert(5)</script>
```
"""


async def test_nothing_an_author_writes_becomes_a_script(author: Desk, client: httpx2.AsyncClient) -> None:
    article = await author.published(title='<script>alert("t")</script> & "quotes"', body=HOSTILE)
    answer = await client.get(f"/articles/{article['id']}")
    html = answer.text
    for part in ("<script", "<b ", 'javascript:alert(3)"', 'src="javascript', 'data:text/html,x"', "<img src=x"):
        assert part not in html.lower()
    assert "&lt;script&gt;alert(&quot;t&quot;)&lt;/script&gt; &amp; &quot;quotes&quot;" in html
    assert '<a href="https://shop.example/a" title="t" rel="noopener noreferrer nofollow">good</a>' in html
    assert '<img src="https://shop.example/p.png" alt="ok">' in html
    assert '<img alt="here">' in html
    assert html.count("<h1>") == 1
    assert "<h2>Top</h2>" in html
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_chinese_article_says_so(author: Desk, client: httpx2.AsyncClient) -> None:
    article = await author.published(lang="zh", title="头盔尺码", body="有 S、M、L 三个尺码。")
    html = (await client.get(f"/articles/{article['id']}")).text
    assert '<html lang="zh-CN">' in html
    assert "第 1 版" in html
