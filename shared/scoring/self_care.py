"""What a platform team lets the app do to a service by itself: heal it, and restart it in time."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

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
