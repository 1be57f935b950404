"""Verdicts on TDX quotes beside those of dcap-qvl, which knows nothing of this code.

Where they differ, `docs/tdx-rules.md` says why.
"""

from __future__ import annotations

import importlib.util
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.x509 import der
from wasmtime_attestation.errors import InvalidArgumentError, RejectedError, UnavailableError

from tests import vectors
from tests.fakes.intel import Platform, real_anchors
from tests.tools import missing
from tests.verifier.tdx_cases import (
    ANOTHER_PCEID,
    ANOTHER_PCK,
    DEBUG_TD,
    DEFECTS,
    EXCEPTIONS,
    FUTURE_LIST,
    RESERVED,
    SERVICE_TD,
    STATUSES,
    Case,
    case,
)
from tests.verifier.tdx_verification import verify

if importlib.util.find_spec("dcap_qvl") is not None:
    import dcap_qvl

NO = "no"


@dataclass(frozen=True)
class Answer:
    """A TCB status, or no; the advisories count only beside a status."""

    status: str
    advisories: frozenset[str] = frozenset()


@pytest.fixture(autouse=True)
def _oracle() -> None:
    if importlib.util.find_spec("dcap_qvl") is None:
        missing("dcap-qvl is not installed")


def ours(quote: bytes, endorsements: Endorsements, at: datetime, anchors: Anchors) -> Answer:
    try:
        tdx = verify(quote, endorsements, at=at, anchors=anchors).tdx
    except (RejectedError, UnavailableError, InvalidArgumentError):
        return Answer(NO)
    return Answer(tdx.tcb_status, frozenset(tdx.tcb.advisories))


def theirs(quote: bytes, members: Mapping[str, str], at: datetime, root: bytes) -> Answer:
    try:
        collateral = dcap_qvl.QuoteCollateralV3.from_json(json.dumps(members))
        seconds = int(at.timestamp())
        report = dcap_qvl.verify_with_root_ca(quote, collateral, root, seconds)
    except ValueError:
        return Answer(NO)
    return Answer(report.status, frozenset(report.advisory_ids))


def agree(made: Case, our: Answer, their: Answer) -> bool:
    """Whether the answers are the same, or differ as docs/tdx-rules.md says."""
    if our.status == "Revoked":
        return their == Answer(NO)
    if made.defect in {ANOTHER_PCEID, ANOTHER_PCK, FUTURE_LIST}:
        return our == Answer(NO)
    if made.defect in {DEBUG_TD, EXCEPTIONS, RESERVED, SERVICE_TD}:
        # Properties of an authentic TD: ours is what it would be without them.
        plain = ours(made.platform.quote(), made.endorsements(), made.at, real_anchors())
        return their == Answer(NO) and our == plain
    return our == their


def run(numbers: range) -> tuple[Counter[str], Counter[str]]:
    """Compares cases; returns how often each status and each defect came up."""
    statuses: Counter[str] = Counter()
    defects: Counter[str] = Counter()
    for number in numbers:
        made = case(number)
        root = der(Platform().root)
        our = ours(made.quote, made.endorsements(), made.at, real_anchors())
        their = theirs(made.quote, made.members(), made.at, root)
        assert agree(made, our, their), f"case {number} ({made.defect}): {our}, {their}"
        statuses[our.status] += 1
        defects[made.defect or "none"] += 1
    return statuses, defects


def test_a_sample_of_generated_quotes() -> None:
    statuses, _ = run(range(250))
    assert statuses[NO] > 50
    assert statuses["UpToDate"] > 0


@pytest.mark.slow
def test_five_thousand_generated_quotes() -> None:
    statuses, defects = run(range(1000, 6000))
    relaunch = {"TDRelaunchAdvised", "TDRelaunchAdvisedConfigurationNeeded"}
    assert {*statuses} >= {NO, *STATUSES} | relaunch
    assert {*defects} == {"none", *DEFECTS}


@pytest.mark.parametrize("number", range(40))
def test_what_has_no_defect_is_authentic_or_below_every_level(number: int) -> None:
    """So that agreement on `no` cannot hide that everything is refused."""
    made = next(c for c in map(case, range(number * 100, number * 100 + 100)) if c.defect is None)
    try:
        verify(made.quote, made.endorsements(), at=made.at, anchors=real_anchors())
    except RejectedError as error:
        assert "no TCB level matches" in str(error)  # noqa: PT017


ROOT = "tdx/intel_sgx_root_ca.pem"
QUOTES = (
    "tdx/dcapqvl_tdx_quote_v4.bin",
    "tdx/dcapqvl_near_quote_v4.hex",
    "tdx/dcapqvl_tdx_quote_v5_outdated.bin",
    "tdx/gotdx_quote_v5.dat",
    "tdx/gotdx_cos113_quote_v4_8000.dat",
    "azure/trustee_tdx_td_quote.bin",
)
# Each with an instant in the middle of its window (COLLATERAL_SETS.tsv).
SETS = {
    "B": ("tdx/dcapqvl_tdx_quote_v4.collateral.json", datetime(2025, 7, 4, tzinfo=UTC)),
    "C": ("tdx/dcapqvl_tdx_quote_v5_outdated.collateral.json", datetime(2026, 3, 5, tzinfo=UTC)),
    "D": ("tdx/dcapqvl_near_quote_v4.collateral.json", datetime(2025, 9, 17, tzinfo=UTC)),
    "E1": (None, datetime(2025, 7, 22, tzinfo=UTC)),
}
# What is no "no", by quote and set; facts of the quotes' platforms at that time.
VERDICTS = {
    ("tdx/dcapqvl_tdx_quote_v4.bin", "B"): "UpToDate",
    ("tdx/dcapqvl_near_quote_v4.hex", "D"): "UpToDate",
    ("tdx/gotdx_quote_v5.dat", "C"): "UpToDate",
    ("tdx/gotdx_cos113_quote_v4_8000.dat", "E1"): "UpToDate",
    ("azure/trustee_tdx_td_quote.bin", "E1"): "OutOfDate",
}
WITHOUT_SEPT_VE_DISABLE = "azure/trustee_tdx_td_quote.bin"


@pytest.mark.parametrize("set_", SETS)
@pytest.mark.parametrize("name", QUOTES)
def test_real_quotes_with_every_set_of_collateral(name: str, set_: str) -> None:
    data = vectors.read(name)
    quote = bytes.fromhex(data.decode()) if name.endswith(".hex") else data
    file, at = SETS[set_]
    members = of_automata() if file is None else json.loads(vectors.read(file))
    given = Endorsements.from_files([(set_, json.dumps(members).encode())])
    (root,) = vectors.endorsements(ROOT).certificates

    our = ours(quote, given, at, Anchors.of_vendors())

    assert our.status == VERDICTS.get((name, set_), NO)
    if name == WITHOUT_SEPT_VE_DISABLE:
        assert theirs(quote, members, at, der(root)) == Answer(NO)
    else:
        assert our == theirs(quote, members, at, der(root))


def of_automata() -> dict[str, str]:
    """Returns the set of files that no service answered in one piece."""
    folder = "tdx/automata_solana_"
    statements = {
        "tcb_info": ("tcb_info_tdx.json", "tcbInfo"),
        "qe_identity": ("qe_identity.json", "enclaveIdentity"),
    }
    chain = vectors.read("tdx/ars_tcb_signing_chain.pem").decode()
    members = {"tcb_info_issuer_chain": chain, "qe_identity_issuer_chain": chain}
    for member, (file, key) in statements.items():
        text = vectors.read(folder + file).decode()
        start = text.index("{", text.index(f'"{key}"'))
        members[member] = text[start : text.rindex("}", 0, text.rindex('"signature"')) + 1]
        members[f"{member}_signature"] = json.loads(text)["signature"]
    members["root_ca_crl"] = vectors.read(folder + "root_ca_crl.der").hex()
    members["pck_crl"] = vectors.read(folder + "pck_platform_crl.der").hex()
    members["pck_crl_issuer_chain"] = vectors.read(ROOT).decode()
    return members
