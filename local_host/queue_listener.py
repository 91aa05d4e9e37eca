"""Deliver the messages of one queue to its function, at least once each, as Azure does.

A taken message is invisible to others and kept so at half-time while its function runs. Success
deletes it, failure lets it come back, and after `max_dequeue_count` failures it is moved to the
poison queue. When this process dies, the message comes back by itself.
Source: QueueListener and QueueProcessor of Microsoft.Azure.WebJobs.Extensions.Storage.Queues.
"""

import asyncio
import logging

from local_host.functions import Function
from local_host.host import Ended, Host
from local_host.host_json import SHORTEST_POLLING_SECONDS, QueueOptions
from local_host.invocation import Status
from local_host.queue_messages import UndecodableMessageError, queue_message
from local_host.storage_queue import MessageLostError, StorageError, StorageQueue, TakenMessage

LONGEST_RENEWAL_PAUSE_SECONDS = 1.0  # between tries, once storage did not answer to a renewal

logger = logging.getLogger("local_host")


class QueueListener:
    """Listens to one queue for one function. All methods belong to the host's event loop."""

    def __init__(
        self,
        function: Function,
        queue: StorageQueue,
        *,
        host: Host,
        options: QueueOptions,
        invisible_seconds: int,
    ) -> None:
        self.function = function
        # Why no messages can be taken at present, if so.
        self.error: str | None = None
        self.has_looked = asyncio.Event()
        self._queue = queue
        self._host = host
        self._options = options
        self._invisible_seconds = invisible_seconds
        self._stopping = asyncio.Event()
        self._settling: set[asyncio.Task[None]] = set()

    async def listen(self) -> None:
        """Take messages until `stop`, and start an invocation for each."""
        pause = SHORTEST_POLLING_SECONDS
        while not self._stopping.is_set():
            taken = await self._take()
            self.has_looked.set()
            if taken:
                await self._start(taken)
                pause = SHORTEST_POLLING_SECONDS
                await self._wait_for_room()
                continue
            await _happens(self._stopping, within_seconds=pause)
            pause = min(2 * pause, self._options.max_polling_seconds)

    def stop(self) -> None:
        """Take no more messages; those that were taken go on."""
        self._stopping.set()

    async def finish(self, *, within_seconds: float) -> None:
        """Wait until ended invocations have deleted or released their messages; then close."""
        if self._settling:
            _, late = await asyncio.wait(self._settling, timeout=within_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._queue.close()

    async def _take(self) -> tuple[TakenMessage, ...]:
        try:
            taken = await self._queue.take(
                limit=self._options.batch_size, invisible_seconds=self._invisible_seconds
            )
        except StorageError as error:
            self._note(f"the queue {self._queue.name} cannot be read: {error}")
            return ()
        self._note(None)
        return taken

    def _note(self, error: str | None) -> None:
        # Once when it begins and once when it is over, not at every poll.
        if error is not None and self.error is None:
            logger.warning("'%s': %s", self.function.name, error)
        if error is None and self.error is not None:
            logger.info("'%s': the queue %s is read again", self.function.name, self._queue.name)
        self.error = error

    async def _start(self, taken: tuple[TakenMessage, ...]) -> None:
        for message in taken:
            if self._stopping.is_set():
                await self._release(message, message.receipt, after_seconds=0)
                continue
            # The invocation starts here and now: who stops the host must see it running.
            task = asyncio.create_task(self._settle(message, self._invoke(message)))
            self._settling.add(task)
            task.add_done_callback(self._settling.discard)

    def _invoke(self, message: TakenMessage) -> asyncio.Task[Ended] | None:
        """Start the function, or return None for a message that is not to be delivered."""
        if message.dequeue_count > self._options.max_dequeue_count:
            return None
        try:
            data = queue_message(message, encoding=self._options.message_encoding)
        except UndecodableMessageError as error:
            logger.warning("'%s': message %s: %s", self.function.name, message.id, error)
            return None
        _, run = self._host.start(self.function, data)
        return run

    async def _settle(self, message: TakenMessage, run: asyncio.Task[Ended] | None) -> None:
        if run is None:
            await self._bury(message, message.receipt)
            return
        has_ended = asyncio.Event()
        keeping = asyncio.create_task(self._keep(message, has_ended))
        ended = await run
        has_ended.set()
        # A renewal under way is waited for: it brings the receipt that counts.
        receipt = await keeping
        if ended.invocation.status is Status.SUCCEEDED:
            await self._delete(message, receipt)
        elif self._queue.poison_name is None:
            # As in Azure: it stays invisible for a while, which prevents a fast endless loop.
            return
        elif message.dequeue_count >= self._options.max_dequeue_count:
            await self._bury(message, receipt)
        else:
            seconds = self._options.visibility_timeout_seconds
            await self._release(message, receipt, after_seconds=seconds)

    async def _keep(self, message: TakenMessage, has_ended: asyncio.Event) -> str:
        """Renew the invisibility at half-time until the end, and return the last receipt."""
        half_time = self._invisible_seconds / 2
        receipt, pause = message.receipt, half_time
        while not await _happens(has_ended, within_seconds=pause):
            try:
                receipt = await self._queue.keep(
                    message.id, receipt, invisible_seconds=self._invisible_seconds
                )
                pause = half_time
            except MessageLostError as error:
                self._log_failure("kept", message, error)
                return receipt
            except StorageError as error:
                self._log_failure("kept", message, error)
                pause = min(pause / 2, LONGEST_RENEWAL_PAUSE_SECONDS)
        return receipt

    async def _delete(self, message: TakenMessage, receipt: str) -> None:
        try:
            await self._queue.delete(message.id, receipt)
        except StorageError as error:
            self._log_failure("deleted", message, error)

    async def _release(self, message: TakenMessage, receipt: str, *, after_seconds: int) -> None:
        try:
            await self._queue.keep(message.id, receipt, invisible_seconds=after_seconds)
        except StorageError as error:
            self._log_failure("released", message, error)

    async def _bury(self, message: TakenMessage, receipt: str) -> None:
        poison, limit = self._queue.poison_name, self._options.max_dequeue_count
        if poison is None:
            return
        if message.dequeue_count >= limit:
            logger.warning(
                "Message has reached MaxDequeueCount of %s. Moving message to queue '%s'.",
                limit,
                poison,
            )
        try:
            await self._queue.bury(message, receipt)
        except StorageError as error:
            self._log_failure("moved", message, error)

    def _log_failure(self, verb: str, message: TakenMessage, error: StorageError) -> None:
        name = self.function.name
        logger.warning("'%s': message %s could not be %s: %s", name, message.id, verb, error)

    async def _wait_for_room(self) -> None:
        stopping = asyncio.create_task(self._stopping.wait())
        while len(self._settling) > self._options.new_batch_threshold and not stopping.done():
            await asyncio.wait({stopping, *self._settling}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()


async def _happens(event: asyncio.Event, *, within_seconds: float) -> bool:
    try:
        async with asyncio.timeout(within_seconds):
            return await event.wait()
    except TimeoutError:
        return False
