"""A named model is looked into before anything is changed: its file's header, and the image's R."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from local_host.azurite.process import Azurite
from tests.support.builders import SUBSCRIPTION, a_workspace
from tests.support.emulator import EmulatorProcess
from tests.support.rds_files import for_newer_r, in_base64, saved
from tests.support.redeploy_proofs import GOLDEN, Worker, declare, worker_of

WORKSPACE = a_workspace().id
SCORE = {**GOLDEN, "method": "POST", "path": "/score", "query": {}, "body": {"height": 138}}
SUITS = in_base64(saved(reader="3.5.0"))
NEEDS_NEWER = in_base64(saved(reader="4.9.0", writer="4.9.1"))
RESOURCES = {"aml-online": "onlineEndpoints/weight", "aml-v1": "services/weight"}
WITHOUT_DATA = [{"actions": ["*"]}]
KINDS = pytest.mark.parametrize("kind", RESOURCES)


def seeded(emulator: EmulatorProcess, files: Mapping[str, str], **more: Any) -> None:
    """Put a service of each kind there, of version 4 of a model; these are the files of version 5."""
    image = f"{emulator.url.removeprefix('https://').rstrip('/')}/r/weight:1"
    right = [{"content": {"response": [161.8533]}}]
    deployment = {"name": "blue", "model": "weight-lm:4", "environment": "r-scoring:1"}
    workspace = {
        "name": "mlw-churn",
        "assets": [
            {"name": "weight-lm:4", "answers": right},
            {"name": "weight-lm:5", "answers": right, "files": files},
            {"name": "r-scoring:1", "image": image},
        ],
        "online_endpoints": [
            {
                "name": "weight",
                "deployments": [deployment],
                "provisioning_seconds": 5,
                "update_seconds": 5,
            }
        ],
        "services": [{"name": "weight", "models": ["weight-lm:4"], "update_seconds": 5}],
    }
    emulator.seed(
        {
            "subscriptions": [{"id": SUBSCRIPTION, "workspaces": [workspace]}],
            "images": {image: {"variables": {"R_VERSION": "4.3.1"}}},
            "anonymous_pull": True,
            **more,
        }
    )


def declared(worker: Worker, kind: str, **more: Any) -> str:
    state = worker.emulator.state()
    (found,) = state["endpoints" if kind == "aml-online" else "services"]
    entry = {
        "kind": kind,
        "url": found["scoringUri"].removesuffix("/score"),
        "resource_id": f"{WORKSPACE}/{RESOURCES[kind]}",
        "credential": {"from_azure": "key"},
        "checks": {"golden": [SCORE]},
        **more,
    }
    return declare(worker.azurite, entry)


@pytest.fixture
def worker(emulator: EmulatorProcess, azurite: Azurite, tmp_path: Path) -> Iterator[Worker]:
    with worker_of(emulator, azurite, tmp_path) as running:
        yield running


def gate_said(end: Mapping[str, Any]) -> str:
    (said,) = [each["text"] for each in end["steps"] if each["task"] == "gate"]
    return str(said)


@KINDS
def test_a_model_that_needs_a_later_r_than_the_image_has_is_refused(
    worker: Worker, emulator: EmulatorProcess, kind: str
) -> None:
    seeded(emulator, {"model.rds": NEEDS_NEWER})

    end = worker.follow(worker.begun(declared(worker, kind), model="weight-lm:5"))

    assert (end["state"], [each["ground"] for each in end["refusals"]]) == (
        "refused",
        ["model_unsuited"],
    ), end
    text = "the model's file model.rds needs R 4.9.0 or later; the image has R 4.3.1"
    assert end["refusals"][0]["text"] == text


@pytest.mark.parametrize(
    ("files", "text"),
    [
        ({"model.rds": in_base64(b"<!doctype html>")}, "model.rds is no file of R's saveRDS"),
        (
            {"model/a.rds": SUITS, "model/b.rds": NEEDS_NEWER},
            "model/b.rds needs R 4.9.0 or later; the image has R 4.3.1",
        ),
    ],
    ids=["no file of R's", "one of several"],
)
def test_a_model_that_could_not_be_served_is_refused_and_nothing_is_changed(
    worker: Worker, emulator: EmulatorProcess, files: dict[str, str], text: str
) -> None:
    seeded(emulator, files)

    end = worker.follow(worker.begun(declared(worker, "aml-online"), model="weight-lm:5"))

    assert end["state"] == "refused", end["text"]
    refused = {"ground": "model_unsuited", "text": f"the model's file {text}"}
    assert [{**each, **refused} for each in end["refusals"]] == end["refusals"]
    assert not [each for each in emulator.requests() if each["method"] in {"PUT", "PATCH"}]


def test_a_model_that_is_not_registered_is_refused_by_name(
    worker: Worker, emulator: EmulatorProcess
) -> None:
    seeded(emulator, {"model.rds": SUITS})

    end = worker.follow(worker.begun(declared(worker, "aml-online"), model="weight-lm:9"))

    (refused,) = end["refusals"]
    told = (end["state"], refused["ground"], refused["text"])
    assert told == ("refused", "model_not_found", "model: weight-lm:9 is not registered")


def test_a_model_that_suits_is_deployed_and_both_versions_are_in_the_record(
    worker: Worker, emulator: EmulatorProcess
) -> None:
    seeded(emulator, {"model.rds": SUITS})

    end = worker.follow(worker.begun(declared(worker, "aml-v1"), model="weight-lm:5"))

    assert end["state"] == "succeeded", end["text"]
    written = "model.rds (format 3, written by R 4.3.1) can be read from R 3.5.0 on"
    assert f"{written}; the image has R 4.3.1" in gate_said(end)


def test_files_that_may_not_be_read_keep_nobody_from_redeploying_and_the_right_is_named(
    worker: Worker, emulator: EmulatorProcess
) -> None:
    seeded(emulator, {"model.rds": NEEDS_NEWER}, access={"service_principal": WITHOUT_DATA})
    name = declared(worker, "aml-online")

    end = worker.follow(worker.begun(name, model="weight-lm:5", dry_run=True))

    assert (end["state"], end["refusals"]) == ("succeeded", []), end["text"]
    right = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
    assert "the model's files were not looked at: the service principal lacks" in gate_said(end)
    assert right in end["text"]
    assert "role Storage Blob Data Reader" in end["text"]


def test_an_r_that_is_not_known_is_told_and_one_that_is_declared_holds(
    worker: Worker, emulator: EmulatorProcess
) -> None:
    seeded(emulator, {"model.rds": NEEDS_NEWER}, images={})
    order = {"model": "weight-lm:5", "dry_run": True}

    unknown = worker.follow(worker.begun(declared(worker, "aml-online"), **order))
    old = worker.follow(worker.begun(declared(worker, "aml-online", r_version="4.2"), **order))

    assert unknown["state"] == "succeeded", unknown["text"]
    assert "needs R 4.9.0; the image's R is not known: " in unknown["text"]
    assert old["state"] == "refused", old["text"]
    assert "needs R 4.9.0 or later; the image has R 4.2.0" in old["text"]


def test_what_real_r_wrote_is_let_in_and_with_a_later_reader_in_its_header_refused(
    worker: Worker, emulator: EmulatorProcess, weight_model: Path
) -> None:
    written = weight_model.read_bytes()
    order = {"model": "weight-lm:5", "dry_run": True}

    seeded(emulator, {"model.rds": in_base64(written)})
    suits = worker.follow(worker.begun(declared(worker, "aml-v1"), **order))
    seeded(emulator, {"model.rds": in_base64(for_newer_r(written, reader="4.9.0"))})
    newer = worker.follow(worker.begun(declared(worker, "aml-v1"), **order))

    assert suits["state"] == "succeeded", suits["text"]
    assert "can be read from R 3.5.0 on; the image has R 4.3.1" in suits["text"]
    assert newer["state"] == "refused", newer["text"]
    assert "model.rds needs R 4.9.0 or later; the image has R 4.3.1" in newer["text"]
