"""The rpy2 service behind the Azure ML inference server: what it answers, and how it fails."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from r_services.programs import RServiceError
from r_services.rpy2_svm.score import MOST_ROWS, BadRequestError, parse_rows
from tests.r_services.http_calls import get, post, send
from tests.support.r_services import RServiceProcess, serve_svm

UNANSWERED_SECONDS = 0.5
INSIDE, OUTSIDE = 0, 1


@pytest.fixture(scope="module")
def shared_service(svm_model: Path) -> Iterator[RServiceProcess]:
    """A service for tests that only ask it: starting one takes seconds."""
    with RServiceProcess(serve=serve_svm, trained=svm_model) as service:
        yield service


def scores(service: RServiceProcess, *rows: list[float]) -> list[list[float]]:
    status, answer = post(service, "/score", {"data": list(rows)})
    assert status == 200, answer
    found: list[list[float]] = answer["scores"]
    return found


def test_known_points_have_known_sides(shared_service: RServiceProcess) -> None:
    origin, corner = scores(shared_service, [0, 0], [0.9, 0.9])

    assert origin == pytest.approx([1, 0], abs=1e-4)
    assert corner == pytest.approx([0, 1], abs=1e-4)


def test_an_answer_names_classes_and_model_and_parts_its_time(
    shared_service: RServiceProcess, svm_model: Path
) -> None:
    _, answer = post(shared_service, "/score", {"data": [[0, 0]]})

    timings = answer["timings_ms"]
    assert answer["classes"] == ["inside", "outside"]
    assert answer["model_md5"] == hashlib.md5(svm_model.read_bytes()).hexdigest()  # noqa: S324  # a name
    assert timings.keys() == {"total", "r", "hand_over"}
    assert min(timings.values()) >= 0


def test_rows_may_come_as_text(shared_service: RServiceProcess) -> None:
    _, answer = post(shared_service, "/score", {"data": "[[0, 0]]"})

    assert answer["scores"] == scores(shared_service, [0, 0])


def test_a_bad_request_is_answered_400_and_says_why(shared_service: RServiceProcess) -> None:
    status, answer = post(shared_service, "/score", {"data": [[0, 0], [1]]})

    assert (status, answer) == (
        400,
        {"message": "row 2 of data is not a list of two finite numbers"},
    )


def test_a_run_that_raises_is_answered_500_while_the_root_says_healthy(
    failing_svm_service: RServiceProcess,
) -> None:
    status, answer = post(failing_svm_service, "/score", {"data": [[0, 0]]})

    assert status == 500
    assert "error occurred in scoring script" in answer["message"]
    assert "the model is a list, not a ksvm" in failing_svm_service.log
    assert get(failing_svm_service, "/") == (200, "Healthy")


def test_another_model_is_as_sure_and_wrong(
    svm_service: RServiceProcess, other_svm_model: Path
) -> None:
    (before,) = scores(svm_service, [0.7, 0.2])

    svm_service.swap_model(other_svm_model)

    (after,) = scores(svm_service, [0.7, 0.2])
    assert (before[INSIDE] > 0.9, after[OUTSIDE] > 0.9) == (True, True)


def test_a_suspended_service_does_not_even_say_healthy(svm_service: RServiceProcess) -> None:
    svm_service.suspend()
    with pytest.raises(TimeoutError):
        get(svm_service, "/", seconds=UNANSWERED_SECONDS)

    svm_service.resume()

    assert get(svm_service, "/") == (200, "Healthy")


def test_a_killed_service_comes_back_at_its_address(svm_service: RServiceProcess) -> None:
    svm_service.kill()
    with pytest.raises(ConnectionRefusedError):
        get(svm_service, "/")

    svm_service.start()

    assert scores(svm_service, [0, 0])[0][INSIDE] > 0.99


def test_a_model_that_is_missing_keeps_the_server_from_starting(
    svm_service: RServiceProcess,
) -> None:
    svm_service.stop()
    svm_service.remove_model()

    with pytest.raises(RServiceError, match="rpy2_svm did not start"):
        svm_service.start()
    assert "model file not found" in svm_service.log


def test_a_form_is_answered_with_what_to_send(shared_service: RServiceProcess) -> None:
    status, text = send(shared_service, "GET", "/score?data=x")

    assert status == 400
    assert "sent as application/json" in text


@pytest.mark.parametrize("data", [[[1, 2.5]], "[[1, 2.5]]", [[1, 2.5], [-1, 0]]])
def test_rows_are_read(data: Any) -> None:
    rows = parse_rows(json.dumps({"data": data}))

    assert rows[0] == [1, 2.5]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "x",
        "[]",
        "7",
        "{}",
        '{"data": "x"}',
        '{"data": []}',
        '{"data": 7}',
        '{"data": [7]}',
        '{"data": [[1]]}',
        '{"data": [[1, 2, 3]]}',
        '{"data": [[1, "2"]]}',
        '{"data": [[1, null]]}',
        '{"data": [[1, true]]}',
        '{"data": [[1, NaN]]}',
        '{"data": [[1, 1e400]]}',
        f'{{"data": [[1, {10**400}]]}}',
        "[" * 100_000,
    ],
)
def test_what_is_no_list_of_points_is_refused(body: str) -> None:
    with pytest.raises(BadRequestError):
        parse_rows(body)


def test_too_many_rows_are_refused() -> None:
    with pytest.raises(BadRequestError, match=f"1 to {MOST_ROWS} rows"):
        parse_rows(json.dumps({"data": [[0, 0]] * (MOST_ROWS + 1)}))
