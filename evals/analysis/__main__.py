"""Read the hand-labelled lines by the rules of `kefu.analysis` and report how often they are right.

`python -m evals.analysis` writes `report.md` and `report.json` beside this file and ends with 1 below a bound.
`--count` first counts anew how sure each kind of reading is (`src/kefu/analysis/sure.json`).
"""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from kefu.analysis import rules
from kefu.analysis.rules import DIMENSIONS, Reading, analyse, kinds
from kefu.kit.i18n import Locale
from kefu.knowledge.words import language_of

HERE = Path(__file__).parent
SURE = Path(rules.__file__).parent / "sure.json"
LANGUAGES: tuple[Locale, ...] = ("en", "zh")
# The least share of right labels on `test`: what was measured, less about one standard error of it.
LEAST = {
    "en": {"sentiment": 0.78, "urgency": 0.94, "intent": 0.53, "requirement": 0.92},
    "zh": {"sentiment": 0.68, "urgency": 0.93, "intent": 0.61, "requirement": 0.94},
}


@dataclass(frozen=True)
class Case:
    """One dimension of one line: the label it has, and what the rules read."""

    id: str
    lang: Locale
    split: str
    text: str
    dimension: str
    wanted: str
    reading: Reading

    @property
    def is_right(self) -> bool:
        return self.reading.label == self.wanted

    @property
    def kinds(self) -> list[str]:
        spoken = language_of(self.text, self.lang)
        return kinds(spoken, self.dimension, self.reading.label, self.reading.margin)


def label_of(value: object) -> str:
    return value if isinstance(value, str) else "yes" if value else "no"


def cases() -> list[Case]:
    found = []
    for lang in LANGUAGES:
        for line in (HERE / f"{lang}.jsonl").read_bytes().splitlines():
            row = orjson.loads(line)
            read = analyse(row["text"], lang)
            found += [
                Case(row["id"], lang, row["split"], row["text"], one, label_of(row[one]), getattr(read, one))
                for one in DIMENSIONS
            ]
    return found


def count(found: Sequence[Case]) -> None:
    """Write how many readings of each kind were right, on the lines by which no word was chosen."""
    right, of = Counter[str](), Counter[str]()
    for one in found:
        if one.split == "test":
            of.update(one.kinds)
            right.update(one.kinds if one.is_right else ())
    facts = {kind: [right[kind], of[kind]] for kind in sorted(of)}
    SURE.write_bytes(orjson.dumps(facts, option=orjson.OPT_INDENT_2) + b"\n")
    rules.counted.cache_clear()


def score(found: Sequence[Case]) -> dict[str, Any]:
    """Accuracy, F1 of each label and their mean, and what was taken for what."""
    pairs = Counter((one.wanted, one.reading.label) for one in found)
    labels = sorted({label for pair in pairs for label in pair})
    f1 = {label: _f1(pairs, label) for label in labels}
    return {
        "lines": len(found),
        "accuracy": round(sum(one.is_right for one in found) / len(found), 3),
        "macro_f1": round(sum(f1.values()) / len(f1), 3),
        "f1": f1,
        "confusion": {
            wanted: {read: pairs[wanted, read] for read in labels if pairs[wanted, read]} for wanted in labels
        },
    }


def _f1(pairs: Counter[tuple[str, str]], label: str) -> float:
    right = pairs[label, label]
    wanted = sum(n for (one, _), n in pairs.items() if one == label)
    read = sum(n for (_, one), n in pairs.items() if one == label)
    return round(2 * right / (wanted + read), 3) if wanted + read else 0.0


def surety(found: Sequence[Case]) -> dict[str, float]:
    """How sure the rules say they are on average, and were right to be; each line is left out of its own counts."""
    said = []
    for one in found:
        sure, counted = 0.5, rules.counted()
        for kind in one.kinds:
            hits, of = counted.get(kind, (0, 0))
            sure = (hits - one.is_right + sure) / of if of else sure
        said.append(min(1.0, max(0.0, sure)))
    right = sum(one.is_right for one in found) / len(found)
    brier = sum((sure - one.is_right) ** 2 for sure, one in zip(said, found, strict=True)) / len(found)
    return {"said": round(sum(said) / len(said), 3), "right": round(right, 3), "brier": round(brier, 3)}


def report(found: Sequence[Case]) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for lang in LANGUAGES:
        for dimension in DIMENSIONS:
            mine = [one for one in found if (one.lang, one.dimension) == (lang, dimension)]
            parts = {split: [one for one in mine if one.split == split] for split in ("tune", "test")}
            scores = {split: score(part) for split, part in parts.items()}
            facts[f"{lang}.{dimension}"] = {**scores, "sure": surety(parts["test"])}
    return facts


def weaknesses(facts: dict[str, Any]) -> list[str]:
    found = []
    for lang, bounds in LEAST.items():
        for dimension, least in bounds.items():
            seen = facts[f"{lang}.{dimension}"]["test"]["accuracy"]
            if seen < least:
                found.append(f"{lang} {dimension}: {seen:.3f} right on test, at least {least} wanted")
    return found


def markdown(facts: dict[str, Any]) -> str:
    lines = [
        "# What the rules read out of one message",
        "",
        "Made by `python -m evals.analysis` from the hand-labelled lines beside it (see `README.md`). Words were",
        "chosen by looking at `tune`, so its figures flatter; `test` says what to expect of new messages. *sure* is",
        "what the rules say of themselves on `test` on average, each line left out of the counts that it is",
        "compared with.",
        "",
        "| language | dimension | lines tune / test | right tune | right test | macro F1 test | sure | Brier |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, one in facts.items():
        lang, dimension = name.split(".")
        tune, test, sure = one["tune"], one["test"], one["sure"]
        lines.append(
            f"| {lang} | {dimension} | {tune['lines']} / {test['lines']} | {tune['accuracy']:.3f} "
            f"| {test['accuracy']:.3f} | {test['macro_f1']:.3f} | {sure['said']:.3f} | {sure['brier']:.3f} |"
        )
    for name, one in facts.items():
        lines += ["", f"## {name.replace('.', ', ')}: test", "", "| label | F1 | read as |", "|---|---|---|"]
        for wanted, read in one["test"]["confusion"].items():
            shown = ", ".join(f"{label} {n}" for label, n in sorted(read.items(), key=lambda item: -item[1]))
            lines.append(f"| {wanted} | {one['test']['f1'][wanted]:.3f} | {shown or '–'} |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str]) -> int:
    found = cases()
    if "--count" in arguments:
        count(found)
        found = cases()
    facts = report(found)
    text = markdown(facts)
    (HERE / "report.md").write_text(text, "utf-8")
    (HERE / "report.json").write_bytes(orjson.dumps(facts, option=orjson.OPT_INDENT_2) + b"\n")
    print(text)
    weak = weaknesses(facts)
    for line in weak:
        print(line, file=sys.stderr)
    return 1 if weak else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
