"""A program of ours as a process, which runs while a block does, in a folder of its own."""

import signal
import subprocess
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Self


class ProcessUnderTestError(Exception):
    """A program did not start, or did not end in time."""


class ProcessUnderTest(ABC):
    """A context manager; a subclass says how the program starts, and what it does first."""

    _prefix: str

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix=self._prefix)
        self._process = self._start()
        try:
            self._await_readiness()
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
    def pid(self) -> int:
        return self._process.pid

    @property
    def folder(self) -> Path:
        """Where it may write; gone with the block."""
        return Path(self._folder.name)

    def stop(self, *, with_signal: signal.Signals = signal.SIGTERM, seconds: float = 15.0) -> int:
        """End the process, if it still runs, and return its exit status."""
        if self._process.poll() is None:
            self._process.send_signal(with_signal)
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(seconds)
            problem = f"no exit within {seconds} s of {with_signal.name}"
            raise ProcessUnderTestError(problem) from None

    @abstractmethod
    def _start(self) -> subprocess.Popen[bytes]: ...

    @abstractmethod
    def _await_readiness(self) -> None: ...

    def _require_running(self, *, output: str) -> None:
        if self._process.poll() is not None:
            raise ProcessUnderTestError(f"ended with {self._process.returncode}: {output}")

    def _read(self, file: str) -> str:
        return (self.folder / file).read_text(encoding="utf-8", errors="replace")
