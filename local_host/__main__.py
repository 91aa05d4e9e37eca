"""`python -m local_host`: serve the Functions app in the current directory on loopback.

The environment is set from the env files before the app is imported, as Azure sets its app settings.
"""

import argparse
import asyncio
import importlib
import logging
import os
import signal
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from local_host.env_file import EnvFileError, read_env_files
from local_host.host_json import HostJson, HostJsonError, read_host_json
from local_host.keys import FUNCTION_KEY_SETTING, MASTER_KEY_SETTING, Keys, take_keys

if TYPE_CHECKING:
    from local_host.functions import Function

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
# The app could not be started: settings, host.json, or the app's own code.
UNUSABLE = 2
# What storage allows: https://learn.microsoft.com/rest/api/storageservices/get-messages
LONGEST_INVISIBILITY_SECONDS = 7 * 24 * 3600


def main() -> int:
    """Serve until SIGTERM; 0 then, 2 when the app cannot be started."""
    for number in (signal.SIGTERM, signal.SIGINT):
        # Until the server listens to them itself: importing an app may take seconds.
        signal.signal(number, lambda *_: sys.exit(0))
    arguments = _parse_arguments()
    _log_to_stderr()
    try:
        os.environ.update(read_env_files(arguments.env_file))
        keys, generated = take_keys(os.environ)
        host_json = read_host_json(Path.cwd())
    except (EnvFileError, HostJsonError) as error:
        print(f"local_host: {error}", file=sys.stderr)
        return UNUSABLE
    # An app in Azure never sees the host's keys in its environment.
    for name in (FUNCTION_KEY_SETTING, MASTER_KEY_SETTING):
        os.environ.pop(name, None)
    return _serve(keys, host_json, arguments, generated=generated)


def _serve(
    keys: Keys,
    host_json: HostJson,
    arguments: argparse.Namespace,
    *,
    generated: Mapping[str, str],
) -> int:
    from local_host.server import Settings, serve
    from local_host.signatures import IndexingError

    try:
        functions = _index(host_json)
    except IndexingError as error:
        print(f"local_host: no functions: {error}", file=sys.stderr)
        return UNUSABLE
    settings = Settings(
        functions=functions,
        keys=keys,
        timeout=host_json.function_timeout,
        queues=host_json.queues,
        invisible_seconds=arguments.queue_invisibility_seconds,
        threads=_threads(os.environ.get("PYTHON_THREADPOOL_THREAD_COUNT", "")),
    )

    def announce(url: str) -> None:
        _show(functions, url=url, generated=generated)
        print(f"listening on {url}", flush=True)

    try:
        asyncio.run(serve(settings, port=arguments.port, announce=announce))
    except OSError as error:
        print(f"local_host: {error}", file=sys.stderr)
        return UNUSABLE
    return 0


def _index(host_json: HostJson) -> "tuple[Function, ...]":
    from local_host.functions import find_app, index
    from local_host.signatures import IndexingError

    sys.path.insert(0, str(Path.cwd()))
    try:
        module = importlib.import_module("function_app")
    except Exception as error:
        logging.getLogger("local_host").exception("function_app cannot be imported")
        raise IndexingError(f"{type(error).__name__} at import") from error
    return index(
        find_app(module),
        prefix=host_json.route_prefix,
        settings=os.environ,
        now=datetime.now(UTC),
    )


def _show(functions: "tuple[Function, ...]", *, url: str, generated: Mapping[str, str]) -> None:
    for name, value in generated.items():
        print(f"{name}={value}")
    for each in functions:
        shown = each.as_json()
        if each.error is not None:
            print(f"{each.name}: {each.kind} in error: {each.error}")
        elif "route" in shown:
            print(f"{each.name}: {','.join(shown['methods'])} {url}{shown['route']}")
        else:
            print(f"{each.name}: {each.kind} {shown.get('schedule') or shown['queueName']}")


def _log_to_stderr() -> None:
    # What the app prints is seen when it prints it, also through a pipe.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # a TextIO is typed without it
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, stream=sys.stderr)
    # What the host says is not the app's telemetry: it must not reach an exporter on the root.
    for name in ("local_host", "uvicorn"):
        logger = logging.getLogger(name)
        logger.propagate = False
        logger.addHandler(logging.getLogger().handlers[0])


def _invisibility(value: str) -> int:
    if not value.isdecimal() or not 1 <= int(value) <= LONGEST_INVISIBILITY_SECONDS:
        raise argparse.ArgumentTypeError(
            f"{value} is not from 1 to {LONGEST_INVISIBILITY_SECONDS} (7 days)"
        )
    return int(value)


def _threads(value: str) -> int | None:
    return int(value) if value.isdigit() and int(value) else None


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local_host", description=__doc__)
    parser.add_argument("--port", type=int, default=7071, help="on 127.0.0.1; 0 = any free port")
    parser.add_argument(
        "--env-file",
        type=Path,
        action="append",
        default=[],
        metavar="PATH",
        help="raw KEY=value lines; may be repeated, later wins",
    )
    parser.add_argument(
        "--queue-invisibility-seconds",
        type=_invisibility,
        default=600,
        metavar="N",
        help="how long a message taken from a queue stays invisible, renewed at half-time",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
