"""The operations for people on duty and for monitors."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from shared.dashboard.health import AppHealth
from shared.dashboard.summary import Summary
from shared.openapi.operation import OK, Answer, ApiOperation

_UNKEPT: Final = {"Cache-Control": "`no-store`."}


class Live(BaseModel):
    """The worker answers."""

    model_config = ConfigDict(frozen=True)

    status: str


class OpenApi(BaseModel):
    """An OpenAPI document."""

    model_config = ConfigDict(extra="allow", frozen=True)

    openapi: str
    info: dict[str, Any]
    paths: dict[str, Any]


DUTY: Final[Sequence[ApiOperation]] = (
    ApiOperation(
        function="dashboard_page",
        method="GET",
        path="dashboard",
        said="The page for people on duty; it holds no data, and asks for a key.",
        answers={OK: Answer(said="The page.", content_type="text/html", headers=_UNKEPT)},
        anonymous=True,
    ),
    ApiOperation(
        function="dashboard_summary",
        method="GET",
        path="dashboard/summary",
        said="What is wrong now, part by part; what cannot be read is `unknown`, never `ok`.",
        answers={
            OK: Answer(
                said="The summary, also where parts could not be read.",
                models=(Summary,),
                headers=_UNKEPT,
            )
        },
        problems=(HTTPStatus.SERVICE_UNAVAILABLE,),
    ),
    ApiOperation(
        function="openapi_document",
        method="GET",
        path="openapi.json",
        said="This document.",
        answers={OK: Answer(said="It.", models=(OpenApi,), headers=_UNKEPT)},
    ),
    ApiOperation(
        function="health_check",
        method="GET",
        path="health",
        said="How the app itself is, each check with its reason.",
        answers={
            OK: Answer(said="Every check is ok.", models=(AppHealth,), headers=_UNKEPT),
            HTTPStatus.SERVICE_UNAVAILABLE: Answer(
                said="One is not, or is not known.", models=(AppHealth,), headers=_UNKEPT
            ),
        },
    ),
    ApiOperation(
        function="health_live",
        method="GET",
        path="health/live",
        said="Whether this worker answers; for the platform's health check.",
        answers={OK: Answer(said="It does.", models=(Live,), headers=_UNKEPT)},
        anonymous=True,
    ),
)
