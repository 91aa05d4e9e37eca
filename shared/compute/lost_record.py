"""What a run whose record or worker is lost still knows of the stops that its workers asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from shared.compute.evidence import stop_since
from shared.compute.history import Claim, StopClaims
from shared.compute.instance import Compute
from shared.compute.ledger import Ledger
from shared.compute.own_stops import OwnStops
from shared.compute.run import Run, side_by_side
from shared.errors import StorageUnavailableError


async def list_asked(
    ledger: Ledger,
    own_stops: OwnStops,
    claims: StopClaims | None,
    *,
    tell_lost: Callable[[str, StorageUnavailableError], None],
) -> Mapping[str, Claim]:
    """Return the stops asked for in a run's name, by lower-cased instance id; none if nobody could.

    This process's are known in any case, those of other workers where the claims can be read.
    """
    if not ledger.spread_over:
        return {}
    run_id = ledger.head.run_id
    asked = dict(own_stops.of_run(run_id))
    if claims is not None:
        listing = [claims.list_claimed(each, run_id=run_id) for each in ledger.spread_over]
        try:
            for found in await side_by_side(listing):
                asked |= found
        except StorageUnavailableError as error:
            tell_lost("claims; who asked for a stop may not be known", error)
    return asked


async def learn_of_late_claims(run: Run, computes: Sequence[Compute]) -> None:
    """Learn which stops in this list were claimed by other workers of the run after claims were read."""
    head = run.ledger.head
    late = [
        each
        for each in computes
        if each.key not in run.claimed and stop_since(each.last_operation, head.started_at)
    ]
    if not run.ledger.spread_over or not late:
        return
    run.claimed.update(run.own_stops.of_run(head.run_id))
    if run.claims is not None:
        # Storage that is away was told of when the claims were read first.
        with suppress(StorageUnavailableError):
            for subscription_id in {each.workspace.subscription_id for each in late}:
                found = await run.claims.list_claimed(subscription_id, run_id=head.run_id)
                run.claimed.update(found)
