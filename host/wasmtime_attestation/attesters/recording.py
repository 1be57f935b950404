"""A recording: evidence of a machine with everything that is needed to replay it elsewhere.

One JSON file (`docs/collecting.md`, "Record and replay"): what was collected, what it is bound
to, when, what speaks for it, and what the machine said of itself.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.evidence import base64url, envelope_json, members, strict_json
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType, RawEndorsement
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.evidence.token import (
    MAX_AUDIENCE,
    MAX_EVIDENCE,
    MAX_USER_DATA,
    NONCE_SIZES,
    PROFILE,
    Binding,
    EvidenceToken,
)
from wasmtime_attestation.verifier.binding import thumbprint
from wasmtime_attestation.verifier.replayed import Recorded
from wasmtime_attestation.verifier.token import binding_of
from wasmtime_attestation.wit import GpuInfo, TeeInfo, TeeType

KIND = "wasmtime-attestation recording"
SCHEMA = 1
MAX_ENDORSEMENTS = 256
MAX_GPUS = 64
_MAX_TEXT = 256
_MAX_REMARKS = 64
_MEMBERS = {
    "kind",
    "schema",
    "recorded_at",
    "context",
    "simulated_root",
    "tee",
    "gpus",
    "first_gpu",
    "binding",
    "evidence",
    "endorsements",
    "redacted",
}


@dataclass(frozen=True, slots=True)
class Recording:
    """What was recorded.

    Attributes:
        info: what the machine was.
        gpus: its GPUs.
        recorded: the evidence, what it is bound to, and when it was collected.
        first_gpu: the index of the first GPU that there is evidence of; the others follow it.
        endorsements: what speaks for the evidence, besides what came with it.
        simulated_root: SHA-256 of the root of a simulated machine; None of a real one.
        context: whose cloud, the kernel, our version: for people.
    """

    info: TeeInfo
    gpus: tuple[GpuInfo, ...]
    recorded: Recorded
    first_gpu: int = 0
    endorsements: tuple[RawEndorsement, ...] = ()
    simulated_root: bytes | None = None
    context: dict[str, str] = field(default_factory=dict)

    @property
    def of_gpus(self) -> tuple[Evidence, ...]:
        """The evidence of GPUs, in order."""
        return tuple(e for e in self.recorded.evidence if e.type is EvidenceType.NVIDIA_GPU)

    def decoded_endorsements(self) -> Endorsements:
        """Returns what speaks for the evidence.

        Raises:
            InvalidArgumentError: an endorsement is not what its type says.
        """
        try:
            return Endorsements.of_raw(self.endorsements)
        except ValueError as error:
            raise InvalidArgumentError(f"an endorsement of the recording: {error}") from error

    def simulated_by(self, root: bytes | None) -> Recording:
        """Returns the same, of a simulation with this root; None leaves it as it is."""
        return self if root is None else replace(self, simulated_root=root)

    def redacted(self, evidence: tuple[Evidence, ...], remarks: tuple[str, ...]) -> Recording:
        """Returns the same with other evidence, which no longer verifies."""
        recorded = replace(
            self.recorded, evidence=evidence, redacted=self.recorded.redacted + remarks
        )
        return replace(self, recorded=recorded)

    def encode(self) -> bytes:
        """Returns the content of a file."""
        recorded = self.recorded
        document: dict[str, Json] = {
            "kind": KIND,
            "schema": SCHEMA,
            "recorded_at": recorded.at,
            "context": dict(self.context),
            "simulated_root": None if self.simulated_root is None else self.simulated_root.hex(),
            "tee": {"tee_type": self.info.tee_type, "provider": self.info.provider},
            "gpus": [
                {"uuid": gpu.uuid, "name": gpu.name, "confidential": gpu.confidential}
                for gpu in self.gpus
            ],
            "first_gpu": self.first_gpu,
            "binding": _of_binding(recorded.binding),
            "evidence": [envelope_json.of_evidence(piece) for piece in recorded.evidence],
            "endorsements": [envelope_json.of_endorsement(e) for e in self.endorsements],
            "redacted": [*recorded.redacted],
        }
        return json.dumps(document, indent=1).encode() + b"\n"

    @classmethod
    def decode(cls, data: bytes) -> Recording:
        """Reads the content of a file.

        Raises:
            ValueError: it is no recording; the message says why.
        """
        document = members.members("the recording", strict_json.loads(data), _MEMBERS)
        if document["kind"] != KIND or document["schema"] != SCHEMA:
            raise ValueError(f"it is no {KIND} of schema {SCHEMA}")
        tee = members.members("tee", document["tee"], {"tee_type", "provider"})
        gpus = members.array("gpus", document["gpus"], MAX_GPUS)
        root = document["simulated_root"]
        return cls(
            info=TeeInfo(
                members.one_of(TeeType, "tee.tee_type", tee["tee_type"]),
                supports_attestation=True,
                provider=members.bounded("tee.provider", tee["provider"], _MAX_TEXT),
                gpu_count=len(gpus),
            ),
            gpus=tuple(_gpu(index, value) for index, value in enumerate(gpus)),
            recorded=_recorded(document),
            first_gpu=members.number("first_gpu", document["first_gpu"], MAX_GPUS),
            endorsements=tuple(
                envelope_json.to_endorsement(item)
                for item in members.array(
                    "endorsements", document["endorsements"], MAX_ENDORSEMENTS
                )
            ),
            simulated_root=None if root is None else _digest("simulated_root", root),
            context=_context(document["context"]),
        )


def of_token(
    token: EvidenceToken,
    info: TeeInfo,
    gpus: tuple[GpuInfo, ...],
    first_gpu: int,
    context: dict[str, str],
) -> Recording:
    """Returns the recording of what a token carries.

    Args:
        token: that this process issued just now.
        info: what the machine is.
        gpus: its GPUs.
        first_gpu: the index of the first GPU that the token has evidence of.
        context: whose cloud, the kernel, our version.
    """
    binding = binding_of(token, thumbprint(token.key))
    recorded = Recorded(token.evidence, binding, token.issued_at)
    return Recording(info, gpus, recorded, first_gpu, context=context)


def _of_binding(binding: Binding) -> Json:
    return {
        "nonce": base64url.encode(binding.nonce),
        "key_thumbprint": base64url.encode(binding.key_thumbprint),
        "guest_digest": _optional(binding.guest_digest),
        "user_data": _optional(binding.user_data),
        "audience": binding.audience,
    }


def _optional(data: bytes | None) -> str | None:
    return None if data is None else base64url.encode(data)


def _recorded(document: dict[str, Json]) -> Recorded:
    at = members.number("recorded_at", document["recorded_at"], 1 << 36)
    pieces = members.array("evidence", document["evidence"], MAX_EVIDENCE)
    remarks = members.array("redacted", document["redacted"], _MAX_REMARKS)
    if not pieces:
        raise ValueError("it has no evidence")
    return Recorded(
        evidence=tuple(envelope_json.to_evidence(piece) for piece in pieces),
        binding=_binding(document["binding"]),
        at=at,
        redacted=tuple(members.bounded("redacted", remark, _MAX_TEXT) for remark in remarks),
    )


def _binding(value: Json) -> Binding:
    """Only evidence of real tokens is recorded, so that a replay cannot be recorded again."""
    names = {"nonce", "key_thumbprint", "guest_digest", "user_data", "audience"}
    binding = members.members("binding", value, names)
    digest, data, audience = (binding[n] for n in ("guest_digest", "user_data", "audience"))
    return Binding(
        profile=PROFILE,
        nonce=members.sized("binding.nonce", binding["nonce"], NONCE_SIZES),
        key_thumbprint=members.sized(
            "binding.key_thumbprint", binding["key_thumbprint"], range(32, 33)
        ),
        guest_digest=(
            None if digest is None else members.sized("binding.guest_digest", digest, range(32, 33))
        ),
        user_data=(
            None
            if data is None
            else members.sized("binding.user_data", data, range(MAX_USER_DATA + 1))
        ),
        audience=(
            None
            if audience is None
            else members.bounded("binding.audience", audience, MAX_AUDIENCE)
        ),
    )


def _gpu(index: int, value: Json) -> GpuInfo:
    gpu = members.members("gpu", value, {"uuid", "name", "confidential"})
    return GpuInfo(
        index,
        members.bounded("gpu.uuid", gpu["uuid"], _MAX_TEXT),
        members.bounded("gpu.name", gpu["name"], _MAX_TEXT),
        members.boolean("gpu.confidential", gpu["confidential"]),
    )


def _digest(what: str, value: Json) -> bytes:
    digest = bytes.fromhex(members.string(what, value))
    if len(digest) != 32:
        raise ValueError(f"{what} is no SHA-256 digest in hex")
    return digest


def _context(value: Json) -> dict[str, str]:
    if not isinstance(value, dict) or len(value) > _MAX_REMARKS:
        raise ValueError(f"context is no object of at most {_MAX_REMARKS} members")
    return {
        name[:_MAX_TEXT]: members.bounded("context", text, _MAX_TEXT)
        for name, text in value.items()
    }
