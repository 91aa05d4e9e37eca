"""The management SDK of container groups, unmodified, against the emulator."""

from pathlib import Path

from tests.azure_emulator.test_independent_clients import run_client
from tests.support.container_groups import GROUP_ID, REPOSITORY, with_group
from tests.support.emulator import EmulatorProcess


def test_the_management_client_does_all_that_can_be_done_to_a_group(
    emulator: EmulatorProcess, tmp_path: Path
) -> None:
    with_group(emulator)
    stage = (emulator, f"{GROUP_ID} {REPOSITORY}:2")

    (found,) = run_client("mgmt_containerinstance", stage, home=tmp_path)

    assert found["listed"] == found["in_group"] == [GROUP_ID]
    assert found["message"].startswith(f'Successfully pulled image "{REPOSITORY}@sha256:')
    assert found["updated"] == ["Succeeded", f"{REPOSITORY}:2"]
    assert (found["stopped"], found["tags"]) == ("Stopped", {"team": "growth"})
    assert found["log"] in {"The second.\n", ""}
