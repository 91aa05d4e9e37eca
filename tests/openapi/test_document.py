"""openapi.json describes what the app answers: every function, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import azure.functions as func
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

import function_app
from shared.errors import InvalidRequestError
from shared.openapi.document import OPERATIONS, answer, document
from shared.openapi.operation import ApiOperation


def triggers() -> dict[str, dict[str, Any]]:
    """The HTTP triggers of the app, by the function's name."""
    found = {}
    for function in function_app.app.get_functions():
        trigger = function.get_trigger()
        assert trigger is not None
        described = trigger.get_dict_repr()
        if described["type"] == "httpTrigger":
            found[str(function.get_function_name())] = described
    return found


def test_every_function_is_described_as_it_is_registered_and_no_other_is() -> None:
    registered = {
        (name, method, trigger["route"], trigger["authLevel"] is func.AuthLevel.ANONYMOUS)
        for name, trigger in triggers().items()
        for method in trigger["methods"]
    }

    described = {(each.function, each.method, each.path, each.anonymous) for each in OPERATIONS}
    assert described == {
        (name, str(getattr(method, "value", method)), route, anonymous)
        for name, method, route, anonymous in registered
    }
    assert len(described) > 25


def test_the_document_is_valid() -> None:
    assert [str(each) for each in OpenAPIV31SpecValidator(document()).iter_errors()] == []


def test_only_what_holds_no_data_takes_no_key() -> None:
    paths = document()["paths"]

    anonymous = {
        path for path, item in paths.items() for each in item.values() if each.get("security")
    }
    assert anonymous == {"/dashboard", "/health/live"}
    assert document()["security"] == [{"functionKey": []}]
    keyed = [each for item in paths.values() for each in item.values() if "security" not in each]
    assert all("401" in each["responses"] for each in keyed)


@pytest.mark.parametrize("each", OPERATIONS, ids=lambda each: each.function)
def test_examples_are_what_their_schemas_say(each: ApiOperation) -> None:
    described = document()
    operation = described["paths"][f"/{each.path}"][each.method.lower()]
    shown = [(one["schema"], one["example"]) for one in operation.get("parameters", ())]
    for part in (operation.get("requestBody", {}), *operation["responses"].values()):
        shown += [
            (c["schema"], c["example"]) for c in part.get("content", {}).values() if "example" in c
        ]

    for schema, example in shown:
        whole = {**schema, "components": described["components"]}
        typed = int(example) if schema.get("type") == "integer" else example
        assert [e.message for e in Draft202012Validator(whole).iter_errors(typed)] == []
    assert operation["summary"].endswith((".", "otherwise."))


@pytest.mark.parametrize("each", OPERATIONS, ids=lambda each: each.function)
def test_errors_are_problem_details(each: ApiOperation) -> None:
    operation = document()["paths"][f"/{each.path}"][each.method.lower()]

    told = {
        status: set(response.get("content", ()))
        for status, response in operation["responses"].items()
        if int(status) >= 400 and status not in {str(int(s)) for s in each.answers}
    }
    assert told.pop("401", set()) == set()
    assert all(types == {"application/problem+json"} for types in told.values())
    assert each.anonymous or {"400", "500"} <= set(told)


def test_path_parameters_are_those_of_the_path() -> None:
    for each in OPERATIONS:
        named = {part[1:-1] for part in each.path.split("/") if part.startswith("{")}
        assert {one.name for one in each.parameters if one.place == "path"} == named


def test_it_is_answered_as_json_and_a_typo_is_refused() -> None:
    reply = answer({})

    assert (reply.status, reply.content_type) == (200, "application/json")
    assert json.loads(reply.body) == document()
    with pytest.raises(InvalidRequestError):
        answer({"format": "yaml"})
