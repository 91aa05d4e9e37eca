"""Somebody changes a Deployment between the mover's look at it and the mover's own change."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from shared.clients.aks import AksMover
from shared.clients.kubernetes_api import KubernetesApi
from shared.errors import AzureRequestError, ChangedByOthersError
from shared.scoring.redeploy.mover import Change, ChangeKind, Phase, Snapshot
from shared.scoring.service import Service
from tests.azure_emulator.conftest import eventually
from tests.support.aks import MARKER, SERVICE, begun, settled
from tests.support.kubernetes import (
    BETTER,
    DEPLOYMENTS,
    GOOD,
    REPOSITORY,
    WRONG,
    Kubernetes,
    a_manifest,
    an_aks_service,
)

PODS = "/api/v1/namespaces/default/pods"
SERVICES = {"direct": SERVICE, "by runCommand": an_aks_service(run_command=True)}
RESTART = Change(kind=ChangeKind.RESTART)
TO_WRONG = Change(kind=ChangeKind.IMAGE, target=WRONG)


@dataclass
class Race:
    """The mover, and what somebody does just before its next change arrives."""

    kubernetes: Kubernetes
    service: Service
    mover: AksMover
    first: list[Callable[[], object]] = field(default_factory=list)

    async def change(self, change: Change, snapshot: Snapshot) -> None:
        await self.mover.change(self.service, change, snapshot=snapshot, marker=MARKER)

    async def undo(self, snapshot: Snapshot) -> str | None:
        marker = replace(MARKER, change=TO_WRONG)
        return await self.mover.undo(self.service, snapshot=snapshot, marker=marker)

    @property
    def image(self) -> str:
        (container,) = self.kubernetes.deployment()["spec"]["template"]["spec"]["containers"]
        image: str = container["image"]
        return image


@dataclass
class Overtaken:
    """A cluster's API, where somebody else is faster than one who changes a Deployment."""

    api: KubernetesApi
    first: list[Callable[[], object]]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.api, name)

    async def patch_deployment(self, *args: Any, **options: Any) -> None:
        while self.first:
            self.first.pop()()
        await self.api.patch_deployment(*args, **options)


@pytest.fixture(params=SERVICES)
def race(request: pytest.FixtureRequest, kubernetes: Kubernetes, mover: AksMover) -> Race:
    first: list[Callable[[], object]] = []

    @asynccontextmanager
    async def opened(service: Service) -> AsyncIterator[Any]:
        async with mover._open_cluster(service) as api:
            yield Overtaken(api, first)

    return Race(kubernetes, SERVICES[request.param], AksMover(opened), first)


@pytest.mark.parametrize("change", [RESTART, TO_WRONG], ids=["restart", "image"])
async def test_an_image_that_arrives_just_before_our_change_stays(
    race: Race, change: Change
) -> None:
    snapshot = await race.mover.snapshot(race.service)
    race.first.append(lambda: race.kubernetes.set_image(BETTER))

    with pytest.raises(ChangedByOthersError, match="somebody changed the Deployment") as raised:
        await race.change(change, snapshot)
    with pytest.raises(ChangedByOthersError, match=BETTER) as final:
        await race.change(change, snapshot)

    assert (raised.value.status, raised.value.retryable) == (409, True)
    assert not final.value.retryable
    assert race.image == BETTER
    assert race.kubernetes.deployment()["metadata"]["generation"] == 2, "nothing was added"


async def test_an_image_that_arrives_just_before_our_undoing_stays(race: Race) -> None:
    snapshot = await begun(race.mover, TO_WRONG, service=race.service)
    race.first.append(lambda: race.kubernetes.set_image(BETTER))

    with pytest.raises(AzureRequestError, match="somebody changed the Deployment") as raised:
        await race.undo(snapshot)
    with pytest.raises(ChangedByOthersError, match=BETTER):
        await race.undo(snapshot)

    assert raised.value.retryable
    assert race.image == BETTER


async def test_one_that_scales_it_meanwhile_is_no_reason_to_leave_it_as_it_is(race: Race) -> None:
    snapshot = await begun(race.mover, TO_WRONG, service=race.service)
    race.first.append(lambda: race.kubernetes.patch({"spec": {"replicas": 3}}))

    with pytest.raises(AzureRequestError, match="looked at again"):
        await race.undo(snapshot)
    await race.undo(snapshot)
    state = await settled(race.mover, snapshot, undone=True, service=race.service)

    assert (state.phase, state.digest) == (Phase.READY, snapshot.digest)
    assert race.kubernetes.deployment()["spec"]["replicas"] == 3


async def test_a_status_that_moves_meanwhile_holds_nobody_up(race: Race) -> None:
    snapshot = await begun(race.mover, TO_WRONG, service=race.service)
    race.first.append(lambda: let_status_move(race.kubernetes))

    await race.undo(snapshot)

    assert race.image == f"{REPOSITORY}@{snapshot.digest}"


def let_status_move(kubernetes: Kubernetes) -> None:
    before = kubernetes.deployment()["metadata"]
    for pod in kubernetes.pods():
        send(kubernetes, "DELETE", f"{PODS}/{pod['metadata']['name']}")
    eventually(
        lambda: kubernetes.deployment()["metadata"]["resourceVersion"] != before["resourceVersion"]
    )
    assert kubernetes.deployment()["metadata"]["generation"] == before["generation"]


async def test_another_deployment_of_the_same_name_is_not_changed_unseen(race: Race) -> None:
    snapshot = await race.mover.snapshot(race.service)
    race.first.append(lambda: make_anew(race.kubernetes))

    with pytest.raises(AzureRequestError, match="looked at again"):
        await race.change(TO_WRONG, snapshot)

    assert race.image == GOOD


def make_anew(kubernetes: Kubernetes) -> None:
    send(kubernetes, "DELETE", f"{DEPLOYMENTS}/weight")
    send(kubernetes, "POST", DEPLOYMENTS, a_manifest())


def send(kubernetes: Kubernetes, method: str, path: str, body: Any = None) -> None:
    headers = {"Authorization": f"Bearer {kubernetes.token}", "Content-Type": "application/json"}
    content = b"" if body is None else json.dumps(body).encode()
    url = f"{kubernetes.root}{path}"
    reply = kubernetes.emulator.wire.send(method, url, body=content, headers=headers)
    assert reply.status in {200, 201}, reply.body


async def test_what_the_cluster_refuses_for_another_reason_is_told_as_it_is(
    kubernetes: Kubernetes, mover: AksMover
) -> None:
    snapshot = await mover.snapshot(SERVICE)
    refusal = {"kind": "Status", "reason": "Invalid", "message": "denied by a policy"}
    kubernetes.emulator.fault("/weight$", method="PATCH", status=422, body=refusal)

    with pytest.raises(AzureRequestError, match="denied by a policy") as raised:
        await mover.change(SERVICE, RESTART, snapshot=snapshot, marker=MARKER)

    assert not raised.value.retryable
