"""azure-mgmt-machinelearningservices, whose api-versions are of 2020: list everything.

Argument: the ARM id of a machine to read. Prints one JSON object as its last line.
"""

import json
import os
import sys

from azure.mgmt.machinelearningservices import MachineLearningServicesMgmtClient

from tests.azure_emulator.independent_clients.sign_in import secret_credential


def main(compute_id: str) -> None:
    _, _, subscription, _, group, _, _, _, workspace, _, name = compute_id.split("/")
    url = os.environ["AZURE_RESOURCE_MANAGER_URL"]
    client = MachineLearningServicesMgmtClient(
        secret_credential(),
        subscription,
        base_url=url,
        credential_scopes=["https://management.azure.com/.default"],
    )
    compute = client.machine_learning_compute
    found = {
        "workspaces": sorted(str(listed.id) for listed in client.workspaces.list_by_subscription()),
        "computes": sorted(str(c.id) for c in compute.list_by_workspace(group, workspace)),
        "compute": compute.get(group, workspace, name).id,
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
