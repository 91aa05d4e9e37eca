"""One service of each kind that Azure carries out redeploys of, and what it can be redeployed to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from http.client import OK
from pathlib import Path
from typing import Any

from tests.support import container_groups, online_rollout
from tests.support.emulator import EmulatorProcess
from tests.support.redeploy_proofs import GOLDEN, r_images, wait_for
from tests.support.wire import Reply

SCORE = {**GOLDEN, "method": "POST", "path": "/score", "query": {}, "body": {"height": 138}}
REPOSITORY = container_groups.REPOSITORY


@dataclass(frozen=True, kw_only=True)
class MovableService:
    """A service named weight.

    `ask` sends it a request as anybody would, method and target; `running` tells what answers.
    `changes`: what Azure makes of a redeploy that is good, that never gets there, that answers
    wrongly.
    """

    seed: Callable[[EmulatorProcess], None]
    entry: Callable[[EmulatorProcess], dict[str, Any]]
    ask: Callable[[EmulatorProcess, str, str], Reply]
    golden: tuple[str, str]
    running: Callable[[EmulatorProcess], str]
    good: dict[str, str]
    broken: dict[str, str]
    wrong: dict[str, str]
    changes: tuple[Sequence[str], Sequence[str], Sequence[str]]

    def weight_of_138(self, emulator: EmulatorProcess) -> float:
        """What it answers now."""
        (weight,) = self.ask(emulator, *self.golden).json()["response"]
        return float(weight)


def group_entry(emulator: EmulatorProcess) -> dict[str, Any]:
    """How a file declares the container group."""
    return {
        "kind": "aci",
        "url": container_groups.seen(emulator)["url"],
        "resource_id": container_groups.GROUP_ID,
        "checks": {"golden": [GOLDEN]},
    }


def endpoint_entry(emulator: EmulatorProcess) -> dict[str, Any]:
    """How a file declares the online endpoint."""
    return {
        "kind": "aml-online",
        # Said here, since nothing is looked for in Azure; keys still come from there.
        "url": _endpoint(emulator)["scoringUri"].removesuffix("/score"),
        "resource_id": online_rollout.ENDPOINT,
        "credential": {"from_azure": "key"},
        "checks": {"golden": [SCORE]},
    }


def _ask_group(emulator: EmulatorProcess, method: str, target: str) -> Reply:
    return emulator.wire.send(method, f"{container_groups.seen(emulator)['url']}{target}")


def _ask_endpoint(emulator: EmulatorProcess, method: str, target: str) -> Reply:
    token = emulator.arm_token()
    keys = emulator.arm("POST", f"{online_rollout.ENDPOINT}/listKeys", token=token).json()
    headers = {"Authorization": f"Bearer {keys['primaryKey']}"}
    root = _endpoint(emulator)["scoringUri"].removesuffix("/score")
    return emulator.wire.send(method, f"{root}{target}", body=b"{}", headers=headers)


def _running_image(emulator: EmulatorProcess) -> str:
    """What a group's container runs, with its digest."""
    (container,) = container_groups.seen(emulator)["containers"]
    image_id: str = container["imageId"]
    return image_id


def _live_model(emulator: EmulatorProcess) -> str:
    """The model of the deployment that has all the traffic."""
    endpoint = _endpoint(emulator)
    models = {each["name"].lower(): str(each["model"]) for each in endpoint["deployments"]}
    (live,) = [models[name] for name, share in endpoint["traffic"].items() if share]
    return live


def _endpoint(emulator: EmulatorProcess) -> dict[str, Any]:
    (found,) = emulator.state()["endpoints"]
    endpoint: dict[str, Any] = found
    return endpoint


ACI = MovableService(
    seed=container_groups.with_group,
    entry=group_entry,
    ask=_ask_group,
    golden=("GET", "/weight?height=138"),
    running=_running_image,
    good={"image": f"{REPOSITORY}:2"},
    broken={"image": f"{REPOSITORY}:crashes"},
    wrong={"image": f"{REPOSITORY}:wrong"},
    changes=(["PUT"], ["PUT"] * 2, ["PUT"] * 2),
)
ONLINE = MovableService(
    seed=online_rollout.seed_endpoint,
    entry=endpoint_entry,
    ask=_ask_endpoint,
    golden=("POST", "/score"),
    running=_live_model,
    good={"model": "weight-lm:5"},
    broken={"model": "weight-lm:7"},
    wrong={"model": "weight-lm:6"},
    changes=(["PUT"] * 4 + ["DELETE"], ["PUT", "DELETE"], ["PUT", "DELETE"]),
)


def group_of_programs(right: Path, wrong: Path) -> dict[str, Any]:
    """A seed, for a file, of the container group whose images are R: two right ones, one wrong."""
    models = {container_groups.GOOD: right, ACI.good["image"]: right, ACI.wrong["image"]: wrong}
    return {
        "version": 1,
        "images": r_images(models),
        "subscriptions": [
            {
                "id": container_groups.SUBSCRIPTION,
                "container_groups": [{"name": "weight", **container_groups.a_group()}],
            }
        ],
    }


def group_in_r() -> MovableService:
    """The container group of `group_of_programs`, with which the emulator was started."""

    def begin_anew(emulator: EmulatorProcess) -> None:
        emulator.reset()
        wait_for(lambda: ACI.ask(emulator, *ACI.golden).status == OK, "an answer of R")

    return replace(ACI, seed=begin_anew)


def endpoint_in_r(right: str, wrong: str) -> MovableService:
    """The online endpoint with R services behind its models, by URL: two right ones, one wrong."""
    urls = {"weight-lm:4": right, ONLINE.good["model"]: right, ONLINE.wrong["model"]: wrong}
    assets = [{"name": model, "backend": url} for model, url in urls.items()]
    return replace(
        ONLINE,
        seed=partial(online_rollout.seed_endpoint, assets=assets),
        entry=lambda emulator: endpoint_entry(emulator) | {"checks": {"golden": [GOLDEN]}},
        golden=ACI.golden,
    )
