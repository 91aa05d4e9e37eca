"""One compute resource: what it is, and every version of it since the emulator started."""

from dataclasses import dataclass, replace

from azure_emulator.compute_seed import ComputeSeed
from azure_emulator.estate.nodes import Cluster
from azure_emulator.estate.states import State

_STATE = frozenset({"state", "lastOperation"})
_IDLE_TIME = frozenset({"idleTimeBeforeShutdown"})
_CLUSTER = frozenset(
    {
        "scaleSettings",
        "allocationState",
        "allocationStateTransitionTime",
        "currentNodeCount",
        "targetNodeCount",
        "nodeStateCounts",
    }
)


@dataclass(frozen=True, kw_only=True)
class LastOperation:
    """The `lastOperation` property; `at` is the moment of the request (Unix seconds)."""

    name: str
    at: float
    status: str
    trigger: str = "User"


@dataclass(slots=True, kw_only=True, eq=False)
class Version:
    """A compute between two changes; `wire` keeps its JSON once it was asked for.

    `changed` names the inner properties in which it may differ from what the seed said.
    """

    at: float
    by: str
    state: State | None
    last_operation: LastOperation | None
    idle_time: str | None = None
    cluster: Cluster | None = None
    changed: frozenset[str] = frozenset()
    wire: bytes | None = None


class Compute:
    """A compute in a workspace. `versions` is never empty and in order of time."""

    def __init__(self, seed: ComputeSeed, *, workspace_id: str, location: str, at: float) -> None:
        self.seed = seed
        self.id = f"{workspace_id}/computes/{seed.name}"
        self.location = location
        self.stop_requests = 0
        self.versions = [first_version(seed, at=at)]

    @property
    def state(self) -> State | None:
        return self.versions[-1].state

    def become(
        self, state: State | None, *, at: float, by: str, last_operation: LastOperation | None
    ) -> None:
        """Add a version; `by` says who caused it: an object id, a trigger, or `azure`."""
        changed = self._copy(_STATE, at=at, by=by)
        changed.state, changed.last_operation = state, last_operation
        self.versions.append(changed)

    def set_idle_time(self, idle_time: str | None, *, at: float, by: str) -> None:
        """Add a version with another time before the native idle shutdown; None: it is off."""
        changed = self._copy(_IDLE_TIME, at=at, by=by)
        changed.idle_time = idle_time
        self.versions.append(changed)

    def resize(self, cluster: Cluster, *, at: float, by: str) -> None:
        """Add a version with other bounds or nodes."""
        changed = self._copy(_CLUSTER, at=at, by=by)
        changed.cluster = cluster
        self.versions.append(changed)

    def version_at(self, moment: float) -> Version:
        """What it looked like at a moment; before the first version: the first one."""
        for version in reversed(self.versions):
            if version.at <= moment:
                return version
        return self.versions[0]

    def _copy(self, properties: frozenset[str], *, at: float, by: str) -> Version:
        before = self.versions[-1]
        changed = before.changed
        if not properties <= changed:
            changed = changed | properties
        return replace(before, at=at, by=by, changed=changed, wire=None)


# What the last operation of a machine was that is found in this state.
_BEFORE: dict[State | None, tuple[str, str]] = {
    State.CREATING: ("Create", "InProgress"),
    State.CREATE_FAILED: ("Create", "CreateFailed"),
    State.DELETING: ("Delete", "InProgress"),
    State.RUNNING: ("Start", "Succeeded"),
    State.RESTARTING: ("Restart", "InProgress"),
    State.RESIZING: ("Resize", "InProgress"),
    State.JOB_RUNNING: ("Start", "Succeeded"),
    State.SETTING_UP: ("Create", "InProgress"),
    State.SETUP_FAILED: ("Create", "Succeeded"),
    State.STARTING: ("Start", "InProgress"),
    State.STOPPED: ("Stop", "Succeeded"),
    State.STOPPING: ("Stop", "InProgress"),
    State.USER_SETTING_UP: ("Create", "InProgress"),
    State.USER_SETUP_FAILED: ("Create", "Succeeded"),
    State.UNUSABLE: ("Start", "StartFailed"),
}
_AGES = {"InProgress": 10.0}


def first_version(seed: ComputeSeed, *, at: float) -> Version:
    if seed.compute_type == "ComputeInstance":
        return Version(
            at=at,
            by="seed",
            state=seed.state,
            last_operation=_last_operation(seed, at=at),
            idle_time=seed.idle_time_before_shutdown,
        )
    cluster = _first_cluster(seed, at=at) if seed.compute_type == "AmlCompute" else None
    return Version(at=at, by="seed", state=None, last_operation=None, cluster=cluster)


def _last_operation(seed: ComputeSeed, *, at: float) -> LastOperation | None:
    said = seed.last_operation
    if said is not None:
        requested_at = at - said.minutes_ago * 60
        return LastOperation(
            name=said.name, at=requested_at, status=said.status, trigger=said.trigger
        )
    before = _BEFORE.get(seed.state)
    return before and LastOperation(
        name=before[0], at=at - _AGES.get(before[1], 9 * 3600.0), status=before[1]
    )


def _first_cluster(seed: ComputeSeed, *, at: float) -> Cluster:
    scale = seed.scale.bounds()
    nodes = seed.nodes.count(scale)
    return Cluster(scale=scale, nodes=nodes, steady_since=at - 86400)
