"""The plumber service in a process of its own: what it answers, and how it fails."""

import hashlib
import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from r_services.process import END_SECONDS
from r_services.programs import RServiceError
from tests.r_services.http_calls import get, send
from tests.support.r_services import (
    OTHER_WEIGHT_OF_138,
    RServiceProcess,
    require_r,
    serve_weight,
)

UNANSWERED_SECONDS = 0.5


@pytest.fixture(scope="module")
def shared_service(weight_model: Path) -> Iterator[RServiceProcess]:
    """A service for tests that only ask it."""
    with RServiceProcess(serve=serve_weight, trained=weight_model) as service:
        yield service


def test_a_height_of_138_is_answered_as_ever(shared_service: RServiceProcess) -> None:
    answer = get(shared_service, "/weight?height=138")

    assert answer == (200, '{"response":[161.8533]}')


@pytest.mark.parametrize("query", ["", "?height=", "?height=tall", "?height=1&height=2"])
def test_a_bad_height_is_the_callers_mistake(shared_service: RServiceProcess, query: str) -> None:
    status, body = get(shared_service, f"/weight{query}")

    assert (status, "finite number" in body) == (400, True)


def test_live_is_constant_and_ready_names_the_model(
    shared_service: RServiceProcess, weight_model: Path
) -> None:
    md5 = hashlib.md5(weight_model.read_bytes(), usedforsecurity=False).hexdigest()

    assert get(shared_service, "/live") == (200, '{"status":"live"}')
    assert get(shared_service, "/ready") == (
        200,
        f'{{"status":"ready","model_md5":"{md5}","self_score":161.8533}}',
    )


def test_neither_documentation_nor_other_routes_are_served(
    shared_service: RServiceProcess,
) -> None:
    statuses = {path: get(shared_service, path)[0] for path in ("/", "/openapi.json", "/slow")}

    assert set(statuses.values()) == {404}


@pytest.mark.parametrize("method", ["HEAD", "POST"])
def test_other_methods_are_not_allowed(shared_service: RServiceProcess, method: str) -> None:
    status, _ = send(shared_service, method, "/weight?height=138")

    assert status == 405


def test_another_model_answers_as_quickly_and_otherwise(
    weight_service: RServiceProcess, other_weight_model: Path
) -> None:
    url = weight_service.url

    weight_service.swap_model(other_weight_model)

    assert weight_service.url == url
    assert get(weight_service, "/weight?height=138") == (
        200,
        f'{{"response":[{OTHER_WEIGHT_OF_138}]}}',
    )


def test_one_request_in_flight_delays_even_the_live_route(
    slow_weight_service: RServiceProcess,
) -> None:
    with slow_weight_service.busy(), pytest.raises(TimeoutError):
        get(slow_weight_service, "/live", seconds=UNANSWERED_SECONDS)

    assert get(slow_weight_service, "/live")[0] == 200


def test_a_suspended_service_takes_connections_and_answers_when_it_goes_on(
    weight_service: RServiceProcess,
) -> None:
    weight_service.suspend()
    with pytest.raises(TimeoutError):
        get(weight_service, "/live", seconds=UNANSWERED_SECONDS)

    weight_service.resume()

    assert get(weight_service, "/live")[0] == 200


def test_a_suspended_service_can_be_ended(weight_service: RServiceProcess) -> None:
    process = weight_service.process
    weight_service.suspend()

    weight_service.stop()

    assert process.returncode == -signal.SIGTERM


def test_a_killed_service_refuses_connections_and_comes_back_at_its_address(
    weight_service: RServiceProcess,
) -> None:
    weight_service.kill()
    with pytest.raises(ConnectionRefusedError):
        get(weight_service, "/live")

    weight_service.start()

    assert get(weight_service, "/live")[0] == 200


def test_a_model_that_is_missing_at_start_is_named(weight_service: RServiceProcess) -> None:
    weight_service.stop()
    weight_service.remove_model()

    with pytest.raises(RServiceError, match=r"model file not found: .*model\.rds"):
        weight_service.start()


def test_a_port_that_is_taken_is_named(shared_service: RServiceProcess) -> None:
    taken = urlsplit(shared_service.url).port or 0

    with (
        pytest.raises(RServiceError, match="address already in use"),
        RServiceProcess(
            serve=lambda model, _: serve_weight(model, taken), trained=shared_service.model
        ),
    ):
        pytest.fail("two services on one port")


@pytest.fixture
def unusable_model_service(unusable_model: Path) -> Iterator[RServiceProcess]:
    require_r("plumber")
    with RServiceProcess(serve=serve_weight, trained=unusable_model) as service:
        yield service


def test_a_model_that_cannot_be_used_is_live_and_not_ready(
    unusable_model_service: RServiceProcess,
) -> None:
    live = get(unusable_model_service, "/live")
    ready = get(unusable_model_service, "/ready")
    weight = get(unusable_model_service, "/weight?height=138")

    assert (live[0], ready[0], weight[0]) == (200, 503, 500)
    assert "the model is a list, not an lm" in ready[1]


def test_sigterm_ends_it(weight_service: RServiceProcess) -> None:
    process = weight_service.process

    process.terminate()

    assert process.wait(END_SECONDS) == -signal.SIGTERM
