"""What one round of checks came to: each service by name, and what the round could not do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.scoring.examination import Subject
from shared.scoring.judgement import Judgement
from shared.scoring.records import CheckRow
from shared.scoring.state import Change, ServiceState


@dataclass(frozen=True, kw_only=True)
class Checked:
    """One service in a round.

    `judgement` is what counts; `attempts` are all judgements of the round, the last one last.
    `during_outage`: it failed with all others, and was not blamed: its state stayed as it was.
    """

    subject: Subject
    judgement: Judgement
    attempts: Sequence[Judgement]
    state: ServiceState
    change: Change | None = None
    in_maintenance: bool = False
    during_outage: bool = False

    @property
    def name(self) -> str:
        return self.subject.service.name

    @property
    def alerts(self) -> bool:
        """Whether people are to be told of it now."""
        return self.change is not None and self.change.alerts

    @property
    def untold(self) -> ServiceState:
        """Its state as long as it is not known that people were told of the change."""
        if self.change is None or not self.change.alerts:
            return self.state
        return replace(self.state, told=self.change.told_before)

    @property
    def row(self) -> CheckRow:
        """What history keeps of it."""
        return CheckRow(
            service=self.name,
            at=self.judgement.at,
            verdict=self.judgement.verdict,
            evidence=str(self.judgement.evidence),
            text=self.judgement.text,
            seconds=self.judgement.seconds,
            in_maintenance=self.in_maintenance,
        )


@dataclass(frozen=True, kw_only=True)
class Unchecked:
    """A service of which the round can say nothing, and why: its state stays as it was."""

    name: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class RoundReport:
    """A round.

    `outage` says that this app's own network, trust or identity is sick; whoever fails by that is
    not blamed.
    `lost` says what storage could not give or take, `amiss` what is wrong with the list of
    services: some may be missing from the round.
    """

    started_at: datetime
    ended_at: datetime
    services: Sequence[Checked]
    unchecked: Sequence[Unchecked] = ()
    outage: str = ""
    lost: Sequence[str] = ()
    amiss: Sequence[str] = ()

    @property
    def succeeded(self) -> bool:
        """Whether the round did its own work; services that fail are what it is there to find."""
        return not (self.unchecked or self.outage or self.lost or self.amiss)
