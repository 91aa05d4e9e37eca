"""Valid runs; a test names only what matters to it."""

from datetime import datetime, timedelta

from shared.compute.history import RunHistory, RunRecord
from shared.compute.run_id import new_run_id
from tests.support.builders import NIGHT, OTHER_SUBSCRIPTION, SUBSCRIPTION

LATER = NIGHT + timedelta(hours=1)


def a_run(
    *shares: str, started_at: datetime = NIGHT, order: str = "{}", reason: str = ""
) -> RunRecord:
    chosen = shares or (SUBSCRIPTION, OTHER_SUBSCRIPTION)
    return RunRecord(
        run_id=new_run_id(started_at),
        trigger="timer",
        dry_run=False,
        reason=reason,
        order=order,
        started_at=started_at,
        deadline=started_at + timedelta(minutes=25),
        shares=chosen,
        open_shares=frozenset(chosen),
    )


async def an_open_run(history: RunHistory, *shares: str, started_at: datetime = NIGHT) -> str:
    run = a_run(*shares, started_at=started_at)
    await history.open_run(run, orders={})
    return run.run_id
