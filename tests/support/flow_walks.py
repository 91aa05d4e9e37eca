"""Walks of a redeploy through its flow: what a step may see, and what becomes of the record."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from shared.scoring.redeploy.flow import Limits, advance
from shared.scoring.redeploy.mover import (
    Completion,
    Phase,
    PlatformState,
    Progress,
)
from shared.scoring.redeploy.record import (
    Redeploy,
)
from shared.scoring.redeploy.seen import Examined, Gated, Made, PartlyExamined, Seen, Trouble
from tests.support.redeploys import (
    A_SNAPSHOT,
    NEW_DIGEST,
    NOON,
    OLD_DIGEST,
    a_proof,
    a_redeploy,
)
from tests.support.scoring import a_live_check

READY = PlatformState(phase=Phase.READY, digest=NEW_DIGEST)


BACK = replace(READY, digest=OLD_DIGEST)


WAITING = PlatformState(phase=Phase.WAITING, text="1 of 2 pods")


FAILED = PlatformState(phase=Phase.FAILED, reason="CrashLoopBackOff", evidence=["exit code 137"])


LET_IN = Gated(refusals=())


RIGHT = Examined(proof=a_proof())


WRONG = Examined(proof=a_proof("wrong"), wrong=True)


DOWN = Examined(proof=a_proof("down"))


OLD_RIGHT = Examined(proof=a_proof(of="old"))


OLD_DOWN = Examined(proof=a_proof("down", of="old"))


AWAY = Trouble(text="503 from Azure", retryable=True)


BLIND = Trouble(text="Key Vault did not answer", retryable=True, blind=True)


REFUSED = Trouble(text="lacks Microsoft.ContainerService/x/action", retryable=False)


UP_TO_PROOF: Sequence[Seen] = (A_SNAPSHOT, LET_IN, Made(), READY)


PROVEN: Sequence[Seen] = (*UP_TO_PROOF, RIGHT, RIGHT, RIGHT)


ASKED_FOR = Completion(progress=Progress.MOVING, text="10 % is asked for")


UPDATING = Completion(progress=Progress.MOVING, text="it is Updating")


LIMITS = Limits()


def landing(share: int) -> Completion:
    return Completion(progress=Progress.LANDED, share=share, text=f"{share} % is there")


def halfway() -> PartlyExamined:
    """An examination whose first part is done."""
    return PartlyExamined(checks=(a_live_check(),), text="1 of its checks are made")


def slowly(share: int) -> Sequence[Seen]:
    """A step of traffic that takes a quarter of an hour, and its proof."""
    return (*[UPDATING] * 18, landing(share), RIGHT)


def walk(*seen: Seen, start: Redeploy | None = None, at: datetime = NOON) -> Redeploy:
    """Take in one step after the other, each when it is due."""
    redeploy = start or a_redeploy(at=at)
    for each in seen:
        now = max(at, redeploy.due_at)
        redeploy = advance(replace(redeploy, tries=1), each, now=now, limits=LIMITS)
    return redeploy
