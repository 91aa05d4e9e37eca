"""The inner properties of computes that are no compute instances.

Source: AKS, AmlCompute, Kubernetes and their like in api-version 2025-12-01.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from azure_emulator.clock import recorded
from azure_emulator.compute_seed import ComputeSeed
from azure_emulator.estate.compute import Version
from azure_emulator.estate.nodes import Cluster


def properties_of(seed: ComputeSeed, version: Version) -> dict[str, Any]:
    if version.cluster is not None:
        return _cluster(seed, version.cluster)
    return _PROPERTIES[seed.compute_type](seed)


def _cluster(seed: ComputeSeed, cluster: Cluster) -> dict[str, Any]:
    scale, nodes = cluster.scale, cluster.nodes
    return {
        "osType": "Linux",
        "vmSize": seed.vm_size,
        "vmPriority": "Dedicated",
        "scaleSettings": {
            "minNodeCount": scale.min_nodes,
            "maxNodeCount": scale.max_nodes,
            "nodeIdleTimeBeforeScaleDown": scale.idle_time,
        },
        "subnet": None,
        "isolatedNetwork": False,
        "remoteLoginPortPublicAccess": "NotSpecified",
        "allocationState": "Steady" if nodes.steady else "Resizing",
        "allocationStateTransitionTime": recorded(cluster.steady_since),
        "errors": [],
        "currentNodeCount": nodes.current,
        "targetNodeCount": nodes.target,
        "nodeStateCounts": {f"{state}NodeCount": n for state, n in asdict(nodes).items()},
        "enableNodePublicIp": True,
    }


def _kubernetes(seed: ComputeSeed) -> dict[str, Any]:
    return {
        "namespace": "azureml",
        "defaultInstanceType": "defaultinstancetype",
        "instanceTypes": {"defaultinstancetype": {"nodeSelector": {}}},
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
    "DataFactory": _nothing,
    "DataLakeAnalytics": _data_lake,
    "Databricks": _databricks,
    "HDInsight": _hdinsight,
    "Kubernetes": _kubernetes,
    "SynapseSpark": _spark,
    "VirtualMachine": _virtual_machine,
}
