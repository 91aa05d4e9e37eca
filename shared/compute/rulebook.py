"""Who may be up, and until when: the rules that apply to one instance, first hit wins. Pure.

Exemption > tag `shutdown=never` (instance, then workspace) > tag `uptime` (instance, then
workspace) > the default schedule. A tag that was meant for us and cannot be read keeps the machine
up where it stands, and is reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from shared.compute.exemptions import Exemption
from shared.compute.instance import Compute
from shared.compute.schedule import Schedule
from shared.compute.uptime import NEVER, SHUTDOWN_TAG, Misconfigured, Uptime, read_uptime

# On the hand of an operator who shuts down "now", windows count for nothing.
NO_WINDOWS = Schedule()


class Source(StrEnum):
    """Where a rule was found."""

    EXEMPTION = "exemption"
    INSTANCE_TAG = "instance_tag"
    WORKSPACE_TAG = "workspace_tag"
    DEFAULT_SCHEDULE = "default_schedule"
    NOW = "now"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """The one rule that applies to an instance.

    Exactly one of the four fields after `source` is set; a default schedule is a schedule. `text`
    is the rule as its author wrote it.
    """

    source: Source
    text: str
    exemption: Exemption | None = None
    never: bool = False
    misconfigured: Misconfigured | None = None
    schedule: Schedule | None = None

    def keeps_up(self, at: datetime) -> bool:
        """Whether the instance may be up at a moment."""
        if self.schedule is not None:
            return self.schedule.may_be_up(at)
        return self.exemption is None or at < self.exemption.until

    def next_change(self, at: datetime) -> datetime | None:
        """When that changes next; None if it does not within 400 days."""
        if self.schedule is not None:
            return self.schedule.next_change(at)
        return self.exemption.until if self.exemption and at < self.exemption.until else None


@dataclass(frozen=True, kw_only=True)
class Allowances:
    """What a machine gets although its window is closed.

    `late_start`: after a user started it outside its window. `min_uptime`: after any start.
    `job_deadline`: a running job may go on that long after the window closed (or after a later
    start); `stop_overdue_jobs` then stops it, else it is left and escalated.
    """

    late_start: timedelta = timedelta(hours=2)
    min_uptime: timedelta = timedelta(0)
    job_deadline: timedelta = timedelta(hours=12)
    stop_overdue_jobs: bool = False
    stop_job_running: bool = False


@dataclass(frozen=True, kw_only=True)
class Rulebook:
    """All rules of a run. `by_the_book` is False for a shutdown "now": it ignores windows."""

    default: Schedule = NO_WINDOWS
    exemptions: Sequence[Exemption] = ()
    allowances: Allowances = field(default_factory=Allowances)
    by_the_book: bool = True

    def rule(self, compute: Compute, *, at: datetime) -> Rule:
        """Return the rule that applies to an instance at a moment."""
        return next(self._rules(compute, at))

    def zone(self, compute: Compute, *, at: datetime) -> ZoneInfo:
        """Return the zone of the first schedule that applies, also where another rule comes first."""
        return next(rule.schedule.zone for rule in self._rules(compute, at) if rule.schedule)

    def misconfigured(self, compute: Compute) -> Sequence[tuple[str, Misconfigured]]:
        """Return (resource id, what is wrong) of the instance's and its workspace's tags."""
        read = ((each_id, read_uptime(tags)) for each_id, tags in _tagged(compute))
        return [(each_id, tag) for each_id, tag in read if isinstance(tag, Misconfigured)]

    def _rules(self, compute: Compute, at: datetime) -> Iterator[Rule]:
        for exemption in self.exemptions:
            if exemption.covers(compute.id, at=at):
                yield Rule(
                    source=Source.EXEMPTION, text=exemption.exemption_id, exemption=exemption
                )
        yield from _never(Source.INSTANCE_TAG, compute.tags)
        yield from _never(Source.WORKSPACE_TAG, compute.workspace.tags)
        yield from self._uptime(Source.INSTANCE_TAG, compute.tags)
        yield from self._uptime(Source.WORKSPACE_TAG, compute.workspace.tags)
        if self.by_the_book:
            yield Rule(
                source=Source.DEFAULT_SCHEDULE, text=str(self.default), schedule=self.default
            )
        yield Rule(source=Source.NOW, text="now", schedule=NO_WINDOWS)

    def _uptime(self, source: Source, tags: Mapping[str, str]) -> Iterator[Rule]:
        found = read_uptime(tags)
        if isinstance(found, Misconfigured):
            yield Rule(source=source, text=f"{found.tag}={found.value}", misconfigured=found)
        elif isinstance(found, Uptime) and self.by_the_book:
            yield Rule(source=source, text=f"{found.tag}={found.value}", schedule=found.schedule)


def _tagged(compute: Compute) -> Sequence[tuple[str, Mapping[str, str]]]:
    return ((compute.id, compute.tags), (compute.workspace.id, compute.workspace.tags))


def _never(source: Source, tags: Mapping[str, str]) -> Iterator[Rule]:
    for name, value in tags.items():
        if name.strip().lower() == SHUTDOWN_TAG and value.strip().lower() == NEVER:
            yield Rule(source=source, text=f"{name}={value}", never=True)
