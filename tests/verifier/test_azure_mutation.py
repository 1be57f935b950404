"""Whatever bit of the evidence is turned and wherever it is cut, the answer is a clean no."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.errors import AttestationError, RejectedError
from wasmtime_attestation.evidence import azure, tdx
from wasmtime_attestation.evidence.azure import AzureEvidence
from wasmtime_attestation.evidence.envelope import Evidence
from wasmtime_attestation.evidence.recognise import recognise
from wasmtime_attestation.evidence.tpm import TpmQuote
from wasmtime_attestation.verifier import verify as verify_evidence

from tests import vectors
from tests.verifier.test_tdx_real import SOLANA

AT = {"snp": vectors.AT, "tdx": datetime(2025, 7, 22, 9, 13, 34, tzinfo=UTC)}
# Version, CPUSVN and MAC of a TDREPORT: only its own machine can verify them, and nothing relies
# on them.
LOCAL = {0x20 + 2, *range(0x20 + 16, 0x20 + 32), *range(0x20 + 224, 0x20 + 256)}
EACH = pytest.mark.parametrize("name", ["snp", "tdx"])


def real(name: str) -> tuple[Evidence, Endorsements]:
    found = recognise(vectors.read(f"azure/trustee_{name}_evidence_v1.json"))
    assert isinstance(found, tuple)
    files = ("azure/trustee_snp_vcek_chain.pem",) if name == "snp" else SOLANA
    return found[0], vectors.endorsements(*files)


def check(name: str, evidence: Evidence, endorsements: Endorsements) -> None:
    verify_evidence(
        evidence,
        endorsements,
        report_data=bytes(64),
        nonce=b"challenge",
        at=AT[name],
        anchors=Anchors.of_vendors(),
        ledger=Ledger(),
    )


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def mutants(name: str, whole: AzureEvidence, step: int) -> Iterator[AzureEvidence]:
    """Turns bits of each part; the TD quote's own bits are the matter of `test_tdx_mutation`."""
    quote = whole.tpm_quote
    assert quote is not None
    for bit in range(0, 8 * len(whole.hcl_report), step):
        if name == "snp" or bit // 8 not in LOCAL:
            yield replace(whole, hcl_report=flipped(whole.hcl_report, bit))
    for bit in range(0, 8 * len(quote.message), step):
        yield with_quote(whole, replace(quote, message=flipped(quote.message, bit)))
    for bit in range(0, 8 * len(quote.signature), step):
        yield with_quote(whole, replace(quote, signature=flipped(quote.signature, bit)))
    for bit in range(0, 8 * 32 * 24, step):
        index = bit // 256
        pcrs = {**quote.pcrs, index: flipped(quote.pcrs[index], bit % 256)}
        yield with_quote(whole, replace(quote, pcrs=pcrs))


def first(quote: TpmQuote, count: int) -> dict[int, bytes]:
    return dict([*quote.pcrs.items()][:count])


def with_quote(whole: AzureEvidence, quote: TpmQuote) -> AzureEvidence:
    return replace(whole, tpm_quote=quote)


def check_flips(name: str, step: int) -> None:
    evidence, endorsements = real(name)
    check(name, evidence, endorsements)
    for mutant in mutants(name, azure.decode(evidence.data), step):
        with pytest.raises(RejectedError):
            check(name, replace(evidence, data=mutant.encode()), endorsements)


@EACH
def test_a_flipped_bit(name: str) -> None:
    check_flips(name, 83)


@pytest.mark.weekly
@EACH
def test_every_flipped_bit(name: str) -> None:
    check_flips(name, 1)


@EACH
def test_a_cut(name: str) -> None:
    evidence, endorsements = real(name)
    whole = azure.decode(evidence.data)
    quote = whole.tpm_quote
    assert quote is not None
    declared = len(whole.hcl_report.rstrip(b"\0"))
    cuts = [
        *(replace(whole, hcl_report=whole.hcl_report[:n]) for n in range(0, declared, 29)),
        *(with_quote(whole, replace(quote, message=quote.message[:n])) for n in range(122)),
        *(with_quote(whole, replace(quote, signature=quote.signature[:n])) for n in range(256)),
        *(
            with_quote(whole, replace(quote, pcrs=dict([*quote.pcrs.items()][:n])))
            for n in range(24)
        ),
    ]
    if whole.td_quote is not None:
        size = tdx.decode(whole.td_quote).size
        cuts += [replace(whole, td_quote=whole.td_quote[:n]) for n in range(0, size, 41)]
    for cut in cuts:
        with pytest.raises(RejectedError):
            check(name, replace(evidence, data=cut.encode()), endorsements)


@EACH
def test_a_flipped_bit_in_the_canonical_text(name: str) -> None:
    """A bit of the text may change a byte or nothing that counts: never anything in between."""
    evidence, endorsements = real(name)
    free = free_text(evidence)
    for bit in range(0, 8 * len(evidence.data), 499):
        if bit // 8 in free:
            continue
        with pytest.raises(RejectedError):
            check(name, replace(evidence, data=flipped(evidence.data, bit)), endorsements)


def free_text(evidence: Evidence) -> set[int]:
    """Returns where the text stands of what nobody relies on: a TDREPORT's MAC, a quote's tail."""
    whole = azure.decode(evidence.data)
    if whole.td_quote is None:
        return set()
    start = evidence.data.index(b":") + 2
    local = {start + at * 4 // 3 + shift for at in LOCAL for shift in (-1, 0, 1)}
    tail = evidence.data.index(b'"td_quote"') + 12 + tdx.decode(whole.td_quote).size * 4 // 3
    return local | {*range(tail - 2, len(evidence.data) - 2)}


@EACH
def test_a_flipped_bit_in_a_document(name: str) -> None:
    """The document is the other tool's: what is left of it is verified, or it is refused."""
    data = vectors.read(f"azure/trustee_{name}_evidence_v1.json")
    evidence, endorsements = real(name)
    for bit in range(0, 8 * len(data), 997):
        try:
            found = recognise(flipped(data, bit))
            assert isinstance(found, tuple)
            check(name, found[0], endorsements)
        except AttestationError:
            continue
        same = azure.decode(found[0].data)
        original = azure.decode(evidence.data)
        assert replace(same, td_quote=None, hcl_report=b"") == replace(
            original, td_quote=None, hcl_report=b""
        )
