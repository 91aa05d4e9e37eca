"""Fixtures of all tests: a clean environment, the emulator, Azurite, and the R services."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from local_host.azurite.process import Azurite, running
from r_services.programs import train_svm, train_weight
from tests.support.emulator import FAST, EmulatorProcess
from tests.support.r_services import (
    OTHER_LIMIT,
    OTHER_WEIGHTS,
    RServiceProcess,
    require_r,
    require_rpy2,
    save_unusable_model,
    serve_slow_weight,
    serve_svm,
    serve_weight,
)

# What would let a test reach a real cloud, or take a program's settings from the developer's shell.
CLOUD_SETTINGS = (
    "APPLICATIONINSIGHTS_",
    "APPINSIGHTS_",
    "ARM_",
    "AZURE_",
    "AZUREML_",
    "AzureWebJobs",
    "IDENTITY_",
    "KEY_VAULT_",
    "LOCAL_HOST_",
    "MSI_",
    "OTEL_",
    "REQUESTS_CA_BUNDLE",
    "RUN_",
    "SHUTDOWN_",
    "SSL_CERT_",
)

StartEmulator = Callable[..., EmulatorProcess]
StartAzurite = Callable[[], Azurite]


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session", autouse=True)
def clean_session() -> Iterator[None]:
    """What tests share is begun before the first of them: it sees no cloud and no proxy, either."""
    with pytest.MonkeyPatch.context() as patch:
        _remove_settings(patch)
        yield


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, empty_home: Path) -> None:
    """No test sees the developer's home, cloud or proxy, nor what another test's SDK has set."""
    monkeypatch.setenv("HOME", str(empty_home))
    _remove_settings(monkeypatch)


def _remove_settings(patch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(CLOUD_SETTINGS) or name.lower().endswith("_proxy"):
            patch.delenv(name)


@pytest.fixture(scope="session")
def emulator_process() -> Iterator[EmulatorProcess]:
    with EmulatorProcess(options=FAST) as running:
        yield running


@pytest.fixture
def emulator(emulator_process: EmulatorProcess) -> EmulatorProcess:
    """The emulator at its default seed; stops take half a second, pages have three items."""
    emulator_process.reset()
    return emulator_process


@pytest.fixture
def start_emulator() -> Iterator[StartEmulator]:
    """Start an emulator of one's own: `start_emulator("--fleet", "...", "--buckets", "...")`."""
    with ExitStack() as stack:
        yield lambda *options: stack.enter_context(EmulatorProcess(options=options))


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """One Azurite for all tests: give queues and tables names of one's own."""
    with running() as process:
        yield process


@pytest.fixture
def start_azurite() -> Iterator[StartAzurite]:
    """Start an Azurite of one's own, to take it away in the middle of a test."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(running())


@pytest.fixture(scope="session")
def weight_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weight service's own model: 138 is answered with 161.8533."""
    require_r("plumber")
    return train_weight(tmp_path_factory.mktemp("weight") / "model.rds")


@pytest.fixture(scope="session")
def other_weight_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weight model of other data: as quick, as confident, and wrong."""
    require_r("plumber")
    return train_weight(tmp_path_factory.mktemp("other") / "model.rds", data=OTHER_WEIGHTS)


@pytest.fixture
def weight_service(weight_model: Path) -> Iterator[RServiceProcess]:
    """The plumber service as in production, in a process of its own."""
    with RServiceProcess(serve=serve_weight, trained=weight_model) as service:
        yield service


@pytest.fixture
def slow_weight_service(weight_model: Path) -> Iterator[RServiceProcess]:
    """The plumber service with one more route, for `with slow_weight_service.busy():`."""
    with RServiceProcess(serve=serve_slow_weight, trained=weight_model) as service:
        yield service


@pytest.fixture(scope="session")
def svm_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rpy2 service's own model: the origin is inside, (0.9, 0.9) outside."""
    require_rpy2()
    return train_svm(tmp_path_factory.mktemp("svm") / "model.rds")


@pytest.fixture(scope="session")
def other_svm_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SVM of other points: its inside is smaller."""
    require_rpy2()
    return train_svm(tmp_path_factory.mktemp("other-svm") / "model.rds", limit=OTHER_LIMIT)


@pytest.fixture(scope="session")
def unusable_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that every service loads, and none can predict with."""
    require_r()
    return save_unusable_model(tmp_path_factory.mktemp("unusable") / "model.rds")


@pytest.fixture
def svm_service(svm_model: Path) -> Iterator[RServiceProcess]:
    """The rpy2 service, in processes of its own: the inference server and its worker."""
    with RServiceProcess(serve=serve_svm, trained=svm_model) as service:
        yield service


@pytest.fixture
def failing_svm_service(unusable_model: Path) -> Iterator[RServiceProcess]:
    """The rpy2 service with a model that makes every `run` raise, while GET / says Healthy."""
    require_rpy2()
    with RServiceProcess(serve=serve_svm, trained=unusable_model) as service:
        yield service
