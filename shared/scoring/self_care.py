"""What a platform team lets the app do to a service by itself: heal, restart in time, follow a tag."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

from shared.scoring.kind import KNOWN_TO_AZURE, Kind
from shared.scoring.restarts import check_restart_schedule


class SelfHeal(StrEnum):
    """What the app may do by itself to a service that a restart can mend."""

    OFF = "off"
    RESTART = "restart"
    REDEPLOY = "redeploy"


SelfHealing = Annotated[
    SelfHeal,
    Field(
        description="What the app does by itself when it is down, or wrong after it was right: "
        "`off`, `restart`, or `redeploy`: a restart, and if that does not help the image of before "
        "the last change. See docs/redeploys.md."
    ),
]
_Schedule = Annotated[
    str,
    AfterValidator(check_restart_schedule),
    Field(
        json_schema_extra={
            "pattern": r"^((Mon|Tue|Wed|Thu|Fri|Sat|Sun)(-(Mon|Tue|Wed|Thu|Fri|Sat|Sun))? )?"
            r"([01]\d|2[0-3]):[0-5]\d$"
        }
    ),
]
RestartSchedule = Annotated[
    _Schedule | None,
    Field(
        description="When it is restarted in any case, since R's memory only grows: `03:30`, "
        "`Sun 03:30` or `Mon-Fri 03:30`, in UTC; absent: never."
    ),
]

FollowTag = Annotated[
    bool,
    Field(
        description="Of kinds `aks` and `aci`: redeployed when the tag of its image leads to another "
        "digest in the registry. See docs/redeploys.md."
    ),
]


def follow_problem(kind: Kind, *, is_movable: bool) -> str:
    """Return why the tag of such a service cannot be followed, with advice; empty: it can.

    `is_movable`: its entry says what runs it.
    """
    if kind is Kind.HTTP:
        return "follow_tag: kind http cannot be redeployed, so no tag is followed: leave it out"
    if kind in KNOWN_TO_AZURE:
        return (
            f"follow_tag: what kind {kind} runs has versions and no tag: leave it out, and name "
            "the new version in a redeploy"
        )
    if not is_movable:
        what = "aks and resource_id" if kind is Kind.AKS else "resource_id"
        return f"follow_tag of kind {kind} needs {what}: where its image runs"
    return ""
