"""Files as people bring them, and as nobody should, made by the libraries that make them."""

import io
import zipfile
from collections.abc import Sequence
from functools import cache

import docx
import typst
import xlsxwriter

MANUAL = """
#set page(width: 12cm, height: 8cm)
#set text(font: "Noto Sans CJK SC", size: 10pt)
= Battery
The battery of the City 5 is charged in four hours. Charge it indoors, above five degrees, and never leave it
on the charger overnight in the cold.
#pagebreak()
= Brakes
== Pads
Brake pads are worn when less than one millimetre of them is left. Replace both pads of a wheel together.
#pagebreak()
= 保修
电池保修两年，车架保修五年。保修期内免费更换损坏的零件，人为损坏不在保修范围之内。
"""
FORK = {
    "en": """# Suspension

Set the sag of the fork before the first ride: the rider in full gear should compress the spring by a quarter of its
travel. Add air with a shock pump, ten psi at a time, through the valve on the left leg.""",
    "zh": """# 前叉

首次骑行前请调整前叉预压：骑手全副装备坐上后，弹簧应压缩行程的四分之一。用避震打气筒从左腿气嘴充气，每次十磅。""",
}
PAGE = """
<!doctype html><html><head><title>Returns</title><style>p { color: red }</style></head><body>
<nav><a href="/">Home</a></nav>
<h1>Returns</h1><p>You may return a bike within <b>30 days</b>.<br>Pack it in its box.</p>
<h2>What it costs</h2><ul><li>In the country: free<ul><li>islands too</li></ul></li><li>Abroad: 40 €</li></ul>
<table><tr><th>Country</th><th>Days</th></tr><tr><td>Norway</td><td>9</td></tr></table>
<script>fetch("http://127.0.0.1:1/")</script><img src="http://127.0.0.1:1/pixel.png">
</body></html>
"""
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
# What a viewer asks a password for: the one that would open this is nobody's.
LOCKED = b"""%%PDF-1.4
1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj
2 0 obj <</Type/Pages/Kids[3 0 R]/Count 1>> endobj
3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>> endobj
4 0 obj <</Filter/Standard/V 1/R 2/O<%s>/U<%s>/P -4>> endobj
trailer <</Root 1 0 R/Encrypt 4 0 R/ID[<00><00>]>>
%%%%EOF
""" % (b"11" * 32, b"22" * 32)


@cache
def pdf(source: str = MANUAL) -> bytes:
    """The same bytes each time: Typst writes down the second in which it made them."""
    return bytes(typst.compile(source.encode()))


def scanned() -> bytes:
    """A page with a drawing on it and no letter."""
    return pdf("#rect(width: 3cm, height: 3cm)")


def word() -> bytes:
    book = docx.Document()
    book.add_heading("Care", 1)
    book.add_heading("Chain", 2)
    book.add_paragraph("Oil the chain every 300 km.")
    for step in ("Clean it", "Oil it", "Wipe it"):
        book.add_paragraph(step, style="List Number")
    book.add_heading("Intervals", 2)
    table = book.add_table(rows=2, cols=2)
    for row, said in zip(table.rows, (("Part", "Every"), ("Tyres", "3000 km")), strict=True):
        for cell, text in zip(row.cells, said, strict=True):
            cell.text = text
    return _bytes_of(book)


def _bytes_of(book: "docx.document.Document") -> bytes:
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


def sheets(rows: Sequence[Sequence[object]] = (("Model", "Range"), ("City 5", "80 km"), ("Trail 9", 120))) -> bytes:
    held = io.BytesIO()
    with xlsxwriter.Workbook(held, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Range")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return held.getvalue()


def laughing_word() -> bytes:
    """A Word file whose text is an entity of entities: a hundred thousand million letters, were they spelled out."""
    body = f'<!DOCTYPE d [<!ENTITY l0 "ha">{LAUGHS}]><w:document xmlns:w="w"><w:body>&l11;</w:body></w:document>'
    return _with(word(), "word/document.xml", body.encode())


def bomb() -> bytes:
    """A sheet of a few kilobytes that says it has a cell in the last row and column there can be."""
    return _with(
        sheets(),
        "xl/worksheets/sheet1.xml",
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><dimension ref="A1:XFD1048576"/>'
        b'<sheetData><row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
        b"</sheetData></worksheet>",
    )


def padded_word(mebibytes: int) -> bytes:
    """One whose text is so long when it is unpacked, and the file a thousand times smaller."""
    text = b"<w:p><w:r><w:t>" + b"a" * (mebibytes << 20) + b"</w:t></w:r></w:p>"
    head = b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
    return _with(word(), "word/document.xml", head + text + b"</w:body></w:document>")


def _with(file: bytes, part: str, content: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(file)) as old, zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            new.writestr(info.filename, content if info.filename == part else old.read(info))
    return held.getvalue()


def locked_office() -> bytes:
    """The beginning of what Office writes when it is given a password."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1016) + "EncryptedPackage".encode("utf-16-le") + bytes(100)
