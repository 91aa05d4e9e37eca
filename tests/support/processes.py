"""Processes of this machine, as /proc shows them."""

from pathlib import Path


def children_of(pid: int) -> set[int]:
    """The process ids of what a process started and has not ended."""
    children = Path(f"/proc/{pid}/task").glob("*/children")
    return {int(child) for each in children for child in each.read_text().split()}


def is_alive(pid: int) -> bool:
    """Whether there is such a process."""
    return Path(f"/proc/{pid}").exists()
