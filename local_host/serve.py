"""`python -m local_host.serve`: run the app, the emulator and Azurite until Ctrl-C, to try things."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from rich.console import Console

from local_host.night import SEEDS, SETTINGS
from local_host.stack import Stack, StackError, running

COULD_NOT_RUN = 2
# What `make services` starts.
SERVICES = "docs/scoring-services.example.yaml"


def main() -> int:
    """Serve until SIGINT or SIGTERM; 0 then, 2 when something did not start."""
    arguments = _parse_arguments()
    console = Console()
    seed = SEEDS / f"{arguments.seed}.json"
    try:
        with running(
            arguments.folder,
            seed=str(seed),
            emulator_options=("--time-scale", "1"),
            settings={
                **SETTINGS,
                "POLL_SECONDS": "5",
                "RUN_DEADLINE_SECONDS": "1500",
                "SCORING_SERVICES": SERVICES,
            },
        ) as stack:
            _show(stack, console)
            _wait_for_end()
    except StackError as error:
        console.print(f"[red]could not serve:[/] {error}", soft_wrap=True)
        return COULD_NOT_RUN
    return 0


def _wait_for_end() -> None:
    # Blocked only now: the children, started before, end on these signals as usual.
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    signal.sigwait(signals)


def _show(stack: Stack, console: Console) -> None:
    key = f"-H 'x-functions-key: {stack.function_key}'"
    master = f"-H 'x-functions-key: {stack.master_key}' -H 'Content-Type: application/json'"
    timers = f"{stack.host_url}/admin/functions"
    services = f"{stack.host_url}/api/scoring/services"
    lines = (
        f"emulator    {stack.emulator_url}   (CA {stack.ca_file}; control plane /_emulator/state)",
        f"azurite     {stack.azurite.queue_endpoint} and {stack.azurite.table_endpoint}",
        f"local host  {stack.host_url}   (logs in {stack.folder})",
        "",
        "what is wrong now (a page; it asks for the function key):",
        f"  {stack.host_url}/api/dashboard   (key {stack.function_key})",
        "what would be stopped now:",
        f"  curl -s {key} {stack.host_url}/api/compute/plan",
        "stop it now, and see it stopped (about half a minute):",
        f"  curl -s {key} -X POST {stack.host_url}/api/compute/shutdown",
        "check the scoring services (`make services` starts two real ones, of R), and see how they are:",
        f"""  curl -si {master} -d '{{"input": ""}}' {timers}/scoring_timer""",
        f"  curl -s {key} {services}",
        f"  curl -s {key} -X POST {services}/plumber-weight/check",
        "the timer of the shutdown:",
        f"""  curl -si {master} -d '{{"input": ""}}' {timers}/shutdown_timer""",
        "",
        "Ctrl-C ends all three.",
    )
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local_host.serve", description=__doc__)
    parser.add_argument("--seed", default="default", help="a name in azure_emulator/seeds")
    parser.add_argument("--folder", type=Path, required=True, help="for logs and env files")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
