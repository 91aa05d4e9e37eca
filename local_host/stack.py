"""Start the emulator, Azurite and the local host together, as processes, and end them."""

from __future__ import annotations

import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from local_host.azurite.process import Azurite, AzuriteError
from local_host.azurite.process import running as running_azurite
from local_host.child_process import running_module
from local_host.env_file import read_env_files
from local_host.keys import FUNCTION_KEY_SETTING, MASTER_KEY_SETTING

START_SECONDS = 30.0
TERMINATED = 128 + signal.SIGTERM
_LOOK_EVERY = 0.05
STORAGE_SETTING = "AzureWebJobsStorage"


class StackError(Exception):
    """The emulator, Azurite or the host did not start; says what its log says."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """What runs, and how to reach it."""

    host_url: str
    emulator_url: str
    azurite: Azurite
    ca_file: Path
    function_key: str = field(repr=False)
    master_key: str = field(repr=False)
    folder: Path


@contextmanager
def running(
    folder: Path,
    *,
    seed: str,
    emulator_options: Sequence[str],
    settings: Mapping[str, str],
    before_host: Callable[[str, Path], None] = lambda _url, _ca_file: None,
) -> Iterator[Stack]:
    """Run all three until the block is left. Logs and env files are kept in `folder`.

    `before_host` is called with the emulator's URL and CA once it answers, before the host starts.
    Raises StackError when one of them does not come up within START_SECONDS.
    """
    # Whoever is terminated leaves through the blocks below, and so ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    folder.mkdir(parents=True, exist_ok=True)
    keys = {name: secrets.token_urlsafe(24) for name in (FUNCTION_KEY_SETTING, MASTER_KEY_SETTING)}
    emulator_env, host_env = folder / "emulator.env", folder / "host.env"
    emulator_env.unlink(missing_ok=True)
    command = ["azure_emulator", "--port", "0", "--env-file", str(emulator_env), "--seed", seed]
    log, host_log = folder / "emulator.log", folder / "host.log"
    with _azurite() as azurite, running_module([*command, *emulator_options], log=log) as emulator:
        storage = {STORAGE_SETTING: azurite.connection_string}
        _write_private(host_env, {**storage, **settings, **keys})
        _wait(emulator_env.exists, emulator, log)
        found = read_env_files([emulator_env])
        before_host(found["AZURE_EMULATOR_URL"], Path(found["SSL_CERT_FILE"]))
        command = ["local_host", "--port", "0"]
        command += ["--env-file", str(emulator_env), "--env-file", str(host_env)]
        with running_module(command, log=host_log) as host:
            _wait(lambda: bool(announced_url(host_log)), host, host_log)
            yield Stack(
                host_url=announced_url(host_log),
                emulator_url=found["AZURE_EMULATOR_URL"],
                azurite=azurite,
                ca_file=Path(found["SSL_CERT_FILE"]),
                function_key=keys[FUNCTION_KEY_SETTING],
                master_key=keys[MASTER_KEY_SETTING],
                folder=folder,
            )


def announced_url(log: Path) -> str:
    """Return where a host listens, as its log says; empty where it does not say so yet."""
    marker = "listening on "
    lines = log.read_text("utf-8").splitlines()
    return next((line.removeprefix(marker) for line in lines if line.startswith(marker)), "")


@contextmanager
def _azurite() -> Iterator[Azurite]:
    try:
        with running_azurite() as azurite:
            yield azurite
    except AzuriteError as error:
        raise StackError(str(error)) from error


def _wait(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            last = log.read_text("utf-8").strip().splitlines()[-3:]
            raise StackError(f"{log.stem} did not start; {log} says: {' / '.join(last)}")
        time.sleep(_LOOK_EVERY)


def _write_private(path: Path, settings: Mapping[str, str]) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), "utf-8")
