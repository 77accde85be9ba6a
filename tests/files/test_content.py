"""What may be sent is told by what it is, and is made harmless before it is kept."""

import asyncio
from pathlib import Path

import pytest

from actors import Visitor, code_of
from files import samples
from files.samples import PHOTO, office, png
from files.sending import has_uploaded, on_disk, uploads

# What a file is has nothing to do with the database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

XLSX = office(main="xl/workbook.xml")
REFUSED = (
    (415, "FILE_TYPE_NOT_ALLOWED", samples.HTML, "photo.png"),
    (415, "FILE_TYPE_NOT_ALLOWED", samples.SVG, "photo.svg"),
    (415, "FILE_TYPE_NOT_ALLOWED", b"MZ\x90\x00", "invoice.pdf"),
    (415, "FILE_TYPE_NOT_ALLOWED", b"plain\x00text", "notes.txt"),
    (415, "FILE_TYPE_NOT_ALLOWED", b"\xff\xfe\xfd", "notes.txt"),
    (415, "FILE_TYPE_NOT_ALLOWED", b"", "photo.png"),
    (415, "FILE_TYPE_NOT_ALLOWED", office("word/vbaProject.bin"), "macros.docx"),
    (415, "FILE_TYPE_NOT_ALLOWED", office(main="AndroidManifest.xml"), "app.docx"),
    (415, "FILE_TYPE_NOT_ALLOWED", office(*(f"p{n}" for n in range(5001))), "many.docx"),
    (415, "FILE_TYPE_NOT_ALLOWED", office() + b"hung on", "tail.docx"),
    (415, "FILE_TYPE_NOT_ALLOWED", b"PK\x03\x04" + bytes(40), "no.docx"),
    (415, "FILE_DAMAGED", png()[:30], "half.png"),
    (415, "FILE_DAMAGED", png(0, 5), "flat.png"),
    (415, "FILE_DAMAGED", PHOTO[:60], "half.jpg"),
    (415, "FILE_DAMAGED", samples.WEBP[:14], "half.webp"),
    (413, "PICTURE_TOO_LARGE", png(60_000, 60_000), "bomb.png"),
    (413, "PICTURE_TOO_LARGE", b"GIF89a" + b"\xff" * 20, "bomb.gif"),
)


async def test_what_it_is_decides_and_not_what_it_is_called(visitor: Visitor, tmp_path: Path) -> None:
    for status, code, content, name in REFUSED:
        answer = await uploads(visitor, visitor.name, content, name)
        assert (answer.status_code, code_of(answer)) == (status, code), name
    assert on_disk(tmp_path) == []
    for content, called, kind, label in (
        (png(), "a.exe", "image/png", "a.exe.png"),
        (samples.POLYGLOT, "code.js", "image/gif", "code.js.gif"),
        (samples.WEBP, "photo.webp", "image/webp", "photo.webp"),
        (samples.PDF, "账单.PDF", "application/pdf", "账单.pdf"),
        (samples.MP4, "film.mp4", "video/mp4", "film.mp4"),
        (samples.TEXT, "orders.csv", "text/csv", "orders.csv"),
        ("顾客".encode("gb18030"), "notes.TXT", "text/plain", "notes.txt"),
        (XLSX, "sums.docx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "sums.docx.xlsx"),
    ):
        stored = await has_uploaded(visitor, visitor.name, content, called)
        assert (stored["media_type"], stored["name"]) == (kind, label)


async def test_a_file_that_unpacks_without_measure_is_refused(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kefu.files.kinds.ZIP_UNPACKED", 1 << 20)
    answer = await uploads(visitor, visitor.name, office(unpacked=2 << 20), "report.docx")
    assert (answer.status_code, code_of(answer)) == (415, "FILE_TYPE_NOT_ALLOWED")


async def test_a_name_is_a_label_and_hides_nothing(visitor: Visitor) -> None:
    for given, label in (
        ("../../etc/passwd", "passwd.png"),
        ("C:\\temp\\shot.png", "shot.png"),
        ("a\u202egnp.exe", "agnp.exe.png"),
        ("a\u2066b\x9f\u200b.png", "ab.png"),
        ("..png", "png.png"),
        ("", "file.png"),
        ("长" * 300 + ".png", "长" * 116 + ".png"),
    ):
        stored = await has_uploaded(visitor, visitor.name, png(), given or " ")
        assert stored["name"] == label


async def test_a_picture_keeps_what_it_shows_and_nothing_of_who_took_it(visitor: Visitor) -> None:
    secret = (b"tEXt", b"Comment\x00SECRET")
    for content, size in (
        (PHOTO + b"SECRET", (8, 16)),
        (samples.WEBP + b"SECRET", (16, 8)),
        (png(4, 2, secret), (4, 2)),
    ):
        assert b"SECRET" in content
        stored = await has_uploaded(visitor, visitor.name, content)
        assert (stored["width"], stored["height"]) == size
        kept = (await visitor.get(f"/api/files/{stored['id']}")).content
        assert b"SECRET" not in kept
        assert len(kept) == stored["size"]
    # Which way a photograph is up stands in it still, and its picture is untouched.
    kept = (await visitor.get(f"/api/files/{(await has_uploaded(visitor, visitor.name))['id']}")).content
    assert kept.count(b"Exif\x00\x00MM\x00*") == 1
    assert kept.endswith(PHOTO[PHOTO.index(b"\xff\xda") :])


async def test_what_is_too_large_ends_in_the_middle_and_leaves_nothing(visitor: Visitor, tmp_path: Path) -> None:
    answer = await uploads(visitor, visitor.name, samples.PDF + bytes(11 << 20), "long.pdf")
    assert (answer.status_code, code_of(answer)) == (413, "FILE_TOO_LARGE")
    assert answer.json()["error"]["details"] == {"limit_mb": 10}
    answer = await uploads(visitor, visitor.name, samples.MP4 + bytes(51 << 20), "long.mp4")
    assert (answer.status_code, answer.json()["error"]["details"]) == (413, {"limit_mb": 50})
    assert on_disk(tmp_path) == []


async def test_who_goes_away_in_the_middle_leaves_nothing(visitor: Visitor, tmp_path: Path) -> None:
    url = visitor.stage.http.base_url
    reads, writes = await asyncio.open_connection(url.host, url.port)
    head = (
        f"POST /api/sessions/{visitor.name}/files HTTP/1.1\r\nHost: kefu\r\nAuthorization: Bearer {visitor.token}\r\n"
    )
    head += "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 9000000\r\n\r\n"
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    writes.write(head.encode() + part + png() + bytes(3 << 20))
    await writes.drain()
    writes.close()
    assert await reads.read() == b""
    stored = await has_uploaded(visitor, visitor.name)
    assert [path.stat().st_size for path in on_disk(tmp_path)] == [stored["size"]]
