"""`python -m local_host.node_packages SOURCE FOLDER`: put what SOURCE locks into FOLDER, with npm.

SOURCE holds `package.json` and `package-lock.json`. Node.js is the machine's, or one from PyPI.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from local_host.node import find_node, install_node

# No package of the locks needs a script of its own to be built.
NPM_OPTIONS = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


def main(source: Path, folder: Path) -> int:
    """Install; 1 when npm or pip could not."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(source / name, folder / name)
    try:
        node = find_node() or install_node()
        subprocess.run((*node.npm, "ci", *NPM_OPTIONS), cwd=folder, check=True)  # noqa: S603  # npm itself
    except (OSError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"{source} could not be installed: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
