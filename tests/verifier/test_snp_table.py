"""The certificate table of a host as endorsements: AMD's certificates count, the rest is listed."""

from __future__ import annotations

import hashlib
import uuid

import pytest
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.x509 import der, pem
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.evidence.envelope import EndorsementType, RawEndorsement

from tests.endorsements.test_amd_table import OTHER, table
from tests.fakes.amd import MILAN, TURIN_VLEK, VLEK, Machine
from tests.verifier.snp_verification import missing, rejection, verify

# ARK, ASK or ASVK, VCEK, VLEK (AMD 56421, section 4.1.8.1).
ARK = uuid.UUID("c0b406a4-a803-4952-9743-3fb6014cd0ae")
ASK = uuid.UUID("4ab7b379-bbac-4fe4-a02f-05aef327c782")
VCEK = uuid.UUID("63da758d-e664-4564-adc5-f4b93be8accd")
VLEK_GUID = uuid.UUID("a8074bc2-a25a-483e-aae6-39c045a0b8a1")


def of_host(machine: Machine, *others: tuple[uuid.UUID, bytes]) -> bytes:
    """Returns the table of a machine's host."""
    guids = (VCEK if machine.hwid else VLEK_GUID, ASK, ARK)
    entries = zip(guids, map(der, machine.chain()), strict=True)
    return table(*others, *entries)


def read(data: bytes) -> Endorsements:
    return Endorsements.from_files([("auxblob", data)])


@pytest.mark.parametrize("machine", [MILAN, VLEK, TURIN_VLEK], ids=["VCEK", "VLEK", "Turin's"])
def test_a_table_is_all_that_a_report_needs(machine: Machine) -> None:
    verified = verify(machine.report(), read(of_host(machine)))
    assert verified.snp.host_entries == ()
    assert verified.snp.csp_id == (None if machine.hwid else "Cloud")


def test_what_the_host_adds_is_listed_and_vouched_for_by_nobody() -> None:
    launch = b"a launch endorsement of a cloud"
    verified = verify(MILAN.report(), read(of_host(MILAN, (OTHER, launch))))

    digest = hashlib.sha256(launch).hexdigest()
    assert verified.claims.to_json()["amd-sev-snp"]["unverified_host_entries"] == [  # type: ignore[index,call-overload]
        f"{OTHER} ({len(launch)} bytes, SHA-256 {digest})"
    ]


def test_a_table_comes_with_evidence() -> None:
    """As an attester reads it from `auxblob`, in a token or beside a report."""
    raw = RawEndorsement(EndorsementType.AMD_CERTIFICATE_TABLE, of_host(MILAN, (OTHER, b"x")))
    found = Endorsements.of_raw([raw])
    assert found.certificates == MILAN.chain()
    assert [entry.guid for entry in found.host_entries] == [OTHER]
    with pytest.raises(ValueError, match="certificate table"):
        Endorsements.of_raw([RawEndorsement(raw.type, raw.data[:-1])])


def test_a_host_may_leave_entries_empty_and_write_pem() -> None:
    vcek, ask, ark = MILAN.chain()
    data = table((VLEK_GUID, b""), (ASK, pem(ask)), (ARK, der(ark)), (VCEK, pem(vcek)))
    assert verify(MILAN.report(), read(data + bytes(4096))).snp.product_name == "Milan-B0"


def test_an_entry_does_not_make_a_certificate_what_it_is_not() -> None:
    """The GUID says VCEK, the certificate that it is a VLEK; the certificate counts."""
    vlek, asvk, ark = VLEK.chain()
    data = read(table((VCEK, der(vlek)), (ASK, der(asvk)), (ARK, der(ark))))
    assert verify(VLEK.report(), data).snp.csp_id == "Cloud"
    assert rejection(MILAN.report(), data).check == "snp.signer"


def test_a_table_without_the_root() -> None:
    data = read(table((VCEK, der(MILAN.chain()[0])), (ASK, der(MILAN.chain()[1]))))
    assert "amd.ask" in missing(MILAN.report(), data)


@pytest.mark.parametrize("cut", [10, 30, 80, 200])
def test_a_table_that_is_broken_is_refused(cut: int) -> None:
    with pytest.raises(InvalidArgumentError, match="auxblob"):
        read(of_host(MILAN)[:-cut])
