"""What will happen in the estate by itself, in order of time."""

import heapq
from collections.abc import Callable
from itertools import count

from azure_emulator.clock import Clock

Event = Callable[[float], None]


class Timeline:
    """Events that fall due; each learns the moment it was due, not the moment it was noticed.

    There is no timer behind it: whoever looks at the estate calls `advance` first.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._due: list[tuple[float, int, Event]] = []
        self._order = count()
        self._moment: float | None = None

    def now(self) -> float:
        """The moment at which an event that is happening was due; else the time."""
        return self.clock.now() if self._moment is None else self._moment

    def after(self, seconds: float, event: Event) -> None:
        """Let `event` happen when `seconds` of Azure's time have passed from now."""
        self.at(self.now() + seconds * self.clock.scale, event)

    def at(self, moment: float, event: Event) -> None:
        heapq.heappush(self._due, (moment, next(self._order), event))

    def advance(self) -> None:
        """Let everything happen that has fallen due."""
        now = self.clock.now()
        while self._due and self._due[0][0] <= now:
            moment, _, event = heapq.heappop(self._due)
            before, self._moment = self._moment, moment
            try:
                event(moment)
            finally:
                self._moment = before
