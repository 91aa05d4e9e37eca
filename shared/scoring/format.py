"""The format of a file of services, told to editors (JSON Schema) and to people (tables)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from pydantic import BaseModel

from shared.scoring.catalogue import ServiceFile
from shared.scoring.presets import ROUTES
from shared.scoring.service import (
    Aci,
    Aks,
    Checks,
    Credential,
    Expectation,
    Golden,
    Route,
    Service,
    Thresholds,
)

SECTIONS: Final[tuple[type[BaseModel], ...]] = (
    Service,
    Checks,
    Route,
    Golden,
    Expectation,
    Thresholds,
    Credential,
    Aks,
    Aci,
)
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> str:
    """Return the JSON Schema of a file of services, as the text of a file."""
    schema = {"$schema": _DIALECT, **ServiceFile.model_json_schema()}
    schema["title"] = "Scoring services"
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def field_tables() -> str:
    """Return a Markdown table for each part of a file: field, default, meaning."""
    return "\n".join(_table(model) for model in SECTIONS)


def preset_table() -> str:
    """Return a Markdown table of the cheap route that each preset fills in."""
    rows = [
        f"| `{preset}` | `GET {route.path}` | {_status(route.status)} | {_code(route.contains)} |"
        for preset, route in ROUTES.items()
    ]
    head = ["| preset | `live` | status | the answer holds |", "|---|---|---|---|"]
    return "\n".join([*head, *rows]) + "\n"


def _table(model: type[BaseModel]) -> str:
    head = [f"### {model.__name__}", "", "| field | default | meaning |", "|---|---|---|"]
    return "\n".join([*head, *_rows(model)]) + "\n"


def _rows(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        default = "required" if field.is_required() else _default(field.get_default())
        meaning = (field.description or "").replace("|", "\\|")
        yield f"| `{name}` | {default} | {meaning} |"


def _default(value: Any) -> str:
    """Return a default as it would be written; what is made by a factory is a section's own."""
    if value is None or value == () or not isinstance(value, bool | int | float | str):
        return ""
    return _code(json.dumps(value).strip('"'))


def _code(text: str | None) -> str:
    return f"`{text}`" if text else ""


def _status(status: int | None) -> str:
    return "any below 500" if status is None else str(status)
