"""One container of a group: what was pulled for it, how it runs, and what happened to it.

Words of Azure: learn.microsoft.com/azure/container-instances/container-state. The messages of pull
events are as `az container attach` showed them in 2021 and 2023: they name the digest.
"""

from dataclasses import dataclass, field, replace
from typing import Literal

from azure_emulator.kubernetes.images import Image
from azure_emulator.scoring_seed import Answering

NORMAL, WARNING = "Normal", "Warning"


@dataclass(frozen=True, kw_only=True)
class ContainerState:
    """Azure's currentState and previousState. Moments are Unix seconds."""

    state: Literal["Waiting", "Running", "Terminated"]
    started_at: float | None = None
    finished_at: float | None = None
    exit_code: int | None = None
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened, so many times, from `first` to `last`."""

    name: str
    type: str
    message: str
    first: float
    last: float
    count: int = 1


@dataclass(kw_only=True, eq=False)
class Container:
    """A container in the place of its group. `run` tells what falls due for an earlier start.

    `answering`: what answers while it runs, the program of its image or what a seed says of that.
    """

    name: str
    image: Image | None = None
    current: ContainerState = ContainerState(state="Waiting")
    previous: ContainerState | None = None
    restarts: int = 0
    failed_pulls: int = 0
    events: list[Event] = field(default_factory=list)
    run: int = 0
    answering: Answering | None = None

    @property
    def running(self) -> bool:
        return self.current.state == "Running"

    def happen(self, name: str, message: str, *, at: float, type_: str = NORMAL) -> None:
        """Record an event: one that is known already happened once more."""
        for place, known in enumerate(self.events):
            if (known.name, known.message) == (name, message):
                self.events[place] = replace(known, last=at, count=known.count + 1)
                return
        self.events.append(Event(name=name, type=type_, message=message, first=at, last=at))

    def start(self, *, at: float) -> None:
        self.current = ContainerState(state="Running", started_at=at)
        self.happen("Started", "Started container", at=at)

    def end(self, *, at: float, exit_code: int) -> None:
        """Let the process end by itself (or be killed: 137)."""
        self.current = ContainerState(
            state="Terminated",
            started_at=self.current.started_at,
            finished_at=at,
            exit_code=exit_code,
            detail="Completed" if exit_code == 0 else "Error",
        )

    def wait(self, detail: str = "") -> None:
        """Wait for a pull or for the next start; what ran before becomes the previous state."""
        if self.current.state == "Terminated":
            self.previous = self.current
        self.current = ContainerState(state="Waiting", detail=detail)
