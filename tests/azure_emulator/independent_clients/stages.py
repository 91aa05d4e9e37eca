"""Lets one import of a heavy SDK serve several stages: each is a process, with an emulator's env.

Argument: a JSON list of {env, argument}. Prints a JSON list of what the client found as its last
line.
"""

import json
import os
import sys
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

Client = Callable[[str], dict[str, Any]]


def play(client: Client) -> None:
    stages = json.loads(sys.argv[1])
    ends = [_begin(client, stage) for stage in stages]
    found = json.dumps([end.recv() for end in ends])
    # azure-ai-ml's pollers print dots, without an end of line.
    sys.stdout.write(f"\n{found}\n")


def _begin(client: Client, stage: dict[str, Any]) -> Connection:
    # A fork has the SDK loaded already, and none of what another stage lets it remember.
    context = get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    context.Process(target=_live, args=(client, stage, theirs)).start()
    theirs.close()
    return ours


def _live(client: Client, stage: dict[str, Any], end: Connection) -> None:
    os.environ.update(stage["env"])
    end.send(client(stage["argument"]))
