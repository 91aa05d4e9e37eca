"""Time of the emulator: real moments, Azure's durations scaled."""

import time
from collections.abc import Callable
from datetime import UTC, datetime


class Clock:
    """The moments are real; only how long Azure takes for something is scaled.

    `scale` 1 lets a stop take the 27 seconds seen in recordings, 0.1 a tenth of it.
    """

    def __init__(self, *, scale: float = 1.0, read: Callable[[], float] = time.time) -> None:
        self.scale = scale
        self.now = read

    def in_azure_seconds(self, seconds: float) -> float:
        """The moment (Unix seconds) at which something that takes `seconds` in Azure is over."""
        return self.now() + seconds * self.scale


def zulu(at: float) -> str:
    """A moment as the control plane writes it: UTC with microseconds and `Z`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def recorded(at: float) -> str:
    """A moment as Azure ML writes it in recorded traffic: seven digits and `+00:00`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0+00:00")
