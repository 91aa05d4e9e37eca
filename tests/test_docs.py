"""The tables of README and docs say what the code says."""

import re
from pathlib import Path

from shared.compute.instance import InstanceState
from shared.compute.policy import Reason
from shared.compute.report import Outcome
from shared.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
SETTINGS = (ROOT / "docs" / "settings.md").read_text("utf-8")
# A link to a file of this repository, or a path in backquotes.
FOLDERS = "docs|dashboards|shared|tests|infra|azure_emulator|local_host|benchmarks|r_services"
NAMED = re.compile(rf"\]\((?!http|mailto|#)([^)#]+)|`((?:{FOLDERS})/[\w./-]*)`")


def rows(heading: str, *, of: str = README) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    section = of.split(f"# {heading}\n", 1)[1]
    table = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE)
    assert table is not None, f"no table below {heading}"
    lines = table.group().splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_decision_table_has_every_reason_once() -> None:
    listed = [row[2].strip("`") for row in rows("What is decided, and why")]

    assert sorted(listed) == sorted(Reason)


def test_the_decision_table_names_every_state() -> None:
    named = " ".join(row[0] for row in rows("What is decided, and why"))

    missing = [state for state in InstanceState if not re.search(rf"\b{state}\b", named)]
    assert missing == []


def test_every_outcome_is_explained() -> None:
    missing = [outcome for outcome in Outcome if outcome not in README]

    assert missing == []


def test_the_settings_table_lists_every_setting_and_no_other() -> None:
    listed = [row[0].strip("`") for row in rows("Settings", of=SETTINGS)]
    declared = [field.alias or "" for field in Settings.model_fields.values()]

    assert sorted(listed) == sorted(declared)


def test_the_settings_table_gives_the_real_defaults() -> None:
    listed = {row[0].strip("`"): row[1].strip("`") for row in rows("Settings", of=SETTINGS)}
    defaults = {
        field.alias: str(field.default).lower()
        for field in Settings.model_fields.values()
        if isinstance(field.default, bool | int | float | str)
    }

    assert {name: listed[name].lower() for name in defaults if name} == defaults


def test_the_readme_is_under_250_lines() -> None:
    assert len(README.splitlines()) < 250


def test_every_file_that_a_document_names_exists() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    named = [
        (path, link or name)
        for path in documents
        for link, name in NAMED.findall(path.read_text("utf-8"))
    ]

    missing = [
        f"{path.relative_to(ROOT)}: {name}"
        for path, name in named
        if not ((ROOT / name).exists() or (path.parent / name).exists())
    ]
    assert named
    assert missing == []


def test_the_list_of_decisions_has_every_decision_by_its_title() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text("utf-8")

    listed = re.findall(r"^- \[(.*)\]\((.*)\)$", index, re.MULTILINE)
    files = sorted(folder.glob("0*.md"))
    assert listed == [
        (path.read_text("utf-8").splitlines()[0].removeprefix("# "), path.name) for path in files
    ]
