"""The file of scoring services that `make serve` checks: the R services of `make services`, and a group to redeploy.

The group is one of the emulator's, whose address is known only once the emulator listens.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

# What `make services` starts.
EXAMPLE = Path("docs/scoring-services.example.yaml")
FILE = "scoring-services.yaml"
SERVICE = "weight-aci"
_GROUP = "/containerGroups/weight"
_ENTRY = """
  # A container group of the emulator, to try redeploys.
  - name: {name}
    group: local
    owner: whoever reads this
    kind: aci
    url: {url}
    resource_id: {resource_id}
    checks:
      golden:
        - name: height 138
          path: /weight
          query: {{height: 138}}
          expect:
            - {{at: "$.response[0]", equals: 161.8533, absolute: 5e-5}}
"""


def write_services(folder: Path, state: dict[str, Any]) -> Path:
    """Write the file; `state` is what GET /_emulator/state says. Returns its path.

    A seed without the container group leaves the services of the example.
    """
    text = EXAMPLE.read_text("utf-8")
    groups = state["container_groups"]
    for group in (each for each in groups if each["id"].endswith(_GROUP)):
        text += _ENTRY.format(name=SERVICE, url=group["url"], resource_id=group["id"])
    path = folder / FILE
    path.write_text(text, "utf-8")
    return path
