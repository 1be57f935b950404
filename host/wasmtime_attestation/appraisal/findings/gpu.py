"""What an appraisal finds of NVIDIA GPUs and NVSwitches."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from wasmtime_attestation.checks.rule import Rule

_SDK = "NVIDIA attestation SDK, local verifier"

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "policy.gpu-architecture": Rule(
            requirement="The architecture is one of `gpu.architectures`.",
            meaning="The device is a GPU or a switch of a kind that you did not name.",
            remedy="If you know it, add its architecture to `gpu.architectures`.",
            source=_SDK,
        ),
        "policy.gpu-ueid": Rule(
            requirement="The serial number of the device's certificate is one of `gpu.ueids`.",
            meaning="It is a genuine device, and none of those that you know.",
            remedy="If you know the device, add its number to `gpu.ueids`.",
            source="NVIDIA Remote Attestation Service, claim ueid",
        ),
        "policy.gpu-mode": Rule(
            requirement="The mode in the report is one of `gpu.modes`.",
            meaning="GPUs are passed through in another way, or the driver is too old to say.",
            remedy="Configure the mode, update the driver, or accept the mode in `gpu.modes`.",
            source="NVIDIA Opaque Data Format (FEATURE_FLAG)",
        ),
        "policy.gpu-count": Rule(
            requirement="The evidence is of as many distinct GPUs as `gpu.expected-count` says.",
            meaning="A GPU is missing, was counted twice, or there is one that you do not expect.",
            remedy="Give the evidence of all GPUs in one document, or correct the number.",
            source="RFC 9334 section 3.3 (Composite Device)",
        ),
        "policy.gpu-driver-version": Rule(
            requirement="The driver's version is one of `gpu.driver-versions` and at least "
            "`gpu.minimum-driver-version`.",
            meaning="The driver may have flaws that were found since, or is not one that you know.",
            remedy="Update the driver, or add its version to `gpu.driver-versions`.",
            source="NVIDIA Opaque Data Format (DRIVER_VERSION)",
        ),
        "policy.gpu-vbios-version": Rule(
            requirement="The version of the VBIOS, or of a switch's BIOS, is one of "
            "`gpu.vbios-versions` and at least `gpu.minimum-vbios-version`.",
            meaning="The firmware may have flaws that were found since, or is not one that you "
            "know.",
            remedy="Update the firmware, or add its version to `gpu.vbios-versions`.",
            source="NVIDIA Opaque Data Format (VBIOS_VERSION)",
        ),
        "policy.gpu-revocation": Rule(
            requirement="Where `gpu.require-revocation-check` is set, every certificate of the "
            "device and of its manifests was found not to be revoked.",
            meaning="Nobody looked whether NVIDIA revoked the device or a manifest's signer.",
            remedy="Give current OCSP responses with --endorsements; the checks "
            "nvidia.device-revocation and nvidia.rim-revocation say about which certificates.",
            source="RFC 6960 section 2",
        ),
    }
)
