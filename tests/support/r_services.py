"""Runs the real R services as processes that tests may stop, kill, keep busy or give another model.

Where R, a package of it or the rpy2 environment is not installed, `require_r` skips and says which.
"""

import errno
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlencode, urlsplit

import pytest

from r_services.process import Service, end, signal_group, start, when_it_answers
from r_services.programs import (
    LOOPBACK,
    Program,
    RServiceError,
    missing_packages,
    rscript,
    svm_python,
    svm_service,
    weight_service,
)

R_FILES = Path(__file__).parent / "r"
OTHER_WEIGHTS = R_FILES / "other_weights.csv"
# What the models of the two data sets answer for a height of 138.
WEIGHT_OF_138 = 161.8533
OTHER_WEIGHT_OF_138 = 66.2
# An SVM of this limit takes a point like (0.7, 0.2), inside for the service's own, for outside.
OTHER_LIMIT = 0.3
RELEASE_SECONDS = 30.0

# A program that serves the model at a path, on a port; 0 = any free one.
Serve = Callable[[Path, int], Program]


def require_r(*packages: str) -> None:
    """Skip the test where R or one of its packages is not installed."""
    try:
        missing = missing_packages(*packages)
    except RServiceError as error:
        pytest.skip(str(error))
    if missing:
        pytest.skip(f"R has no {', '.join(missing)}: on Debian, packages r-cran-*")


def require_rpy2() -> None:
    """Skip the test where the rpy2 service cannot run."""
    require_r("kernlab", "jsonlite")
    try:
        svm_python()
    except RServiceError as error:
        pytest.skip(str(error))


def serve_weight(model: Path, port: int) -> Program:
    """Serve the weight service as it is in production."""
    return weight_service(model, port=port)


def serve_slow_weight(model: Path, port: int) -> Program:
    """Serve the weight service with one more route, for `RServiceProcess.busy`."""
    return weight_service(model, port=port, script=R_FILES / "slow_weight.R")


def serve_svm(model: Path, port: int) -> Program:
    """Serve the rpy2 service as it is in production, but on loopback only."""
    return svm_service(model, port=port)


def save_unusable_model(path: Path) -> Path:
    """Save an R object that no service can predict with: it loads, and every score raises."""
    subprocess.run(
        [rscript(), "--vanilla", "-e", "saveRDS(list(a = 1), commandArgs(TRUE))", str(path)],
        timeout=RELEASE_SECONDS,
        check=True,
    )
    return path


@dataclass(kw_only=True)
class RServiceProcess:
    """A running service, as a context manager: `RServiceProcess(serve=..., trained=...)`.

    It loads a copy of the model `trained`, at `model`. Its port stays the same when it is started
    again. All signals go to the program and its workers.
    """

    serve: Serve
    trained: Path
    model: Path = field(init=False)
    _service: Service | None = field(init=False, default=None)
    _port: int = field(init=False, default=0)

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="r-service-")
        self.model = Path(self._folder.name) / "1" / "model.rds"
        self.model.parent.mkdir()
        shutil.copyfile(self.trained, self.model)
        try:
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self._folder.cleanup()

    @property
    def url(self) -> str:
        """`http://127.0.0.1:port`, also while it does not run."""
        return f"http://{LOOPBACK}:{self._port}"

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The program while it runs. Raises RServiceError."""
        if self._service is None:
            raise RServiceError("the service does not run")
        return self._service.process

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def log(self) -> str:
        """What the service printed since it was last started."""
        return self._log_file.read_text("utf-8", errors="replace")

    def start(self) -> None:
        """Start it, at the port it had before, and wait until it answers. Raises RServiceError."""
        program = self.serve(self.model, self._port)
        process = start(program, log=self._log_file)
        try:
            self._service = when_it_answers(process, program, log=self._log_file)
        except BaseException:
            end(process)
            raise
        self._port = urlsplit(self._service.url).port or 0

    def stop(self) -> None:
        """End it, if it runs, as an operator would: by SIGTERM."""
        if self._service is not None:
            end(self._service.process)
        self._service = None

    def kill(self) -> None:
        """End it as the kernel does when memory is short: by SIGKILL."""
        signal_group(self.process, signal.SIGKILL)
        self.process.wait(RELEASE_SECONDS)
        # Its workers end in their own time, and with the last of them the socket.
        self._await(self._is_refused)
        self._service = None

    def suspend(self) -> None:
        """Stop it (SIGSTOP): connections are taken by the kernel, and nobody answers."""
        signal_group(self.process, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a suspended service go on."""
        signal_group(self.process, signal.SIGCONT)

    def swap_model(self, other: Path) -> None:
        """Give it another model, and start it again: a redeployment of the wrong thing."""
        self.stop()
        shutil.copyfile(other, self.model)
        self.start()

    def remove_model(self) -> None:
        """Take the model file away; what runs goes on, and cannot start again."""
        self.model.unlink()

    @contextmanager
    def busy(self, *, seconds: float = 60.0) -> Iterator[None]:
        """Keep R at one request in the block, at most so long. For `serve_slow_weight` alone."""
        release = Path(self._folder.name) / f"release-{time.monotonic_ns()}"
        query = urlencode({"until": release, "seconds": seconds})
        begun = self.log.count("slow request begun")
        with socket.create_connection((LOOPBACK, self._port), RELEASE_SECONDS) as connection:
            connection.sendall(f"GET /slow?{query} HTTP/1.0\r\n\r\n".encode())
            self._await(lambda: self.log.count("slow request begun") > begun)
            try:
                yield
            finally:
                release.touch()
                # What was killed or is suspended does not answer.
                with suppress(OSError):
                    connection.recv(1)

    def _is_refused(self) -> bool:
        with socket.socket() as connection:
            return connection.connect_ex((LOOPBACK, self._port)) == errno.ECONNREFUSED

    @property
    def _log_file(self) -> Path:
        return Path(self._folder.name) / "log"

    @staticmethod
    def _await(reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + RELEASE_SECONDS
        while not reached():
            if time.monotonic() > deadline:
                raise RServiceError(f"not reached within {RELEASE_SECONDS} s")
            time.sleep(0.02)
