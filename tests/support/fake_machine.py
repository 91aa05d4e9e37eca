"""One machine of the fake Azure: its state in time, and how it takes a stop.

The behaviours have the names of the emulator's seed document, and mean the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from shared.compute.azure import AnswerKind, OperationState, StopAnswer
from shared.compute.instance import Compute, LastOperation
from shared.compute.native_settings import ScaleSettings
from shared.errors import AzureRequestError

SETTLES = {
    None: "Running",
    "Creating": "Running",
    "Starting": "Running",
    "Restarting": "Running",
    "Resizing": "Running",
    "SettingUp": "Running",
    "UserSettingUp": "Running",
    "Stopping": "Stopped",
}
BUSY = {*SETTLES, "Deleting"}
DISK_FULL = "StopCompute is not allowed when ComputeInstance disk is full."


@dataclass
class FakeMachine:
    """`seed` is its entry of a seed document; `scale` shortens Azure's durations."""

    compute: Compute
    seed: Mapping[str, Any]
    began: datetime
    scale: float
    operations: dict[str, OperationState] = field(default_factory=dict)
    stop_requests: int = 0
    _due: list[tuple[datetime, Callable[[datetime], None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        state, never = self.compute.state, self._behaves("never_settles")
        stuck = state == "Stopping" and self._behaves("never_stops")
        if state in SETTLES and self.compute.is_instance and not never and not stuck:
            wait = self._seconds("settles_after", 27 if state == "Stopping" else 60)
            settled = SETTLES[state]
            self._later(self.began + wait, lambda _: self._become(settled, "Succeeded"))

    def advance(self, now: datetime) -> None:
        """Let everything happen that has fallen due."""
        while self._due and self._due[0][0] <= now:
            moment, happen = self._due.pop(0)
            happen(moment)

    def stop(self, now: datetime) -> StopAnswer:
        """Take a stop as Azure's resource provider does."""
        self.stop_requests += 1
        if not self.compute.is_instance:
            return _refusal(now, "UserError", "400 StopCompute is not supported.")
        free_at = self.began + self._seconds("conflict_until", 0)
        if now < free_at or self.compute.state in BUSY:
            return StopAnswer(
                kind=AnswerKind.CONFLICT, at=now, code="Conflict", message="409 Busy."
            )
        if self._behaves("disk_full"):
            return _refusal(now, "UserError", f"400 {DISK_FULL}")
        if self._behaves("refuses_stop"):
            return _refusal(now, "UserError", "400 StopCompute is not allowed in this state.")
        return self._begin_stop(now)

    def scale_to(self, scale: ScaleSettings, now: datetime) -> None:
        """Take other bounds as the resource provider does: they show at once, and take 5 s."""
        cluster = self.compute.cluster
        if cluster is None:
            raise _error(400, "UserError", "UpdateCompute is not supported.")
        if cluster.updating:
            raise _error(409, "Conflict", "Busy.")
        if scale.minimum > scale.maximum:
            raise _error(400, "UserError", "minNodeCount is above maxNodeCount")
        changed = replace(cluster, scale=scale, updating=True)
        self.compute = replace(self.compute, cluster=changed)
        self._later(now + timedelta(seconds=5 * self.scale), lambda _: self._updated())

    def set_idle_time(self, after: timedelta) -> None:
        """Take another time before idle shutdown; it holds at once."""
        if not self.compute.is_instance:
            raise _error(400, "UserError", "It has no idle shutdown.")
        if self.compute.state in {None, "Creating", "Deleting"}:
            raise _error(409, "Conflict", "Busy.")
        if not timedelta(minutes=15) <= after <= timedelta(days=3):
            raise _error(400, "UserError", "idleTimeBeforeShutdown is not allowed")
        text = f"PT{round(after.total_seconds() / 60)}M"
        rails = replace(self.compute.guard_rails, idle_time=text)
        self.compute = replace(self.compute, guard_rails=rails)

    def _updated(self) -> None:
        if cluster := self.compute.cluster:
            self.compute = replace(self.compute, cluster=replace(cluster, updating=False))

    def _begin_stop(self, now: datetime) -> StopAnswer:
        url = f"https://fake.example{self.compute.id}/operations/{self.stop_requests}"
        self.operations[url] = OperationState(status="InProgress")
        self._note("Stop", now, "InProgress", "User")
        if self.compute.state == "Stopped":
            self.operations[url] = OperationState(status="Succeeded")
        else:
            self._become("Stopping", "InProgress")
            self._end_later(url, now)
        return StopAnswer(
            kind=AnswerKind.ACCEPTED, at=now.replace(microsecond=0), operation=f"{url}?s=signature"
        )

    def _end_later(self, url: str, now: datetime) -> None:
        if not self._behaves("never_stops"):
            end = self._fail if self._behaves("stop_fails") else self._end
            self._later(now + self._seconds("stop_seconds", 27), lambda at: end(url, now, at))

    def _end(self, url: str, requested_at: datetime, at: datetime) -> None:
        self._become("Stopped", "Succeeded")
        self.operations[url] = OperationState(status="Succeeded")
        if self._behaves("starts_again_after"):
            again = max(at, requested_at + self._seconds("starts_again_after", 0))
            self._later(again, self._start_again)

    def _fail(self, url: str, _requested_at: datetime, _at: datetime) -> None:
        self._become("Running", "StopFailed")
        self.operations[url] = OperationState(
            status="Failed", code="StopFailed", message="The machine could not be deallocated."
        )

    def _start_again(self, at: datetime) -> None:
        by = str(self.seed.get("behaviour", {}).get("started_by", "User"))
        self._note("Start", at, "InProgress", by)
        self._become("Starting", "InProgress")

    def _become(self, state: str, status: str) -> None:
        last = self.compute.last_operation
        ended = replace(last, status=status) if last else None
        self.compute = replace(self.compute, state=state, last_operation=ended)

    def _note(self, name: str, at: datetime, status: str, by: str) -> None:
        last = LastOperation(name=name, at=at, status=status, trigger=by)
        self.compute = replace(self.compute, last_operation=last)

    def _later(self, at: datetime, happen: Callable[[datetime], None]) -> None:
        self._due.append((at, happen))
        self._due.sort(key=lambda due: due[0])

    def _behaves(self, name: str) -> bool:
        return bool(self.seed.get("behaviour", {}).get(name))

    def _seconds(self, name: str, usual: float) -> timedelta:
        given = self.seed.get("behaviour", {}).get(name, usual)
        return timedelta(seconds=float(given) * self.scale)


def _refusal(now: datetime, code: str, message: str) -> StopAnswer:
    return StopAnswer(kind=AnswerKind.REFUSED, at=now, code=code, message=message)


def _error(status: int, code: str, message: str) -> AzureRequestError:
    return AzureRequestError(f"{status}: {code}: {message}", status=status, code=code)
