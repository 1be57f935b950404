"""What NVIDIA's service says of one device: claims versions 2.0 and 3.0.

Two kinds of "no" are kept apart. Where the service could not authenticate the evidence, there is
nothing to appraise, and the token is of no use. Where it did and the device is not as it should
be, the token is good and its answer is bad.

Source: NVIDIA Attestation documentation, "GPU claims" and "Switch claims", versions 2.0 and 3.0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from wasmtime_attestation.claims.verdict import Environment
from wasmtime_attestation.errors import Finding
from wasmtime_attestation.evidence.strict_json import Json, brief
from wasmtime_attestation.wit import Status, TeeType

VERSIONS = ("2.0", "3.0")
"""The versions of claims that are known (`x-nvidia-ver`)."""
ISSUER = "policy.issuer-status"
"""The finding for what an issuer says against a device."""
ERRORS = "x-nvidia-error-details"

# NVIDIA/attestation-sdk, verify.cpp; NVIDIA/nvtrust issue 153 for 4005.
_CODES = {
    "4003": "the nonce in the request is invalid",
    "4005": "the evidence is malformed",
    "4007": "the device's certificate chain is not valid",
    "4010": "the evidence answers another nonce than the request's: it may be a replay",
    "4013": "the evidence's signature is not the device's",
    "4014": "the device's certificate chain is not valid",
    "4015": "the device's certificate chain is not valid",
    "5013": "the signature of a reference manifest (RIM) is not valid",
}


@dataclass(frozen=True, slots=True)
class Device:
    """One submodule of the service's answer.

    Attributes:
        name: such as GPU-0.
        claims: what its token says.
        version: of the claims.
    """

    name: str
    claims: dict[str, Json]
    version: str

    @property
    def index(self) -> int:
        """The number in the name."""
        return int(self.name.rpartition("-")[2])

    @property
    def serial(self) -> int | None:
        """The serial number of the device's certificate (`ueid`), which is in decimal."""
        value = self.claims.get("ueid")
        is_number = isinstance(value, str) and value.isascii() and value.isdigit()
        return int(str(value)) if is_number and len(str(value)) <= 50 else None

    def unauthentic(self) -> Iterator[str]:
        """Yields why the service did not authenticate the evidence, if it did not."""
        if self.claims.get(ERRORS) is not None:
            yield self._error()
            return
        report = self._prefixed("attestation-report")
        for name, meaning in (
            (f"{report}-parsed", "the evidence could not be read"),
            (f"{report}-signature-verified", "the evidence's signature does not hold"),
            (f"{report}-nonce-match", "the evidence answers another nonce"),
            (self._prefixed("arch-check"), "the evidence is of another architecture"),
        ):
            if self.claims.get(name) is not True:
                yield f"{name} is not true: {meaning}"
        yield from self._chain(report)
        if self.version != "2.0" and self.claims.get(f"{report}-cert-chain-fwid-match") is not True:
            yield f"{report}-cert-chain-fwid-match is not true: the firmware is not the certified"

    def environment(self) -> Environment:
        """Returns the device, whose evidence is authentic."""
        against = tuple(Finding(ISSUER, detail) for detail in self._against())
        warning = self.claims.get("x-nvidia-attestation-warning")
        warned = () if warning is None else (Finding(ISSUER, f"a warning: {brief(warning)}"),)
        status = Status.WARNING if warned else Status.AFFIRMING
        return Environment(
            name=self.name,
            # A switch has no label of its own in the WIT.
            tee_type=TeeType.NVIDIA_GPU if self._is_gpu else TeeType.OTHER,
            status=Status.CONTRAINDICATED if against else status,
            debug=self.claims.get("dbgstat") != "disabled",
            measurements=dict(self._versions()),
            findings=against + warned,
        )

    def _against(self) -> Iterator[str]:
        """Yields what is not as it should be."""
        for name, right, meaning in (
            ("measres", "success", "the firmware's measurements are not NVIDIA's reference values"),
            ("secboot", True, "secure boot is not shown"),
            ("dbgstat", "disabled", "the device may be open for debugging"),
        ):
            value = self.claims.get(name)
            # By type too: 1 equals True.
            if type(value) is not type(right) or value != right:
                yield f"{name} is {brief(value)}: {meaning}"
        if self._is_gpu:
            yield from self._manifest("driver-rim")
            yield from self._manifest("vbios-rim")
            if self.claims.get("x-nvidia-gpu-vbios-index-no-conflict") is not True:
                yield "x-nvidia-gpu-vbios-index-no-conflict is not true: two manifests collide"
        else:
            yield from self._manifest("bios-rim")

    def _manifest(self, kind: str) -> Iterator[str]:
        """Reference values count only where their manifest was found, read and verified."""
        rim = self._prefixed(kind)
        names = ["fetched", "schema-validated", "signature-verified", "measurements-available"]
        if self.version != "2.0":
            names.append("version-match")
        for name in names:
            if self.claims.get(f"{rim}-{name}") is not True:
                yield f"{rim}-{name} is not true: the reference values are not vouched for"
        yield from self._chain(rim)

    def _chain(self, what: str) -> Iterator[str]:
        if self.version == "2.0":
            name = f"{what}-cert-chain-validated" if what.endswith("report") else (
                f"{what}-cert-validated"
            )  # fmt: skip
            if self.claims.get(name) is not True:
                yield f"{name} is not true: the certificates do not hold"
            return
        chain = self.claims.get(f"{what}-cert-chain")
        members = chain if isinstance(chain, dict) else {}
        status = members.get("x-nvidia-cert-status")
        revocation = members.get("x-nvidia-cert-ocsp-status")
        if status != "valid" or revocation != "good":
            yield f"{what}-cert-chain is {brief(status)}, its revocation status {brief(revocation)}"

    def _versions(self) -> Iterator[tuple[str, str]]:
        if self.serial is not None:
            yield "ueid", str(self.serial)
        for name in ("driver-version", "vbios-version", "bios-version"):
            value = self.claims.get(self._prefixed(name))
            if isinstance(value, str):
                yield name, value
        if isinstance(model := self.claims.get("hwmodel"), str):
            yield "hwmodel", model

    def _error(self) -> str:
        details = self.claims[ERRORS]
        members = details if isinstance(details, dict) else {}
        code, message = members.get("code"), members.get("message")
        said = "" if message is None else f" ({brief(message)})"
        if not isinstance(code, str | int):
            return f"the service failed: {brief(details)}"
        meaning = _CODES.get(str(code), "the service did not verify the evidence")
        return f"error {brief(code)}: {meaning}{said}"

    def _prefixed(self, name: str) -> str:
        return f"x-nvidia-{'gpu' if self._is_gpu else 'switch'}-{name}"

    @property
    def _is_gpu(self) -> bool:
        return self.name.startswith("GPU-")
