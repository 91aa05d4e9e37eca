"""What the queue of shares hands over: work it; what is no message of ours is dropped, and told."""

from __future__ import annotations

from shared.clients.share_queue import ShareMessage
from shared.compute.narration import tell_dropped
from shared.compute.share import Shares


async def work(shares: Shares, message: bytes) -> None:
    """Do a subscription's share of a run. Raises ValueError for what is no share's message."""
    asked = ShareMessage.parse(message)
    await shares.work(asked.run_id, asked.share_id)


async def give_up(shares: Shares, message: bytes) -> None:
    """Record that a share failed for good."""
    try:
        asked = ShareMessage.parse(message)
    except ValueError as error:
        # Failing again would bring it back for a week: there is no run to record it in.
        tell_dropped(error)
        return
    await shares.give_up(asked.run_id, asked.share_id)
