"""Threads for azureml-core: one for each call, for calls that may never end.

Some of the SDK's requests have no timeout. In a pool, each that hangs would take a thread for
good, and a pool's threads are waited for when the process ends; these are left behind.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Thread
from typing import Any, TypeVar

from shared.errors import AzureRequestError

Result = TypeVar("Result")


@dataclass(kw_only=True)
class SdkThreads:
    """The SDK's threads of one worker. `limit`: no call begins while so many have not ended."""

    limit: int = 16
    _started: set[Thread] = field(default_factory=set, repr=False)

    def start(self, work: Callable[[], Result]) -> Future[Result]:
        """Begin a call. Raises AzureRequestError above the limit."""
        self._started = {thread for thread in self._started if thread.is_alive()}
        if len(self._started) >= self.limit:
            problem = f"azureml-core was not asked: {self.limit} calls of it have not ended"
            raise AzureRequestError(problem, status=None, retryable=True)
        future: Future[Result] = Future()
        thread = Thread(target=_carry_out, args=(work, future), name="azureml-core", daemon=True)
        thread.start()
        self._started.add(thread)
        return future


def _carry_out(work: Callable[[], Any], future: Future[Any]) -> None:
    # Once it runs it cannot be cancelled: whoever stops waiting leaves a result that nobody reads.
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001  # it belongs to whoever waits
        future.set_exception(error)
    else:
        future.set_result(result)
