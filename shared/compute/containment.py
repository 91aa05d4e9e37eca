"""Keep a mistake of our own from costing more than it has to: it is named in the report, and logged.

What is expected to fail is an OpsError and has its own ways; this is for what nobody thought of.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from shared.compute import narration
from shared.compute.run import Run
from shared.errors import OpsError


@dataclass
class Mishap:
    """Why the block ended early, in words that are safe to show; empty if it did not."""

    why: str = ""


@contextmanager
def contained(run: Run, workspace_id: str, *, about: str = "") -> Iterator[Mishap]:
    """Let an unexpected error in the block be the trouble of one workspace: the run is partial then.

    `about`: the instance at hand. An OpsError passes through, and so does a cancellation.
    """
    mishap = Mishap()
    try:
        yield mishap
    except OpsError:
        raise
    except Exception as raised:  # noqa: BLE001  # one mistake must not spare a whole estate
        error = _innermost(raised)
        # Its text may hold anything: the report has the class, and the log the rest.
        what = f"{type(error).__name__} about {about}" if about else type(error).__name__
        mishap.why = f"an unexpected error of this app, {what}; the log has it"
        if (workspace_id, what) not in run.mishaps:
            run.mishaps.add((workspace_id, what))
            narration.log_unexpected(f"{workspace_id}: {what}", error)
        narration.get_busy(run.telemetry, run.ledger)
        run.ledger.trouble(workspace_id, mishap.why)


def _innermost(error: Exception) -> Exception:
    """Return what a group of tasks stumbled over first."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error
