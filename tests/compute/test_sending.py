"""The messages of a run: sent side by side, a few at a time; one that fails costs only itself."""

import asyncio
from dataclasses import dataclass, field

from shared.compute.dispatch import SENDS_AT_ONCE
from shared.compute.report import Result
from shared.errors import StorageUnavailableError
from tests.support.fake_azure import Seed
from tests.support.fake_storage import FakeShareQueue
from tests.support.night import a_machine
from tests.support.platform import Platform, spend

SUBSCRIPTIONS = [f"{number:08}-0000-4000-8000-000000000000" for number in range(20)]
NAMES = sorted(f"ci-{number}" for number in range(20))


@dataclass
class SlowQueue(FakeShareQueue):
    """Takes a second for each message; `refused` fails sooner, `silent` after a minute."""

    refused: str = ""
    silent: str = ""
    under_way: int = 0
    most_under_way: int = 0
    tried: list[str] = field(default_factory=list)

    async def send(self, run_id: str, share_id: str) -> None:
        self.tried.append(share_id)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await self._send(run_id, share_id)
        finally:
            self.under_way -= 1

    async def _send(self, run_id: str, share_id: str) -> None:
        await asyncio.sleep({self.refused: 0.5, self.silent: 60}.get(share_id, 1))
        if share_id in (self.refused, self.silent):
            raise StorageUnavailableError("queue compute-shares: 503 ServerBusy")
        await super().send(run_id, share_id)


def an_estate() -> Seed:
    """One machine in each of twenty subscriptions."""
    listed = [
        {"id": guid, "workspaces": [{"name": f"mlw-{n}", "computes": [a_machine(f"ci-{n}")]}]}
        for n, guid in enumerate(SUBSCRIPTIONS)
    ]
    return {"vm_sizes": [], "subscriptions": listed}


def test_messages_are_sent_side_by_side_a_few_at_a_time() -> None:
    async def story() -> None:
        queue = SlowQueue()
        platform = Platform(seed=an_estate(), queue=queue)
        began = platform.now()

        await platform.open()

        rounds = -(-len(SUBSCRIPTIONS) // SENDS_AT_ONCE)
        assert (platform.now() - began).total_seconds() == rounds
        assert queue.most_under_way == SENDS_AT_ONCE
        assert sorted(share for _, share in queue.sent) == SUBSCRIPTIONS

    spend(story())


def test_one_message_that_fails_spares_those_under_way_and_the_rest_is_worked_here() -> None:
    async def story() -> None:
        queue = SlowQueue(refused=SUBSCRIPTIONS[3])
        platform = Platform(seed=an_estate(), queue=queue)

        report = await platform.report()

        assert sorted(queue.tried) == SUBSCRIPTIONS[:SENDS_AT_ONCE]
        assert (report.result, report.counts.stopped) == (Result.SUCCEEDED, len(NAMES))
        assert platform.asked == NAMES
        assert platform.lost() == ["the queue; its shares are worked here"]

    spend(story())


def test_what_is_worked_here_does_not_wait_for_a_message_that_hangs() -> None:
    async def story() -> None:
        queue = SlowQueue(refused=SUBSCRIPTIONS[3], silent=SUBSCRIPTIONS[5])
        platform = Platform(seed=an_estate(), queue=queue)
        began = platform.now()

        report = await platform.report()

        late = [
            instance.name
            for instance in report.instances
            if (instance.seen_at - began).total_seconds() > 60
        ]
        assert late == ["ci-5"]
        assert platform.asked == NAMES
        assert len(platform.lost()) == 1

    spend(story())
