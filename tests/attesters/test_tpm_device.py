"""The emulated device behaves as the kernel's: drivers/char/tpm/tpm-dev-common.c, line by line."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.emulation.azure import AzureVm
from tests.emulation.namespace import Namespace

PROGRAM = """
import errno, os
RANDOM = bytes.fromhex("80010000000c0000017b0010")  # TPM2_GetRandom of 16 bytes
ANSWER = 10 + 2 + 16

def refused(data):
    try:
        os.write(device, data)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "taken"

device = os.open("/dev/tpmrm0", os.O_RDWR)
assert os.read(device, 10) == b"", "nothing to read before a command"
assert refused(RANDOM[:5]) == "EINVAL", "shorter than tag and size"
assert refused(RANDOM[:11]) == "EINVAL", "shorter than it says"
assert refused(bytes(4097)) == "E2BIG"
assert os.write(device, RANDOM + b"x") == 13, "what follows a command is taken and ignored"
assert refused(RANDOM) == "EBUSY", "its response was not read"
first = os.read(device, 4)
assert len(first) == 4 and os.read(device, 4096)[8:] and os.read(device, 1) == b""
assert os.write(device, RANDOM) == 12
assert len(os.read(device, 1)) == 1
assert os.write(device, RANDOM) == 12, "a response that was begun may be dropped"
other = os.open("/dev/tpmrm0", os.O_RDWR)
assert os.read(other, 4096) == b"", "each who opens it has responses of his own"
assert len(os.read(device, 4096)) == ANSWER
print("so")
"""


@pytest.fixture(scope="module", name="machine")
def _machine() -> Iterator[Namespace]:
    with Namespace([AzureVm("snp", period=0.1)]) as machine:
        yield machine


def test_the_device_is_the_kernels(machine: Namespace) -> None:
    outcome = machine.run(sys.executable, "-c", PROGRAM)
    assert (outcome.code, outcome.out) == (0, "so\n"), outcome.err


def test_a_response_in_pieces(machine: Namespace) -> None:
    machine.tell("azure", "pieces 7")
    outcome = machine.cli("attest", "vm")
    assert outcome.code == 0, outcome.err
