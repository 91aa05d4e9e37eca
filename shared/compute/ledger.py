"""What one run knows so far: scopes read or not, instances watched, prices; and its report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.compute.azure import Price
from shared.compute.guardrails import Finding
from shared.compute.instance import Compute
from shared.compute.policy import Reason
from shared.compute.report import (
    Findings,
    InstanceReport,
    Outcome,
    RunHead,
    Trigger,
    WorkspaceReport,
    WorkspaceResult,
)
from shared.compute.uptime import Misconfigured
from shared.compute.watch import Watch
from shared.errors import NothingEnumeratedError


@dataclass(kw_only=True)
class Ledger:
    """The record of a run in progress. Keys are lower-cased ARM ids.

    `misconfigured`: by resource and tag, the resource's id in Azure's spelling and what is wrong.
    `spread_over`: the subscriptions whose shares other invocations may have begun to work, if any.
    `unlisted`: why no subscription could be listed, once that was tried.
    """

    head: RunHead
    scopes: dict[str, WorkspaceReport] = field(default_factory=dict)
    watches: dict[str, Watch] = field(default_factory=dict)
    other_computes: set[str] = field(default_factory=set)
    retryable: bool = False
    empty_subscriptions: int = 0
    claims_lost: bool = False
    is_busy: bool = False
    start_told: bool = False
    start_untold: tuple[datetime, bool | None] | None = None
    guardrails: list[Finding] | None = None
    misconfigured: dict[tuple[str, str], tuple[str, Misconfigured]] = field(default_factory=dict)
    untold: list[Watch] = field(default_factory=list)
    spread_over: tuple[str, ...] = ()
    unlisted: NothingEnumeratedError | None = None

    @property
    def is_routine(self) -> bool:
        """Whether this is a tick that found nothing to do or to say: it leaves only a metric."""
        return self.head.trigger is Trigger.TIMER and not self.is_busy

    prices: dict[tuple[str, str], Mapping[str, Price]] = field(default_factory=dict)

    @property
    def unread(self) -> list[WorkspaceReport]:
        """The scopes that could not be read."""
        return [s for s in self.scopes.values() if s.result is WorkspaceResult.UNREADABLE]

    @property
    def unread_ids(self) -> list[str]:
        """Ids of the scopes that could not be read."""
        return [scope.id for scope in self.unread]

    def read(self, scope_id: str) -> None:
        """A workspace was read."""
        self.scopes[scope_id.lower()] = WorkspaceReport(
            id=scope_id, result=WorkspaceResult.READ, error=None
        )

    def trouble(self, scope_id: str, error: str) -> None:
        """Something that is no instance went wrong in a workspace; what else was said of it stands."""
        known = self.scopes.get(scope_id.lower())
        said = known.error if known and known.error else ""
        if error in said:
            return
        self.scopes[scope_id.lower()] = WorkspaceReport(
            id=scope_id,
            result=known.result if known else WorkspaceResult.READ,
            error=error if said in error else f"{said}; {error}",
        )

    def unreadable(self, scope_id: str, error: str, *, retryable: bool) -> None:
        """A workspace or subscription could not be read; `retryable`: it may be, later."""
        self.retryable = self.retryable or retryable
        self.scopes[scope_id.lower()] = WorkspaceReport(
            id=scope_id, result=WorkspaceResult.UNREADABLE, error=error
        )

    def keep_scopes(self, ids: Iterable[str]) -> None:
        """Forget the scopes that the caller did not ask about."""
        wanted = {scope_id.lower() for scope_id in ids}
        self.empty_subscriptions = 0
        self.scopes = {key: scope for key, scope in self.scopes.items() if key in wanted}

    def price(self, compute: Compute) -> Price | None:
        """What the instance costs while it runs, where Azure gave a price."""
        place = (compute.workspace.subscription_id.lower(), compute.location.lower())
        return self.prices.get(place, {}).get(compute.vm_size.lower())

    def detail(self, watch: Watch) -> str:
        """What the outcome needs said; for a refused dead end also the way out, with its price."""
        if watch.verdict.reason is not Reason.DEAD_END or watch.outcome is not Outcome.REFUSED:
            return watch.detail
        price = self.price(watch.first)
        cost = f": it may cost {price.per_hour} {price.currency} per hour" if price else ""
        return f"{watch.detail} Restart or delete it{cost}."

    def findings(self) -> Findings:
        """Close the books of a share."""
        prices = (self.price(watch.first) for watch in self.watches.values())
        return Findings(
            workspaces=tuple(self.scopes.values()),
            instances=tuple(self._instance(watch) for watch in self.watches.values()),
            other_computes=len(self.other_computes),
            currency=next((price.currency for price in prices if price), ""),
            retryable=self.retryable,
            empty_subscriptions=self.empty_subscriptions,
            busy=not self.is_routine,
            guardrails=None if self.guardrails is None else tuple(self.guardrails),
        )

    def _instance(self, watch: Watch) -> InstanceReport:
        price = self.price(watch.first)
        return InstanceReport(
            id=watch.first.id,
            name=watch.first.name,
            owner=watch.first.owner,
            vm_size=watch.first.vm_size,
            price_per_hour=price.per_hour if price else None,
            state_before=watch.first.state,
            state_after=watch.state,
            decision=watch.first_verdict.decision,
            reason=watch.first_verdict.reason,
            reason_text=watch.first_verdict.text,
            outcome=watch.outcome or Outcome.UNRESOLVED,
            detail=self.detail(watch),
            seconds=watch.seconds,
            seen_at=watch.seen_at,
        )
