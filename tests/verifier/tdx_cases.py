"""TDX quotes and collateral with every combination of what Intel's rules are about, from a seed.

Each case is drawn from a `random.Random`, so that a number names it for good.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.x509 import der, pem

from tests.fakes.intel import (
    AT,
    ISSUED,
    NEXT_UPDATE,
    QE_IDENTITY,
    TCB_INFO,
    Platform,
    certificate,
    changed,
    crl,
    ecdsa,
    level,
    svn_level,
)

STATUSES = (
    "UpToDate",
    "SWHardeningNeeded",
    "ConfigurationNeeded",
    "ConfigurationAndSWHardeningNeeded",
    "OutOfDate",
    "OutOfDateConfigurationNeeded",
    "Revoked",
)
SVN_STATUSES = ("UpToDate", "OutOfDate", "Revoked")
ROOT, SIGNER = "Intel SGX Root CA", "Intel SGX TCB Signing"
# Where the two verifiers differ, as docs/tdx-rules.md says.
ANOTHER_PCEID = "the TCB info is for another PCEID"
ANOTHER_PCK = "the PCK certificate is not the one that the quote names"
FUTURE_LIST = "a revocation list is of the future"
DEBUG_TD = "the TD is under debug"
EXCEPTIONS = "SEPT_VE_DISABLE is clear"
RESERVED = "a reserved bit of TDATTRIBUTES is set"
SERVICE_TD = "a service TD is bound"
_YESTERDAY = AT - timedelta(days=1)
ADVISORIES = ("INTEL-SA-00837", "INTEL-SA-00960", "INTEL-SA-01036", "INTEL-SA-00615")


@dataclass
class Case:
    """A quote and its collateral, in the parts that dcap-qvl takes.

    Attributes:
        defect: what was made wrong on purpose; None for nothing.
    """

    platform: Platform
    quote: bytes
    tcb_info: dict[str, Any]
    qe_identity: dict[str, Any]
    root_crl: x509.CertificateRevocationList
    pck_crl: x509.CertificateRevocationList
    defect: str | None
    at: datetime = AT
    tamper: str | None = None
    signer: x509.Certificate | None = None

    def members(self) -> dict[str, str]:
        """Returns dcap-qvl's collateral JSON."""
        p = self.platform
        chain = (pem(self.signer or p.signer) + pem(p.root)).decode()
        texts = {
            "tcb_info": json.dumps(self.tcb_info, separators=(",", ":")),
            "qe_identity": json.dumps(self.qe_identity, separators=(",", ":")),
        }
        signatures = {
            f"{name}_signature": ecdsa(p.key(SIGNER), text.encode()).hex()
            for name, text in texts.items()
        }
        if self.tamper is not None:
            texts[self.tamper] = texts[self.tamper].replace("UpToDate", "upToDate", 1) + " "
        # A quote with its chain in it is judged by that one.
        own = p.certification == 5
        return {
            **({} if own else {"pck_certificate_chain": p.chain().decode()}),
            "pck_crl_issuer_chain": (pem(p.authority) + pem(p.root)).decode(),
            "root_ca_crl": der(self.root_crl).hex(),
            "pck_crl": der(self.pck_crl).hex(),
            "tcb_info_issuer_chain": chain,
            "qe_identity_issuer_chain": chain,
            **texts,
            **signatures,
        }

    def endorsements(self) -> Endorsements:
        """Returns the same collateral for our verifier."""
        return Endorsements.from_files([("collateral", json.dumps(self.members()).encode())])


def case(number: int) -> Case:
    """Returns a case; one in two has a defect."""
    dice = random.Random(number)  # noqa: S311
    platform = _platform(dice)
    made = Case(
        platform,
        b"",
        _tcb_info(dice),
        _qe_identity(dice),
        crl(ROOT, platform.key(ROOT)),
        crl(platform.ca, platform.key(platform.ca)),
        None,
    )
    made.quote = platform.quote()
    if dice.random() < 0.5:
        made.defect = dice.choice([*DEFECTS])
        DEFECTS[made.defect](made, dice)
    return made


def _platform(dice: random.Random) -> Platform:
    # Few PCK certificates, since each takes a signature and its extensions.
    svn, pce_svn = dice.choice([(5, 11), (4, 11), (3, 5), (6, 13)])
    major = dice.choice([0, 1, 1, 1, 3])
    return Platform(
        version=dice.choice([4, 5]),
        body_type=dice.choice([2, 3, 3, 4]),
        ca=dice.choice(["Intel SGX PCK Platform CA", "Intel SGX PCK Processor CA"]),
        components=bytes([svn] * 8 + [0] * 8),
        pce_svn=pce_svn,
        tee_tcb_svn=_svn(dice, major),
        tee_tcb_svn_2=_svn(dice, major),
        qe_svn=dice.choice([2, 3, 4, 5]),
        certification=dice.choice([1, 2, 3, 5, 5, 5, 5]),
    )


def _svn(dice: random.Random, major: int) -> bytes:
    return bytes([dice.randint(1, 7), major, dice.randint(1, 4)]) + bytes(13)


def _advisories(dice: random.Random, status: str) -> list[str]:
    return [] if status == "UpToDate" else dice.sample(ADVISORIES, dice.randint(0, 2))


def _tcb_info(dice: random.Random) -> dict[str, Any]:
    levels = []
    for sgx, pce_svn, tdx in ((5, 11, (5, 0, 3)), (4, 11, (4, 0, 2)), (3, 5, (3, 0, 1))):
        status = dice.choice(STATUSES)
        levels.append(level(status, *_advisories(dice, status), sgx=sgx, pce_svn=pce_svn, tdx=tdx))
    info = changed(TCB_INFO, tcbLevels=levels)
    seam = {name: info["tdxModule"][name] for name in info["tdxModule"]}
    info["tdxModuleIdentities"] = [
        {"id": name, **seam, "tcbLevels": _svn_levels(dice, (6, 4, 2))}
        for name in ("TDX_01", "TDX_03")
    ]
    return info


def _svn_levels(dice: random.Random, svns: tuple[int, ...]) -> list[dict[str, Any]]:
    statuses = dice.choices(SVN_STATUSES, weights=(4, 2, 1), k=len(svns))
    return [
        svn_level(svn, status, *_advisories(dice, status))
        for svn, status in zip(svns, statuses, strict=True)
    ]


def _qe_identity(dice: random.Random) -> dict[str, Any]:
    return changed(QE_IDENTITY, tcbLevels=_svn_levels(dice, (4, 3)))


def _time(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def _outside(statement: dict[str, Any], dice: random.Random) -> None:
    if dice.random() < 0.5:
        statement["nextUpdate"] = _time(AT - timedelta(hours=1))
    else:
        statement["issueDate"] = _time(AT + timedelta(hours=1))


def _flip(made: Case, dice: random.Random) -> None:
    """Within header, body, and the signature data before the QE certification data."""
    data = bytearray(made.quote)
    certified = made.platform.chain() if made.platform.certification == 5 else b""
    size = len(certified or made.platform.pck_reference())
    data[dice.randrange(len(data) - size - 6)] ^= 1 << dice.randrange(8)
    made.quote = bytes(data)


def _list(made: Case, ca: str, **fields: Any) -> x509.CertificateRevocationList:  # noqa: ANN401
    return crl(ca, made.platform.key(ca), **fields)


def _revoke_pck(made: Case, _dice: random.Random) -> None:
    revoked = [made.platform.pck.serial_number]
    made.pck_crl = _list(made, made.platform.ca, revoked=revoked)


def _revoke_ca(made: Case, _dice: random.Random) -> None:
    made.root_crl = _list(made, ROOT, revoked=[made.platform.authority.serial_number])


def _revoke_signer(made: Case, _dice: random.Random) -> None:
    made.root_crl = _list(made, ROOT, revoked=[made.platform.signer.serial_number])


def _old_pck_list(made: Case, _dice: random.Random) -> None:
    made.pck_crl = _list(made, made.platform.ca, end=AT - timedelta(hours=1))


def _old_root_list(made: Case, _dice: random.Random) -> None:
    made.root_crl = _list(made, ROOT, end=AT - timedelta(hours=1))


def _lists_of_the_future(made: Case, dice: random.Random) -> None:
    begin = AT + timedelta(hours=1)
    if dice.random() < 0.5:
        made.root_crl = _list(made, ROOT, begin=begin)
    else:
        made.pck_crl = _list(made, made.platform.ca, begin=begin)


def _other_list(made: Case, _dice: random.Random) -> None:
    """The root's in the place of the PCK CA's."""
    made.pck_crl = made.root_crl


def _forged_root_list(made: Case, _dice: random.Random) -> None:
    made.root_crl = crl(ROOT, made.platform.key("somebody else's"))


def _signer_expired(made: Case, _dice: random.Random) -> None:
    made.signer = certificate(
        SIGNER, made.platform.key(SIGNER), ROOT, made.platform.key(ROOT), not_after=_YESTERDAY
    )


def _signer_of_another(made: Case, _dice: random.Random) -> None:
    """Of the name, with the right key, and issued by the PCK CA."""
    ca = made.platform.ca
    made.signer = certificate(SIGNER, made.platform.key(SIGNER), ca, made.platform.key(ca))


def _no_levels(made: Case, dice: random.Random) -> None:
    statement = dice.choice([made.tcb_info, made.qe_identity])
    statement["tcbLevels"] = []


def _unknown_status(made: Case, dice: random.Random) -> None:
    dice.choice(made.tcb_info["tcbLevels"])["tcbStatus"] = "Fine"


def _debug_enclave(made: Case, _dice: random.Random) -> None:
    made.quote = made.platform.quote(qe={"attributes": bytes([0x17]) + bytes(15)})


def _unsigned_enclave(made: Case, _dice: random.Random) -> None:
    """The PCK of another platform signed the Quoting Enclave's report."""
    stranger = replace(made.platform, owner="nobody")
    made.quote = stranger.quote(chain=_certification(made.platform))


def _certification(platform: Platform) -> bytes:
    return platform.chain() if platform.certification == 5 else platform.pck_reference()


def _debug_td(made: Case, _dice: random.Random) -> None:
    made.quote = made.platform.quote(td_attributes=bytes.fromhex("0100001000000000"))


def _exceptions(made: Case, _dice: random.Random) -> None:
    made.quote = made.platform.quote(td_attributes=bytes(8))


def _reserved_attribute(made: Case, _dice: random.Random) -> None:
    made.quote = made.platform.quote(td_attributes=bytes.fromhex("0000001000010000"))


def _service_td(made: Case, _dice: random.Random) -> None:
    made.platform = replace(made.platform, version=5, body_type=3)
    made.quote = made.platform.quote(mrservicetd=b"\1" * 48)


def _another_pck(made: Case, dice: random.Random) -> None:
    made.platform = replace(made.platform, certification=dice.choice([1, 2, 3]))
    name, value = dice.choice(
        [("cpu_svn", bytes(16)), ("pce_svn", b"\xff\xff"), ("pce_id", b"\1\0")]
    )
    made.quote = made.platform.quote(chain=made.platform.pck_reference(**{name: value}))


def _forged_list(made: Case, _dice: random.Random) -> None:
    made.pck_crl = crl(made.platform.ca, made.platform.key("somebody else's"))


def _fmspc(made: Case, _dice: random.Random) -> None:
    made.tcb_info["fmspc"] = "B0C06F000001"


def _pce_id(made: Case, _dice: random.Random) -> None:
    made.tcb_info["pceId"] = "0001"


def _tcb_info_window(made: Case, dice: random.Random) -> None:
    _outside(made.tcb_info, dice)


def _qe_window(made: Case, dice: random.Random) -> None:
    _outside(made.qe_identity, dice)


def _tampered(made: Case, dice: random.Random) -> None:
    made.tamper = dice.choice(["tcb_info", "qe_identity"])


def _sgx_tcb_info(made: Case, _dice: random.Random) -> None:
    made.tcb_info["id"] = "SGX"


def _sgx_qe(made: Case, _dice: random.Random) -> None:
    made.qe_identity["id"] = "QE"


def _other_enclave(made: Case, dice: random.Random) -> None:
    name, value = dice.choice(
        [("mrsigner", bytes(32)), ("isv_prod_id", b"\1\0"), ("misc_select", b"\1\0\0\0")]
    )
    made.quote = made.platform.quote(qe={name: value})


def _unbound_key(made: Case, _dice: random.Random) -> None:
    made.quote = made.platform.quote(qe={"report_data": bytes(64)})


def _other_module(made: Case, dice: random.Random) -> None:
    name, size = dice.choice([("mrsignerseam", 48), ("seam_attributes", 8)])
    fields: dict[str, Any] = {name: b"\1" + bytes(size - 1)}
    made.quote = made.platform.quote(**fields)


def _unknown_module(made: Case, _dice: random.Random) -> None:
    svn = bytes([6, 7, 3]) + bytes(13)
    made.quote = replace(made.platform, tee_tcb_svn=svn, tee_tcb_svn_2=svn).quote()


def _pck_expired(made: Case, _dice: random.Random) -> None:
    made.platform = replace(made.platform, pck_not_after=AT - timedelta(days=1))
    made.quote = made.platform.quote()


def _cut(made: Case, dice: random.Random) -> None:
    made.quote = made.quote[: dice.randrange(len(made.quote))]


def _tail(made: Case, dice: random.Random) -> None:
    made.quote += dice.randbytes(dice.randint(1, 99))


def _later(made: Case, dice: random.Random) -> None:
    made.at = dice.choice([ISSUED - timedelta(hours=1), NEXT_UPDATE + timedelta(hours=1)])


def _other_root(made: Case, _dice: random.Random) -> None:
    stranger = replace(made.platform, owner="nobody")
    made.quote = stranger.quote()


DEFECTS: Mapping[str, Callable[[Case, random.Random], None]] = {
    "a bit of the quote is flipped": _flip,
    "the quote is cut": _cut,
    "bytes follow the quote": _tail,
    "the PCK is revoked": _revoke_pck,
    "the PCK CA is revoked": _revoke_ca,
    "the TCB signing certificate is revoked": _revoke_signer,
    "the PCK revocation list is out of date": _old_pck_list,
    "the root's revocation list is out of date": _old_root_list,
    "the PCK revocation list is forged": _forged_list,
    "the root's revocation list is forged": _forged_root_list,
    FUTURE_LIST: _lists_of_the_future,
    "the revocation list is of another issuer": _other_list,
    "the TCB signing certificate is expired": _signer_expired,
    "the TCB signing certificate is of another issuer": _signer_of_another,
    "a statement has no levels": _no_levels,
    "a statement has an unknown status": _unknown_status,
    "the Quoting Enclave is under debug": _debug_enclave,
    "the Quoting Enclave's report is signed by another PCK": _unsigned_enclave,
    DEBUG_TD: _debug_td,
    EXCEPTIONS: _exceptions,
    RESERVED: _reserved_attribute,
    SERVICE_TD: _service_td,
    ANOTHER_PCK: _another_pck,
    "the TCB info is for another FMSPC": _fmspc,
    ANOTHER_PCEID: _pce_id,
    "the TCB info is outside its window": _tcb_info_window,
    "the QE identity is outside its window": _qe_window,
    "a statement was tampered with": _tampered,
    "the TCB info is SGX's": _sgx_tcb_info,
    "the QE identity is SGX's": _sgx_qe,
    "the Quoting Enclave is another": _other_enclave,
    "the attestation key is not the Quoting Enclave's": _unbound_key,
    "the TDX module is another": _other_module,
    "the TDX module has an unknown major version": _unknown_module,
    "the PCK certificate is expired": _pck_expired,
    "the instant is outside the windows": _later,
    "the chain ends at another root": _other_root,
}
