"""Where the instances of Azure Attestation are that Microsoft shares, by Azure's name of a region.

Source: Microsoft, Azure guest attestation SDK and cvm-attestation-tools, tables of endpoints.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_PUBLIC = "https://shared{0}.{0}.attest.azure.net"
_US_GOVERNMENT = "https://shared{0}.{0}.attest.azure.us"
_SHORT: Mapping[str, str] = MappingProxyType(
    {
        "australiacentral": "cau",
        "australiacentral2": "cau2",
        "australiaeast": "eau",
        "australiasoutheast": "sau",
        "austriaeast": "ate",
        "brazilsouth": "sbr",
        "brazilsoutheast": "sebr",
        "canadacentral": "cac",
        "canadaeast": "cae",
        "centralindia": "cin",
        "centralus": "cus",
        "centraluseuap": "cuse",
        "chilecentral": "clc",
        "eastasia": "easia",
        "eastus": "eus",
        "eastus2": "eus2",
        "eastus2euap": "eus2e",
        "francecentral": "frc",
        "francesouth": "frs",
        "germanynorth": "den",
        "germanywestcentral": "dewc",
        "israelcentral": "ilc",
        "italynorth": "itn",
        "japaneast": "jpe",
        "japanwest": "jpw",
        "jioindiacentral": "jinc",
        "jioindiawest": "jinw",
        "koreacentral": "krc",
        "koreasouth": "krs",
        "malaysiasouth": "mys",
        "mexicocentral": "mxc",
        "newzealandnorth": "nzn",
        "northcentralus": "ncus",
        "northeurope": "neu",
        "norwayeast": "noe",
        "norwaywest": "now",
        "polandcentral": "plc",
        "southafricanorth": "san",
        "southafricawest": "saw",
        "southcentralus": "scus",
        "southeastasia": "sasia",
        "southindia": "sin",
        "spaincentral": "esc",
        "swedencentral": "sec",
        "swedensouth": "ses",
        "switzerlandnorth": "swn",
        "switzerlandwest": "sww",
        "taiwannorth": "twn",
        "taiwannorthwest": "twnw",
        "uaecentral": "uaec",
        "uaenorth": "uaen",
        "uksouth": "uks",
        "ukwest": "ukw",
        "westcentralus": "wcus",
        "westeurope": "weu",
        "westindia": "win",
        "westus": "wus",
        "westus2": "wus2",
        "westus3": "wus3",
    }
)
_GOVERNMENT: Mapping[str, str] = MappingProxyType(
    {"usgovarizona": "uga", "usgovtexas": "uga", "usgovvirginia": "ugv"}
)
REGIONS = (*_SHORT, *_GOVERNMENT)


def shared_instance(region: str) -> str:
    """Returns the address of the instance that a region's machines share.

    Args:
        region: one of `REGIONS`.
    """
    if region in _GOVERNMENT:
        return _US_GOVERNMENT.format(_GOVERNMENT[region])
    return _PUBLIC.format(_SHORT[region])
