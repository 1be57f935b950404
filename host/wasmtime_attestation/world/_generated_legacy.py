# Generated from the WIT world `imports` by wasmtime-attestation-bindgen; do not edit.
# Regenerate: wasmtime-attestation-bindgen host --legacy --wit WIT -o DIR
"""The world `imports` for core modules: the legacy ABI, one function after the other.

`legacy_functions.link` defines what `functions` returns. Values become JSON,
and JSON becomes values, by one callable for each type.
"""

from __future__ import annotations

from wasmtime_attestation import wit
from wasmtime_attestation.world import legacy_core as core
from wasmtime_attestation.world import legacy_json as write
from wasmtime_attestation.world import legacy_parameters as read
from wasmtime_attestation.world.legacy_functions import LegacyFunction
from wasmtime_attestation.world.memory import GuestMemory

_write_tee_type = write.labels(
    {
        wit.TeeType.NONE: '"None"',
        wit.TeeType.INTEL_TDX: '"Intel TDX"',
        wit.TeeType.INTEL_SGX: '"intel-sgx"',
        wit.TeeType.AMD_SEV: '"AMD SEV"',
        wit.TeeType.AMD_SEV_SNP: '"AMD SEV-SNP"',
        wit.TeeType.ARM_CCA: '"arm-cca"',
        wit.TeeType.IBM_SE: '"ibm-se"',
        wit.TeeType.NVIDIA_GPU: '"NVIDIA GPU"',
        wit.TeeType.SIMULATED: '"Simulated"',
        wit.TeeType.OTHER: '"other"',
    }
)


def _write_tee_info(value: wit.TeeInfo) -> str:
    return (
        f'{{"tee_type":{_write_tee_type(value.tee_type)}'
        f',"supports_attestation":{write.boolean(value.supports_attestation)}'
        f',"provider":{write.text(value.provider)}'
        f',"gpu_count":{write.u32(value.gpu_count)}}}'
    )


_write_option_string = write.option(write.text)


def _write_envelope(value: wit.AttestationResult) -> str:
    return (
        '{"success":true'
        f',"token":{write.token(value.token)}'
        f',"evidence":{_write_option_string(value.evidence)}'
        ',"error":null'
        f',"timestamp":{write.u64(value.timestamp)}'
        f',"tee_type":{_write_tee_type(value.tee_type)}}}'
    )


def _write_gpu_info(value: wit.GpuInfo) -> str:
    return (
        f'{{"index":{write.u32(value.index)}'
        f',"uuid":{write.text(value.uuid)}'
        f',"name":{write.text(value.name)}'
        f',"confidential":{write.boolean(value.confidential)}}}'
    )


_write_list_gpu_info = write.array(_write_gpu_info)
_write_option_list_u8 = write.option(write.octets)


def _write_verdict(value: wit.Verdict) -> str:
    return (
        f'{{"issuer":{write.text(value.issuer)}'
        f',"tee_type":{_write_tee_type(value.tee_type)}'
        f',"status":{write.label(value.status)}'
        f',"issued_at":{write.u64(value.issued_at)}'
        f',"expires_at":{write.u64(value.expires_at)}'
        f',"guest_digest":{_write_option_list_u8(value.guest_digest)}'
        f',"claims":{write.text(value.claims)}}}'
    )


def _read_target(value: read.Json) -> wit.Target:
    case, members = read.case(value, "vm", "gpu", "all")
    match case:
        case "vm":
            read.empty(members, "value")
            return wit.TargetVm()
        case "gpu":
            return wit.TargetGpu(read.member(members, "value", read.u32))
        case _:
            read.empty(members, "value")
            return wit.TargetAll()


_read_option_list_u8 = read.option(read.octets)
_read_option_string = read.option(read.text)


def _read_challenge(value: read.Json) -> wit.Challenge:
    members = read.members(value, "nonce", "user_data", "audience")
    return wit.Challenge(
        nonce=read.member(members, "nonce", read.octets),
        user_data=read.maybe(members, "user_data", _read_option_list_u8),
        audience=read.maybe(members, "audience", _read_option_string),
    )


_read_option_u32 = read.option(read.u32)


def _read_expectations(value: read.Json) -> wit.Expectations:
    members = read.members(value, "nonce", "audience", "max_age_seconds", "policy")
    return wit.Expectations(
        nonce=read.maybe(members, "nonce", _read_option_list_u8),
        audience=read.maybe(members, "audience", _read_option_string),
        max_age_seconds=read.maybe(members, "max_age_seconds", _read_option_u32),
        policy=read.maybe(members, "policy", _read_option_string),
    )


def functions(
    attestation: wit.Attestation,
    attester: wit.Attester,
    verifier: wit.Verifier,
) -> tuple[LegacyFunction, ...]:
    """Returns the functions of the legacy ABI, in the order of the WIT.

    The parameters implement the interfaces. A function whose result is a
    `result` returns what is in its `ok`, and raises `Failure` or an
    `AttestationError` for its `err`.
    """

    def attest_gpu(gpu_index: int) -> wit.AttestationResult:
        return attestation.attest_gpu(core.u32(gpu_index))

    def verify_token(guest: GuestMemory, token_at: int, token_size: int) -> int:
        token = guest.read(token_at, token_size)
        return core.from_boolean(attestation.verify_token(read.utf8("token", token)))

    def attest(
        guest: GuestMemory,
        target_at: int,
        target_size: int,
        challenge_at: int,
        challenge_size: int,
    ) -> wit.AttestationResult:
        target = guest.read(target_at, target_size)
        challenge = guest.read(challenge_at, challenge_size)
        return attester.attest(
            read.parameter("target", target, _read_target),
            read.parameter("challenge", challenge, _read_challenge),
        )

    def verify(
        guest: GuestMemory,
        token_at: int,
        token_size: int,
        expected_at: int,
        expected_size: int,
    ) -> wit.Verdict:
        token = guest.read(token_at, token_size)
        expected = guest.read(expected_at, expected_size)
        return verifier.verify(
            read.utf8("token", token),
            read.parameter("expected", expected, _read_expectations),
        )

    return (
        LegacyFunction(
            "detect_tee",
            "",
            "i32",
            attestation.detect_tee,
            write=_write_tee_info,
            keeps=True,
        ),
        LegacyFunction(
            "attest_vm",
            "",
            "i32",
            attestation.attest_vm,
            write=_write_envelope,
            keeps=True,
            failure=write.attestation_failure,
        ),
        LegacyFunction(
            "attest_gpu",
            "i32",
            "i32",
            attest_gpu,
            write=_write_envelope,
            keeps=True,
            failure=write.attestation_failure,
        ),
        LegacyFunction("verify_token", "i32 i32", "i32", verify_token, reads=True),
        LegacyFunction("clear_cache", "", "", attestation.clear_cache),
        LegacyFunction(
            "gpus",
            "",
            "i32",
            attester.gpus,
            write=write.ok(_write_list_gpu_info),
            failure=write.attestation_error,
        ),
        LegacyFunction(
            "attest",
            "i32 i32 i32 i32",
            "i32",
            attest,
            reads=True,
            write=_write_envelope,
            keeps=True,
            failure=write.attestation_failure,
        ),
        LegacyFunction(
            "verify",
            "i32 i32 i32 i32",
            "i32",
            verify,
            reads=True,
            write=write.ok(_write_verdict),
            keeps=True,
            failure=write.attestation_error,
        ),
    )
