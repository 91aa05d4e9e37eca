"""A mistake of our own: caught in this one place of the domain, logged once, and named by its class.

What is expected to fail is an OpsError and has its own ways; this is for what nobody thought of.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from shared.errors import OpsError

logger = logging.getLogger(__name__)


@dataclass
class Mishap:
    """Why the block ended early, in words that are safe to show; empty if it did not."""

    why: str = ""


# Contains what goes wrong about one thing, which it is given the name of.
Contain = Callable[[str], AbstractContextManager[Mishap]]


@contextmanager
def caught(
    scope_id: str, *, about: str, logged: set[tuple[str, str]], tell: Callable[[str], object]
) -> Iterator[Mishap]:
    """Let an unexpected error end the block and no more; `tell` is given words that are safe to show.

    `about`: the instance or cluster at hand, if any. `logged`: what was logged already. An OpsError
    passes through, and so does a cancellation.
    """
    mishap = Mishap()
    try:
        yield mishap
    except OpsError:
        raise
    except Exception as raised:
        error = _innermost(raised)
        # Its text may hold anything: the report has the class, and the log the rest.
        what = f"{type(error).__name__} about {about}" if about else type(error).__name__
        mishap.why = f"an unexpected error of this app, {what}; the log has it"
        if (scope_id, what) not in logged:
            logged.add((scope_id, what))
            logger.exception("an unexpected error in %s: %s", scope_id, what, exc_info=error)
        tell(mishap.why)


def _innermost(error: Exception) -> Exception:
    """Return what a group of tasks stumbled over first."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error
