"""Run an R script as the step of an Azure ML job, and end as it ended.

`python bootstrapper.py SCRIPT.R [ARGUMENT ...]`. A job's outcome is its exit status: R's own is kept;
a signal that ended R becomes 128 + its number, as shells have it; SIGTERM and SIGINT, by which a job is
cancelled, are passed on to R. What never started: 64 without a script, 127 without Rscript.
"""

import signal
import subprocess
import sys
from collections.abc import Sequence
from types import FrameType

# As sysexits.h has it for a command line that is wrong, and POSIX shells for a command not found.
USAGE = 64
NOT_FOUND = 127
NOT_EXECUTABLE = 126
SIGNALLED = 128
# Neither a profile, an environment file nor a saved workspace changes what a job does.
RSCRIPT = ("Rscript", "--vanilla")
PASSED_ON = (signal.SIGTERM, signal.SIGINT)


def main(arguments: Sequence[str]) -> int:
    """Run the script of the command line, and return the exit status of the job."""
    if not arguments:
        _say("usage: bootstrapper.py SCRIPT.R [ARGUMENT ...]")
        return USAGE
    waiting = _hold_signals()
    try:
        process = subprocess.Popen((*RSCRIPT, *arguments))  # noqa: S603  # the script of the job
    except FileNotFoundError:
        _say("Rscript is not on PATH")
        return NOT_FOUND
    except OSError as error:
        _say(f"Rscript cannot be run: {error.strerror}")
        return NOT_EXECUTABLE
    _pass_on_signals(process, waiting)
    return _status(process.wait())


def _hold_signals() -> list[int]:
    """Keep what arrives before R runs: it is R's."""
    waiting: list[int] = []

    def hold(number: int, _: FrameType | None) -> None:
        waiting.append(number)

    for each in PASSED_ON:
        signal.signal(each, hold)
    return waiting


def _pass_on_signals(process: subprocess.Popen[bytes], waiting: Sequence[int]) -> None:
    def pass_on(number: int, _: FrameType | None) -> None:
        process.send_signal(number)

    for each in PASSED_ON:
        signal.signal(each, pass_on)
    for number in waiting:
        process.send_signal(number)


def _status(returned: int) -> int:
    if returned < 0:
        _say(f"R was ended by {signal.Signals(-returned).name}")
        return SIGNALLED - returned
    _say(f"R ended with status {returned}")
    return returned


def _say(text: str) -> None:
    sys.stderr.write(f"bootstrapper: {text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
