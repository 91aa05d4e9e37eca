"""What infra/roles lets the service principal do in Azure Resource Manager."""

import json
from pathlib import Path

ROLES = sorted((Path(__file__).resolve().parents[2] / "infra" / "roles").glob("*.json"))
GRANTED = frozenset(
    action for role in ROLES for action in json.loads(role.read_text(encoding="utf-8"))
)
