"""Fail on a skipped test that the committed list does not name, so that none is lost unseen.

A line of the list is a test id as pytest's junit report has it (`classname::name`), and the reason.
"""

import sys
from pathlib import Path
from xml.etree import ElementTree as ET


def main(report: Path, allowed: Path) -> int:
    """Compare; 1 and a list when something unexpected was skipped, or nothing was run."""
    cases = list(ET.parse(report).iter("testcase"))  # noqa: S314  # our own test runner wrote it
    skipped = {
        f"{c.get('classname')}::{c.get('name')}" for c in cases if c.find("skipped") is not None
    }
    known = {line.split()[0] for line in allowed.read_text("utf-8").splitlines() if line.strip()}
    unexpected = sorted(skipped - known)
    for name in unexpected:
        sys.stdout.write(f"skipped, and not in {allowed}: {name}\n")
    return 1 if unexpected or not cases else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
