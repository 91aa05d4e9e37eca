"""Queue functions against a real Azurite: what is delivered, how often, and what becomes of it."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local_host.azurite.process import Azurite
from tests.support.local_host import LocalHost
from tests.support.queue_app import (
    WorkQueue,
    app_with,
    deliveries,
    host_for,
    wait_for_deliveries,
)


@pytest.fixture(scope="module")
def queue(azurite: Azurite) -> WorkQueue:
    return WorkQueue(connection_string=azurite.connection_string, name="delivery")


@pytest.fixture(scope="module")
def host(queue: WorkQueue) -> Iterator[LocalHost]:
    with host_for(queue) as running:
        yield running


def test_a_message_is_delivered_as_it_was_sent_and_then_deleted(
    queue: WorkQueue, host: LocalHost
) -> None:
    began = datetime.now(UTC).replace(microsecond=0)

    sent = queue.send(greeting="grüß dich")

    seen = wait_for_deliveries(host, 1, id=sent)[0]
    assert seen["body"] == '{"greeting": "gr\\u00fc\\u00df dich"}'
    assert seen["dequeue_count"] == 1
    assert seen["has_receipt"]
    inserted, expires, next_visible = (
        datetime.fromisoformat(seen[name]) for name in ("inserted", "expires", "next_visible")
    )
    assert began <= inserted <= datetime.now(UTC)
    assert expires - inserted == timedelta(days=7)
    assert timedelta(seconds=595) < next_visible - inserted < timedelta(seconds=660)
    queue.wait_for_count(0)


def test_a_delivery_is_an_invocation_like_any_other(queue: WorkQueue, host: LocalHost) -> None:
    sent = queue.send(fail=1)

    first, second = wait_for_deliveries(host, 2, id=sent)

    failed = host.wait_for(first["invocation_id"])
    assert (failed["function"], failed["status"]) == ("work", "failed")
    assert failed["error"] == "ValueError: failure 1"
    assert host.wait_for(second["invocation_id"])["status"] == "succeeded"


def test_a_failed_message_comes_back_after_the_visibility_timeout(
    queue: WorkQueue, host: LocalHost
) -> None:
    sent = queue.send(fail=1)

    first, second = wait_for_deliveries(host, 2, id=sent)

    assert [first["dequeue_count"], second["dequeue_count"]] == [1, 2]
    # Storage counts in whole seconds, and cuts the start of the second off.
    assert 0.9 < second["at"] - first["at"] < 3
    queue.wait_for_count(0)


def test_after_the_last_failure_a_message_goes_to_the_poison_queue_and_its_function(
    queue: WorkQueue, host: LocalHost
) -> None:
    sent = queue.send(fail=9)

    counts = [each["dequeue_count"] for each in wait_for_deliveries(host, 3, id=sent)]
    buried = wait_for_deliveries(host, 1, function="graveyard", body='{"fail": 9}')[0]

    assert counts == [1, 2, 3]
    assert (buried["id"] != sent, buried["dequeue_count"]) == (True, 1)
    queue.wait_for_count(0)
    queue.beside("poison").wait_for_count(0)
    assert len(deliveries(host, id=sent)) == 3


def test_what_fails_in_a_poison_queue_stays_there_out_of_sight(
    queue: WorkQueue, host: LocalHost
) -> None:
    poison = queue.beside("poison")

    sent = poison.send(again="twice")
    seen = wait_for_deliveries(host, 1, id=sent)[0]

    assert host.wait_for(seen["invocation_id"])["status"] == "failed"
    assert (poison.messages(), poison.count()) == ([], 1)


def test_a_synchronous_function_takes_messages_too(queue: WorkQueue, host: LocalHost) -> None:
    threads = queue.beside("threads")

    sent = threads.send(hello="thread")

    assert wait_for_deliveries(host, 1, id=sent)[0]["function"] == "work_in_a_thread"
    threads.wait_for_count(0)


def test_no_more_run_at_once_than_a_batch_and_the_threshold(
    queue: WorkQueue, host: LocalHost
) -> None:
    # Of different lengths, so that a batch is taken while one of the last is still running.
    sent = {queue.send(sleep=0.2 + 0.2 * (number % 2)) for number in range(7)}

    queue.wait_for_count(0)
    running = [each["running"] for each in deliveries(host) if each["id"] in sent]

    assert len(running) == len(sent)
    assert max(running) == 3


def test_a_queue_function_may_be_started_by_hand(host: LocalHost) -> None:
    invocation = host.start_function("work", '{"fail": 0}')

    assert host.wait_for(invocation)["status"] == "succeeded"
    seen = wait_for_deliveries(host, 1, invocation_id=invocation)[0]
    assert (seen["body"], seen["dequeue_count"]) == ('{"fail": 0}', 1)


def test_an_empty_message_is_delivered(queue: WorkQueue, host: LocalHost) -> None:
    sent = queue.send_text("")

    assert wait_for_deliveries(host, 1, id=sent)[0]["body"] == ""


def test_a_message_that_is_not_base64_goes_to_the_poison_queue_unseen(
    queue: WorkQueue, host: LocalHost
) -> None:
    threads = queue.beside("threads")

    sent = threads.send_text('{"plain": "text"}')
    threads.wait_for_count(0)

    assert threads.beside("poison").messages() == ['{"plain": "text"}']
    assert deliveries(host, id=sent) == []
    assert f"message {sent}: the message is not base64" in host.stderr


def test_without_an_encoding_text_is_delivered_as_it_is(azurite: Azurite, tmp_path: Path) -> None:
    queue = WorkQueue(connection_string=azurite.connection_string, name="unencoded")
    with host_for(queue, app_root=app_with(tmp_path, messageEncoding="none")) as host:
        sent = queue.send(base64=False, text="plain")

        seen = wait_for_deliveries(host, 1, id=sent)[0]

    assert seen["body"] == '{"text": "plain"}'


def test_functions_without_usable_storage_are_listed_with_their_errors(host: LocalHost) -> None:
    functions = host.functions()
    fired = host.fire_timer("tick")
    unusable = host.wait_for(host.start_function("homeless", "{}"))

    assert functions["work"] == {
        "name": "work",
        "trigger": "queueTrigger",
        "queueName": "delivery",
        "error": None,
    }
    assert "'MISSING_STORAGE' does not exist" in functions["homeless"]["error"]
    assert "'not_a_queue' is not the name of a queue" in functions["misnamed"]["error"]
    assert fired["status"] == "succeeded"
    assert unusable["status"] == "failed"
    assert functions["homeless"]["error"] in unusable["error"]


def test_an_idle_host_hardly_works(queue: WorkQueue, host: LocalHost) -> None:
    queue.wait_for_count(0)
    before = cpu_seconds(host.pid)
    time.sleep(2)  # the time in which it is to do next to nothing

    assert cpu_seconds(host.pid) - before < 0.4


def cpu_seconds(pid: int) -> float:
    """Read from the operating system, in user and kernel mode together."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
