"""Keep a mistake of our own from costing a run more than it has to: it is named in the report, and logged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from shared.compute import narration
from shared.compute.mishap import Mishap, caught
from shared.compute.run import Run


@contextmanager
def contained(run: Run, workspace_id: str, *, about: str = "") -> Iterator[Mishap]:
    """Let an unexpected error in the block be the trouble of one workspace: the run is partial then.

    `about`: the instance at hand. An OpsError passes through, and so does a cancellation.
    """

    def tell(why: str) -> None:
        narration.get_busy(run.telemetry, run.ledger)
        run.ledger.trouble(workspace_id, why)

    with caught(workspace_id, about=about, logged=run.mishaps, tell=tell) as mishap:
        yield mishap
