"""One online endpoint in the emulator, and a mover that redeploys it, step by step."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from shared.clients.online_mover import DEPLOYMENT_HEADER, OnlineMover
from shared.clients.online_resources import OnlineResources
from shared.clients.online_rollout import deployment_name
from shared.errors import AzureRequestError
from shared.scoring.redeploy.mover import (
    Change,
    ChangeKind,
    Completion,
    Marker,
    Phase,
    PlatformState,
    Progress,
    Snapshot,
)
from shared.scoring.service import Service
from shared.time_ordered_id import new_id
from tests.support.arm_session import ArmSession, now, until, within
from tests.support.builders import NIGHT, SUBSCRIPTION, a_workspace
from tests.support.emulator import EmulatorProcess
from tests.support.scripted import Asked, Scripted
from tests.support.wire import Reply

WORKSPACE = a_workspace().id
ENDPOINT = f"{WORKSPACE}/onlineEndpoints/weight"
RIGHT = {"response": [161.8533]}
WRONG = {"response": [0.0]}
NEW_MODEL = Change(kind=ChangeKind.MODEL, target="weight-lm:5")
RESTART = Change(kind=ChangeKind.RESTART)
ASSETS: Sequence[Mapping[str, Any]] = (
    {"name": "weight-lm:4", "answers": [{"content": RIGHT}]},
    {"name": "weight-lm:5", "answers": [{"content": RIGHT}]},
    {"name": "weight-lm:6", "answers": [{"content": WRONG}]},
    {
        "name": "weight-lm:7",
        "provisioning": "fails",
        "logs": "no login with secret-of-the-model\nsee https://blob.test/m?sig=abc\n",
    },
    {"name": "weight-lm:8", "provisioning": "never_ends"},
    {"name": "r-plumber:3", "answers": [{"content": RIGHT}]},
)


def a_blue(**seed: Any) -> dict[str, Any]:
    return {
        "name": "blue",
        "model": "weight-lm:4",
        "environment": "r-plumber:2",
        "environment_variables": {"DB_PASSWORD": "secret-of-the-model"},
        "instance_count": 2,
        **seed,
    }


def seed_endpoint(emulator: EmulatorProcess, **endpoint: Any) -> None:
    """Put one endpoint there, all its traffic on blue."""
    whole = {
        "name": "weight",
        "deployments": [a_blue()],
        "provisioning_seconds": 5,
        "update_seconds": 5,
        **endpoint,
    }
    assets = endpoint.pop("assets", ASSETS)
    whole.pop("assets", None)
    workspace = {"name": "mlw-churn", "online_endpoints": [whole], "assets": assets}
    emulator.seed({"subscriptions": [{"id": SUBSCRIPTION, "workspaces": [workspace]}]})


def a_service(resource_id: str | None = ENDPOINT) -> Service:
    where = {"resource_id": resource_id} if resource_id else {"url": "https://weight.test"}
    return Service.model_validate({"name": "weight", "kind": "aml-online", **where})


@dataclass(kw_only=True)
class Rollout:
    """A redeploy by its mover; `snapshot` as it was before, `proven` as far as it was proven."""

    mover: OnlineMover
    emulator: EmulatorProcess
    session: ArmSession
    marker: Marker
    service: Service
    snapshot: Snapshot
    proven: int = 0

    @property
    def green(self) -> str:
        return deployment_name(self.marker)

    async def change(self, change: Change = NEW_MODEL) -> None:
        await self.mover.change(self.service, change, snapshot=self.snapshot, marker=self.marker)

    async def look(self, *, undone: bool = False) -> PlatformState:
        return await self.mover.platform_state(
            self.service, snapshot=self.snapshot, marker=self.marker, undone=undone
        )

    async def settled(self, *, undone: bool = False) -> PlatformState:
        """Look until the platform is no longer at it."""
        async with asyncio.timeout(60):
            while (state := await self.look(undone=undone)).phase is Phase.WAITING:  # noqa: ASYNC110  # it happens in another process
                await asyncio.sleep(0.05)
        return state

    async def completed(self) -> Sequence[Mapping[str, int]]:
        """Complete, step by step, and return how the traffic was divided at each that landed."""
        seen: list[Mapping[str, int]] = []
        await self.told_until_done(on_landing=lambda: seen.append(self.traffic()))
        return seen

    async def told_until_done(
        self, *, first: Progress = Progress.DONE, on_landing: Callable[[], None] = lambda: None
    ) -> Sequence[Completion]:
        """Complete until the `first` of this progress, and return all that was told."""
        told: list[Completion] = []
        async with asyncio.timeout(60):
            while not told or told[-1].progress not in {Progress.DONE, first}:
                told.append(await self.complete())
                if told[-1].progress is Progress.LANDED:
                    on_landing()
                    self.proven = told[-1].share
                await until(lambda: self.states()["weight"] != "Updating")
                await asyncio.sleep(0.1 * (told[-1].progress is Progress.CLEARING))
        return told

    async def undone(self) -> PlatformState:
        """Ask for undoing until nothing is left to ask for, then look."""
        async with asyncio.timeout(60):
            while not await self._undo():
                await self.until_state("weight", "Succeeded")
        return await self.settled(undone=True)

    async def complete(self) -> Completion:
        return await self.mover.complete(
            self.service, snapshot=self.snapshot, marker=self.marker, proven=self.proven
        )

    def headers(self, *, share: int) -> Mapping[str, str]:
        return self.mover.proof_headers(snapshot=self.snapshot, marker=self.marker, share=share)

    async def undo(self) -> None:
        await self.mover.undo(self.service, snapshot=self.snapshot, marker=self.marker)

    async def _undo(self) -> bool:
        try:
            await self.undo()
        except AzureRequestError as error:
            if not error.retryable:
                raise
            return False
        return True

    def puts(self, path_part: str) -> Sequence[int | None]:
        """What PUTs were answered, None for no answer. aiohttp sends one again that was cut."""
        requests = [each for each in self.emulator.requests() if each["method"] == "PUT"]
        statuses = [each["status"] for each in requests if path_part in each["path"]]
        return [status for status in statuses if status != 409]

    def states(self) -> Mapping[str, str]:
        """The provisioning states, the endpoint's under its own name."""
        (endpoint,) = self.emulator.state()["endpoints"]
        deployments = {each["name"]: each["provisioningState"] for each in endpoint["deployments"]}
        return {"weight": endpoint["provisioningState"], **deployments}

    def traffic(self) -> Mapping[str, int]:
        """How traffic is divided, whatever the endpoint shows."""
        (endpoint,) = self.emulator.state()["endpoints"]
        found: Mapping[str, int] = endpoint["traffic"]
        return found

    def writes(self) -> Sequence[str]:
        """What was changed at Azure, method and last part of the path."""
        return [
            f"{each['method']} {each['path'].rpartition('/')[2]}"
            for each in self.emulator.requests()
            if each["method"] in {"PUT", "DELETE", "PATCH"} and each["status"] in {200, 201, 202}
        ]

    def answer(self, *, of: str = "") -> Any:
        """What is scored, by whoever is next or by one deployment."""
        return self._asked("POST", "/score", of=of, body=b"{}")

    def weigh(self, *, of: str = "") -> Any:
        """What a plumber service behind it says of a height of 138."""
        return self._asked("GET", "/weight?height=138", of=of)

    def scripted(self, asked: Asked) -> Scripted:
        """What is answered to a request, whichever deployment its headers ask for."""
        reply = self._sent(asked.method, asked.target, body=asked.body, headers=asked.headers)
        return Scripted(status=reply.status, body=reply.body)

    async def shown(self, deployment: str) -> Any:
        """A deployment as Resource Manager shows it."""
        async with self.session.open() as arm:
            path = f"{ENDPOINT}/deployments/{deployment}"
            return (await arm.get(path, deadline=within(10))).body

    async def put_traffic(self, traffic: Mapping[str, int], *, made: str = "") -> None:
        """Be somebody else, who may make a deployment like blue, and divides the traffic."""
        async with self.session.open() as arm:
            others = OnlineResources(arm, now=now)
            if made:
                blue = await others.get(f"{ENDPOINT}/deployments/blue")
                await others.put(f"{ENDPOINT}/deployments/{made}", blue.rewritten())
                await self.until_state(made, "Succeeded")
            endpoint = await others.get(ENDPOINT)
            identity = {"identity": {"type": "SystemAssigned"}}
            await others.put(ENDPOINT, endpoint.rewritten(traffic=dict(traffic)) | identity)
            await until(lambda: self.states()["weight"] != "Updating")

    async def until_state(self, name: str, state: str) -> None:
        """Wait until a deployment, or the endpoint under its own name, is in a state."""
        await until(lambda: self.states()[name] == state)

    def _asked(self, method: str, path: str, *, of: str, body: bytes = b"") -> Any:
        headers = {DEPLOYMENT_HEADER: of} if of else {}
        return self._sent(method, path, body=body, headers=headers).json()

    def _sent(self, method: str, path: str, *, body: bytes, headers: Mapping[str, str]) -> Reply:
        token = self.emulator.arm_token()
        keys = self.emulator.arm("POST", f"{ENDPOINT}/listKeys", token=token).json()
        signed_in = {**headers, "Authorization": f"Bearer {keys['primaryKey']}"}
        (endpoint,) = self.emulator.state()["endpoints"]
        root = endpoint["scoringUri"].rpartition("/")[0]
        return self.emulator.wire.send(method, f"{root}{path}", body=body, headers=signed_in)


@asynccontextmanager
async def rollout(session: ArmSession, *, keeps_old: bool = False) -> AsyncIterator[Rollout]:
    """Open a mover for the endpoint that is seeded, and let it take its snapshot."""
    async with session.open() as arm:
        mover = OnlineMover(arm, now=now, keeps_old=keeps_old)
        service = a_service()
        yield Rollout(
            mover=mover,
            emulator=session.emulator,
            session=session,
            marker=Marker(redeploy_id=new_id(NIGHT), at=NIGHT),
            service=service,
            snapshot=await mover.snapshot(service),
        )
