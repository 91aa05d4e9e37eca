"""The operations about scoring services and their redeploys."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from shared.openapi.operation import DOWN, NOT_FOUND, OK, TOO_LARGE, Answer, ApiOperation, Body
from shared.openapi.parameter import in_path, in_query
from shared.scoring.badge import MEDIA_TYPE
from shared.scoring.check_requests import NOT_PROVEN, XML
from shared.scoring.judgement_report import JudgementReport
from shared.scoring.maintenance import MaintenanceBody
from shared.scoring.redeploy.order import RedeployBody
from shared.scoring.redeploy.report import RedeployList, RedeployReport
from shared.scoring.service_reports import (
    MaintenanceReport,
    ServiceDetail,
    ServiceList,
)
from shared.scoring.state import Health
from shared.scoring.sunset import SunsetReport

SERVICE: Final = "scoring/services/{name}"
NAME: Final = in_path("name", "The name of a service.", "plumber-weight")
REDEPLOY_ID: Final = in_path(
    "redeploy_id", "The id of a redeploy.", "019ab0c4-5d6e-7f80-9123-456789abcdef"
)
LOCATION: Final = {"Location": "Where it tells how it goes."}

SCORING: Final[Sequence[ApiOperation]] = (
    ApiOperation(
        function="service_list",
        method="GET",
        path="scoring/services",
        said="How every service is.",
        parameters=(
            in_query("group", "Only of this group.", "demo"),
            in_query("state", "Only in this state.", "unhealthy", enum=[*map(str, Health)]),
        ),
        answers={OK: Answer(said="By name.", models=(ServiceList,))},
        problems=DOWN,
    ),
    ApiOperation(
        function="service_get",
        method="GET",
        path=SERVICE,
        said="How one service is: its state, its last checks, its uptime.",
        parameters=(NAME,),
        answers={OK: Answer(said="In full.", models=(ServiceDetail,))},
        problems=(NOT_FOUND, *DOWN),
    ),
    ApiOperation(
        function="service_check",
        method="POST",
        path=f"{SERVICE}/check",
        said="Check one service now; JUnit XML where `Accept` asks for XML.",
        parameters=(NAME,),
        answers={
            OK: Answer(said="It answers right.", models=(JudgementReport,), also=(XML,)),
            NOT_PROVEN: Answer(said="It does not.", models=(JudgementReport,), also=(XML,)),
        },
        problems=(NOT_FOUND, *DOWN),
    ),
    ApiOperation(
        function="maintenance_put",
        method="PUT",
        path=f"{SERVICE}/maintenance",
        said="Open a maintenance window; it closes by itself.",
        parameters=(NAME,),
        body=Body(
            model=MaintenanceBody,
            example={"until": "2026-11-21T23:00:00Z", "reason": "a new model"},
        ),
        answers={OK: Answer(said="Open.", models=(MaintenanceReport,))},
        problems=(NOT_FOUND, TOO_LARGE, *DOWN),
    ),
    ApiOperation(
        function="maintenance_delete",
        method="DELETE",
        path=f"{SERVICE}/maintenance",
        said="Close a maintenance window.",
        parameters=(NAME,),
        answers={HTTPStatus.NO_CONTENT: Answer(said="Closed, or was already.")},
        problems=(NOT_FOUND, *DOWN),
    ),
    ApiOperation(
        function="service_badge",
        method="GET",
        path=f"{SERVICE}/badge.svg",
        said="A picture of how a service is, to show on a page.",
        parameters=(NAME,),
        answers={OK: Answer(said="The picture.", content_type=MEDIA_TYPE)},
        problems=(NOT_FOUND, *DOWN),
    ),
    ApiOperation(
        function="redeploy_post",
        method="POST",
        path=f"{SERVICE}/redeploy",
        said="Begin a redeploy: exactly one of image, model and restart.",
        parameters=(NAME,),
        body=Body(
            model=RedeployBody, example={"restart": True, "reason": "it hangs", "dry_run": True}
        ),
        answers={
            HTTPStatus.ACCEPTED: Answer(said="Queued.", models=(RedeployReport,), headers=LOCATION)
        },
        problems=(
            NOT_FOUND,
            HTTPStatus.CONFLICT,
            TOO_LARGE,
            HTTPStatus.TOO_MANY_REQUESTS,
            *DOWN,
        ),
    ),
    ApiOperation(
        function="redeploy_list",
        method="GET",
        path=f"{SERVICE}/redeploys",
        said="The redeploys of a service in the last 30 days.",
        parameters=(NAME,),
        answers={OK: Answer(said="Newest first.", models=(RedeployList,))},
        problems=(NOT_FOUND, *DOWN),
    ),
    ApiOperation(
        function="redeploy_get",
        method="GET",
        path="scoring/redeploys/{redeploy_id}",
        said="How far a redeploy is, and all that was seen.",
        parameters=(REDEPLOY_ID,),
        answers={OK: Answer(said="It.", models=(RedeployReport,))},
        problems=(NOT_FOUND, *DOWN),
    ),
    ApiOperation(
        function="redeploy_abort",
        method="POST",
        path="scoring/redeploys/{redeploy_id}/abort",
        said="Have a redeploy undone.",
        parameters=(REDEPLOY_ID,),
        answers={
            HTTPStatus.ACCEPTED: Answer(
                said="Its next step undoes it.", models=(RedeployReport,), headers=LOCATION
            )
        },
        problems=(NOT_FOUND, HTTPStatus.CONFLICT, *DOWN),
    ),
    ApiOperation(
        function="v1_sunset",
        method="GET",
        path="scoring/v1-sunset",
        said="Which web services of SDK v1 are left, and what each becomes.",
        answers={
            OK: Answer(said="All that is left.", models=(SunsetReport,)),
            HTTPStatus.MULTI_STATUS: Answer(
                said="A part could not be listed.", models=(SunsetReport,)
            ),
        },
        problems=DOWN,
    ),
)
