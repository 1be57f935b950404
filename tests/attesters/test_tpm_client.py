"""The TPM client on a software TPM, with tpm2-tools as the independent reader and writer."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from wasmtime_attestation.attesters import tpm_client_codes as codes
from wasmtime_attestation.attesters.tpm_client import Tpm
from wasmtime_attestation.attesters.tpm_client_codes import TpmError
from wasmtime_attestation.attesters.tpm_client_wire import NvAttributes
from wasmtime_attestation.errors import UnavailableError

from tests.attesters.software_tpm import Between, software_tpm
from tests.emulation.paravisor import failure
from tests.emulation.swtpm import ATTESTATION_KEY, Swtpm

INDEX = 0x01500020
KEY = 0x81000003
SHARED = NvAttributes.OWNER_READ | NvAttributes.OWNER_WRITE


@pytest.fixture(scope="module", name="swtpm")
def _swtpm() -> Iterator[Swtpm]:
    with software_tpm() as tpm:
        yield tpm


@pytest.fixture(name="tpm")
def _tpm(swtpm: Swtpm) -> Iterator[Tpm]:
    tpm = Tpm(swtpm)
    yield tpm
    try:
        tpm.nv_undefine(INDEX)
    except TpmError as error:
        assert error.code == codes.HANDLE  # noqa: PT017  most tests have removed it


def test_an_index_of_ours_is_what_tpm2_tools_reads(tpm: Tpm, swtpm: Swtpm, tmp_path: Path) -> None:
    content = os.urandom(2000)
    tpm.nv_define(INDEX, len(content), SHARED)
    tpm.nv_write(INDEX, content)
    swtpm.tool("tpm2_nvread", "-C", "o", "-o", tmp_path / "read", hex(INDEX))
    assert (tmp_path / "read").read_bytes() == content
    public = swtpm.tool("tpm2_nvreadpublic", hex(INDEX)).decode()
    assert "friendly: ownerwrite|ownerread|written" in public
    assert "size: 2000" in public
    assert tpm.nv_read_public(INDEX).size == 2000
    tpm.nv_undefine(INDEX)
    assert hex(INDEX) not in swtpm.tool("tpm2_nvreadpublic").decode()


def test_an_index_of_tpm2_tools_is_what_we_read(tpm: Tpm, swtpm: Swtpm, tmp_path: Path) -> None:
    content = os.urandom(1500)
    (tmp_path / "written").write_bytes(content)
    swtpm.tool("tpm2_nvdefine", "-Q", "-C", "o", "-s", "1500", hex(INDEX))
    with pytest.raises(
        TpmError, match=r"NV_UNINITIALIZED \(0x14a\): the index was never"
    ) as caught:
        tpm.nv_read(INDEX, 1500)
    assert caught.value.code == codes.NV_UNINITIALIZED
    swtpm.tool("tpm2_nvwrite", "-C", "o", "-i", tmp_path / "written", hex(INDEX))
    assert tpm.nv_read(INDEX, 1500) == content
    assert tpm.nv_read(INDEX, 7, 1024) == content[1024:1031]
    with pytest.raises(TpmError, match="NV_RANGE"):
        tpm.nv_read(INDEX, 1501)


def test_reads_are_as_large_as_the_tpm_takes_and_no_larger(tpm: Tpm, swtpm: Swtpm) -> None:
    tpm.nv_define(INDEX, 2048, SHARED)
    tpm.nv_write(INDEX, bytes(2048))
    between = Between(swtpm.exchange)
    Tpm(between).nv_read(INDEX, 2048)
    # TPM2_GetCapability says 1024, as tpm2_getcap does; 2048 at once is TPM_RC_VALUE.
    assert (
        "TPM2_PT_NV_BUFFER_MAX:\n  raw: 0x400\n"
        in swtpm.tool("tpm2_getcap", "properties-fixed").decode()
    )
    assert [command[-4:].hex() for command in between.commands[1:]] == ["04000000", "04000400"]


def test_the_attestation_key_is_what_tpm2_tools_says(
    tpm: Tpm, swtpm: Swtpm, tmp_path: Path
) -> None:
    file = tmp_path / "key.pem"
    swtpm.tool("tpm2_readpublic", "-Q", "-c", ATTESTATION_KEY, "-f", "pem", "-o", file)
    key = load_pem_public_key(file.read_bytes())
    assert isinstance(key, rsa.RSAPublicKey)
    public = tpm.read_public(KEY)
    assert (public.modulus, public.exponent) == (key.public_numbers().n, key.public_numbers().e)


def test_a_quote_passes_tpm2_checkquote(tpm: Tpm, swtpm: Swtpm, tmp_path: Path) -> None:
    nonce = bytes(range(32))
    swtpm.tool("tpm2_pcrextend", f"8:sha256={'5a' * 32}")
    message, signature = tpm.quote(KEY, nonce, range(24))
    parts = {"message": message, "signature": signature}
    for name, data in parts.items():
        (tmp_path / name).write_bytes(data)
    selection = "sha256:" + ",".join(map(str, range(24)))
    swtpm.tool("tpm2_pcrread", "-Q", selection, "-o", tmp_path / "values", "-F", "values")
    ours = tpm.pcr_read(range(24))
    assert (tmp_path / "values").read_bytes() == b"".join(ours[index] for index in range(24))
    swtpm.tool("tpm2_pcrread", "-Q", selection, "-o", tmp_path / "pcrs", "-F", "serialized")
    key = tmp_path / "key.pem"
    swtpm.tool("tpm2_readpublic", "-Q", "-c", ATTESTATION_KEY, "-f", "pem", "-o", key)
    check: list[str | Path] = [
        "tpm2_checkquote",
        "-Q",
        "-u",
        key,
        "-m",
        tmp_path / "message",
        "-g",
        "sha256",
    ]
    check += ["-s", tmp_path / "signature", "-f", tmp_path / "pcrs", "-q"]
    swtpm.tool(*check, nonce.hex())
    with pytest.raises(subprocess.CalledProcessError):
        swtpm.tool(*check, nonce[::-1].hex())


def test_what_is_not_there_is_named(tpm: Tpm) -> None:
    missing = 0x81000009
    calls: dict[str, Callable[[], object]] = {
        r"TPM2_NV_ReadPublic of 0x01500020.*HANDLE \(0x18b, handle 1\)": lambda: tpm.nv_read_public(
            INDEX
        ),
        r"TPM2_NV_Read of 0x01500020 .*HANDLE \(0x28b, handle 2\)": lambda: tpm.nv_read(INDEX, 1),
        r"TPM2_NV_UndefineSpace of 0x01500020 .*HANDLE": lambda: tpm.nv_undefine(INDEX),
        r"TPM2_NV_Write of 0x01500020 .*HANDLE": lambda: tpm.nv_write(INDEX, b"x"),
        r"TPM2_ReadPublic of 0x81000009 .*HANDLE": lambda: tpm.read_public(missing),
        r"TPM2_Quote of 0x81000009 .*HANDLE": lambda: tpm.quote(missing, b"", [0]),
    }
    for message, call in calls.items():
        with pytest.raises(TpmError, match=message) as caught:
            call()
        assert caught.value.code == codes.HANDLE


def test_an_index_that_is_there_and_one_that_the_owner_may_not_write(
    tpm: Tpm, swtpm: Swtpm
) -> None:
    tpm.nv_define(INDEX, 8, SHARED)
    with pytest.raises(TpmError, match="NV_DEFINED") as caught:
        tpm.nv_define(INDEX, 8, SHARED)
    assert caught.value.code == codes.NV_DEFINED
    tpm.nv_undefine(INDEX)
    swtpm.tool("tpm2_nvdefine", "-Q", "-C", "o", "-s", "8", "-a", "ownerread|authwrite", hex(INDEX))
    with pytest.raises(TpmError, match=r"NV_AUTHORIZATION \(0x149\)"):
        tpm.nv_write(INDEX, b"x")


def test_a_nonce_too_long_for_some_tpms_is_not_sent(tpm: Tpm) -> None:
    with pytest.raises(ValueError, match="at most 50 bytes"):
        tpm.quote(KEY, bytes(51), [0])


def test_an_owner_with_a_password_is_explained() -> None:
    with software_tpm(is_set_up=False) as swtpm:
        tpm = Tpm(swtpm)
        tpm.nv_define(INDEX, 8, SHARED)
        swtpm.tool("tpm2_changeauth", "-c", "owner", "secret")
        for call in (partial(tpm.nv_write, INDEX, b"x"), partial(tpm.nv_define, INDEX, 1, SHARED)):
            with pytest.raises(TpmError, match=r"owner hierarchy has a password.*tpm2_changeauth"):
                call()
        assert tpm.nv_read_public(INDEX).size == 8


@pytest.mark.parametrize(
    "code", [codes.RETRY, codes.YIELDED, codes.TESTING, codes.NV_RATE, codes.NV_UNAVAILABLE]
)
def test_a_tpm_that_asks_to_wait_is_asked_again(swtpm: Swtpm, code: int) -> None:
    left = [failure(code)] * 3
    tpm = Tpm(Between(swtpm.exchange, lambda _: left.pop() if left else None))
    assert len(tpm.pcr_read([0])[0]) == 32
    assert not left


def test_a_tpm_that_asks_to_wait_for_ever_is_not() -> None:
    between = Between(lambda _: failure(codes.RETRY))
    begin = time.monotonic()
    with pytest.raises(TpmError, match=r"TPM_RC_RETRY \(0x922\): .* try again") as caught:
        Tpm(between, patience=0.3).pcr_read([0])
    assert time.monotonic() - begin < 5
    assert caught.value.code == codes.RETRY
    assert 3 <= len(between.commands) <= 7


def failure_of(code: int, command: bytes) -> bytes:
    del command
    return failure(code)


def test_other_codes_are_not_tried_again() -> None:
    explained = {
        0x921: "LOCKOUT.*tpm2_dictionarylockout",
        0x101: "FAILURE.*failure mode",
        0x9A2: r"BAD_AUTH \(0x9a2, session 1\).*owner hierarchy has a password",
        0x98E: r"AUTH_FAIL \(0x98e, session 1\)",
        0x128: "PCR_CHANGED",
        0x1C4: r"VALUE \(0x1c4, parameter 1\)",
        0x148: "NV_LOCKED",
        0x1D5: r"SIZE \(0x1d5, parameter 1\)",
        0xB0143: r"COMMAND_CODE \(0xb0143, answered by layer 11 below the TPM\)",
        0x7FF: r"unknown \(0x7ff",
    }
    for code, message in explained.items():
        between = Between(partial(failure_of, code))
        with pytest.raises(UnavailableError, match=message):
            Tpm(between).pcr_read([0])
        assert len(between.commands) == 1
