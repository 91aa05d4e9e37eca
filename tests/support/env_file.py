"""Env files that a test gives to a host: settings of its own, behind those of the emulator."""

from collections.abc import Mapping
from pathlib import Path


def write_env_file(path: Path, settings: Mapping[str, str]) -> Path:
    """Write the settings, one a line and as they are, and return the path."""
    path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), "utf-8")
    return path
