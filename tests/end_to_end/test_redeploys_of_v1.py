"""Redeploys of web services of SDK v1 by the whole app: good, never there, wrong, and killed amid them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from local_host.azurite.process import Azurite
from tests.support.emulator import EmulatorProcess
from tests.support.lost_workers import (
    changes,
    lose_after_change,
    lose_while_proving,
)
from tests.support.movable_services import SCORE
from tests.support.r_services import RServiceProcess, serve_svm
from tests.support.redeploy_proofs import (
    Report,
    Worker,
    at,
    declare,
    verdicts,
    worker_of,
)
from tests.support.web_service_v1 import (
    ID,
    OF_IMAGE,
    OF_MODELS,
    OLD_DIGEST,
    RIGHT,
    seed_service,
)

# For the SVM of other points it is outside.
INSIDE: Mapping[str, Any] = {
    "name": "a point inside",
    "method": "POST",
    "path": "/score",
    "body": {"data": [[0.7, 0.2]]},
    "expect": [{"at": "$.scores", "equals": [[1, 0]], "absolute": 0.1}],
}
# A worker loads azureml-core, and has the SDK's several requests in every step.
PATIENCE_SECONDS = 150.0

GOOD: Mapping[str, Any] = {"image": "weight:5"}
WRONG_ANSWERS: Mapping[str, Any] = {"image": "weight:6"}
NEVER_READY: Mapping[str, Any] = {"image": "weight:7"}
NEVER_ENDS: Mapping[str, Any] = {"image": "weight:8"}
RESTART: Mapping[str, Any] = {"restart": True}
# How a redeploy ends, and how many updates Azure took for that.
ENDS = {"good": ("succeeded", 1), "restart": ("succeeded", 1), "wrong": ("undone", 2)}


@pytest.fixture(scope="module")
def worker(
    emulator_process: EmulatorProcess, azurite: Azurite, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Worker]:
    """The app, alone at its queue."""
    with worker_of(emulator_process, azurite, tmp_path_factory.mktemp("v1")) as running:
        running.patience_seconds = PATIENCE_SECONDS
        yield running


@pytest.fixture
def emulator(emulator: EmulatorProcess) -> EmulatorProcess:
    """A web service made of an image."""
    seed_service(emulator, **OF_IMAGE)
    return emulator


@pytest.fixture
def name(emulator: EmulatorProcess, azurite: Azurite) -> str:
    return declared(emulator, azurite)


def declared(emulator: EmulatorProcess, azurite: Azurite, golden: Mapping[str, Any] = SCORE) -> str:
    """Declare the web service, and return the name that it goes by."""
    entry = {
        "kind": "aml-v1",
        # Said here, since nothing is looked for in Azure.
        "url": shown(emulator)["scoringUri"].removesuffix("/score"),
        "resource_id": ID,
        "checks": {"golden": [golden]},
    }
    return declare(azurite, entry)


def shown(emulator: EmulatorProcess) -> dict[str, Any]:
    """The web service as Azure has it."""
    (found,) = emulator.state()["services"]
    return dict(found)


def score(emulator: EmulatorProcess, document: Any = None) -> Any:
    """What the web service answers now."""
    url = shown(emulator)["scoringUri"]
    return emulator.wire.send_json("POST", url, document).json()


def says(text: str) -> Callable[[Report], bool]:
    """Whether the last step that ended says so."""
    return lambda report: bool(report["steps"]) and text in report["steps"][-1]["text"]


def test_another_image_is_proven_and_its_digests_are_kept(
    worker: Worker, emulator: EmulatorProcess, name: str
) -> None:
    end = worker.follow(worker.begun(name, **GOOD))

    assert end["state"] == "succeeded", end["text"]
    assert verdicts(end, "new") == ["healthy"] * 3
    assert end["digest_before"] == OLD_DIGEST
    assert end["digest_after"] not in {None, OLD_DIGEST}
    assert (shown(emulator)["image"], len(changes(emulator))) == ("weight:5", 1)


def test_another_model_is_proven(
    worker: Worker, emulator: EmulatorProcess, azurite: Azurite
) -> None:
    seed_service(emulator, **OF_MODELS)

    end = worker.follow(worker.begun(declared(emulator, azurite), model="weight:5"))

    assert end["state"] == "succeeded", end["text"]
    assert verdicts(end, "new") == ["healthy"] * 3
    assert (shown(emulator)["models"], len(changes(emulator))) == (["weight:5"], 1)


def test_what_never_gets_ready_is_put_back_and_the_old_one_proven(
    worker: Worker, emulator: EmulatorProcess, name: str
) -> None:
    end = worker.follow(worker.begun(name, **NEVER_READY))

    assert end["state"] == "undone", end["text"]
    assert "DeploymentTimedOut" in end["text"]
    assert end["evidence"]["platform"] == ["see https://blob.test/m"]
    assert (verdicts(end, "new"), verdicts(end, "old")) == ([], ["healthy"] * 3)
    assert (end["digest_before"], end["digest_after"]) == (OLD_DIGEST, OLD_DIGEST)
    assert (score(emulator), len(changes(emulator))) == (RIGHT, 2)


def test_the_wrong_rds_in_real_r_is_put_back_and_the_old_answers_are_proven(
    worker: Worker,
    emulator: EmulatorProcess,
    azurite: Azurite,
    svm_model: Path,
    other_svm_model: Path,
) -> None:
    with (
        RServiceProcess(serve=serve_svm, trained=svm_model) as right,
        RServiceProcess(serve=serve_svm, trained=other_svm_model) as wrong,
    ):
        assets = [
            {"name": "weight:4", "backend": right.url},
            {"name": "weight:6", "backend": wrong.url},
        ]
        seed_service(emulator, assets=assets, **OF_IMAGE)
        name = declared(emulator, azurite, INSIDE)
        end = worker.follow(worker.begun(name, **WRONG_ANSWERS))
        ((inside, _),) = score(emulator, INSIDE["body"])["scores"]

    assert end["state"] == "undone", end["text"]
    assert (verdicts(end, "new"), verdicts(end, "old")) == (["wrong"] * 3, ["healthy"] * 3)
    assert all("expected 1, got 0.0" in each["text"] for each in end["evidence"]["new"])
    assert (end["digest_before"], end["digest_after"]) == (OLD_DIGEST, OLD_DIGEST)
    assert inside > 0.9
    assert len(changes(emulator)) == 2


def test_an_update_that_hangs_is_undone_as_soon_as_azure_lets_go_of_it(
    worker: Worker, emulator: EmulatorProcess, name: str
) -> None:
    location = worker.begun(name, **NEVER_ENDS)
    worker.follow(location, until=at("watch"))
    worker.host.post(f"{location}/abort")
    held = worker.follow(location, until=says("Azure still holds the update (Running)"))

    # It has ended in the meantime.
    seed_service(emulator, **NEVER_ENDS, properties={"redeploy_id": held["redeploy_id"]})
    end = worker.follow(location)

    assert held["state"] == "undoing"
    assert end["state"] == "aborted", end["text"]
    assert verdicts(end, "old") == ["healthy"] * 3
    assert (shown(emulator)["image"], score(emulator)) == ("weight:4", RIGHT)
    assert len(changes(emulator)) == 1


@pytest.mark.parametrize(
    ("order", "number", "kind"),
    [
        pytest.param(GOOD, 1, "good", id="the new image"),
        pytest.param(RESTART, 1, "restart", id="the restart"),
        pytest.param(WRONG_ANSWERS, 2, "wrong", id="the undoing"),
    ],
)
def test_an_update_that_was_sent_and_not_recorded_is_not_sent_again(
    worker: Worker, name: str, order: Mapping[str, Any], number: int, kind: str
) -> None:
    location = worker.begun(name, **order)

    lose_after_change(worker, location, number=number)
    worker.replace(location)
    end = worker.follow(location)

    assert_azure_took_each_update_once(worker.emulator, end, kind)


@pytest.mark.parametrize(
    ("order", "after", "kind"),
    [
        pytest.param(GOOD, 0, "good", id="the new one"),
        # What is wrong is so three times before it is undone.
        pytest.param(WRONG_ANSWERS, 3, "wrong", id="the old one"),
    ],
)
def test_a_worker_that_is_killed_while_it_proves_leaves_the_proof_to_another(
    worker: Worker, name: str, order: Mapping[str, Any], after: int, kind: str
) -> None:
    location = worker.begun(name, **order)

    lose_while_proving(worker, location, path="/score$", after=after)
    worker.replace(location)
    end = worker.follow(location)

    assert_azure_took_each_update_once(worker.emulator, end, kind)


def assert_azure_took_each_update_once(emulator: EmulatorProcess, end: Report, kind: str) -> None:
    state, sent = ENDS[kind]
    assert end["state"] == state, end["text"]
    proven = verdicts(end, "new" if state == "succeeded" else "old")
    assert proven == ["healthy"] * 3
    assert len(changes(emulator)) == sent
    assert score(emulator) == RIGHT
