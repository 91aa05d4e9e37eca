"""Hosts that share a queue, end in the middle of a message, or have no storage."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from local_host.azurite.process import Azurite
from local_host.triggers import QueueTrigger, TriggerError, parse_trigger
from tests.conftest import StartAzurite
from tests.support.azurite import kill, without
from tests.support.local_host import REPOSITORY, LocalHost, poll
from tests.support.pace import BUSY_SECONDS
from tests.support.queue_app import WorkQueue, deliveries, host_for, wait_for_deliveries


def queue_of(azurite: Azurite, name: str) -> WorkQueue:
    return WorkQueue(connection_string=azurite.connection_string, name=name)


@pytest.fixture(scope="module")
def pair(azurite: Azurite) -> Iterator[tuple[LocalHost, LocalHost]]:
    """Two hosts of one queue, whose messages are invisible for three seconds at a time."""
    queue = queue_of(azurite, "shared-by-two")
    with (
        host_for(queue, invisible_seconds=3) as one,
        host_for(queue, invisible_seconds=3) as other,
    ):
        yield one, other


def test_two_hosts_share_a_queue_and_deliver_each_message_once(
    azurite: Azurite, pair: tuple[LocalHost, LocalHost]
) -> None:
    queue = queue_of(azurite, "shared-by-two")

    sent = [queue.send(sleep=0.1, number=number) for number in range(24)]
    queue.wait_for_count(0)

    by_one, by_other = ([each["id"] for each in deliveries(host)] for host in pair)
    assert sorted(by_one + by_other) == sorted(sent)
    assert by_one
    assert by_other


def test_a_message_is_nobody_elses_while_its_function_runs(
    azurite: Azurite, pair: tuple[LocalHost, LocalHost]
) -> None:
    queue = queue_of(azurite, "shared-by-two")

    sent = queue.send(sleep=4)
    queue.wait_for_count(0)

    seen = [each for host in pair for each in deliveries(host, id=sent)]
    assert [each["dequeue_count"] for each in seen] == [1]


def test_what_a_killed_host_was_doing_comes_back_after_the_invisibility(azurite: Azurite) -> None:
    queue = queue_of(azurite, "killed")
    with host_for(queue, invisible_seconds=2) as doomed:
        sent = queue.send(sleep=2)
        taken = wait_for_deliveries(doomed, 1, id=sent)[0]
        doomed.stop(with_signal=signal.SIGKILL)

    with host_for(queue, invisible_seconds=2) as survivor:
        again = wait_for_deliveries(survivor, 1, id=sent)[0]
        queue.wait_for_count(0)

    assert (taken["dequeue_count"], again["dequeue_count"]) == (1, 2)
    # Both clocks are this machine's.
    assert again["at"] - taken["at"] > 1


def test_a_host_that_ends_finishes_what_it_began_and_begins_nothing(azurite: Azurite) -> None:
    queue = queue_of(azurite, "finished")
    with host_for(queue) as host:
        sent = [queue.send(sleep=3, number=number) for number in range(6)]
        wait_for_deliveries(host, 1)
        status = host.stop()
        begun, succeeded = deliveries(host), host.stderr.count("Succeeded)")

    assert status == 0
    assert 1 <= len(begun) <= 3
    assert succeeded == len(begun)
    assert queue.count() == len(sent) - len(begun)


def test_what_a_host_could_not_finish_is_free_for_the_next(azurite: Azurite) -> None:
    queue = queue_of(azurite, "released")
    with host_for(queue) as host:
        sent = queue.send(sleep=60, fail=1)
        wait_for_deliveries(host, 1, id=sent)
        status = host.stop()
        assert "the host is shutting down" in host.stderr

    assert status == 0
    poll(lambda: queue.messages() or None, seconds=20, what="the message")


@pytest.mark.parametrize("text", ["hush", "AccountKey=hush", "AccountName=a;AccountKey=hush;x"])
def test_a_malformed_connection_string_is_its_functions_error_and_not_shown(text: str) -> None:
    binding = {"type": "queueTrigger", "queueName": "q-1", "connection": "WORK_STORAGE"}

    with pytest.raises(TriggerError, match=r"^WORK_STORAGE: ") as error:
        parse_trigger(binding, prefix="api", settings={"WORK_STORAGE": text}, now=datetime.now(UTC))

    assert "hush" not in str(error.value)


def test_a_trigger_shows_no_connection_string(azurite: Azurite) -> None:
    settings = {"AzureWebJobsWork": azurite.connection_string, "Work": "not this one"}
    binding = {"type": "queueTrigger", "queueName": "MY-Queue", "connection": "Work"}

    trigger = parse_trigger(binding, prefix="api", settings=settings, now=datetime.now(UTC))

    assert repr(trigger) == "QueueTrigger(queue='my-queue')"
    assert isinstance(trigger, QueueTrigger)
    assert trigger.connection_string == azurite.connection_string


def test_storage_that_does_not_answer_keeps_nothing_else_from_running(azurite: Azurite) -> None:
    queue = WorkQueue(connection_string=without(azurite, "Queue"), name="unreachable")
    with host_for(queue) as host:
        error = host.functions()["work"]["error"]
        fired = host.fire_timer("tick")
        by_hand = host.wait_for(host.start_function("work", "{}"))
        began = time.monotonic()
        status = host.stop()

    assert error == "the queue unreachable cannot be read: ServiceRequestError"
    assert [fired["status"], by_hand["status"]] == ["succeeded", "succeeded"]
    assert status == 0
    assert time.monotonic() - began < BUSY_SECONDS


def test_storage_that_goes_away_is_said_once(start_azurite: StartAzurite) -> None:
    azurite = start_azurite()
    with host_for(queue_of(azurite, "going")) as host:
        assert host.functions()["work"]["error"] is None
        kill(azurite)
        error = poll(lambda: host.functions()["work"]["error"], seconds=30, what="an error")

        assert error.startswith("the queue going cannot be read: Service")
        assert host.stderr.count("'work': the queue going cannot be read") == 1


@pytest.mark.parametrize("value", ["0", "604801", "soon"])
def test_an_invisibility_that_storage_does_not_know_is_refused(value: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "local_host", "--queue-invisibility-seconds", value],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert ended.returncode == 2
    assert f"{value} is not from 1 to 604800" in ended.stderr
