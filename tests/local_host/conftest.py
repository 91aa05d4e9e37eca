"""The sample app, served by one local host for all tests that do it no harm."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.local_host import LocalHost

SAMPLE_APP = Path(__file__).parent / "sample_app"


@pytest.fixture(scope="session")
def sample_app() -> Path:
    return SAMPLE_APP


@pytest.fixture(scope="session")
def host() -> Iterator[LocalHost]:
    with LocalHost(app_root=SAMPLE_APP, env={"SAMPLE_SCHEDULE": "0 0 0 29 2 *"}) as running:
        yield running
