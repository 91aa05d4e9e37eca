"""The queue functions of an app: one listener each, started, stopped and finished together."""

import asyncio
import contextlib
import logging
from collections.abc import Iterable

from local_host.functions import Function
from local_host.host import Host
from local_host.host_json import QueueOptions
from local_host.queue_listener import QueueListener
from local_host.storage_queue import StorageQueue
from local_host.triggers import QueueTrigger

logger = logging.getLogger("local_host")


class QueueListeners:
    """The listeners of all functions whose queue trigger has storage."""

    def __init__(
        self,
        functions: Iterable[Function],
        *,
        host: Host,
        options: QueueOptions,
        invisible_seconds: int,
    ) -> None:
        self._listeners = [
            QueueListener(
                each,
                StorageQueue(each.trigger.connection_string, each.trigger.queue),
                host=host,
                options=options,
                invisible_seconds=invisible_seconds,
            )
            for each in functions
            if isinstance(each.trigger, QueueTrigger)
        ]
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, *, within_seconds: float) -> None:
        """Start listening; return when each queue was read once, and exists, or could not be read."""
        self._tasks = [
            asyncio.create_task(each.listen(), name=each.function.name) for each in self._listeners
        ]
        for task in self._tasks:
            task.add_done_callback(_log_end)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_seconds):
                await asyncio.gather(*(each.has_looked.wait() for each in self._listeners))

    async def stop(self, *, within_seconds: float) -> None:
        """Take no more messages, and wait for requests under way; invocations go on."""
        for each in self._listeners:
            each.stop()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=within_seconds)
            for task in late:
                task.cancel()

    async def finish(self, *, within_seconds: float) -> None:
        """Delete or release the messages of the invocations that have ended, and close."""
        finishing = (each.finish(within_seconds=within_seconds) for each in self._listeners)
        await asyncio.gather(*finishing)

    def error_of(self, function: Function) -> str | None:
        """Return why the function gets no messages at present, None if all is well."""
        own = (each.error for each in self._listeners if each.function is function)
        return next(own, None)


def _log_end(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        logger.error("'%s' gets no more messages", task.get_name(), exc_info=error)
