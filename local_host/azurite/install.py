"""`python -m local_host.azurite.install`: put the locked Azurite into .cache/azurite of the checkout."""

import shutil
import subprocess
import sys
from pathlib import Path

from local_host.azurite.node import CACHE, find_node, install_node

HERE = Path(__file__).parent
FOLDER = CACHE / "azurite"
SCRIPT = FOLDER / "node_modules/azurite/dist/src/azurite.js"
# No package of the lock needs a script of its own to be built.
NPM_OPTIONS = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


def main() -> int:
    """Install; 1 when npm or pip could not."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(HERE / name, FOLDER / name)
    try:
        node = find_node() or install_node()
        subprocess.run((*node.npm, "ci", *NPM_OPTIONS), cwd=FOLDER, check=True)  # noqa: S603  # npm itself
    except (OSError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"Azurite could not be installed: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
