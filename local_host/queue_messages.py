"""From a message in storage to the `QueueMessage` that a handler is given.

Source: azure.functions.queue, and QueueTriggerBinding of Microsoft.Azure.WebJobs.Extensions.Storage.
"""

import base64
import binascii
from datetime import UTC, datetime
from uuid import uuid4

from azure.functions.queue import QueueMessage

from local_host.host_json import MessageEncoding
from local_host.storage_queue import TakenMessage


class UndecodableMessageError(ValueError):
    """The message is not in the encoding that host.json promises."""


def queue_message(message: TakenMessage, *, encoding: MessageEncoding) -> QueueMessage:
    """Return what the handler gets. Raises UndecodableMessageError."""
    return QueueMessage(
        id=message.id,
        body=_decoded(message.text, encoding),
        dequeue_count=message.dequeue_count,
        expiration_time=message.expires_at,
        insertion_time=message.inserted_at,
        time_next_visible=message.next_visible_at,
        pop_receipt=message.receipt,
    )


def manual_message(body: str) -> QueueMessage:
    """Return a message that was never in a queue, as for a start by hand."""
    never = datetime.max.replace(tzinfo=UTC)
    return QueueMessage(
        id=str(uuid4()),
        body=body,
        dequeue_count=1,
        expiration_time=never,
        insertion_time=datetime.now(UTC),
        time_next_visible=never,
        pop_receipt="",
    )


def _decoded(text: str, encoding: MessageEncoding) -> bytes:
    if encoding is MessageEncoding.NONE:
        return text.encode()
    try:
        # .NET's decoder passes over white space and is strict otherwise.
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise UndecodableMessageError("the message is not base64") from error
