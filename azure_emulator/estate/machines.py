"""Start, stop and restart of compute instances: what is accepted, and how the state moves on."""

from dataclasses import replace
from functools import partial

from azure_emulator.answers import AzureError
from azure_emulator.estate.compute import Compute, LastOperation
from azure_emulator.estate.operations import Operation, Operations
from azure_emulator.estate.states import TRANSITIONAL, State
from azure_emulator.estate.timeline import Timeline

AZURE = "azure"
START_SECONDS = 60.0
# How long a machine stays in a transitional state in which a seed found it; Deleting stays.
SETTLING: dict[State | None, tuple[State, float]] = {
    None: (State.RUNNING, 180),
    State.CREATING: (State.RUNNING, 180),
    State.RESTARTING: (State.RUNNING, 60),
    State.RESIZING: (State.RUNNING, 90),
    State.SETTING_UP: (State.RUNNING, 60),
    State.STARTING: (State.RUNNING, START_SECONDS),
    State.STOPPING: (State.STOPPED, 27),
    State.USER_SETTING_UP: (State.RUNNING, 60),
}


class Machines:
    """The rules of the resource provider for compute instances, driven by the timeline."""

    def __init__(self, timeline: Timeline, operations: Operations) -> None:
        self._timeline = timeline
        self._clock = timeline.clock
        self._operations = operations
        self._started_at = self._clock.now()

    def settle(self, compute: Compute) -> None:
        """Let a machine that the seed shows in a transitional state arrive somewhere."""
        behaviour = compute.seed.behaviour
        stays = behaviour.never_settles or compute.state not in SETTLING
        if compute.seed.compute_type != "ComputeInstance" or stays:
            return
        if compute.state is State.STOPPING and behaviour.never_stops:
            return
        state, seconds = SETTLING[compute.state]
        wait = seconds if behaviour.settles_after is None else behaviour.settles_after
        self._timeline.after(wait, partial(self._arrive, compute, state, "Succeeded"))

    def stop(self, compute: Compute, *, by: str) -> Operation:
        """Begin a stop; `AzureError` 400 or 409 where the resource provider refuses."""
        compute.stop_requests += 1
        self._refuse_other_types(compute, "StopCompute")
        self._refuse_stop(compute)
        operation = self._operations.begin(compute)
        if compute.state is State.STOPPED:
            operation.succeed()
            return operation
        requested_at = self._request(compute, State.STOPPING, "Stop", by)
        behaviour = compute.seed.behaviour
        if not behaviour.never_stops:
            end = self._fail_stop if behaviour.stop_fails else self._end_stop
            self._timeline.after(
                behaviour.stop_seconds, partial(end, compute, operation, requested_at)
            )
        return operation

    def start(self, compute: Compute, *, by: str) -> Operation:
        """Begin a start. A wrong state shows on the operation, after a 202, as in Azure."""
        self._refuse_other_types(compute, "StartCompute")
        self._refuse_while_busy(compute)
        operation = self._operations.begin(compute)
        if compute.state is not State.STOPPED:
            operation.fail(
                "StartComputeInstanceOnlyAllowedInStoppedState",
                "Start Azure ML Compute Instance is only allowed when the instance "
                f"{compute.seed.name} is in 'stopped' state",
            )
            return operation
        self._request(compute, State.STARTING, "Start", by)
        self._timeline.after(START_SECONDS, partial(self._end_start, compute, operation))
        return operation

    def restart(self, compute: Compute, *, by: str) -> Operation:
        """Begin a restart; it needs a machine that is on."""
        self._refuse_other_types(compute, "RestartCompute")
        self._refuse_while_busy(compute)
        operation = self._operations.begin(compute)
        if compute.state in {State.STOPPED, State.CREATE_FAILED}:
            operation.fail(
                "RestartComputeInstanceOnlyAllowedInRunningState",
                "Restart Azure ML Compute Instance is only allowed when the instance "
                f"{compute.seed.name} is in 'running' state",
            )
            return operation
        self._request(compute, State.RESTARTING, "Restart", by)
        self._timeline.after(START_SECONDS, partial(self._end_start, compute, operation))
        return operation

    def set_idle_time(self, compute: Compute, idle_time: str | None, *, by: str) -> None:
        """Set the native idle shutdown at once; None switches it off."""
        self._refuse_other_types(compute, "UpdateIdleShutdownSetting")
        if compute.state in {None, State.CREATING, State.DELETING}:
            raise _conflict(compute)
        compute.set_idle_time(idle_time, at=self._clock.now(), by=by)

    def _refuse_other_types(self, compute: Compute, operation: str) -> None:
        kind = compute.seed.compute_type
        if kind != "ComputeInstance":
            message = f"{operation} with computeType {kind} is not supported."
            raise AzureError(400, "UserError", message)

    def _refuse_stop(self, compute: Compute) -> None:
        behaviour = compute.seed.behaviour
        if self._clock.now() < self._started_at + behaviour.conflict_until * self._clock.scale:
            raise _conflict(compute)
        self._refuse_while_busy(compute)
        if behaviour.disk_full:
            message = "StopCompute is not allowed when ComputeInstance disk is full."
            raise AzureError(400, "UserError", message)
        if behaviour.refuses_stop or compute.state is State.CREATE_FAILED:
            message = (
                f"StopCompute is not allowed when ComputeInstance is in {compute.state} state."
            )
            raise AzureError(400, "UserError", message)

    def _refuse_while_busy(self, compute: Compute) -> None:
        if compute.state in TRANSITIONAL:
            raise _conflict(compute)

    def _request(self, compute: Compute, state: State, name: str, by: str) -> float:
        now = self._clock.now()
        trigger = by if by in {"User", "Schedule"} else "User"
        last = LastOperation(name=name, at=now, status="InProgress", trigger=trigger)
        compute.become(state, at=now, by=by, last_operation=last)
        return now

    def _end_stop(
        self, compute: Compute, operation: Operation, requested_at: float, at: float
    ) -> None:
        self._arrive(compute, State.STOPPED, "Succeeded", at)
        operation.succeed()
        wait = compute.seed.behaviour.starts_again_after
        if wait is not None:
            again_at = max(at, requested_at + wait * self._clock.scale)
            self._timeline.at(again_at, partial(self._start_again, compute))

    def _fail_stop(
        self, compute: Compute, operation: Operation, requested_at: float, at: float
    ) -> None:
        del requested_at
        self._arrive(compute, State.RUNNING, "StopFailed", at)
        operation.fail(
            "StopComputeInstanceFailed",
            f"Azure ML Compute Instance {compute.seed.name} could not be deallocated.",
        )

    def _end_start(self, compute: Compute, operation: Operation, at: float) -> None:
        self._arrive(compute, State.RUNNING, "Succeeded", at)
        operation.succeed()

    def _start_again(self, compute: Compute, at: float) -> None:
        if compute.state is not State.STOPPED:
            return
        trigger = compute.seed.behaviour.started_by
        last = LastOperation(name="Start", at=at, status="InProgress", trigger=trigger)
        compute.become(State.STARTING, at=at, by=trigger, last_operation=last)
        arrive = partial(self._arrive, compute, State.RUNNING, "Succeeded")
        self._timeline.at(at + START_SECONDS * self._clock.scale, arrive)

    def _arrive(self, compute: Compute, state: State, status: str, at: float) -> None:
        last = compute.versions[-1].last_operation
        ended = last and replace(last, status=status)
        compute.become(state, at=at, by=AZURE, last_operation=ended)


def _conflict(compute: Compute) -> AzureError:
    message = f"Another operation is in progress on compute {compute.seed.name}; try again later."
    return AzureError(409, "Conflict", message)
