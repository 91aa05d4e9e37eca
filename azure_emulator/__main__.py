"""Command line of the emulator: `python -m azure_emulator --port N --env-file PATH ...`."""

import argparse
import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from azure_emulator import env_file, fleet, seed
from azure_emulator.arm.buckets import DOCUMENTED, Size
from azure_emulator.arm.call import ArmSettings
from azure_emulator.emulator import Emulator, Options
from azure_emulator.server import listen, serve


def main(argv: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM; a command line that makes no sense ends with status 2."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    _remove_old_env_file(parser, arguments.env_file)
    try:
        start = fleet.generate(arguments.fleet) if arguments.fleet else seed.read(arguments.seed)
    except (OSError, ValidationError) as error:
        parser.error(f"--seed {arguments.seed}: {error}")
    try:
        listener = listen(arguments.port)
    except (OSError, OverflowError) as error:
        parser.error(f"--port {arguments.port}: {error}")
    serve(partial(_emulator, arguments, start), listener=listener, env_path=arguments.env_file)


def _remove_old_env_file(parser: argparse.ArgumentParser, path: Path) -> None:
    """Whoever waits for the file must not find that of an emulator which has ended."""
    if not path.parent.is_dir():
        parser.error(f"--env-file {path}: there is no such folder")
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        parser.error(f"--env-file {path}: {error}")


def _emulator(
    arguments: argparse.Namespace, start: seed.Seed, url: str, identity_header: str
) -> Emulator:
    arm = ArmSettings(
        base_url=url,
        latency_seconds=arguments.latency_ms / 1000,
        page_size=arguments.page_size,
        stop_reply=arguments.stop_reply,
        list_lag_seconds=arguments.list_lag_seconds,
        ca_bundle=env_file.ca_bundle_path(arguments.env_file).read_bytes(),
    )
    options = Options(
        arm=arm,
        time_scale=arguments.time_scale,
        bucket_sizes=arguments.buckets,
        identity_header=identity_header,
    )
    return Emulator(options, start)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m azure_emulator",
        description="Azure on 127.0.0.1 for local runs and tests. Not for production.",
    )
    parser.add_argument("--port", type=int, required=True, help="0 takes any free port")
    parser.add_argument("--env-file", type=Path, required=True, help="written when it answers")
    estate = parser.add_mutually_exclusive_group()
    estate.add_argument(
        "--seed", type=Path, default=Path("default"), help="a file, default or troubled"
    )
    estate.add_argument(
        "--fleet",
        type=_fleet,
        metavar="subscriptions=S,workspaces=W,instances=I",
        help="all Running",
    )
    parser.add_argument("--latency-ms", type=_positive, default=0.0, help="of Resource Manager")
    parser.add_argument(
        "--time-scale", type=_positive, default=1.0, help="1: a stop takes 27 s; 0.1: a tenth"
    )
    parser.add_argument(
        "--buckets", type=_buckets, default={}, metavar="reads=250:25,writes=200:10"
    )
    parser.add_argument("--page-size", type=_count, default=100)
    parser.add_argument("--stop-reply", choices=("recorded", "spec", "both"), default="recorded")
    parser.add_argument(
        "--list-lag-seconds", type=_positive, default=0.0, help="how late reads see a change"
    )
    return parser


def _positive(text: str) -> float:
    number = _number(text)
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number, and not negative: {text!r}")
    return number


def _count(text: str) -> int:
    number = _number(text)
    if not (number >= 1 and number.is_integer()):
        raise argparse.ArgumentTypeError(f"must be a whole number, at least 1: {text!r}")
    return int(number)


def _number(text: str) -> float:
    """Return what it says; what is no number lies in no range."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def _pairs(text: str, names: set[str]) -> dict[str, str]:
    pairs = dict(part.partition("=")[::2] for part in text.split(","))
    unknown = sorted(set(pairs) - names)
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}")
    return pairs


def _fleet(text: str) -> fleet.FleetSize:
    pairs = _pairs(text, {"subscriptions", "workspaces", "instances"})
    return fleet.FleetSize(**{name: _count(value) for name, value in pairs.items()})


def _buckets(text: str) -> dict[str, Size]:
    sizes = {}
    for name, value in _pairs(text, set(DOCUMENTED)).items():
        capacity, _, refill = value.partition(":")
        size = Size(capacity=_number(capacity), refill_per_second=_number(refill))
        if not (1 <= size.capacity < math.inf and 0 < size.refill_per_second < math.inf):
            expected = "a bucket holds at least 1 and refills, as in reads=250:25"
            raise argparse.ArgumentTypeError(f"{name}={value}: {expected}")
        sizes[name] = size
    return sizes


if __name__ == "__main__":
    main()
