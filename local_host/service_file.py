"""Look at a file of scoring services as the app does, and write down its format.

`python -m local_host.service_file check FILE` tells every problem with its place; 0 where there is
none, 1 otherwise, 2 where there is no such file. `... document` writes docs/scoring-services.schema.json
and the tables of docs/scoring-services.md anew.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from shared.scoring.catalogue import CatalogueRejected, read_catalogue
from shared.scoring.format import field_tables, json_schema, preset_table

DOCS = Path(__file__).resolve().parents[1] / "docs"
SCHEMA = DOCS / "scoring-services.schema.json"
PAGE = DOCS / "scoring-services.md"
REJECTED, UNREADABLE = 1, 2


def main() -> int:
    """Carry out the command line."""
    arguments = _parse_arguments()
    if arguments.command == "document":
        for path, text in documents().items():
            path.write_text(text, "utf-8")
        return 0
    return check(arguments.file)


def check(file: Path) -> int:
    """Print what is wrong with a file; returns the exit status."""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeError) as error:
        sys.stderr.write(f"{file}: cannot be read, {type(error).__name__}\n")
        return UNREADABLE
    found = read_catalogue(text)
    if isinstance(found, CatalogueRejected):
        sys.stdout.write("".join(f"{file}: {problem}\n" for problem in found.problems))
        return REJECTED
    sys.stdout.write(f"{file}: {len(found.services)} services, no problems\n")
    return 0


def documents() -> dict[Path, str]:
    """Return what the generated files should hold."""
    page = PAGE.read_text("utf-8")
    page = _filled(page, "fields", field_tables())
    page = _filled(page, "presets", preset_table())
    return {SCHEMA: json_schema(), PAGE: page}


def _filled(page: str, name: str, table: str) -> str:
    """Put a table between its marks."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    before, _, rest = page.partition(begin)
    return f"{before}{begin}{table}{end}{rest.partition(end)[2]}"


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local_host.service_file", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check", help="tell what is wrong with a file").add_argument(
        "file", type=Path
    )
    commands.add_parser("document", help="write the schema and the tables in docs/ anew")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
