"""The templates parse, name files that are there, and set settings that the app knows.

No compiler of Bicep is to be had from a package index: pycep reads its grammar, not Azure's types.
"""

import json
import re
from pathlib import Path

import pytest
import yaml
from pycep import BicepParser

from shared.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[2]
INFRA = REPOSITORY / "infra"
TEMPLATES = sorted([*INFRA.glob("**/*.bicep"), *(REPOSITORY / "dashboards").glob("**/*.bicep")])
MAIN = (INFRA / "main.bicep").read_text(encoding="utf-8")
# Settings of the Functions host, which the app does not read.
OF_THE_HOST = {"AzureWebJobsStorage__credential", "AzureWebJobsStorage__clientId"}


def named(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def settings_of(template: str) -> set[str]:
    block = template.split("settings: {", 1)[1].split("}", 1)[0]
    return set(re.findall(r"^\s+(\w+):", block, re.MULTILINE))


@pytest.mark.parametrize("template", TEMPLATES, ids=named)
def test_a_template_parses(template: Path) -> None:
    parsed = BicepParser().parse(text=template.read_text(encoding="utf-8"))

    assert {"resources", "modules"} & set(parsed)


@pytest.mark.parametrize("template", TEMPLATES, ids=named)
def test_every_file_that_a_template_names_is_there(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    loaded = re.findall(r"load(?:Text|Json)Content\('([^']+)'\)", text)
    modules = re.findall(r"^module \w+ '([^']+)'", text, re.MULTILINE)

    missing = [name for name in (*loaded, *modules) if not (template.parent / name).is_file()]

    assert missing == []


@pytest.mark.parametrize("template", TEMPLATES, ids=named)
def test_a_module_is_given_every_parameter_without_default_and_no_other(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    for _, path, block in re.findall(
        r"^module (\w+) '([^']+)' = \{(.*?)^\}", text, re.MULTILINE | re.DOTALL
    ):
        params = block.split("  params: {", 1)[1]
        given = set(re.findall(r"^    (\w+):", params, re.MULTILINE))
        declared = re.findall(
            r"^param (\w+) \w+( =)?",
            (template.parent / path).read_text(encoding="utf-8"),
            re.MULTILINE,
        )

        assert {name for name, default in declared if not default} <= given, path
        assert given <= {name for name, _ in declared}, path


def test_every_setting_is_one_that_the_app_or_its_host_knows() -> None:
    known = {field.alias for field in Settings.model_fields.values()} | {
        # Read by the host, from the triggers' schedules.
        "SHUTDOWN_SCHEDULE",
        "SCORING_SCHEDULE",
    }

    assert settings_of(MAIN) - OF_THE_HOST <= known


def test_what_must_be_set_is_set() -> None:
    assert {
        "SHUTDOWN_SCHEDULE",
        "SCORING_SCHEDULE",
        "KEY_VAULT_URL",
        "AzureWebJobsStorage__accountName",
        "APPLICATIONINSIGHTS_CONNECTION_STRING",
        "PYTHON_ENABLE_OPENTELEMETRY",
    } <= settings_of(MAIN)


def test_azd_finds_the_app_by_its_tag() -> None:
    project = yaml.safe_load((REPOSITORY / "azure.yaml").read_text(encoding="utf-8"))

    (service,) = project["services"]

    assert f"'azd-service-name': '{service}'" in MAIN
    assert project["services"][service]["language"] == "python"


def test_azd_gives_every_parameter_that_has_no_default() -> None:
    parameters = json.loads((INFRA / "main.parameters.json").read_text(encoding="utf-8"))

    declared = re.findall(r"^param (\w+) \w+( =)?", MAIN, re.MULTILINE)

    assert {name for name, default in declared if not default} <= set(parameters["parameters"])
    assert set(parameters["parameters"]) <= {name for name, _ in declared}


def test_what_only_deploys_is_not_deployed() -> None:
    ignored = (REPOSITORY / ".funcignore").read_text(encoding="utf-8").split()

    assert {"infra", "dashboards", "azure.yaml"} <= set(ignored)
