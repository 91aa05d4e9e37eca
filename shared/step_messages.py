"""What the queue of steps hands over: work it; what is no message of ours is dropped, and told."""

from __future__ import annotations

from shared.clients.step_queue import StepMessage
from shared.scoring.redeploy.narration import tell_dropped
from shared.scoring.redeploy.steps import Steps


async def work(steps: Steps, message: bytes) -> None:
    """Carry out a step of a redeploy. Raises ValueError for what is no step's message."""
    asked = StepMessage.parse(message)
    await steps.work(asked.redeploy_id, asked.step)


async def work_poison(steps: Steps, message: bytes) -> None:
    """Carry out a step whose message failed at every try, or undo its redeploy: its record knows."""
    try:
        asked = StepMessage.parse(message)
    except ValueError as error:
        # Failing again would bring it back for a week: there is no redeploy to undo.
        tell_dropped(error)
        return
    await steps.work(asked.redeploy_id, asked.step)
