"""The command lines of the R services: how to train a model, and how to serve it on loopback."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
WEIGHT = HERE / "plumber_weight"
SVM = HERE / "rpy2_svm"
CACHE = HERE.parent / ".cache" / "r-services"
LOOPBACK = "127.0.0.1"
TRAINING_SECONDS = 120.0
# The inference server and rpy2, apart from the app's own packages; made by `make test` and `make services`.
SVM_PYTHON = CACHE / "venv-{}.{}".format(*sys.version_info[:2]) / "bin" / "python"


class RServiceError(Exception):
    """R or a package of it is missing, a model was not trained, or a service did not start."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to run, where, with what added to the environment.

    `listening` is a regular expression over what it prints: its first group is the URL it serves.
    """

    command: Sequence[str]
    folder: Path
    listening: str
    environment: Mapping[str, str] = field(default_factory=dict)


def weight_service(model: Path, *, port: int = 0, script: Path = WEIGHT / "run.R") -> Program:
    """Serve a model of `train_weight` by plumber; port 0 = any free one."""
    return Program(
        command=(rscript(), "--vanilla", str(script)),
        folder=WEIGHT,
        listening=r"listening on (http://\S+)",
        environment={"HOST": LOOPBACK, "PORT": str(port), "MODEL_PATH": str(model)},
    )


def train_weight(model: Path, *, data: Path | None = None) -> Path:
    """Fit a weight model, by default to the service's own data, into `model`. Raises RServiceError."""
    chosen = ("--data", str(data)) if data else ()
    return _train(WEIGHT, model, *chosen)


def svm_service(model: Path, *, port: int = 0) -> Program:
    """Serve a model of `train_svm`, named model.rds, by the inference server; port 0 = any free one.

    Raises RServiceError where its Python environment was not made.
    """
    script = str(SVM / "serve_on_loopback.py")
    return Program(
        command=(svm_python(), script, "--model-dir", str(model.parent), "--port", str(port)),
        folder=SVM,
        listening=r"Listening at: (http://\S+)",
        # Else it makes a socket in the home, the same for all servers.
        environment={"GUNICORN_CMD_ARGS": "--no-control-socket"},
    )


def train_svm(model: Path, *, limit: float | None = None) -> Path:
    """Train an SVM into `model`; `limit` moves the border. Raises RServiceError."""
    chosen = ("--limit", str(limit)) if limit is not None else ()
    return _train(SVM, model, *chosen)


def svm_python() -> str:
    """Return the Python that has rpy2 and the inference server. Raises RServiceError."""
    if not SVM_PYTHON.is_file():
        raise RServiceError(
            f"{SVM_PYTHON.parents[1].name} with rpy2 was not made: `make services` does"
        )
    return str(SVM_PYTHON)


def rscript() -> str:
    """Return the path of Rscript. Raises RServiceError where R is not installed."""
    found = shutil.which("Rscript")
    if found is None:
        raise RServiceError("Rscript is not on PATH: on Debian, apt-get install r-base-core")
    return found


@cache
def missing_packages(*names: str) -> tuple[str, ...]:
    """Return which R packages cannot be loaded. Raises RServiceError where R is not installed."""
    ask = "for (n in commandArgs(TRUE)) if (!requireNamespace(n, quietly = TRUE)) cat(n, '')"
    said = subprocess.run(  # noqa: S603  # R itself
        (rscript(), "--vanilla", "-e", ask, *names),
        capture_output=True,
        text=True,
        timeout=TRAINING_SECONDS,
        check=True,
    )
    return tuple(said.stdout.split())


def _train(folder: Path, model: Path, *options: str) -> Path:
    model.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(  # noqa: S603  # our own script
        (rscript(), "--vanilla", "train.R", "--model", str(model), *options),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=TRAINING_SECONDS,
        check=False,
    )
    if done.returncode:
        raise RServiceError(f"{folder.name} was not trained: {done.stderr.strip()}")
    sys.stdout.write(done.stdout)
    return model
