"""Deployments whose containers are real programs on this host: the emulator only stands in front."""

import socket
from pathlib import Path

from tests.azure_emulator.conftest import Arm
from tests.azure_emulator.scored import (
    a_deployment,
    an_endpoint,
    primary_key,
    scoring_uri,
    with_endpoints,
)
from tests.support.r_services import OTHER_WEIGHT_OF_138, RServiceProcess, serve_weight
from tests.support.wire import Reply


def weigh(arm: Arm, deployment: str, *, key: str = "") -> Reply:
    """GET /weight?height=138 of one deployment."""
    headers = {
        "Authorization": f"Bearer {key or primary_key(arm)}",
        "azureml-model-deployment": deployment,
    }
    root = scoring_uri(arm).rpartition("/")[0]
    return arm.emulator.wire.send("GET", f"{root}/weight?height=138", headers=headers)


def test_each_deployment_is_answered_by_the_r_process_behind_it(
    arm: Arm, weight_model: Path, other_weight_model: Path
) -> None:
    with (
        RServiceProcess(serve=serve_weight, trained=weight_model) as right,
        RServiceProcess(serve=serve_weight, trained=other_weight_model) as wrong,
    ):
        both = [a_deployment("blue", backend=right.url), a_deployment("green", backend=wrong.url)]
        with_endpoints(arm, an_endpoint(deployments=both))

        answers = [weigh(arm, name).json()["response"] for name in ("blue", "green")]
        stranger = weigh(arm, "blue", key="not-a-key")

    assert answers == [[161.8533], [OTHER_WEIGHT_OF_138]]
    assert stranger.status == 401


def test_where_no_program_answers_the_front_end_says_so(arm: Arm) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{bound.getsockname()[1]}"
        with_endpoints(arm, an_endpoint(deployments=[a_deployment(backend=nobody)]))

        assert weigh(arm, "blue").status == 502
