"""The policies that come with this package: each is a text as users write them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

HARDWARE_ONLY = "hardware-only"
STRICT = "strict"
AZURE_CVM = "azure-cvm"
GPU = "gpu"

TEXTS: Mapping[str, str] = MappingProxyType(
    {
        # Simulated evidence reaches appraisal only where its root was named as trusted.
        HARDWARE_ONLY: """
schema = 1
accept = ["amd-sev-snp", "intel-tdx", "nvidia-gpu", "simulated"]

[snp]
allow-migration-agent = true

[tdx]
tcb-statuses = [
  "UpToDate", "SWHardeningNeeded", "ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded",
  "OutOfDate", "OutOfDateConfigurationNeeded",
  "TDRelaunchAdvised", "TDRelaunchAdvisedConfigurationNeeded",
]
allow-migration = true
allow-service-td = true
allow-reserved-attributes = true
require-sept-ve-disable = false

[azure]
require-tpm-quote = false
""",
        # SMT stays allowed: no public cloud offers guests without it, and current microcode
        # is what the minimum TCB asks for.
        STRICT: """
schema = 1
accept = ["amd-sev-snp", "intel-tdx"]
require-reference-values = true

[snp]
vmpl = [0]
allow-migration-agent = false
allow-smt = true
require-minimum-tcb = true
require-revocation-check = true
unsafe-allow-debug = false

[tdx]
tcb-statuses = ["UpToDate"]
allow-migration = false
allow-service-td = false
require-sept-ve-disable = true
unsafe-allow-debug = false

[azure]
require-tpm-quote = true
require-secure-boot = true
required = false
""",
        AZURE_CVM: """
schema = 1
extends = "hardware-only"

[azure]
required = true
require-tpm-quote = true
require-secure-boot = true
""",
        # A GPU's state needs no setting: what is not golden is not authentic.
        GPU: """
schema = 1
accept = ["nvidia-gpu", "simulated"]

[gpu]
architectures = ["HOPPER", "BLACKWELL"]
require-revocation-check = true
""",
    }
)
"""By name, what each preset says."""
