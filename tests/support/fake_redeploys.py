"""Redeploys and their messages in memory: the store passes the same suite as the client of Azure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.scoring.redeploy.record import Abort, Redeploy
from tests.support.fake_storage import FakeStorage


@dataclass
class FakeRedeploys(FakeStorage):
    """Records by id, as JSON as they would be stored; who holds a service by its name."""

    records: dict[str, str] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    holds: dict[str, str] = field(default_factory=dict)
    aborts: dict[str, Abort] = field(default_factory=dict)
    versions: int = 0

    async def open(self, redeploy: Redeploy) -> Redeploy | None:
        self._reach()
        if redeploy.redeploy_id in self.records:
            return None
        if not redeploy.is_closed:
            if redeploy.service.name in self.holds:
                return None
            self.holds[redeploy.service.name] = redeploy.redeploy_id
        return self._store(redeploy)

    async def get(self, redeploy_id: str) -> Redeploy | None:
        self._reach()
        return self._read(redeploy_id)

    async def active(self, service: str) -> Redeploy | None:
        self._reach()
        return self._read(self.holds.get(service, ""))

    async def list_active(self) -> Sequence[Redeploy]:
        self._reach()
        return [each for held in self.holds.values() if (each := self._read(held))]

    async def list_recent(self, service: str, *, since: datetime) -> Sequence[Redeploy]:
        self._reach()
        found = [each for key in sorted(self.records) if (each := self._read(key))]
        return [each for each in found if each.service.name == service and each.created_at >= since]

    async def list_since(self, since: datetime) -> Sequence[Redeploy]:
        self._reach()
        found = [each for key in sorted(self.records) if (each := self._read(key))]
        return [each for each in found if each.created_at >= since]

    async def save(self, redeploy: Redeploy) -> Redeploy | None:
        self._reach()
        if self.etags.get(redeploy.redeploy_id) != redeploy.etag:
            return None
        if redeploy.is_closed:
            self.holds.pop(redeploy.service.name, None)
        return self._store(redeploy)

    async def ask_abort(self, redeploy_id: str, abort: Abort) -> None:
        self._reach()
        self.aborts.setdefault(redeploy_id, abort)

    async def abort_of(self, redeploy_id: str) -> Abort | None:
        self._reach()
        return self.aborts.get(redeploy_id)

    async def prune(self, *, before: datetime) -> int:
        self._reach()
        found = [each for key in self.records if (each := self._read(key))]
        old = [each for each in found if each.is_closed and each.created_at < before]
        for each in old:
            del self.records[each.redeploy_id], self.etags[each.redeploy_id]
            self.aborts.pop(each.redeploy_id, None)
        return len(old)

    def _read(self, redeploy_id: str) -> Redeploy | None:
        text = self.records.get(redeploy_id)
        if text is None:
            return None
        return replace(Redeploy.from_json(json.loads(text)), etag=self.etags[redeploy_id])

    def _store(self, redeploy: Redeploy) -> Redeploy | None:
        self.versions += 1
        self.records[redeploy.redeploy_id] = json.dumps(redeploy.to_json())
        self.etags[redeploy.redeploy_id] = f'W/"{self.versions}"'
        return self._read(redeploy.redeploy_id)


@dataclass
class FakeStepQueue(FakeStorage):
    """Remembers what was sent: (redeploy id, step, delay)."""

    sent: list[tuple[str, int, timedelta]] = field(default_factory=list)

    async def send(self, redeploy_id: str, step: int, *, delay: timedelta) -> None:
        self._reach()
        self.sent.append((redeploy_id, step, delay))
