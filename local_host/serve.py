"""`python -m local_host.serve`: run the app, the emulator and Azurite until Ctrl-C, to try things."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from local_host.client import send
from local_host.local_services import FILE, SERVICE, write_services
from local_host.night import SETTINGS, seed_file
from local_host.stack import Stack, StackError, running

COULD_NOT_RUN = 2
# A redeploy after the other, to see both ends.
REDEPLOYS = {"SCORING_REDEPLOY_COOLDOWN_SECONDS": "0", "SCORING_REDEPLOY_BUDGET": "100"}


def main() -> int:
    """Serve until SIGINT or SIGTERM; 0 then, 2 when something did not start."""
    arguments = _parse_arguments()
    console = Console()
    try:
        with running(
            arguments.folder,
            seed=str(seed_file(arguments.seed)),
            emulator_options=("--time-scale", "1"),
            settings={
                **SETTINGS,
                "POLL_SECONDS": "5",
                "RUN_DEADLINE_SECONDS": "180",
                "SCORING_SERVICES": _in_the_app(arguments.folder / FILE),
                **REDEPLOYS,
            },
            before_host=partial(_declare_services, arguments.folder),
        ) as stack:
            _show(stack, console)
            _wait_for_end()
    except StackError as error:
        console.print(f"[red]could not serve:[/] {escape(str(error))}", soft_wrap=True)
        return COULD_NOT_RUN
    return 0


def _in_the_app(path: Path) -> str:
    """The path as the app takes one: below the current directory. Raises StackError elsewhere."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        raise StackError(f"the app reads no file outside its own folder: {path}") from None


def _declare_services(folder: Path, emulator_url: str, ca_file: Path) -> None:
    state = send("GET", f"{emulator_url}/_emulator/state", ca_file=ca_file).json()
    write_services(folder, state)


def _wait_for_end() -> None:
    # Blocked only now: the children, started before, end on these signals as usual.
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    signal.sigwait(signals)


def _show(stack: Stack, console: Console) -> None:
    for line in (*_where(stack), *_calls(stack), *_redeploys(stack), "", "Ctrl-C ends all three."):
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def _where(stack: Stack) -> Iterable[str]:
    return (
        f"emulator    {stack.emulator_url}   (CA {stack.ca_file}; control plane /_emulator/state)",
        f"azurite     {stack.azurite.queue_endpoint} and {stack.azurite.table_endpoint}",
        f"local host  {stack.host_url}   (logs in {stack.folder})",
        f"services    {stack.folder / FILE}   (change it: the next check reads it)",
        "",
        "Answers are JSON on one line: `| python3 -m json.tool` makes them legible. The examples in docs/ need:",
        f"  URL={stack.host_url} KEY={stack.function_key}",
    )


def _calls(stack: Stack) -> Iterable[str]:
    key = _with_key(stack)
    services = f"{stack.host_url}/api/scoring/services"
    return (
        "",
        "what is wrong now (a page for a browser; it asks for the function key):",
        f"  {stack.host_url}/api/dashboard   (key {stack.function_key})",
        "what would be stopped now:",
        f"  {key} {stack.host_url}/api/compute/plan",
        "stop it now, and see it stopped (about half a minute):",
        f"  {key} -X POST {stack.host_url}/api/compute/shutdown",
        "the timer of the shutdown (answers 202 at once; its report is in the list of runs, after three minutes at most):",
        f"  {_fired(stack, 'shutdown_timer')}",
        f"  {key} {stack.host_url}/api/compute/runs",
        "check the scoring services (`make services` starts two real ones, of R), and see how they are:",
        f"  {_fired(stack, 'scoring_timer')}",
        f"  {key} {services}",
        f"  {key} -X POST {services}/plumber-weight/check",
    )


def _redeploys(stack: Stack) -> Iterable[str]:
    service = f"{stack.host_url}/api/scoring/services/{SERVICE}"
    post = f"{_with_key(stack)} -i -X POST {service}/redeploy -d"
    image = "contoso.azurecr.io/weight"
    return (
        "redeploy a container group: to an image that answers right (proven within a minute or two) ...",
        f"""  {post} '{{"image": "{image}:2", "reason": "to try it"}}'""",
        "... then to one that answers wrongly, or crashes (put back, and proven again):",
        f"""  {post} '{{"image": "{image}:other-model", "reason": "to see it undone"}}'""",
        f"""  {post} '{{"image": "{image}:crashes", "reason": "to see it undone"}}'""",
        "... and see how far they are, step by step, newest first:",
        f"  {_with_key(stack)} {service}/redeploys",
    )


def _with_key(stack: Stack) -> str:
    return f"curl -s -H 'x-functions-key: {stack.function_key}'"


def _fired(stack: Stack, timer: str) -> str:
    headers = f"-H 'x-functions-key: {stack.master_key}' -H 'Content-Type: application/json'"
    url = f"{stack.host_url}/admin/functions/{timer}"
    return f"""curl -si {headers} -d '{{"input": ""}}' {url}"""


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local_host.serve", description=__doc__)
    parser.add_argument("--seed", default="default", help="a name in azure_emulator/seeds")
    parser.add_argument("--folder", type=Path, required=True, help="for logs and env files")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
