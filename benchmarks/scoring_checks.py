"""Rounds of health checks over the services of `scoring_servers`, with storage in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from benchmarks.scoring_servers import Served
from shared.clients.prober import NetworkProber
from shared.scoring.attempts import Examiner
from shared.scoring.credentials import SignIn
from shared.scoring.examination import Subject
from shared.scoring.health import HealthRounds
from shared.scoring.records import Records
from shared.scoring.round_report import RoundReport
from shared.scoring.service import Service
from tests.support.fake_records import (
    FakeCheckHistory,
    FakeMaintenanceWindows,
    FakeServiceStates,
)

TIME_LIMIT = timedelta(seconds=120)
# Far over what the slowest takes: who hangs is not confused with who is slow.
TIMEOUT_SECONDS = 10.0
GOLDEN = {
    "name": "138",
    "path": "/weight",
    "query": {"height": 138},
    "expect": [{"at": "$.response[0]", "equals": 161.8533, "absolute": 5e-5}],
}


async def check_round(services: Sequence[Served]) -> RoundReport:
    """Check them once, with a prober of its own, as an invocation would."""
    async with NetworkProber(now=_now) as prober:
        examiner = Examiner(prober=prober, credentials=NoKeys(), now=_now)
        records = Records(
            states=FakeServiceStates(),
            history=FakeCheckHistory(),
            maintenance=FakeMaintenanceWindows(),
        )
        rounds = HealthRounds(examiner=examiner, records=records)
        return await rounds.run([_subject(each) for each in services], time_limit=TIME_LIMIT)


class NoKeys:
    """Services that want no credential."""

    async def sign_in(self, service: Service, *, renew: bool = False) -> SignIn:
        """Sign in as nobody."""
        del service, renew
        return SignIn()


def _subject(served: Served) -> Subject:
    checks = {
        "live": {"path": "/live"},
        "golden": [GOLDEN],
        "timeout_seconds": TIMEOUT_SECONDS,
        "latency_budget_seconds": TIMEOUT_SECONDS,
    }
    document = {"name": served.name, "kind": "http", "url": served.url, "checks": checks}
    service = Service.model_validate(document)
    return Subject(service=service, rules=service.checks, url=served.url)


def _now() -> datetime:
    return datetime.now(UTC)
