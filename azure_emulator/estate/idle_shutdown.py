"""The native idle shutdown of a compute instance: how long it may idle before it is stopped.

Source: ComputeInstanceProperties.idleTimeBeforeShutdown of api-version 2025-12-01: an ISO 8601
duration from 15 minutes to 3 days.
"""

import re
from datetime import timedelta

SHORTEST = timedelta(minutes=15)
LONGEST = timedelta(days=3)
_UNITS = ("days", "hours", "minutes", "seconds")
_DURATION = re.compile(
    r"P(?=.)(?:(\d{1,6})D)?(?:T(?=.)(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})S)?)?", re.ASCII
)


def duration(text: str) -> timedelta:
    """A duration of days, hours, minutes and seconds such as `PT1H30M`. Raises ValueError."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"'{text}' is not an ISO 8601 duration such as PT60M")
    parts = zip(_UNITS, match.groups(default="0"), strict=True)
    return timedelta(**{unit: int(count) for unit, count in parts})


def allowed(text: str) -> str:
    """The text, if Azure takes it for an idle time; raises ValueError."""
    if not SHORTEST <= duration(text) <= LONGEST:
        raise ValueError(f"'{text}' is not between 15 minutes and 3 days")
    return text
