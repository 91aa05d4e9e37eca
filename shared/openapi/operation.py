"""One operation of the HTTP API, as a value: what it takes, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel

from shared.openapi.parameter import Parameter

# Statuses that operations of every area answer.
OK, NOT_FOUND = HTTPStatus.OK, HTTPStatus.NOT_FOUND
TOO_LARGE: Final = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
DOWN: Final = (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE)


@dataclass(frozen=True, kw_only=True)
class Body:
    """A JSON body. `required`: an empty one is refused."""

    model: type[BaseModel]
    example: Mapping[str, Any]
    required: bool = True


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One status: its document, None where there is none, or where `content_type` is not JSON.

    `also`: of another type, the same answer. `headers`: names, and what they say.
    """

    said: str
    models: Sequence[type[BaseModel]] = ()
    content_type: str = "application/json"
    also: Sequence[str] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ApiOperation:
    """A function with an HTTP trigger. `problems`: statuses answered with problem details.

    `anonymous`: it takes no key. `path` is below /api.
    """

    function: str
    method: str
    path: str
    said: str
    answers: Mapping[HTTPStatus, Answer]
    problems: Sequence[HTTPStatus] = ()
    parameters: Sequence[Parameter] = ()
    body: Body | None = None
    anonymous: bool = False

    @property
    def tag(self) -> str:
        """The first part of its path: what it is about."""
        return self.path.split("/")[0]
