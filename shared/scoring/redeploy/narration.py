"""Tell operators about redeploys: each step that ended, and each end, with what was seen."""

from __future__ import annotations

import logging
from datetime import timedelta

from shared.scoring.redeploy.record import Redeploy, State
from shared.scoring.service import Service
from shared.scoring.state import ServiceState
from shared.telemetry import Event, Property, Telemetry

logger = logging.getLogger(__name__)


def tell_step(telemetry: Telemetry, before: Redeploy, after: Redeploy) -> None:
    """Tell what a step saw, once it is recorded."""
    note = after.steps[-1] if after.steps else None
    telemetry.event(
        Event.SCORING_REDEPLOY_STEP,
        **_of(after),
        step=before.step,
        task=str(before.task),
        text=note.text if note else "",
    )


def tell_end(telemetry: Telemetry, redeploy: Redeploy) -> None:
    """Tell how it ended. It may be told twice, by the same redeploy_id, but never not at all."""
    ended_at = redeploy.ended_at or redeploy.created_at
    seconds = (ended_at - redeploy.created_at) / timedelta(seconds=1)
    telemetry.event(
        Event.SCORING_REDEPLOY_FINISHED,
        **_of(redeploy),
        target=redeploy.change.target,
        trigger=str(redeploy.trigger),
        reason=redeploy.reason,
        text=redeploy.said,
        seconds=seconds,
        digest_before=redeploy.snapshot.digest if redeploy.snapshot else None,
        digest_after=redeploy.digest_after,
    )
    level = logging.INFO if redeploy.state is State.SUCCEEDED else logging.ERROR
    said = "redeploy %s of %s: %s: %s"
    logger.log(
        level, said, redeploy.redeploy_id, redeploy.service.name, redeploy.state, redeploy.said
    )


def tell_gave_up(telemetry: Telemetry, refused: Redeploy, state: ServiceState) -> None:
    """Tell a person that the app can do no more for a service."""
    telemetry.event(
        Event.SCORING_HEALING_GAVE_UP,
        **service_properties(refused.service),
        redeploy_id=refused.redeploy_id,
        verdict=str(state.verdict) if state.verdict else None,
        evidence=state.evidence or None,
        text=refused.said,
    )
    logger.error("%s is not healed any more: %s", refused.service.name, refused.said)


def tell_taken_over(redeploy: Redeploy) -> None:
    """Tell that a step was slower than its lease, so that another worker carries it out."""
    logger.warning(
        "step %d of redeploy %s was taken over by another worker",
        redeploy.step,
        redeploy.redeploy_id,
    )


def tell_dropped(error: ValueError) -> None:
    """Tell that a message is no step's, so that nothing can be done for it."""
    logger.error("a message is dropped that asks for no step: %s", error)


def _of(redeploy: Redeploy) -> dict[str, Property | None]:
    return {
        **service_properties(redeploy.service),
        "redeploy_id": redeploy.redeploy_id,
        "state": str(redeploy.state),
        "change": str(redeploy.change.kind),
        "dry_run": redeploy.dry_run,
    }


def service_properties(service: Service) -> dict[str, Property | None]:
    """Return what every event about a service says of it."""
    return {
        "service": service.name,
        "group": service.group,
        "owner": service.owner,
        "kind": str(service.kind),
    }
