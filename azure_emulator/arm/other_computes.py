"""The inner properties of computes that are no compute instances.

Source: AKS, AmlCompute, Kubernetes and their like in api-version 2025-12-01.
"""

from collections.abc import Callable
from typing import Any

from azure_emulator.seed import ComputeSeed


def properties_of(seed: ComputeSeed) -> dict[str, Any]:
    return _PROPERTIES[seed.compute_type](seed)


def _cluster(seed: ComputeSeed) -> dict[str, Any]:
    counts = ("idle", "running", "preparing", "unusable", "leaving", "preempted")
    return {
        "osType": "Linux",
        "vmSize": seed.vm_size,
        "vmPriority": "Dedicated",
        "scaleSettings": {
            "minNodeCount": 0,
            "maxNodeCount": 4,
            "nodeIdleTimeBeforeScaleDown": "PT120S",
        },
        "subnet": None,
        "isolatedNetwork": False,
        "remoteLoginPortPublicAccess": "NotSpecified",
        "allocationState": "Steady",
        "allocationStateTransitionTime": "2024-12-03T09:08:32.1234567+00:00",
        "errors": None,
        "currentNodeCount": 0,
        "targetNodeCount": 0,
        "nodeStateCounts": {f"{count}NodeCount": 0 for count in counts},
        "enableNodePublicIp": True,
    }


def _kubernetes(seed: ComputeSeed) -> dict[str, Any]:
    return {
        "namespace": "azureml",
        "defaultInstanceType": "defaultinstancetype",
        "instanceTypes": {"defaultinstancetype": {"nodeSelector": None}},
        "extensionPrincipalId": None,
        "vcName": seed.name,
    }


def _aks(seed: ComputeSeed) -> dict[str, Any]:
    return {
        "agentCount": 3,
        "agentVmSize": seed.vm_size,
        "clusterPurpose": "FastProd",
        "clusterFqdn": f"{seed.name}.hcp.westeurope.azmk8s.example",
        "loadBalancerType": "PublicIp",
        "loadBalancerSubnet": None,
        "sslConfiguration": None,
        "aksNetworkingConfiguration": None,
        "systemServices": [],
    }


def _virtual_machine(seed: ComputeSeed) -> dict[str, Any]:
    return {"virtualMachineSize": seed.vm_size, "sshPort": 22, "address": "203.0.113.10"}


def _hdinsight(seed: ComputeSeed) -> dict[str, Any]:
    del seed
    return {"sshPort": 22, "address": "203.0.113.11"}


def _databricks(seed: ComputeSeed) -> dict[str, Any]:
    return {"workspaceUrl": f"https://{seed.name}.azuredatabricks.example"}


def _data_lake(seed: ComputeSeed) -> dict[str, Any]:
    return {"dataLakeStoreAccountName": f"{seed.name}store"}


def _spark(seed: ComputeSeed) -> dict[str, Any]:
    return {
        "autoScaleProperties": {"enabled": False},
        "autoPauseProperties": {"enabled": True, "delayInMinutes": 15},
        "nodeCount": 3,
        "nodeSize": "Small",
        "nodeSizeFamily": "MemoryOptimized",
        "poolName": seed.name,
        "sparkVersion": "3.4",
    }


def _nothing(seed: ComputeSeed) -> dict[str, Any]:
    del seed
    return {}


_PROPERTIES: dict[str, Callable[[ComputeSeed], dict[str, Any]]] = {
    "AKS": _aks,
    "AmlCompute": _cluster,
    "DataFactory": _nothing,
    "DataLakeAnalytics": _data_lake,
    "Databricks": _databricks,
    "HDInsight": _hdinsight,
    "Kubernetes": _kubernetes,
    "SynapseSpark": _spark,
    "VirtualMachine": _virtual_machine,
}
