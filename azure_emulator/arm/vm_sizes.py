"""Machine sizes with estimated prices, by region.

Source: Microsoft.MachineLearningServices 2025-12-01, VirtualMachineSizes_List. Prices are those of
Linux in West Europe, pay as you go, in USD, rounded to cents as Azure ML gives them.
"""

from typing import Any

from azure_emulator.answers import Answer, json_answer
from azure_emulator.arm import api_versions
from azure_emulator.arm.call import Call
from azure_emulator.seed import VmSize

LOW_PRIORITY_SHARE = 0.2
WINDOWS_SHARE = 1.6
COMMON_SIZES = (
    VmSize(name="Standard_DS2_v2", family="standardDSv2Family", vcpus=2, memory_gb=7, price_per_hour=0.15),
    VmSize(name="Standard_DS3_v2", family="standardDSv2Family", vcpus=4, memory_gb=14, price_per_hour=0.29),
    VmSize(name="Standard_DS4_v2", family="standardDSv2Family", vcpus=8, memory_gb=28, price_per_hour=0.59),
    VmSize(name="Standard_DS11_v2", family="standardDSv2Family", vcpus=2, memory_gb=14, price_per_hour=0.18),
    VmSize(name="Standard_DS12_v2", family="standardDSv2Family", vcpus=4, memory_gb=28, price_per_hour=0.37),
    VmSize(name="Standard_D13_v2", family="standardDv2Family", vcpus=8, memory_gb=56, price_per_hour=0.74),
    VmSize(name="Standard_E4s_v3", family="standardESv3Family", vcpus=4, memory_gb=32, price_per_hour=0.3),
    VmSize(name="Standard_E8s_v3", family="standardESv3Family", vcpus=8, memory_gb=64, price_per_hour=0.6),
    VmSize(name="Standard_F4s_v2", family="standardFSv2Family", vcpus=4, memory_gb=8, price_per_hour=0.19),
    VmSize(name="Standard_F16s_v2", family="standardFSv2Family", vcpus=16, memory_gb=32, price_per_hour=0.78),
    VmSize(name="Standard_NC6s_v3", family="standardNCSv3Family", vcpus=6, memory_gb=112, gpus=1, price_per_hour=3.82),
    VmSize(name="Standard_NC4as_T4_v3", family="standardNCASv3_T4Family", vcpus=4, memory_gb=28, gpus=1, price_per_hour=0.63),
    VmSize(name="Standard_NC24ads_A100_v4", family="standardNCADSA100v4Family", vcpus=24, memory_gb=220, gpus=1, price_per_hour=4.78),
    VmSize(name="Standard_ND40rs_v2", family="standardNDSv2Family", vcpus=40, memory_gb=672, gpus=8),
)  # fmt: skip


def list_vm_sizes(call: Call) -> Answer:
    sizes = call.estate.seed.vm_sizes or COMMON_SIZES
    # As until 2020-08-01, which azureml-core still asks for.
    name = "amlCompute" if api_versions.is_before_2021(call.query) else "value"
    return json_answer({name: [_document(size) for size in sizes]})


def _document(size: VmSize) -> dict[str, Any]:
    document = {
        "name": size.name,
        "family": size.family,
        "vCPUs": size.vcpus,
        "gpus": size.gpus,
        "osVhdSizeMB": 1047552,
        "maxResourceVolumeMB": 28672,
        "memoryGB": size.memory_gb,
        "lowPriorityCapable": True,
        "premiumIO": True,
        "supportedComputeTypes": ["AmlCompute", "ComputeInstance"],
    }
    if size.price_per_hour is not None:
        document["estimatedVMPrices"] = _prices(size.price_per_hour)
    return document


def _prices(price: float) -> dict[str, Any]:
    offers = [
        (price, "Linux", "Standard"),
        (price * WINDOWS_SHARE, "Windows", "Standard"),
        (price * LOW_PRIORITY_SHARE, "Linux", "LowPriority"),
        (price * WINDOWS_SHARE * LOW_PRIORITY_SHARE, "Windows", "LowPriority"),
    ]
    return {
        "billingCurrency": "USD",
        "unitOfMeasure": "OneHour",
        "values": [
            {"retailPrice": round(amount, 2), "osType": system, "vmTier": tier}
            for amount, system, tier in offers
        ],
    }
