"""`runCommand` of AKS clusters at Resource Manager: begun, and looked up until there is a result.

Source: Microsoft.ContainerService 2026-08-01, ManagedClusters_RunCommand and GetCommandResult.
"""

from typing import Any

from azure_emulator.answers import Answer, AzureError, Headers, json_answer
from azure_emulator.arm import request_body
from azure_emulator.arm.call import Call
from azure_emulator.arm.managed_clusters import managed_cluster
from azure_emulator.clock import zulu
from azure_emulator.compute_seed import SeedModel
from azure_emulator.kubernetes.cluster import Cluster
from azure_emulator.kubernetes.run_command import Command, run


class RunCommandRequest(SeedModel):
    """The body of runCommand."""

    command: str
    context: str = ""
    clusterToken: str = ""  # noqa: N815  # Azure's name


def begin(call: Call) -> Answer:
    """POST runCommand: 202 and where the result will be."""
    cluster = managed_cluster(call)
    asked = request_body.parse(call.body, RunCommandRequest)
    command = run(cluster, asked.command, token=asked.clusterToken, directory=call.directory)
    cluster.commands[command.id] = command
    return Answer(status=202, headers=_location(call, cluster, command))


def get_result(call: Call) -> Answer:
    """GET commandResults/{id}: 202 while it runs."""
    cluster, wanted = managed_cluster(call), call.names["command"]
    command = cluster.commands.get(wanted)
    if command is None:
        raise AzureError(404, "NotFound", f"The command '{wanted}' could not be found.")
    if not command.go_on(call.clock.now()):
        return Answer(status=202, headers=_location(call, cluster, command))
    return json_answer(_document(command))


def _location(call: Call, cluster: Cluster, command: Command) -> Headers:
    path = f"{cluster.id}/commandResults/{command.id}"
    version = call.query["api-version"]
    return ((b"location", f"{call.settings.base_url}{path}?api-version={version}".encode()),)


def _document(command: Command) -> dict[str, Any]:
    properties = {
        "provisioningState": "Succeeded",
        "exitCode": command.exit_code,
        "startedAt": zulu(command.started_at),
        "finishedAt": zulu(command.finished_at),
        "logs": command.logs,
        "reason": None,
    }
    return {"id": command.id, "properties": properties}
