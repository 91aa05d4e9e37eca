"""What testthat reports: one verdict per test, from its JUnit XML, which has a case per expectation."""

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET


@dataclass(frozen=True, kw_only=True)
class RTest:
    """One test of an R service; `complaints` are the texts of what failed in it."""

    file: str
    name: str
    complaints: tuple[str, ...]


def read_junit(report: Path) -> list[RTest]:
    """Return the tests of a report in their order; spaces of their names are underscores there."""
    found: dict[tuple[str, str], list[str]] = {}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314  # our own test runner wrote it
        complaints = found.setdefault((case.get("classname", ""), case.get("name", "")), [])
        complaints += [each.text or each.tag for each in case if each.tag in {"failure", "error"}]
    return [
        RTest(file=file, name=name.replace("_", " "), complaints=tuple(complaints))
        for (file, name), complaints in found.items()
    ]
