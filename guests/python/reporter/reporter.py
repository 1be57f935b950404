"""Says where it runs, and does its work only where that is attested.

A guest cannot detect that its own host lies; whoever it sends the token to can.

Built by `make guests` with componentize-py; `wit_world` is made from the WIT.
"""

import os
import sys
from pathlib import Path

import wasmtime_attestation_guest as attestation
from componentize_py_types import Err
from wit_world.exports import Run as RunInterface

SECRET_DATA = [(0.0, 1.0), (1.0, 3.0), (2.0, 5.0), (3.0, 7.0), (4.0, 9.0)]
"""Stands for data that only a confidential machine may see."""


class Run(RunInterface):
    """The export `wasi:cli/run`."""

    def run(self) -> None:
        """Attests and then works; without a token it works without secrets, or not at all."""
        token = attest()
        if token is not None:
            save(token)
            train(SECRET_DATA)
        elif "--require" in sys.argv[1:]:
            print("decided: to stop, since attestation is required")
            raise Err(None)
        else:
            print("decided: to go on without the secret data")


def attest() -> str | None:
    """Returns a token that the host accepts, or None if there is none."""
    print(f"detected: {attestation.detect_tee().tee_type}")
    try:
        result = attestation.attest_vm()
        print(f"token: {len(result.token)} characters")
        if not attestation.verify_token(result.token):
            print("not attested: the host does not accept its own token")
            return None
        print(f"forged: {attestation.verify_token(forge(result.token))}")
        print(f"challenge: {answer_challenge()}")
    except attestation.AttestationError as error:
        print(f"not attested: {error}")
        return None
    simulated = result.tee_type == "simulated"
    print(f"attested: {result.tee_type}{', which proves nothing' if simulated else ''}")
    return result.token


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
    answer = attestation.attest(nonce, user_data=b"a public key", audience="reporter")
    verdict = attestation.verify(
        answer.token,
        nonce=nonce,
        audience="reporter",
        max_age_seconds=60,
        policy="hardware-only",
    )
    return verdict.status


def forge(token: str) -> str:
    """Changes one bit of the signature."""
    last = token[-2]
    return f"{token[:-2]}{'B' if last == 'A' else 'A'}{token[-1]}"


def train(data: list[tuple[float, float]]) -> None:
    """Fits y = slope x + intercept by gradient descent."""
    slope = intercept = 0.0
    rate = 0.05 / len(data)
    for _ in range(2000):
        errors = [(x, slope * x + intercept - y) for x, y in data]
        slope -= rate * sum(error * x for x, error in errors)
        intercept -= rate * sum(error for _, error in errors)
    print(f"trained: y = {slope:.0f} x + {intercept:.0f}")
