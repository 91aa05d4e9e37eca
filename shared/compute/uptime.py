"""Read when a machine may be up from its tags, and notice tags that were meant for us. Pure.

A tag that cannot be understood is never guessed at: the machine is left up and its owner is told.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from shared.compute.schedule import Schedule, ScheduleError, parse_schedule
from shared.compute.schedule.error import shown

UPTIME_TAG = "uptime"
SHUTDOWN_TAG = "shutdown"
NEVER = "never"
EXAMPLE = "uptime=Mon-Fri 07:30-20:30 Europe/Berlin"

# Names that other schedulers read or that people think of first; without their separators.
MEANT_AS_SCHEDULE = frozenset(
    [
        "autoshutdown",
        "autoshutdownschedule",
        "autoshutdowntime",
        "autostop",
        "autostopschedule",
        "autostoptime",
        "downtime",
        "downtimeschedule",
        "maidoffhours",
        "offhours",
        "onhours",
        "runninghours",
        "shutdownafter",
        "shutdownat",
        "shutdownhours",
        "shutdownschedule",
        "shutdowntime",
        "startstopschedule",
        "stopat",
        "stopschedule",
        "stoptime",
        "uptimehours",
        "uptimeschedule",
        "uptimewindow",
        "uptimewindows",
    ]
)
MEANT_AS_NEVER = frozenset(
    [
        "alwayson",
        "alwaysup",
        "donotshutdown",
        "donotstop",
        "dontshutdown",
        "dontstop",
        "excludefromshutdown",
        "keepalive",
        "keeprunning",
        "keepup",
        "nevershutdown",
        "neverstop",
        "noshutdown",
        "nostop",
        "shutdownexclude",
        "shutdownexempt",
        "skipshutdown",
    ]
)
_SEPARATORS = str.maketrans("", "", "-_. ")
# `uptme`, `shutdown2`, but neither `runtime` nor `uptime-sla`.
_TYPO_RATIO = 0.85


@dataclass(frozen=True, kw_only=True)
class Uptime:
    """The tag that says when a machine may be up, as it was written, and what it means."""

    tag: str
    value: str
    schedule: Schedule


@dataclass(frozen=True, kw_only=True)
class Misconfigured:
    """A tag that was meant for us and cannot be understood. `tag` and `value` are cut to 100."""

    tag: str
    value: str
    problem: str
    suggestion: str

    def __str__(self) -> str:
        return f"{self.tag}={self.value}: {self.problem}; {self.suggestion}"


def read_uptime(tags: Mapping[str, str]) -> Uptime | Misconfigured | None:
    """Read a resource's tags; None: they say nothing about when it may be up.

    A tag that is misconfigured counts before one that is well, since it may have been meant to
    keep the machine up. `shutdown=never` is another rule's business and no reason to complain.
    """
    found: Uptime | None = None
    for name, value in tags.items():
        tag = _read_tag(name, value or "")
        if isinstance(tag, Misconfigured):
            return tag
        found = found or tag
    return found


@lru_cache(maxsize=16384)
def _read_tag(name: str, value: str) -> Uptime | Misconfigured | None:
    plain = name.strip().lower()
    if plain == UPTIME_TAG:
        return _read_uptime(name, value)
    if plain == SHUTDOWN_TAG:
        return _read_shutdown(name, value)
    return _read_look_alike(name, value)


def _read_uptime(name: str, value: str) -> Uptime | Misconfigured:
    try:
        return Uptime(tag=name, value=value, schedule=parse_schedule(value))
    except ScheduleError as error:
        advice = _VALUES_MEANT.get(value.strip().lower(), error.suggestion)
        return _misconfigured(name, value, error.problem, advice)


_VALUES_MEANT: Mapping[str, str] = {
    "never": "write uptime=none (it may never be up) or shutdown=never (never stop it)",
    **dict.fromkeys(
        ("always on", "true", "yes", "on", "1", "24/7", "24x7", "all"), "write uptime=always"
    ),
    **dict.fromkeys(("false", "no", "off", "0"), "write uptime=none, so that it may never be up"),
}


def _read_shutdown(name: str, value: str) -> Misconfigured | None:
    if value.strip().lower() == NEVER:
        return None
    return _misconfigured(
        name,
        value,
        "the only value of the tag shutdown is never",
        f"write shutdown=never, or {_or_schedule(value)}",
    )


def _read_look_alike(name: str, value: str) -> Misconfigured | None:
    plain = name.lower().translate(_SEPARATORS)
    if plain in MEANT_AS_NEVER:
        return _misconfigured(name, value, "no such tag is read", "write shutdown=never")
    typo = get_close_matches(plain[:20], (UPTIME_TAG, SHUTDOWN_TAG), n=1, cutoff=_TYPO_RATIO)
    if not typo and plain not in MEANT_AS_SCHEDULE:
        return None
    if typo == [SHUTDOWN_TAG] and value.strip().lower() == NEVER:
        return _misconfigured(name, value, "no such tag is read", "write shutdown=never")
    return _misconfigured(name, value, "no such tag is read", f"write {_or_schedule(value)}")


def _or_schedule(value: str) -> str:
    try:
        return f"uptime={parse_schedule(value)}"
    except ScheduleError:
        return f"when it may be up: {EXAMPLE}"


def _misconfigured(name: str, value: str, problem: str, suggestion: str) -> Misconfigured:
    return Misconfigured(
        tag=shown(name), value=shown(value), problem=problem, suggestion=suggestion
    )
