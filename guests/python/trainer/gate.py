"""Whether this machine may see the data: every part of it is attested, or the reason is told.

A guest cannot detect that its own host lies. The gate keeps an honest host from training on the
wrong machine; against a dishonest one, whoever owns the data verifies the tokens before releasing
it.
"""

from collections.abc import Callable

import wasmtime_attestation_guest as attestation


class RefusedError(Exception):
    """Why a part of the machine does not count as attested."""


def is_open(*, allow_simulated: bool) -> bool:
    """Whether the virtual machine and every GPU, of at least one, are attested; says why not."""
    gpus = attestation.detect_tee().gpu_count
    parts: dict[str, Callable[[], attestation.Attestation]] = {"vm": attestation.attest_vm}
    parts |= {f"gpu {index}": lambda i=index: attestation.attest_gpu(i) for index in range(gpus)}
    # All of them are asked, so that everything that is wrong is said at once.
    attested = [
        _is_attested(part, ask, allow_simulated=allow_simulated) for part, ask in parts.items()
    ]
    if not gpus:
        print("gpu: refused, there is none")
    return all(attested) and gpus > 0


def _is_attested(
    part: str, ask: Callable[[], attestation.Attestation], *, allow_simulated: bool
) -> bool:
    try:
        tee_type = _check(ask(), allow_simulated=allow_simulated)
    except (attestation.AttestationError, RefusedError) as reason:
        print(f"{part}: refused, {reason}")
        return False
    print(f"{part}: attested, {tee_type}")
    return True


def _check(result: attestation.Attestation, *, allow_simulated: bool) -> str:
    """Returns what a token is about, if it counts."""
    if not attestation.verify_token(result.token):
        raise RefusedError("the host does not accept its token")
    if result.tee_type == "simulated" and not allow_simulated:
        raise RefusedError("a simulation proves nothing (--allow-simulated trains all the same)")
    return result.tee_type
