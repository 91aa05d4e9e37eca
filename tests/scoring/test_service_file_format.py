"""The format as it is documented: schema, tables and example say what the models say."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from local_host.local_services import write_services
from local_host.service_file import REJECTED, SCHEMA, UNREADABLE, check, documents
from shared.scoring.catalogue import Catalogue, read_catalogue
from shared.scoring.document import read_document
from shared.scoring.format import SECTIONS

DOCS = SCHEMA.parent
EXAMPLE = DOCS / "scoring-services.example.yaml"


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_what_is_generated_is_up_to_date(path: Path) -> None:
    said = "run `python -m local_host.service_file document`"

    assert path.read_text("utf-8") == documents()[path], said


def test_the_example_is_right_and_keeps_to_loopback() -> None:
    found = read_catalogue(EXAMPLE.read_text("utf-8"))

    assert isinstance(found, Catalogue)
    assert [each.name for each in found.services] == ["plumber-weight", "rpy2-svm"]
    assert all((each.url or "").startswith("http://127.0.0.1:") for each in found.services)
    assert all(each.checks.golden for each in found.services)


def test_make_serve_checks_the_example_and_a_container_group_of_the_emulator(
    tmp_path: Path,
) -> None:
    group = "/subscriptions/8f4b6a1e-3c27-4d58-9b0e-5a7c1d2e3f40/resourceGroups/rg/providers/Microsoft.ContainerInstance/containerGroups"
    groups = [
        {"id": f"{group}/{name}", "url": f"https://127.0.0.1:1/scoring/{name}"}
        for name in ("weight", "other")
    ]

    found = read_catalogue(write_services(tmp_path, {"container_groups": groups}).read_text())

    assert isinstance(found, Catalogue)
    moved = found.services[-1]
    assert [each.name for each in found.services] == ["plumber-weight", "rpy2-svm", "weight-aci"]
    assert (moved.kind, moved.url) == ("aci", "https://127.0.0.1:1/scoring/weight")
    assert moved.resource_id == f"{group}/weight"


def validator() -> Any:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_an_editor_finds_the_example_right() -> None:
    assert list(validator().iter_errors(read_document(EXAMPLE.read_text("utf-8")).value)) == []


@pytest.mark.parametrize(
    "service",
    [
        {"name": "A", "kind": "http"},
        {"name": "a", "kind": "ftp"},
        {"name": "a", "kind": "http", "url": "ftp://r.example"},
        {"name": "a", "kind": "http", "urll": "https://r.example"},
        {"name": "a", "kind": "http", "checks": {"live": {"path": "live"}}},
        {"name": "a", "kind": "http", "credential": {"secret": "a_b"}},
    ],
)
def test_an_editor_finds_mistakes_as_they_are_written(service: dict[str, Any]) -> None:
    assert list(validator().iter_errors({"version": 1, "services": [service]}))


def test_every_field_is_described() -> None:
    silent = [
        f"{model.__name__}.{name}"
        for model in SECTIONS
        for name, field in model.model_fields.items()
        if not field.description
    ]

    assert silent == []


def test_the_command_line_tells_every_problem_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "services.yaml"
    file.write_text("version: 1\nservices:\n  - name: a\n    kind: http\n", "utf-8")

    status = check(file)

    told = capsys.readouterr().out
    assert status == REJECTED
    assert f"{file}: services[0] (line 3, column 5): kind http needs url" in told


def test_the_command_line_is_content_with_the_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert check(EXAMPLE) == 0
    assert "2 services, no problems" in capsys.readouterr().out


def test_the_command_line_says_that_there_is_no_such_file(tmp_path: Path) -> None:
    assert check(tmp_path / "none.yaml") == UNREADABLE
