"""What is read from each kind of file; what is dangerous, by the process that reads it in earnest."""

import hashlib
import time
from pathlib import Path

import pytest

from documents import samples
from kefu.files.kinds import DOCX, PDF, XLSX
from kefu.knowledge.documents import refusals
from kefu.knowledge.documents.kinds import HTML, MARKDOWN
from kefu.knowledge.documents.parser import parsed
from kefu.knowledge.documents.reading import read
from kefu.knowledge.passages import BETWEEN, PASSAGE_LIMIT, document_pieces

TEXT = "text/plain"
Steps = list[tuple[int, int]]


async def read_apart(folder: Path, media_type: str, data: bytes, seconds: float = 60) -> tuple[str, Steps]:
    """Its Markdown, and the steps that were told of."""
    place, steps = folder / hashlib.sha256(data).hexdigest(), Steps()
    place.write_bytes(data)

    async def progress(done: int, total: int) -> None:
        steps.append((done, total))

    return await parsed(place, media_type, progress, seconds), steps


async def test_a_pdf_gives_its_pages_its_outline_and_whole_sentences(tmp_path: Path) -> None:
    text, steps = await read_apart(tmp_path, PDF.media_type, samples.pdf())
    found = document_pieces(text)
    assert [(one.part, one.heading) for one in found] == [(1, "Battery"), (2, f"Brakes{BETWEEN}Pads"), (3, "保修")]
    assert "Charge it indoors, above five degrees, and never leave it on the charger overnight" in found[0].text
    assert "保修期内免费更换损坏的零件，人为损坏不在保修范围之内。" in found[2].text
    assert steps[-1] == (3, 3)


def test_a_word_file_gives_headings_lists_and_tables() -> None:
    text = read(DOCX.media_type, samples.word())
    found = {one.heading: one.text for one in document_pieces(text)}
    assert found == {
        f"Care{BETWEEN}Chain": "Oil the chain every 300 km.\n\n- Clean it\n- Oil it\n- Wipe it",
        f"Care{BETWEEN}Intervals": "- Part: Tyres; Every: 3000 km",
    }


def test_each_row_of_a_sheet_names_its_columns() -> None:
    text = read(XLSX.media_type, samples.sheets())
    (found,) = document_pieces(text)
    assert (found.heading, found.text) == ("Range", "- Model: City 5; Range: 80 km\n- Model: Trail 9; Range: 120")


def test_a_page_gives_what_it_says_and_nothing_it_does() -> None:
    text = read(HTML.media_type, samples.PAGE.encode())
    said = "You may return a bike within 30 days.\nPack it in its box."
    points = "- In the country: free\n- islands too\n- Abroad: 40 €"
    expected = f"# Returns\n\n{said}\n\n## What it costs\n\n{points}\n\n- Country: Norway; Days: 9"
    assert text == expected


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_text_is_read_as_it_is_written_in_china_and_elsewhere(encoding: str) -> None:
    text = read(TEXT, "退货须知\r\n\r\n# 1 * 2 <b>".encode(encoding))
    assert text == "退货须知\n\n\\# 1 \\* 2 \\<b>"
    marked = read(MARKDOWN.media_type, "---\ntitle: x\n---\n# 退货\n\n7 天".encode(encoding))
    assert marked == "# 退货\n\n7 天"


def test_long_texts_are_cut_into_passages_and_parts() -> None:
    lines = "\n\n".join(f"Rule {number}. " + "It holds for all bikes. " * 40 for number in range(60))
    found = document_pieces(read(TEXT, lines.encode()))
    assert max(len(one.text) for one in found) <= PASSAGE_LIMIT + 100
    assert sorted({one.part for one in found}) == list(range(1, found[-1].part + 1))
    assert found[-1].part > 3


@pytest.mark.parametrize(
    ("media_type", "data", "refusal"),
    [
        (PDF.media_type, samples.LOCKED, refusals.DocumentEncrypted),
        (PDF.media_type, b"%PDF-1.7 and then nothing of the kind", refusals.DocumentBroken),
        (PDF.media_type, samples.scanned(), refusals.DocumentScanned),
        (DOCX.media_type, samples.word()[:-300], refusals.DocumentBroken),
        (XLSX.media_type, samples.sheets([]), refusals.DocumentEmpty),
        (TEXT, b" \n \n", refusals.DocumentEmpty),
        (TEXT, b"word " * 300_000, refusals.DocumentTooLong),
        (HTML.media_type, b"<div>" * 2000 + b"deep", refusals.DocumentTooComplex),
    ],
    ids=lambda one: one.__name__ if isinstance(one, type) else "",
)
def test_what_cannot_be_read_is_refused(media_type: str, data: bytes, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        read(media_type, data)


async def test_what_would_kill_who_reads_it_is_refused(tmp_path: Path) -> None:
    bombs = {
        refusals.DocumentBroken: [(DOCX, samples.laughing_word()), (DOCX, samples.padded_word(40))],
        refusals.DocumentTooComplex: [(XLSX, samples.bomb())],
    }
    for refusal, files in bombs.items():
        for kind, data in files:
            with pytest.raises(refusal):
                await read_apart(tmp_path, kind.media_type, data)


async def test_who_reads_too_long_is_stopped(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(refusals.DocumentTooComplex):
        await read_apart(tmp_path, TEXT, b"word", seconds=0)
    assert time.monotonic() - started < 20
