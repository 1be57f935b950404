"""An example guest: it says where it runs, attests, and gates its workload on the answer.

Built by `make guests` with componentize-py; `wit_world` is made from the WIT.
"""

import os
import sys
from pathlib import Path

import wasmtime_attestation_guest as attestation
from componentize_py_types import Err
from wit_world.exports import Run as RunInterface

FEATURES = [(0.0, 1.0), (1.0, 3.0), (2.0, 5.0), (3.0, 7.0)]


class Run(RunInterface):
    """The export `wasi:cli/run`."""

    def run(self) -> None:
        """Attests and then works; without a token it works without secrets, or not at all."""
        required = "--require" in sys.argv[1:]
        token = attest()
        if token is not None:
            save(token)
        if token is None and required:
            print("workload   refused: this guest works only where it can be attested")
            raise Err(None)
        print(f"workload   {'with' if token else 'without'} secrets: {train()}")


def attest() -> str | None:
    """Returns a token that the host accepts and that answers a fresh challenge, or None."""
    tee = attestation.detect_tee()
    print(f"TEE        {tee.tee_type} by {tee.provider or 'nothing'}")
    try:
        result = attestation.attest_vm()
    except attestation.AttestationError as error:
        print(f"attest-vm  failed: {error}")
        return None
    print(f"attest-vm  {len(result.token)} characters, issued at {result.timestamp}")
    print(f"verify     {attestation.verify_token(result.token)}")
    print(f"forged     {attestation.verify_token(forge(result.token))}")
    print(f"challenge  {answer_challenge()}")
    return result.token if attestation.verify_token(result.token) else None


def save(token: str) -> None:
    """Writes the token to the file after `--save`, if there is one."""
    if "--save" in sys.argv[1:-1]:
        path = Path(sys.argv[sys.argv.index("--save") + 1])
        path.write_text(token, encoding="utf-8")


def answer_challenge() -> str:
    """Plays both sides: attests for a challenge and verifies the answer as a relying party would.

    The nonce is made here, not at the top of the module: componentize-py runs
    that part once, when the guest is built.
    """
    nonce = os.urandom(32)
    try:
        answer = attestation.attest(nonce, user_data=b"a public key", audience="reporter")
        verdict = attestation.verify(
            answer.token,
            nonce=nonce,
            audience="reporter",
            max_age_seconds=60,
            policy="hardware-only",
        )
    except attestation.AttestationError as error:
        return f"failed: {error}"
    return f"{verdict.status}, {verdict.tee_type}"


def forge(token: str) -> str:
    """Changes one bit of the signature."""
    last = token[-2]
    return f"{token[:-2]}{'B' if last == 'A' else 'A'}{token[-1]}"


def train() -> str:
    """A small workload: fits a line to four points by gradient descent."""
    slope = intercept = 0.0
    for _ in range(2000):
        for x, y in FEATURES:
            error = slope * x + intercept - y
            slope -= 0.02 * error * x
            intercept -= 0.02 * error
    return f"y = {slope:.2f} x + {intercept:.2f}"
