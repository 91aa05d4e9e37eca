"""A container group as Azure shows it: three states that are not one, pulls, starts, crashes.

Shapes of Microsoft.ContainerInstance 2025-09-01. Any inner property can be null or missing. The
digest that runs is told by the last pull event alone, as `pulling image "<name>@sha256:..."`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from shared.clients.lenient_json import as_object, as_objects, as_time, count, tags, text
from shared.clients.redaction import redact

DIGEST: Final = re.compile(r"@(sha256:[0-9a-f]{64})\b")
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
# What Azure takes where a probe says nothing (container-instances-readiness-probe).
_PERIOD_SECONDS: Final = 10
_MAX_EVENTS: Final = 6


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened to a container, so many times, the last time `at`."""

    name: str
    message: str
    count: int
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Container:
    """A container: what is declared, and how it runs. `exit_code`: the last one, if it ended.

    `settings`: its environment as far as Azure shows it, which may be secret all the same.
    """

    name: str
    image: str
    state: str
    detail: str
    started_at: datetime | None
    exit_code: int | None
    restarts: int
    events: Sequence[Event]
    probe_period: timedelta | None
    settings: Mapping[str, str] = field(repr=False)

    @property
    def pulled(self) -> Event | None:
        """The last pull that succeeded; of two at the same moment the later one in the list."""
        pulls = [each for each in self.events if each.name == "Pulled"]
        return max(reversed(pulls), key=lambda each: each.at, default=None)

    @property
    def digest(self) -> str | None:
        """What was pulled last, None where its event does not say."""
        if self.pulled is not None:
            return digest_of(self.pulled.message)
        return digest_of(self.image)

    def probe_fails(self, now: datetime) -> bool:
        """Whether its readiness probe failed a moment ago."""
        if self.probe_period is None:
            return False
        recently = now - 2 * self.probe_period
        failed = (e for e in self.events if "readiness probe failed" in e.message.lower())
        return any(each.at >= recently for each in failed)

    def describe(self) -> str:
        """Return one line for people."""
        ended = "" if self.exit_code is None else f", last exit code {self.exit_code}"
        detail = f" ({redact(self.detail)})" if self.detail else ""
        started = self.started_at if self.state == "Running" else None
        since = f" since {started:%Y-%m-%dT%H:%M:%SZ}" if started else ""
        return f"{self.name}: {self.state}{since}{detail}{ended}, restarts {self.restarts}"


@dataclass(frozen=True, kw_only=True)
class Group:
    """A container group. `document` is the whole answer, `seen_at` Azure's time of it."""

    id: str
    provisioning_state: str
    state: str
    containers: Sequence[Container]
    tags: Mapping[str, str]
    document: Mapping[str, Any]
    seen_at: datetime

    @property
    def public_address(self) -> str:
        """The IP address that Azure gave it for the internet; empty without."""
        address = as_object(as_object(self.document.get("properties")).get("ipAddress"))
        return "" if text(address, "type") == "Private" else text(address, "ip")

    def container(self, name: str) -> Container | None:
        """Return a container by name."""
        return next((each for each in self.containers if each.name == name), None)

    def describe(self, *, since: datetime) -> Sequence[str]:
        """Return lines of evidence: states, and the last events after a moment."""
        lines = [f"group: {self.state or 'no state'}, provisioning {self.provisioning_state}"]
        for container in self.containers:
            lines.append(container.describe())
            recent = sorted(
                (each for each in container.events if each.at > since), key=lambda each: each.at
            )
            lines += [
                f"{container.name}: {each.name} x{each.count}: {redact(each.message)}"
                for each in recent[-_MAX_EVENTS:]
            ]
        return lines


def read_group(document: Mapping[str, Any], *, seen_at: datetime) -> Group:
    """Read the answer of a GET."""
    properties = as_object(document.get("properties"))
    return Group(
        id=text(document, "id"),
        provisioning_state=text(properties, "provisioningState"),
        state=text(as_object(properties.get("instanceView")), "state"),
        containers=[_container(each) for each in as_objects(properties.get("containers"))],
        tags=tags(document),
        document=document,
        seen_at=seen_at,
    )


def digest_of(reference: str) -> str | None:
    """Return the digest in a text, if there is one."""
    found = DIGEST.search(reference)
    return found.group(1) if found else None


def _container(item: Mapping[str, Any]) -> Container:
    declared = as_object(item.get("properties"))
    view = as_object(declared.get("instanceView"))
    current, previous = as_object(view.get("currentState")), as_object(view.get("previousState"))
    ended = count(current, "exitCode")
    return Container(
        name=text(item, "name"),
        image=text(declared, "image"),
        state=text(current, "state"),
        detail=text(current, "detailStatus"),
        started_at=as_time(text(current, "startTime")),
        exit_code=count(previous, "exitCode") if ended is None else ended,
        restarts=count(view, "restartCount") or 0,
        events=[_event(each) for each in as_objects(view.get("events"))],
        probe_period=_period(declared.get("readinessProbe")),
        settings={
            text(each, "name"): text(each, "value")
            for each in as_objects(declared.get("environmentVariables"))
        },
    )


def _event(item: Mapping[str, Any]) -> Event:
    return Event(
        name=text(item, "name"),
        message=text(item, "message"),
        count=count(item, "count") or 1,
        at=as_time(text(item, "lastTimestamp")) or _LONG_AGO,
    )


def _period(probe: object) -> timedelta | None:
    if not isinstance(probe, dict):
        return None
    return timedelta(seconds=count(probe, "periodSeconds") or _PERIOD_SECONDS)
