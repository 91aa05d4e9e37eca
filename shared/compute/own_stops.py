"""The stops that this worker process asked for: what it knows of its runs while storage is away.

Memory only. What other workers asked for, claims tell, where they can be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.compute.history import Claim
from shared.compute.instance import Compute

# A timer's and a few callers': each may have asked for thousands of stops.
RUNS_KEPT = 4


@dataclass(kw_only=True)
class OwnStops:
    """Stops that may have had an effect, by run and lower-cased instance id."""

    _by_run: dict[str, dict[str, Claim]] = field(default_factory=dict)

    def note(self, compute: Compute, *, run_id: str, at: datetime) -> None:
        """A stop is being sent for an instance, as it was seen."""
        last = compute.last_operation
        self._by_run.setdefault(run_id, {})[compute.key] = Claim(
            run_id=run_id,
            claimed_at=at,
            granted=False,
            life=last.at if last else None,
            state=compute.state or "",
        )
        while len(self._by_run) > RUNS_KEPT:
            del self._by_run[next(iter(self._by_run))]

    def forget(self, compute: Compute, *, run_id: str) -> None:
        """The stop did nothing."""
        self._by_run.get(run_id, {}).pop(compute.key, None)

    def of_run(self, run_id: str) -> Mapping[str, Claim]:
        """Return what was asked for in the name of a run, by lower-cased instance id."""
        return dict(self._by_run.get(run_id, {}))
