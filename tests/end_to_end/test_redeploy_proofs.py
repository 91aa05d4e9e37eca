"""Redeploys on AKS with real processes: proven or put back, whatever is killed in between."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from local_host.azurite.process import Azurite
from tests.support.emulator import EmulatorProcess
from tests.support.kubernetes import BETTER, GOOD, NEVER_READY, WRONG, Kubernetes, connect
from tests.support.redeploy_proofs import (
    Report,
    Worker,
    at,
    canned_cluster,
    declared,
    frozen,
    patches,
    tasks,
    verdicts,
    wait_for,
    worker_of,
)

RIGHT_ANSWER = {"response": [161.8533]}
# How a redeploy to an image ends, and how many changes of the Deployment that takes.
ENDS = {BETTER: ("succeeded", 1), WRONG: ("undone", 2)}


@pytest.fixture(scope="module")
def worker(
    emulator_process: EmulatorProcess, azurite: Azurite, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Worker]:
    """The app, alone at its queue."""
    with worker_of(emulator_process, azurite, tmp_path_factory.mktemp("proofs")) as running:
        yield running


@pytest.fixture
def cluster(emulator_process: EmulatorProcess) -> Kubernetes:
    emulator_process.seed(canned_cluster())
    return connect(emulator_process)


@pytest.fixture
def name(cluster: Kubernetes, azurite: Azurite) -> str:
    """A service that no other test has, which is the Deployment."""
    return declared(cluster.emulator, azurite)


def test_a_new_image_is_proven_and_its_digests_are_kept(
    worker: Worker, cluster: Kubernetes, name: str
) -> None:
    end = worker.follow(worker.begun(name, image=BETTER))

    images = cluster.emulator.state()["images"]
    assert (end["state"], end["image_before"]) == ("succeeded", GOOD)
    assert (end["digest_before"], end["digest_after"]) == (images[GOOD], images[BETTER])
    assert verdicts(end, "new") == ["healthy"] * 3
    assert patches(cluster.emulator) == 1
    deployment = cluster.deployment()
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert (deployment["metadata"]["generation"], container["image"]) == (2, BETTER)


def test_what_never_gets_ready_is_put_back_and_the_old_one_proven(
    worker: Worker, cluster: Kubernetes, name: str
) -> None:
    end = worker.follow(worker.begun(name, image=NEVER_READY))

    running = cluster.emulator.state()["images"][GOOD]
    assert end["state"] == "undone"
    assert "ProgressDeadlineExceeded" in end["text"]
    assert (end["digest_before"], end["digest_after"]) == (running, running)
    assert (verdicts(end, "new"), verdicts(end, "old")) == ([], ["healthy"] * 3)
    assert cluster.weight_of_138().json() == RIGHT_ANSWER
    assert patches(cluster.emulator) == 2


def test_a_dry_run_looks_at_everything_and_changes_nothing(
    worker: Worker, cluster: Kubernetes, name: str
) -> None:
    end = worker.follow(worker.begun(name, image=WRONG, dry_run=True))

    assert (end["state"], end["dry_run"]) == ("succeeded", True)
    assert end["digest_before"] == cluster.emulator.state()["images"][GOOD]
    assert "nothing was changed" in end["text"]
    assert tasks(end) == ["snapshot", "gate"]
    assert (patches(cluster.emulator), cluster.deployment()["metadata"]["generation"]) == (0, 1)


def test_a_service_in_maintenance_is_left_alone(
    worker: Worker, cluster: Kubernetes, name: str
) -> None:
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    window = {"until": until, "reason": "a new disk"}
    worker.host.request("PUT", f"/api/scoring/services/{name}/maintenance", body=window)

    end = worker.follow(worker.begun(name, restart=True))

    assert end["state"] == "refused"
    assert [each["ground"] for each in end["refusals"]] == ["in_maintenance"]
    assert patches(cluster.emulator) == 0


def test_after_a_redeploy_a_service_has_a_rest(
    worker: Worker, cluster: Kubernetes, name: str
) -> None:
    end = worker.follow(worker.begun(name, restart=True))
    worker.await_close(name)

    answer = worker.begin(name, restart=True)

    assert end["state"] == "succeeded"
    assert answer.status == 429
    assert 0 < int(answer.headers["retry-after"]) <= 600
    assert patches(cluster.emulator) == 1


def test_of_two_requests_at_once_one_is_led_to_the_other(
    worker: Worker, cluster: Kubernetes, name: str
) -> None:
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: worker.begin(name, image=BETTER), range(2)))
    first, second = sorted(answers, key=lambda each: each.status)

    assert (first.status, second.status) == (202, 409)
    assert first.headers["location"] == second.headers["location"]
    assert worker.follow(first.headers["location"])["state"] == "succeeded"
    assert patches(cluster.emulator) == 1


def test_an_abort_puts_back_what_ran_and_proves_it(
    worker: Worker, cluster: Kubernetes, name: str
) -> None:
    location = worker.begun(name, image=BETTER)
    worker.follow(location, until=at("watch"))

    answer = worker.host.post(f"{location}/abort")
    end = worker.follow(location)

    assert (answer.status, answer.json()["aborting"]) == (202, True)
    assert end["state"] == "aborted"
    assert verdicts(end, "old") == ["healthy"] * 3
    assert end["digest_after"] == cluster.emulator.state()["images"][GOOD]
    assert patches(cluster.emulator) == 2


@pytest.mark.parametrize(
    ("image", "killed_after"),
    [
        pytest.param(BETTER, ["snapshot", "gate", "change"], id="changing"),
        pytest.param(BETTER, ["watch", "prove", "complete"], id="proving"),
        pytest.param(WRONG, ["undo", "watch_undo", "prove_old"], id="undoing"),
    ],
)
def test_a_redeploy_survives_workers_that_are_killed_between_its_steps(
    worker: Worker, cluster: Kubernetes, name: str, image: str, killed_after: list[str]
) -> None:
    location = worker.begun(name, image=image)

    for task in killed_after:
        worker.follow(location, until=at(task))
        worker.kill()
        worker.replace(location)
    end = worker.follow(location)

    worker.await_close(name)
    assert_each_effect_was_seen_once(cluster, end, image)


@pytest.mark.parametrize("image", [BETTER, WRONG], ids=["the change", "its undoing"])
def test_what_was_done_and_not_recorded_is_not_done_twice(
    worker: Worker, cluster: Kubernetes, name: str, image: str
) -> None:
    emulator, (_, last) = cluster.emulator, ENDS[image]
    emulator.fault("deployments/weight$", method="PATCH", skip=last - 1, hang_seconds=1)
    location = worker.begun(name, image=image)
    worker.follow(location, until=lambda _: emulator.faults()[0]["hits"] > 0)

    with frozen(worker.azurite):
        wait_for(lambda: patches(emulator) == last, "the effect")
        worker.kill()
    worker.replace(location)
    end = worker.follow(location)

    assert_each_effect_was_seen_once(cluster, end, image)


def test_a_worker_that_is_killed_while_it_proves_leaves_the_proof_to_another(
    worker: Worker, cluster: Kubernetes, name: str
) -> None:
    emulator = cluster.emulator
    location = worker.begun(name, image=BETTER)
    worker.follow(location, until=at("watch"))
    emulator.fault("/weight$", method="GET", hang_seconds=60)
    worker.follow(location, until=lambda _: emulator.faults()[0]["hits"] > 0)

    worker.kill()
    worker.replace(location)
    end = worker.follow(location)

    assert verdicts(end, "new") == ["healthy"] * 3
    assert_each_effect_was_seen_once(cluster, end, BETTER)


def assert_each_effect_was_seen_once(cluster: Kubernetes, end: Report, image: str) -> None:
    state, changes = ENDS[image]
    assert end["state"] == state, end
    assert patches(cluster.emulator) == changes
    assert cluster.deployment()["metadata"]["generation"] == 1 + changes
    assert cluster.weight_of_138().json() == RIGHT_ANSWER
