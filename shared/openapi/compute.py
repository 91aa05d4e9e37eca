"""The operations about compute."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from pydantic import BaseModel, ConfigDict

from shared.compute.exemption_order import ExemptionBody
from shared.compute.exemption_requests import ExemptionList, ExemptionReport
from shared.compute.explain import Explanation
from shared.compute.idle_shutdown_order import IdleShutdownOrder
from shared.compute.idle_shutdown_report import IdleShutdownReport
from shared.compute.order import RunOrder
from shared.compute.report import PlanReport, Result, RunReport
from shared.compute.run_requests import MAX_PAGE_SIZE, RunList, RunListed, RunProgress
from shared.openapi.operation import DOWN, NOT_FOUND, OK, TOO_LARGE, Answer, ApiOperation, Body
from shared.openapi.parameter import Parameter, in_header, in_path, in_query

MULTI: Final = HTTPStatus.MULTI_STATUS
INSTANCE: Final = (
    "/subscriptions/8f4b6a1e-3c27-4d58-9b0e-5a7c1d2e3f40/resourceGroups/rg-ds-prod/providers"
    "/Microsoft.MachineLearningServices/workspaces/mlw-churn/computes/ci-ada"
)


class RunAccepted(BaseModel):
    """A run that goes on without its caller."""

    model_config = ConfigDict(frozen=True)

    run_id: str


def _list(name: str) -> Parameter:
    return in_query(name, f"Only these {name}, a comma list; absent: all.", "ci-ada", minLength=1)


EXEMPTION_ID: Final = in_path(
    "exemption_id", "Chosen by the client.", "thesis-ada", pattern="^[a-z0-9-]{1,64}$"
)
IF_MATCH: Final = in_header("If-Match", "The etag of the version to replace.", "*")
RUN_ID: Final = in_path("run_id", "The id of a run.", "019ab0c4-5d6e-7f80-9123-456789abcdef")
AT: Final = in_query(
    "at", "As of this moment; absent: now.", "2026-11-21T22:00:00Z", format="date-time"
)

COMPUTE: Final[Sequence[ApiOperation]] = (
    ApiOperation(
        function="shutdown_plan",
        method="GET",
        path="compute/plan",
        said="What a shutdown would do, now or at another moment; changes nothing.",
        parameters=(_list("subscriptions"), _list("workspaces"), _list("instances"), AT),
        answers={
            OK: Answer(said="The plan.", models=(PlanReport, RunReport)),
            MULTI: Answer(said="A part could not be read.", models=(PlanReport, RunReport)),
        },
        problems=(NOT_FOUND, *DOWN),
    ),
    ApiOperation(
        function="shutdown_now",
        method="POST",
        path="compute/shutdown",
        said="Shut down what the body names, now; without a body, all.",
        parameters=(
            in_header("Prefer", "`respond-async`: do not wait for the end.", "respond-async"),
        ),
        body=Body(
            model=RunOrder, example={"instances": ["ci-ada"], "dry_run": True}, required=False
        ),
        answers={
            OK: Answer(said="All came to a good end.", models=(RunReport,)),
            MULTI: Answer(said="Something failed, or is unresolved.", models=(RunReport,)),
            HTTPStatus.ACCEPTED: Answer(
                said="It goes on.",
                models=(RunAccepted,),
                headers={
                    "Location": "Where its report will be.",
                    "Preference-Applied": "`respond-async`, where that was preferred.",
                },
            ),
        },
        problems=(NOT_FOUND, TOO_LARGE, *DOWN),
    ),
    ApiOperation(
        function="shutdown_explain",
        method="GET",
        path="compute/explain",
        said="What a tick would decide about an instance, why, and until when.",
        parameters=(
            in_query("id", "The ARM id of a compute instance.", INSTANCE, required=True),
            AT,
        ),
        answers={OK: Answer(said="The explanation.", models=(Explanation,))},
        problems=(NOT_FOUND, *DOWN),
    ),
    ApiOperation(
        function="exemption_list",
        method="GET",
        path="compute/exemptions",
        said="The exemptions in force.",
        answers={OK: Answer(said="By their end.", models=(ExemptionList,))},
        problems=DOWN,
    ),
    ApiOperation(
        function="exemption_get",
        method="GET",
        path="compute/exemptions/{exemption_id}",
        said="One exemption.",
        parameters=(EXEMPTION_ID,),
        answers={
            OK: Answer(said="It.", models=(ExemptionReport,), headers={"ETag": "Its version."})
        },
        problems=(NOT_FOUND, *DOWN),
    ),
    ApiOperation(
        function="exemption_put",
        method="PUT",
        path="compute/exemptions/{exemption_id}",
        said="Keep a machine, a workspace or a subscription up until a moment; it ends by itself.",
        parameters=(
            EXEMPTION_ID,
            in_header("If-None-Match", "`*` creates one.", "*"),
            IF_MATCH,
        ),
        body=Body(
            model=ExemptionBody,
            example={
                "resource_id": INSTANCE,
                "until": "2026-11-22T08:00:00Z",
                "reason": "a long fit runs overnight",
            },
        ),
        answers={
            OK: Answer(
                said="Replaced.", models=(ExemptionReport,), headers={"ETag": "Its version."}
            ),
            HTTPStatus.CREATED: Answer(
                said="Created.",
                models=(ExemptionReport,),
                headers={"ETag": "Its version.", "Location": "Where it is."},
            ),
        },
        problems=(
            NOT_FOUND,
            HTTPStatus.PRECONDITION_FAILED,
            TOO_LARGE,
            HTTPStatus.PRECONDITION_REQUIRED,
            *DOWN,
        ),
    ),
    ApiOperation(
        function="exemption_delete",
        method="DELETE",
        path="compute/exemptions/{exemption_id}",
        said="Withdraw an exemption.",
        parameters=(EXEMPTION_ID, IF_MATCH),
        answers={HTTPStatus.NO_CONTENT: Answer(said="It is gone, or was already.")},
        problems=(HTTPStatus.PRECONDITION_FAILED, *DOWN),
    ),
    ApiOperation(
        function="run_list",
        method="GET",
        path="compute/runs",
        said="A page of the history of runs, newest first.",
        parameters=(
            in_query("result", "Only runs that ended so.", "partial", enum=[*map(str, Result)]),
            in_query("started_from", "Not before it.", "2026-11-21T00:00:00Z", format="date-time"),
            in_query("started_before", "Before it.", "2026-11-22T00:00:00Z", format="date-time"),
            in_query(
                "page_size",
                "How many; 50 if it is absent.",
                "20",
                type="integer",
                minimum=1,
                maximum=MAX_PAGE_SIZE,
            ),
            in_query("continuation", "From the page before; opaque.", ""),
        ),
        answers={OK: Answer(said="A page.", models=(RunList,))},
        problems=DOWN,
    ),
    ApiOperation(
        function="run_get",
        method="GET",
        path="compute/runs/{run_id}",
        said="The report of a run, or how far it is.",
        parameters=(RUN_ID,),
        answers={
            OK: Answer(
                said="Its report; its progress while it goes on; its error if it left no report.",
                models=(RunReport, RunProgress, RunListed),
            )
        },
        problems=(NOT_FOUND, *DOWN),
    ),
    ApiOperation(
        function="idle_shutdown_set",
        method="POST",
        path="compute/guardrails/idle-shutdown",
        said="Set how long instances may idle before Azure ML stops them; dry unless said otherwise.",
        body=Body(model=IdleShutdownOrder, example={"instances": ["ci-ada"], "idle_minutes": 60}),
        answers={
            OK: Answer(said="All were seen set.", models=(IdleShutdownReport,)),
            MULTI: Answer(said="Some were not.", models=(IdleShutdownReport,)),
        },
        problems=(NOT_FOUND, TOO_LARGE, *DOWN),
    ),
)
