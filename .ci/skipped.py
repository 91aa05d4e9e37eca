"""Fail on a skipped test that the committed list does not name, so that none is lost unseen.

A line of the list: a pattern over test ids (`classname::name` of pytest's junit report), the
Python versions it may be skipped on (comma list, or `any`), and the reason.
"""

import sys
from fnmatch import fnmatch
from pathlib import Path
from xml.etree import ElementTree as ET


def main(report: Path, allowed: Path, version: str) -> int:
    """Compare; 1 and a list when something unexpected was skipped, or nothing was run."""
    cases = list(ET.parse(report).iter("testcase"))  # noqa: S314  # our own test runner wrote it
    skipped = [case for case in cases if case.find("skipped") is not None]
    names = {f"{case.get('classname')}::{case.get('name')}" for case in skipped}
    patterns = _patterns(allowed, version)
    unexpected = sorted(n for n in names if not any(fnmatch(n, pattern) for pattern in patterns))
    for name in unexpected:
        sys.stdout.write(f"skipped on Python {version}, and not in {allowed}: {name}\n")
    return 1 if unexpected or not cases else 0


def _patterns(allowed: Path, version: str) -> list[str]:
    lines = [line.split(maxsplit=2) for line in allowed.read_text("utf-8").splitlines() if line]
    return [name for name, versions, _ in lines if {version, "any"} & set(versions.split(","))]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
