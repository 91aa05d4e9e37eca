"""`python -m r_services`: train the models, and serve both services on loopback until Ctrl-C."""

import argparse
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from r_services.process import running
from r_services.programs import (
    CACHE,
    RServiceError,
    missing_packages,
    svm_service,
    train_svm,
    train_weight,
    weight_service,
)

COULD_NOT_RUN = 2
TERMINATED = 128 + signal.SIGTERM
PACKAGES = ("plumber", "kernlab", "jsonlite")


@dataclass(frozen=True, kw_only=True)
class Ports:
    """On 127.0.0.1; 0 = any free one."""

    weight: int
    svm: int


def main() -> int:
    """Serve until SIGINT or SIGTERM; 0 then, 2 when R is missing or something did not start."""
    arguments = _parse_arguments()
    # Whoever is terminated while it starts leaves through the blocks, and so ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    ports = Ports(weight=arguments.weight_port, svm=arguments.svm_port)
    try:
        with _services(arguments.folder.resolve(), ports) as urls:
            _show(*urls)
            _wait_for_end()
    except RServiceError as error:
        sys.stderr.write(f"could not serve: {error}\n")
        return COULD_NOT_RUN
    except KeyboardInterrupt:
        return 0
    return 0


@contextmanager
def _services(folder: Path, ports: Ports) -> Iterator[tuple[str, str]]:
    if missing := missing_packages(*PACKAGES):
        names = " ".join(f"r-cran-{each}" for each in missing)
        raise RServiceError(f"R has no {', '.join(missing)}: on Debian, apt-get install {names}")
    # The names that Azure ML gives a model's folder: its own, and a version.
    weight = train_weight(folder / "models" / "weight" / "1" / "model.rds")
    svm = train_svm(folder / "models" / "svm" / "1" / "model.rds")
    programs = (weight_service(weight, port=ports.weight), svm_service(svm, port=ports.svm))
    with ExitStack() as stack:
        weight_url, svm_url = (
            stack.enter_context(running(each, log=folder / f"{each.folder.name}.log")).url
            for each in programs
        )
        yield weight_url, svm_url


def _show(weight: str, svm: str) -> None:
    json_body = """-H 'Content-Type: application/json' -d '{"data": [[0, 0], [0.9, 0.9]]}'"""
    lines = (
        f"plumber_weight  {weight}",
        f"  curl '{weight}/weight?height=138'",
        f"  curl {weight}/ready",
        f"rpy2_svm        {svm}",
        f"  curl {svm}/",
        f"  curl {json_body} {svm}/score",
        "",
        "Ctrl-C ends both.",
    )
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def _wait_for_end() -> None:
    # Blocked only now: what was started before has its signals as usual.
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    signal.sigwait(signals)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m r_services", description=__doc__)
    parser.add_argument("--folder", type=Path, default=CACHE, help="for the models and the logs")
    parser.add_argument("--weight-port", type=int, default=8000, help="on 127.0.0.1; 0 = any free")
    parser.add_argument("--svm-port", type=int, default=5001, help="on 127.0.0.1; 0 = any free")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
