"""The document about verdicts says what the code says."""

import re
from pathlib import Path

from shared.scoring.evidence import SENTENCES, Evidence
from shared.scoring.state import mark_of

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "scoring-verdicts.md"


def rows() -> list[tuple[str, ...]]:
    lines = re.findall(r"^\| (.+) \|$", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    return [tuple(cell.strip("`") for cell in line.split(" | ")) for line in lines[1:]]


def test_the_table_has_every_evidence_with_its_verdict_and_sentence() -> None:
    expected = [
        (str(verdict), str(mark_of(verdict)), str(evidence), text)
        for verdict, sentences in SENTENCES.items()
        for evidence, text in sentences.items()
    ]

    assert rows() == expected
    assert len(rows()) == len(Evidence)
