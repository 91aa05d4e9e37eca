"""The entry script: scores points with an R model, in one R session inside the server's worker.

Azure ML calls `init` once and `run` for every request:
https://learn.microsoft.com/azure/machine-learning/how-to-deploy-online-endpoints
"""

import hashlib
import json
import math
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SCORE_R = Path(__file__).with_name("score.R")
MODEL_FILE = "model.rds"
COLUMNS = 2
MOST_ROWS = 100_000
BAD_REQUEST = 400
# Sent as a form, as by curl unless told otherwise, a body does not reach `run`.
EXPECTED_BODY = 'the body must be JSON, sent as application/json: {"data": [[x, y], ...]}'


class BadRequestError(Exception):
    """The caller's mistake: what is wrong with the request, in words for the caller."""


@dataclass(frozen=True, kw_only=True)
class RModel:
    """A model in R. R is one thread and takes one call at a time."""

    score_rows: Callable[[str], str]
    md5: str
    lock: threading.Lock = field(default_factory=threading.Lock)

    def score(self, rows: list[list[float]]) -> dict[str, Any]:
        """Return R's answer for the rows. What R stops with is raised, and becomes a 500."""
        with self.lock:
            answer: dict[str, Any] = json.loads(self.score_rows(json.dumps(rows)))
        return answer


_models: list[RModel] = []


def init() -> None:
    """Start R and load the model of AZUREML_MODEL_DIR. Raising keeps the server from starting."""
    _models[:] = [load_model(Path(os.environ["AZUREML_MODEL_DIR"]) / MODEL_FILE)]


def run(raw_data: str) -> Any:
    """Answer `{"data": [[x, y], ...]}` with a probability per class and row.

    `timings_ms` parts the time of R from that of the way to R and back. A bad request is answered
    400; what goes wrong in R is raised, and the server answers 500: an error is never a 200.
    """
    begun = time.perf_counter()
    try:
        rows = parse_rows(raw_data)
    except BadRequestError as error:
        return _refuse(str(error))
    model = _models[0]
    answer = model.score(rows)
    total = 1000 * (time.perf_counter() - begun)
    r_ms = answer.pop("r_ms")
    timings = {"total": round(total, 3), "r": r_ms, "hand_over": round(max(total - r_ms, 0), 3)}
    return {**answer, "model_md5": model.md5, "timings_ms": timings}


def load_model(path: Path) -> RModel:
    """Load a model into the R session of this process. Raises what R stops with."""
    # R starts with this import, and belongs to the process that made it.
    from rpy2 import robjects

    robjects.r["source"](str(SCORE_R))
    fit = robjects.globalenv["load_model"](str(path))
    score_rows = robjects.globalenv["score_rows"]
    md5 = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    return RModel(score_rows=lambda text: str(score_rows(fit, text)[0]), md5=md5)


def parse_rows(raw_data: str) -> list[list[float]]:
    """Return the rows of a request; `data` may also be JSON text. Raises BadRequestError."""
    try:
        document = json.loads(raw_data)
        rows = document["data"]
        rows = json.loads(rows) if isinstance(rows, str) else rows
    except (ValueError, TypeError, KeyError, RecursionError):
        raise BadRequestError(EXPECTED_BODY) from None
    if not isinstance(rows, list) or not 0 < len(rows) <= MOST_ROWS:
        raise BadRequestError(f"data must be a list of 1 to {MOST_ROWS} rows")
    for number, row in enumerate(rows, start=1):
        if not _is_point(row):
            raise BadRequestError(f"row {number} of data is not a list of two finite numbers")
    return rows


def _is_point(row: object) -> bool:
    return isinstance(row, list) and len(row) == COLUMNS and all(_is_finite(each) for each in row)


def _is_finite(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _refuse(message: str) -> Any:
    from azureml_inference_server_http.api.aml_response import AMLResponse

    return AMLResponse({"message": message}, BAD_REQUEST, json_str=True)
