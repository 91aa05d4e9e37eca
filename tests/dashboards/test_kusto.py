"""Microsoft's own language service for Kusto finds nothing wrong with any query."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict

import pytest

from local_host.node import CACHE, find_node

REPOSITORY = Path(__file__).resolve().parents[2]
QUERIES = sorted((REPOSITORY / "dashboards").glob("**/*.kql"))
JUDGE = Path(__file__).parent / "kusto_language" / "judge.js"
PACKAGE = CACHE / "kusto/node_modules/@kusto/language-service-next"


class Finding(TypedDict):
    """`line` counts from 1; `code` as in the service (`KS142`)."""

    line: int
    code: str
    message: str


Findings = Mapping[str, Sequence[Finding]]


def judged(*queries: Path) -> Findings:
    node = find_node()
    assert node, "no Node.js: make test installs it"
    command = (*node.node, str(JUDGE), str(PACKAGE), *map(str, queries))
    said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert said.returncode == 0, said.stderr[-1000:]
    found: Findings = json.loads(said.stdout)
    return found


@pytest.fixture(scope="module")
def findings() -> Findings:
    return judged(*QUERIES)


@pytest.mark.parametrize("query", QUERIES, ids=lambda path: path.stem)
def test_a_query_is_right_by_the_language_service(findings: Findings, query: Path) -> None:
    assert findings[str(query)] == []


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("customEvents\n| where nme == 'run'", 2, "nme"),
        ("customEvents\n| summarize last = count()\n| order by last", 2, "last"),
        ("customEvent | take 1", 1, "customEvent"),
    ],
    ids=["unknown column", "reserved word", "unknown table"],
)
def test_what_is_wrong_with_a_query_is_found(
    tmp_path: Path, text: str, line: int, word: str
) -> None:
    query = tmp_path / "wrong.kql"
    query.write_text(text, encoding="utf-8")

    first, *_ = judged(query)[str(query)]

    assert first["line"] == line
    assert f"'{word}'" in first["message"]
