"""Who is looked after: a name that is not found, and what could not be read."""

import pytest

from shared.errors import ServiceFileError
from shared.scoring.roster import Roster


def test_a_name_that_nobody_knows_is_not_there_once_all_was_read() -> None:
    assert Roster(subjects=()).find("weight") is None


def test_while_a_part_cannot_be_read_a_name_may_be_there_and_the_error_says_so_first() -> None:
    roster = Roster(subjects=(), unread=["/subscriptions/s: 403"])

    with pytest.raises(ServiceFileError) as failed:
        roster.find("weight")

    assert str(failed.value).startswith("whether there is a service weight is not known")
    assert str(failed.value).endswith("; /subscriptions/s: 403")
    assert failed.value.retryable
