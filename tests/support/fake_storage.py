"""The app's storage in memory: passes the same contract suites as the clients of Azure.

Each fake has `away`: while it is true, every call fails as if the storage could not be reached.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from typing import Self

from shared.clients.run_continuation import Continuation, RunFilter
from shared.clients.run_rows import inverted
from shared.compute.clusters import ClusterMinimum
from shared.compute.exemptions import Exemption
from shared.compute.history import Claim, RunPage, RunRecord, ShareRecord, ShareState
from shared.compute.report import Result
from shared.errors import StorageUnavailableError

FINISHED = (ShareState.DONE, ShareState.FAILED)


@dataclass
class FakeStorage:
    """What all of them can do: be opened like a client, and be away."""

    away: bool = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Hold nothing."""

    def _reach(self) -> None:
        if self.away:
            raise StorageUnavailableError(f"{type(self).__name__}: 503 ServerBusy")


@dataclass
class FakeRunHistory(FakeStorage):
    """Runs by id; shares, and what they found, by run and share."""

    runs: dict[str, RunRecord] = field(default_factory=dict)
    shares: dict[tuple[str, str], ShareRecord] = field(default_factory=dict)
    found: dict[tuple[str, str], bytes] = field(default_factory=dict)
    told_last: set[str] = field(default_factory=set)

    async def open_run(self, run: RunRecord, *, orders: Mapping[str, str]) -> None:
        inverted(run.run_id)
        self._reach()
        if run.run_id in self.runs:
            return
        self.runs[run.run_id] = run
        for share_id in run.shares:
            self.shares[run.run_id, share_id] = ShareRecord(
                run_id=run.run_id,
                share_id=share_id,
                state=ShareState.QUEUED,
                order=orders.get(share_id, ""),
            )

    async def get_run(self, run_id: str) -> RunRecord | None:
        self._reach()
        run = self.runs.get(run_id)
        return replace(run, open_shares=self._unfinished(run_id)) if run else None

    async def list_runs(
        self,
        *,
        started_from: datetime | None = None,
        started_before: datetime | None = None,
        result: Result | None = None,
        page_size: int = 50,
        continuation: str = "",
    ) -> RunPage:
        chosen = RunFilter(started_from=started_from, started_before=started_before, result=result)
        after = ""
        if continuation:
            resumed = Continuation.parse(continuation, chosen=chosen)
            after, chosen = resumed.after, resumed.chosen
        self._reach()
        keys = sorted(inverted(run.run_id) for run in self.runs.values() if _is_in(run, chosen))
        listed = [key for key in keys if key > after]
        by_key = {inverted(run_id): run_id for run_id in self.runs}
        page = [await self.get_run(by_key[key]) for key in listed[:page_size]]
        more = len(listed) > page_size
        last = Continuation(after=listed[page_size - 1], chosen=chosen).text if more else ""
        return RunPage(runs=[run for run in page if run], continuation=last)

    async def list_overdue(self, *, now: datetime) -> Sequence[RunRecord]:
        self._reach()
        overdue = [run for run in self.runs.values() if not run.is_closed and run.deadline < now]
        return [replace(run, open_shares=self._unfinished(run.run_id)) for run in overdue]

    async def list_shares(self, run_id: str) -> Sequence[ShareRecord]:
        self._reach()
        return sorted(self._shares(run_id), key=lambda share: share.share_id)

    async def begin_share(self, run_id: str, share_id: str) -> ShareRecord | None:
        self._reach()
        share = self.shares.get((run_id, share_id))
        if share is None or share.state in FINISHED:
            return None
        begun = replace(share, state=ShareState.RUNNING, begun=share.begun + 1)
        self.shares[run_id, share_id] = begun
        return begun

    async def save_progress(self, run_id: str, share_id: str, progress: str) -> None:
        self._reach()
        if share := self.shares.get((run_id, share_id)):
            self.shares[run_id, share_id] = replace(share, progress=progress)

    async def finish_share(
        self, run_id: str, share_id: str, *, found: bytes, error: str = ""
    ) -> bool:
        self._reach()
        share = self.shares.get((run_id, share_id))
        if share is None:
            return False
        if share.state not in FINISHED:
            state = ShareState.FAILED if error else ShareState.DONE
            self.shares[run_id, share_id] = replace(share, state=state, error=error)
            self.found[run_id, share_id] = found
        if run_id in self.told_last or self._unfinished(run_id):
            return False
        self.told_last.add(run_id)
        return True

    async def read_found(self, run_id: str) -> Mapping[str, bytes]:
        self._reach()
        return {share: found for (run, share), found in self.found.items() if run == run_id}

    async def close_run(self, run_id: str, *, result: Result, summary: str) -> bool:
        self._reach()
        run = self.runs.get(run_id)
        if run is None or run.is_closed:
            return False
        self.runs[run_id] = replace(run, result=result, summary=summary)
        return True

    async def delete_run(self, run_id: str) -> None:
        self._reach()
        self.runs.pop(run_id, None)
        self.told_last.discard(run_id)
        for share in self._shares(run_id):
            del self.shares[run_id, share.share_id]
            self.found.pop((run_id, share.share_id), None)

    async def prune(self, *, started_before: datetime) -> int:
        self._reach()
        old = [run.run_id for run in self.runs.values() if run.started_at < started_before]
        for run_id in old:
            await self.delete_run(run_id)
        return len(old)

    def _shares(self, run_id: str) -> Sequence[ShareRecord]:
        return [share for share in self.shares.values() if share.run_id == run_id]

    def _unfinished(self, run_id: str) -> frozenset[str]:
        shares = self._shares(run_id)
        return frozenset(share.share_id for share in shares if share.state not in FINISHED)


@dataclass
class FakeStopClaims(FakeStorage):
    """Claims by lower-cased instance id and life."""

    claims: dict[tuple[str, datetime | None], Claim] = field(default_factory=dict)
    _versions: count[int] = field(default_factory=count)

    async def list_claimed(self, subscription_id: str, *, run_id: str) -> Mapping[str, Claim]:
        self._reach()
        prefix = f"/subscriptions/{subscription_id}/".lower()
        return {
            instance_id: replace(claim, granted=False, version="")
            for (instance_id, _), claim in self.claims.items()
            if claim.run_id == run_id and instance_id.startswith(prefix)
        }

    async def claim(
        self,
        instance_id: str,
        life: datetime | None,
        *,
        run_id: str,
        now: datetime,
        state: str = "",
    ) -> Claim:
        self._reach()
        key = (instance_id.lower(), life)
        if held := self.claims.get(key):
            return replace(held, granted=False)
        return self._store(key, run_id, now, state)

    async def take_over(
        self, instance_id: str, life: datetime | None, *, held: Claim, run_id: str, now: datetime
    ) -> Claim:
        self._reach()
        key = (instance_id.lower(), life)
        stands = self.claims.get(key)
        if stands and stands.version != held.version:
            return replace(stands, granted=False)
        return self._store(key, run_id, now, held.state)

    async def release(self, instance_id: str, *, held: Claim) -> bool:
        self._reach()
        key = (instance_id.lower(), held.life)
        stands = self.claims.get(key)
        if not held.version or (stands and stands.version != held.version):
            return False
        self.claims.pop(key, None)
        return True

    async def prune(self, *, claimed_before: datetime) -> int:
        self._reach()
        old = [key for key, claim in self.claims.items() if claim.claimed_at < claimed_before]
        for key in old:
            del self.claims[key]
        return len(old)

    def _store(
        self, key: tuple[str, datetime | None], run_id: str, now: datetime, state: str
    ) -> Claim:
        claim = Claim(
            run_id=run_id,
            claimed_at=now,
            granted=True,
            version=f'W/"{next(self._versions)}"',
            life=key[1],
            state=state,
        )
        self.claims[key] = claim
        return claim


@dataclass
class FakeExemptionStore(FakeStorage):
    """Exemptions by id."""

    exemptions: dict[str, Exemption] = field(default_factory=dict)
    _versions: count[int] = field(default_factory=count)

    async def get(self, exemption_id: str) -> Exemption | None:
        self._reach()
        return self.exemptions.get(exemption_id)

    async def list_active(self, *, now: datetime) -> Sequence[Exemption]:
        self._reach()
        active = [each for each in self.exemptions.values() if now < each.until]
        return sorted(active, key=lambda each: (each.until, each.exemption_id))

    async def create(self, exemption: Exemption) -> Exemption | None:
        self._reach()
        if exemption.exemption_id in self.exemptions:
            return None
        return self._store(exemption)

    async def replace(self, exemption: Exemption, *, etag: str) -> Exemption | None:
        self._reach()
        stored = self.exemptions.get(exemption.exemption_id)
        if stored is None or stored.etag != etag:
            return None
        return self._store(exemption)

    async def delete(self, exemption_id: str, *, etag: str | None) -> bool:
        self._reach()
        stored = self.exemptions.get(exemption_id)
        if stored and etag is not None and stored.etag != etag:
            return False
        self.exemptions.pop(exemption_id, None)
        return True

    async def prune(self, *, ended_before: datetime) -> int:
        self._reach()
        ended = [each for each in self.exemptions.values() if each.until < ended_before]
        for exemption in ended:
            del self.exemptions[exemption.exemption_id]
        return len(ended)

    def _store(self, exemption: Exemption) -> Exemption:
        stored = replace(exemption, etag=f'W/"{next(self._versions)}"')
        self.exemptions[stored.exemption_id] = stored
        return stored


@dataclass
class FakeClusterMinimums(FakeStorage):
    """Minimums by lower-cased cluster id."""

    minimums: dict[str, ClusterMinimum] = field(default_factory=dict)

    async def remember(self, minimum: ClusterMinimum) -> None:
        self._reach()
        self.minimums[minimum.cluster_id.lower()] = minimum

    async def forget(self, cluster_id: str) -> None:
        self._reach()
        self.minimums.pop(cluster_id.lower(), None)

    async def list(self) -> Sequence[ClusterMinimum]:
        self._reach()
        return sorted(self.minimums.values(), key=lambda each: each.cluster_id)


@dataclass
class FakeShareQueue(FakeStorage):
    """Remembers what was sent: (run id, share id)."""

    sent: list[tuple[str, str]] = field(default_factory=list)

    async def send(self, run_id: str, share_id: str) -> None:
        self._reach()
        self.sent.append((run_id, share_id))


def _is_in(run: RunRecord, chosen: RunFilter) -> bool:
    if chosen.started_from and run.started_at < chosen.started_from:
        return False
    if chosen.started_before and run.started_at >= chosen.started_before:
        return False
    return chosen.result is None or run.result is chosen.result
