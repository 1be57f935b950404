"""A relying party can do without Intel's revocation lists; that is said, and never assumed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from wasmtime_attestation.checks import Outcome
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.errors import UnavailableError
from wasmtime_attestation.verifier.intel_collateral import LISTS

from tests.fakes.intel import AT, PLATFORM, Collateral, crl
from tests.verifier.tdx_verification import rejection, verify

QUOTE = PLATFORM.quote()
ROOT, CA = "Intel SGX Root CA", PLATFORM.ca
WITHOUT = Collateral(PLATFORM, without=frozenset({"root_crl", "pck_crl"})).endorsements()
WHOLE = Collateral(PLATFORM).endorsements()


def test_without_them_nothing_is_verified() -> None:
    with pytest.raises(UnavailableError, match=r"intel\.root-crl.*intel\.pck-crl"):
        verify(QUOTE, WITHOUT)


@pytest.mark.parametrize("check", LISTS)
def test_each_is_waived_by_its_name(check: str) -> None:
    (other,) = set(LISTS) - {check}
    with pytest.raises(UnavailableError, match=other):
        verify(QUOTE, WITHOUT.waiving([check]))


def test_what_was_waived_was_not_checked() -> None:
    verified = verify(QUOTE, WITHOUT.waiving(LISTS))

    assert not verified.tdx.revocation_checked
    outcomes = {check.id: check.outcome for check in verified.checks}
    assert {outcomes[check] for check in LISTS} == {Outcome.NOT_CHECKED}
    assert outcomes["tdx.tcb"] is Outcome.PASSED


def test_nothing_else_can_be_waived() -> None:
    bare = Endorsements(WHOLE.certificates, WHOLE.crls)
    with pytest.raises(UnavailableError, match=r"intel\.tcb-info"):
        verify(QUOTE, bare.waiving(["intel.tcb-info", "intel.qe-identity", *LISTS]))


def test_a_list_that_is_there_counts() -> None:
    revoked = crl(CA, PLATFORM.key(CA), revoked=[PLATFORM.pck.serial_number])
    old = crl(ROOT, PLATFORM.key(ROOT), end=AT - timedelta(hours=1))
    for part, check in (({"pck_crl": revoked}, LISTS[1]), ({"root_crl": old}, LISTS[0])):
        given = Collateral(PLATFORM, **part).endorsements().waiving(LISTS)  # type: ignore[arg-type]
        assert rejection(QUOTE, given).check == check


def test_waiving_changes_nothing_where_all_is_there() -> None:
    assert verify(QUOTE, WHOLE).tdx.revocation_checked
    assert verify(QUOTE, WHOLE.waiving(LISTS)).tdx == verify(QUOTE, WHOLE).tdx
