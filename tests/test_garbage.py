"""Cycles of garbage are looked for, but rarely."""

import gc
from collections.abc import Iterator

import pytest

from shared.garbage import NEW_OBJECTS, collect_rarely


@pytest.fixture(autouse=True)
def threshold_restored() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_a_thousand_services_are_no_reason_to_look_for_cycles() -> None:
    collect_rarely()

    assert gc.isenabled()
    assert gc.get_threshold()[0] == NEW_OBJECTS


def test_how_often_old_objects_are_looked_at_stays_as_python_has_it() -> None:
    before = gc.get_threshold()

    collect_rarely()

    assert gc.get_threshold()[1:] == before[1:]
