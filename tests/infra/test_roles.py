"""The roles in infra/roles: what the service principal may do, and what documents say of it."""

import json
import re
from pathlib import Path

import pytest

from tests.support.roles import GRANTED, ROLES

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENTS = (
    "docs/clusters.md",
    "docs/container-groups.md",
    "docs/guardrails.md",
    "docs/redeploys.md",
)


def ids(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("role", ROLES, ids=ids)
def test_a_role_names_actions_in_full_and_once(role: Path) -> None:
    actions = json.loads(role.read_text(encoding="utf-8"))

    assert actions
    assert len(set(actions)) == len(actions)
    assert all(
        re.fullmatch(r"Microsoft(\.\w+)+/[\w/]+/(read|write|delete|action)", a) for a in actions
    )


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_right_that_a_document_asks_for_is_in_a_role(document: str) -> None:
    text = (REPOSITORY / document).read_text(encoding="utf-8")

    asked = set(re.findall(r"`(Microsoft\.[\w/.]+/(?:read|write|delete|action))`", text))

    assert asked
    assert asked <= GRANTED
