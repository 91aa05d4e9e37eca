"""One compute resource: what it is, and every version of it since the emulator started."""

from dataclasses import dataclass

from azure_emulator.estate.states import State
from azure_emulator.seed import ComputeSeed


@dataclass(frozen=True, kw_only=True)
class LastOperation:
    """The `lastOperation` property; `at` is the moment of the request (Unix seconds)."""

    name: str
    at: float
    status: str
    trigger: str = "User"


@dataclass(slots=True, kw_only=True, eq=False)
class Version:
    """A compute between two changes; `wire` keeps its JSON once it was asked for."""

    at: float
    by: str
    state: State | None
    last_operation: LastOperation | None
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
        version = Version(at=at, by=by, state=state, last_operation=last_operation)
        self.versions.append(version)

    def version_at(self, moment: float) -> Version:
        """What it looked like at a moment; before the first version: the first one."""
        for version in reversed(self.versions):
            if version.at <= moment:
                return version
        return self.versions[0]


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
    is_instance = seed.compute_type == "ComputeInstance"
    state = seed.state if is_instance else None
    before = _BEFORE.get(state) if is_instance else None
    last = before and LastOperation(
        name=before[0], at=at - _AGES.get(before[1], 9 * 3600.0), status=before[1]
    )
    return Version(at=at, by="seed", state=state, last_operation=last)
