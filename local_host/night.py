"""`python -m local_host.night`: watch one night of the app against the emulator, and what it saves.

Fires the timer as its schedule would, waits for the invocation, and prints the run's own report
from what it told Application Insights. Exit status: 0 the run succeeded, 1 it is partial or failed,
2 it could not run.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from local_host.client import send
from local_host.stack import Stack, StackError, running

SEEDS = Path("azure_emulator/seeds")
# A fifth of Azure's time: a stop takes 5 s, and a night fits into a minute.
EMULATOR_OPTIONS = ("--time-scale", "0.2")
SETTINGS = {"POLL_SECONDS": "1", "STOP_PATIENCE_SECONDS": "12", "RUN_DEADLINE_SECONDS": "30"}
# A tick of its own would be a second run in the same minute.
ONLY_WHEN_FIRED = dict.fromkeys(("SHUTDOWN_SCHEDULE", "SCORING_SCHEDULE"), "0 0 0 29 2 *")
LIMIT_SECONDS = 55.0
COULD_NOT_RUN = 2
OUTPUT_COLUMNS = 130
GOOD = {"stopped": "green", "already_stopped": "green", "left": "dim", "planned": "cyan"}


def main() -> int:
    """Run one night and print it."""
    arguments = _parse_arguments()
    # Where the output is no terminal, rich would cut the table to 80 columns.
    console = Console(width=None if sys.stdout.isatty() else OUTPUT_COLUMNS)
    try:
        with running(
            arguments.folder,
            seed=str(seed_file(arguments.seed)),
            emulator_options=EMULATOR_OPTIONS,
            settings={**SETTINGS, **ONLY_WHEN_FIRED},
        ) as stack:
            return _watch(stack, console)
    except StackError as error:
        console.print(f"[red]The night could not run:[/] {escape(str(error))}", soft_wrap=True)
        return COULD_NOT_RUN
    except (OSError, HTTPException) as error:
        console.print(f"[red]The night could not run:[/] {escape(repr(error))}", soft_wrap=True)
        return COULD_NOT_RUN


def seed_file(name: str) -> Path:
    """Return a seed that comes with the emulator. Raises StackError naming those that there are."""
    seed = SEEDS / f"{name}.json"
    if not seed.is_file():
        known = ", ".join(sorted(path.stem for path in SEEDS.glob("*.json")))
        raise StackError(f"there is no seed {name!r}; there are: {known}")
    return seed


def _watch(stack: Stack, console: Console) -> int:
    console.print(f"emulator {stack.emulator_url}, local host {stack.host_url}")
    console.print("firing [bold]shutdown_timer[/], as every 15 minutes; here it is always night")
    invocation = _fire_timer(stack)
    status = _wait(stack, invocation, console)
    events = _events(stack)
    finished = [e for e in events if e["name"] == "compute.run.finished"]
    if status["status"] == "succeeded" and not finished:
        console.print("[bold green]succeeded[/]: there was nothing to do")
        return 0
    if status["status"] == "running" or not finished:
        console.print(f"[red]The run left no report:[/] {status.get('error')}", soft_wrap=True)
        console.print(f"see {stack.folder / 'host.log'}")
        return COULD_NOT_RUN
    _print_unreadable(events, console)
    _print_instances([e for e in events if e["name"] == "compute.instance.outcome"], console)
    _print_misconfigured(events, console)
    return _print_totals(finished[-1]["properties"], status, console)


def _fire_timer(stack: Stack) -> str:
    answer = send(
        "POST",
        f"{stack.host_url}/admin/functions/shutdown_timer",
        headers={"x-functions-key": stack.master_key, "Content-Type": "application/json"},
        body={"input": ""},
    )
    if answer.status != HTTPStatus.ACCEPTED:
        raise StackError(f"the host answered {answer.status} to the timer")
    return answer.headers["x-ms-invocation-id"]


def _wait(stack: Stack, invocation: str, console: Console) -> dict[str, Any]:
    """Wait for the invocation's end, showing the machines' states as the emulator has them."""
    deadline = time.monotonic() + LIMIT_SECONDS
    with console.status("reading the estate") as shown:
        while True:
            url = f"{stack.host_url}/_local/invocations/{invocation}"
            status: dict[str, Any] = send("GET", url).json()
            if status["status"] != "running" or time.monotonic() > deadline:
                return status
            shown.update(f"instances: {_tally(stack)}")
            time.sleep(0.5)


def _tally(stack: Stack) -> str:
    url = f"{stack.emulator_url}/_emulator/state"
    computes = send("GET", url, ca_file=stack.ca_file).json()["computes"]
    instances = [c for c in computes if c["computeType"] == "ComputeInstance"]
    states = Counter(str(compute["state"] or "Creating") for compute in instances)
    return ", ".join(f"{number} {state}" for state, number in sorted(states.items()))


def _events(stack: Stack) -> Sequence[Mapping[str, Any]]:
    url = f"{stack.emulator_url}/_emulator/telemetry"
    envelopes = send("GET", url, ca_file=stack.ca_file).json()["envelopes"]
    data = [e["data"]["baseData"] for e in envelopes if e["data"]["baseType"] == "EventData"]
    return [{"name": each["name"], "properties": each.get("properties", {})} for each in data]


def _print_unreadable(events: Sequence[Mapping[str, Any]], console: Console) -> None:
    for event in events:
        if event["name"] == "compute.workspace.unreadable":
            said = event["properties"]
            workspace = said["scope_id"].rpartition("/")[2]
            text = f"[red]{workspace} could not be read:[/] {escape(said['error'])}\n"
            console.print(text, soft_wrap=True)


def _print_instances(outcomes: Sequence[Mapping[str, Any]], console: Console) -> None:
    table = Table(box=SIMPLE, pad_edge=False)
    for column in ("instance", "owner", "before", "after", "outcome", "reason"):
        # An owner without a name is a GUID, which would push the prices out.
        table.add_column(column, no_wrap=True, max_width=14 if column == "owner" else None)
    table.add_column("s", justify="right")
    table.add_column("price/h", justify="right")
    said = [event["properties"] for event in outcomes]
    said.sort(key=lambda each: (each["outcome"] not in GOOD, each["instance"]))
    for each in said:
        table.add_row(*_row(each))
    console.print(table)
    for each in (each for each in said if each["outcome"] not in GOOD):
        text = f"[red]{each['instance']}[/] {each['outcome']}: {escape(each.get('detail', ''))}"
        console.print(text, soft_wrap=True)


def _print_misconfigured(events: Sequence[Mapping[str, Any]], console: Console) -> None:
    for event in events:
        if event["name"] == "compute.tag.misconfigured":
            said = event["properties"]
            tagged = said["resource_id"].rpartition("/")[2]
            text = f"{tagged} has the tag {said['tag']}={said['value']}: {said['problem']}"
            console.print(f"[yellow]{escape(text)}[/]", soft_wrap=True)


def _row(said: Mapping[str, str]) -> tuple[str, ...]:
    outcome = said["outcome"]
    return (
        said["instance"],
        said.get("owner", "").partition("@")[0],
        said.get("state_before", "-"),
        said.get("state_after", "-"),
        f"[{GOOD.get(outcome, 'red')}]{outcome}[/]",
        said["reason"],
        f"{float(said['seconds']):.1f}" if said.get("seconds") else "",
        f"{float(said['price_per_hour']):.2f}" if "price_per_hour" in said else "?",
    )


def _print_totals(said: Mapping[str, str], status: Mapping[str, Any], console: Console) -> int:
    if "seen" not in said or "stopped" not in said:
        console.print(f"[red]{said['result']}[/]: {said.get('error')}")
        return 1
    colour = "green" if said["result"] == "succeeded" else "red"
    console.print(
        f"\n[bold {colour}]{said['result']}[/] in {float(said['seconds']):.0f} s: "
        f"{said['seen']} instances seen, {said['stopped']} stopped, {said['left']} left, "
        f"{said['failed']} failed, {said['unresolved']} unresolved. "
        f"Saves [bold]{float(said['saved_per_hour']):.2f} {said['currency']}[/] an hour."
    )
    console.print(f"run {said['run_id']}; the timer's invocation {status['status']}")
    return 0 if said["result"] == "succeeded" else 1


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local_host.night", description=__doc__)
    parser.add_argument("--seed", default="default", help="a name in azure_emulator/seeds")
    parser.add_argument("--folder", type=Path, required=True, help="for logs and env files")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
