"""Read a night from the emulator's request log: when what arrived, and what was throttled.

The app's own clock and telemetry are not asked: they could be wrong in the app's favour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from benchmarks.programs import Emulator
from local_host.client import send

ACCEPTED = 202
Listed = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Night:
    """One night. Durations in seconds from the arrival of the first ARM request.

    `last_accepted`: until the last 202 left. `last_list`: until the list that showed the last
    machine Stopped was answered, since the app asks no more after it. `throttles_caused`: 429 that
    no armed fault made. `requests_per_second`: of all kinds, until the last 202 left.
    """

    accepted: int
    requests: int
    requests_per_second: float
    throttles_caused: int
    last_accepted: float
    last_list: float


def read_night(emulator: Emulator, *, latency_seconds: float) -> Night:
    """Sum up all requests that reached Resource Manager since the emulator started."""
    records = [each for each in _ask(emulator, "requests")["requests"] if each["bucket"]]
    began = _at(records[0])
    stops = [r for r in records if r["path"].endswith("/stop") and r["status"] == ACCEPTED]
    lists = [r for r in records if r["path"].endswith("/computes")]
    asking = _until(stops, began) + latency_seconds
    return Night(
        accepted=len(stops),
        requests=len(records),
        requests_per_second=sum(_at(r) - began <= asking for r in records) / asking,
        throttles_caused=sum(r["throttled"] and r["fault"] is None for r in records),
        last_accepted=asking,
        last_list=_until(lists, began) + latency_seconds,
    )


def list_computes(emulator: Emulator) -> Sequence[Listed]:
    """Every compute as it is in truth: `id`, `state` and more."""
    return _ask(emulator, "state")["computes"]


def _ask(emulator: Emulator, what: str) -> Mapping[str, Sequence[Listed]]:
    url = f"{emulator.url}/_emulator/{what}"
    found: Mapping[str, Sequence[Listed]] = send("GET", url, ca_file=emulator.ca_file).json()
    return found


def _until(records: Sequence[Listed], began: float) -> float:
    return max((_at(record) for record in records), default=began) - began


def _at(record: Listed) -> float:
    return datetime.fromisoformat(record["at"]).timestamp()
