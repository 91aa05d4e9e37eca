"""What a run whose record is lost still knows of the stops that its workers asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from shared.compute.history import Claim, StopClaims
from shared.compute.ledger import Ledger
from shared.compute.own_stops import OwnStops
from shared.compute.run import side_by_side
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
