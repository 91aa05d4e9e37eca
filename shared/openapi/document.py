"""The OpenAPI 3.1 document of the HTTP API: schemas come from the models that answers are made of.

Source: https://spec.openapis.org/oas/v3.1.1, JSON Schema 2020-12, RFC 9457 for problem details.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import models_json_schema

from shared.callers import refuse_unknown
from shared.openapi.compute import COMPUTE
from shared.openapi.duty import DUTY
from shared.openapi.operation import Answer, ApiOperation, Body
from shared.openapi.parameter import Parameter
from shared.openapi.scoring import SCORING
from shared.replies import PROBLEM, Reply, json_reply

Json = dict[str, Any]
Mode = Literal["validation", "serialization"]

OPERATIONS: Final[Sequence[ApiOperation]] = (*COMPUTE, *SCORING, *DUTY)
KEY: Final = "functionKey"
# Of every operation: the host refuses a key, the app its own settings or an unexpected error.
_KEY_REFUSED: Final = {"description": "The key is missing or wrong; no body."}
_OF_ALL: Final = (HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR)


class Problem(BaseModel):
    """Problem details (RFC 9457). `field`: what of the request is wrong; `run_id`: of a run that failed."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str
    field: str | None = None
    run_id: str | None = None


def answer(query: Mapping[str, str]) -> Reply:
    """200: the document."""
    refuse_unknown(query, known=())
    return json_reply(_text(), status=HTTPStatus.OK, headers={"Cache-Control": "no-store"})


@cache
def _text() -> str:
    return json.dumps(document())


def document() -> Json:
    """Return the document."""
    paths: dict[str, Json] = {}
    for each in OPERATIONS:
        paths.setdefault(f"/{each.path}", {})[each.method.lower()] = _operation(each)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "AML R Ops",
            "version": "1",
            "summary": "Stops Azure ML compute, health-checks R scoring services and redeploys them.",
            "description": "An outcome is what was seen, never what was attempted.",
        },
        "servers": [{"url": "/api"}],
        "security": [{KEY: []}],
        "tags": [{"name": name} for name in dict.fromkeys(each.tag for each in OPERATIONS)],
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {
                KEY: {"type": "apiKey", "in": "header", "name": "x-functions-key"},
            },
        },
    }


def _operation(each: ApiOperation) -> Json:
    made: Json = {
        "operationId": each.function,
        "summary": each.said,
        "tags": [each.tag],
        "responses": _responses(each),
    }
    if each.parameters:
        made["parameters"] = [_parameter(one) for one in each.parameters]
    if each.body is not None:
        made["requestBody"] = _body(each.body)
    if each.anonymous:
        made["security"] = [{}]
    return made


def _parameter(each: Parameter) -> Json:
    return {
        "name": each.name,
        "in": str(each.place),
        "description": each.said,
        "required": each.required,
        "schema": dict(each.schema),
        "example": each.example,
    }


def _body(body: Body) -> Json:
    schema = _references()[(body.model, "validation")]
    content = {"application/json": {"schema": schema, "example": dict(body.example)}}
    return {"required": body.required, "content": content}


def _responses(each: ApiOperation) -> Json:
    made = {str(int(status)): _response(one) for status, one in each.answers.items()}
    if each.anonymous:
        return made
    told = [status for status in (*_OF_ALL, *each.problems) if status not in each.answers]
    made |= {str(int(status)): _problem(status) for status in told}
    made["401"] = _KEY_REFUSED
    return dict(sorted(made.items()))


def _response(one: Answer) -> Json:
    made: Json = {"description": one.said}
    if one.models:
        made["content"] = {one.content_type: {"schema": _any_of(one.models)}}
    elif one.content_type != "application/json":
        made["content"] = {one.content_type: {"schema": {"type": "string"}}}
    for other in one.also:
        made.setdefault("content", {})[other] = {"schema": {"type": "string"}}
    if one.headers:
        made["headers"] = {
            name: {"description": said, "schema": {"type": "string"}}
            for name, said in one.headers.items()
        }
    return made


def _any_of(models: Sequence[type[BaseModel]]) -> Json:
    references = [_references()[(each, "serialization")] for each in models]
    return references[0] if len(references) == 1 else {"anyOf": references}


def _problem(status: HTTPStatus) -> Json:
    example = {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "detail": "What is wrong, in a sentence.",
    }
    schema = _references()[(Problem, "serialization")]
    return {
        "description": status.phrase,
        "content": {PROBLEM: {"schema": schema, "example": example}},
    }


def _models() -> Iterator[tuple[type[BaseModel], Mode]]:
    yield Problem, "serialization"
    for each in OPERATIONS:
        if each.body is not None:
            yield each.body.model, "validation"
        for one in each.answers.values():
            yield from ((model, "serialization") for model in one.models)


@cache
def _generated() -> tuple[Any, Json]:
    models = list(dict.fromkeys(_models()))
    return models_json_schema(models, ref_template="#/components/schemas/{model}")


def _references() -> Mapping[tuple[type[BaseModel], Mode], Json]:
    found: Mapping[tuple[type[BaseModel], Mode], Json] = _generated()[0]
    return found


def _schemas() -> Json:
    made: Json = _generated()[1]["$defs"]
    return made
