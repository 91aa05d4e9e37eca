"""What an outside observer of a run sees: Azure's side of it, never the app's own record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, Self

# A list was answered before it was seen: at most so long ago, or since its request arrived.
LOOK = timedelta(seconds=1)


class Azure(Protocol):
    """The emulator's control plane, or what it said at some moment."""

    def computes(self) -> dict[str, dict[str, Any]]: ...
    def requests(self) -> list[dict[str, Any]]: ...
    def telemetry(self) -> list[dict[str, Any]]: ...


@dataclass(frozen=True)
class Snapshot:
    """What the emulator said when a run was over: it may be reset since."""

    _computes: dict[str, dict[str, Any]]
    _requests: list[dict[str, Any]]
    _telemetry: list[dict[str, Any]]

    @classmethod
    def of(cls, azure: Azure) -> Self:
        return cls(azure.computes(), azure.requests(), azure.telemetry())

    def computes(self) -> dict[str, dict[str, Any]]:
        return self._computes

    def requests(self) -> list[dict[str, Any]]:
        return self._requests

    def telemetry(self) -> list[dict[str, Any]]:
        return self._telemetry


def states(azure: Azure) -> dict[str, str | None]:
    """Return the state of each compute instance, now."""
    return {
        name: compute["state"]
        for name, compute in azure.computes().items()
        if compute["computeType"] == "ComputeInstance"
    }


def arm_requests(azure: Azure) -> list[dict[str, Any]]:
    """Return the requests that reached Resource Manager, oldest first."""
    return [each for each in azure.requests() if each["path"].startswith("/subscriptions")]


def stop_requests(azure: Azure) -> list[str]:
    """Return the instance of every POST .../stop, oldest first."""
    asked = [each for each in azure.requests() if each["path"].endswith("/stop")]
    return [each["path"].split("/")[-2] for each in asked if each["method"] == "POST"]


def requests_that_change(azure: Azure) -> list[str]:
    """Return the paths of Resource Manager that were called with anything but GET."""
    return [each["path"] for each in arm_requests(azure) if each["method"] != "GET"]


def events(azure: Azure, name: str) -> list[Mapping[str, str]]:
    """Return the properties of each custom event of that name that arrived."""
    data = [
        each["data"]["baseData"]
        for each in azure.telemetry()
        if each["data"]["baseType"] == "EventData"
    ]
    return [each["properties"] for each in data if each["name"] == name]


def event_names(azure: Azure) -> list[str]:
    """Return the name of each custom event that arrived."""
    return [
        each["data"]["baseData"]["name"]
        for each in azure.telemetry()
        if each["data"]["baseType"] == "EventData"
    ]


def metrics(azure: Azure) -> dict[str, float]:
    """Return the app's own metrics that arrived, by name, summed up."""
    found: dict[str, float] = {}
    for each in azure.telemetry():
        for point in each["data"]["baseData"].get("metrics", ()):
            found[point["name"]] = found.get(point["name"], 0) + point["value"]
    return found


def instances(report: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return a report's instances by name."""
    return {each["name"]: each for each in report["instances"]}


def outcomes(report: Mapping[str, Any]) -> dict[str, str]:
    return {each["name"]: each["outcome"] for each in report["instances"]}


def untrue(report: Mapping[str, Any], azure: Azure) -> list[str]:
    """Return what a report says that Azure's history does not bear out."""
    truth, asked = azure.computes(), arm_requests(azure)
    return [
        f"{each['name']} was not {each['state_after']} at {each['seen_at']}"
        for each in report["instances"]
        if each["state_after"]
        not in _states_within(truth[each["name"]]["history"], *_last_look(asked, each))
    ]


def _last_look(
    asked: Sequence[Mapping[str, Any]], instance: Mapping[str, Any]
) -> tuple[datetime, datetime]:
    """Return when the list that showed an instance last may have been answered: from, to."""
    seen_at = datetime.fromisoformat(instance["seen_at"])
    path = instance["id"].rpartition("/")[0].lower()
    first_pages = (
        datetime.fromisoformat(each["at"])
        for each in asked
        if (each["method"], each["path"].lower()) == ("GET", path) and "skip" not in each["query"]
    )
    arrived = max((at for at in first_pages if at <= seen_at), default=seen_at)
    return min(arrived, seen_at - LOOK), seen_at


def _states_within(
    history: Sequence[Mapping[str, Any]], start: datetime, end: datetime
) -> set[str | None]:
    """Return the states that a machine had at any time from start to end."""
    ends = [datetime.fromisoformat(each["at"]) for each in history[1:]] + [end]
    return {
        each["state"]
        for each, until in zip(history, ends, strict=True)
        if datetime.fromisoformat(each["at"]) <= end and until >= start
    }
