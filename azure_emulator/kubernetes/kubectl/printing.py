"""What `get` prints: tables as the server makes them, JSON, YAML, names.

Source: cli-runtime 1.32, pkg/printers (TablePrinter, JSONPrinter, YAMLPrinter, NamePrinter).
"""

import json
from argparse import Namespace
from collections.abc import Sequence
from typing import Any

import yaml

from azure_emulator.kubernetes.kubectl.session import Session, Target
from azure_emulator.kubernetes.store import PLURALS, Object

TABLES = frozenset({"", "wide"})
FORMATS = frozenset({*TABLES, "json", "yaml", "name"})
_ACCEPT = "application/json;as=Table;v=v1;g=meta.k8s.io"
_GAP = "   "
_NARROWEST = 3


def name_of(given: Object) -> str:
    metadata = given["metadata"]
    return Target(plural=PLURALS[given["kind"]], namespace="").called(metadata["name"])


def as_list(items: Sequence[Object]) -> Object:
    named = {"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}}
    return {**named, "items": list(items)}


def document(given: Object, form: str) -> str:
    """JSON or YAML, without managed fields, as kubectl shows it."""
    shown = _without_managers(given)
    if form == "yaml":
        return yaml.safe_dump(shown, default_flow_style=False)
    return json.dumps(shown, indent=4, sort_keys=True) + "\n"


def tables(session: Session, wanted: Sequence[Target], query: str, options: Namespace) -> str:
    """A table for each kind; where there are several, names say their kind."""
    shown = [_table(session, each, query, options, named=len(wanted) > 1) for each in wanted]
    told = [each for each in shown if each]
    if told:
        return "\n".join(told)
    within = f" in {options.namespace} namespace." if options.namespace else ""
    return f"No resources found{within}\n"


def _table(session: Session, target: Target, query: str, options: Namespace, *, named: bool) -> str:
    columns, rows = _rows(session, target, query)
    rows = sorted(rows, key=lambda row: _at(row["object"], options.sort_by))
    kept = [
        place
        for place, column in enumerate(columns)
        if options.output == "wide" or not column["priority"]
    ]
    lines = [[str(row["cells"][place]) for place in kept] for row in rows]
    if named:
        lines = [[target.called(line[0]), *line[1:]] for line in lines]
    heads = [str(columns[place]["name"]).upper() for place in kept]
    if not target.namespace and target.namespaced:
        heads = ["NAMESPACE", *heads]
        spaces = [row["object"]["metadata"]["namespace"] for row in rows]
        lines = [[space, *line] for space, line in zip(spaces, lines, strict=True)]
    if not lines:
        return ""
    return aligned(lines if options.no_headers else [heads, *lines])


def _rows(session: Session, target: Target, query: str) -> tuple[list[Object], list[Object]]:
    paths = [f"{target.path}/{name}" for name in target.names] or [f"{target.path}{query}"]
    mark = "&" if "?" in paths[0] else "?"
    found = [
        json.loads(session.text(f"{path}{mark}includeObject=Object", accept=_ACCEPT))
        for path in paths
    ]
    return found[0]["columnDefinitions"], [row for table in found for row in table["rows"]]


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Columns three spaces apart; nothing pads the last one."""
    widths = [max(_NARROWEST, *map(len, column)) for column in zip(*lines, strict=True)]
    return "".join(
        _GAP.join(cell.ljust(width) for cell, width in zip(line[:-1], widths, strict=False))
        + f"{_GAP}{line[-1]}\n"
        for line in lines
    )


def _at(given: Any, path: str) -> str:
    """What is at `.metadata.name` or `{.metadata.name}`; the same for all without a path."""
    for name in filter(None, path.strip("{}").split(".")):
        given = given.get(name, "") if isinstance(given, dict) else ""
    return str(given) if path else ""


def _without_managers(given: Object) -> Object:
    if given.get("kind") == "List":
        return {**given, "items": [_without_managers(each) for each in given["items"]]}
    if "metadata" not in given:
        return given
    kept = {name: value for name, value in given["metadata"].items() if name != "managedFields"}
    return {**given, "metadata": kept}
