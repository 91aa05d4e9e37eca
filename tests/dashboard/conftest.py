"""A night on the dashboard to begin from."""

import pytest

from tests.dashboard.seen import a_calm_night
from tests.dashboard.stage import Overview


@pytest.fixture
def calm() -> Overview:
    return a_calm_night()
