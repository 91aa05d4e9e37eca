"""What the platform of a service says of its containers: it shortens the doubt about a silent one.

The port to it; a service whose platform cannot be asked has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from shared.scoring.service import Service


class ContainerState(StrEnum):
    """State of a container, in the words that Kubernetes and Container Instances share."""

    RUNNING = "Running"
    WAITING = "Waiting"
    TERMINATED = "Terminated"


@dataclass(frozen=True, kw_only=True)
class PlatformEvidence:
    """What the platform said at a moment.

    `containers`: the state of each scoring container, empty where it did not say. `ready` is how
    many pass the platform's own readiness probe; `reason` its word, e.g. CrashLoopBackOff.
    """

    at: datetime
    containers: Sequence[ContainerState] = ()
    ready: int | None = None
    restarts: int | None = None
    reason: str = ""

    @property
    def nothing_runs(self) -> bool:
        """Whether it is certain that no container runs.

        Readiness cannot tell: a single-threaded service that is busy fails that probe, too.
        """
        return bool(self.containers) and ContainerState.RUNNING not in self.containers


class Platform(Protocol):
    """Asks the platform of one service."""

    async def evidence_of(self, service: Service) -> PlatformEvidence | None:
        """Return what it says, None where it cannot be asked or has nothing to say."""
