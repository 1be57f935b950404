"""A miniature of Azure Attestation: an instance with its own key, and any claims to sign."""

from __future__ import annotations

from tests.fakes import jose
from tests.fakes.jose import Members, Signer, rsa_key, x5c
from tests.fakes.token import NOW

ISSUER = "https://shared.example.attest.azure.net"
SIGNER = Signer(rsa_key(51), "RS256", "instance-key")
MEASUREMENT = bytes(range(48))
REPORT_DATA = bytes(range(64))
USER_DATA = bytes(range(64, 128))


def keys() -> bytes:
    """The instance's /certs: a certificate that the key signed itself, and no numbers."""
    certificate = jose.certificate(SIGNER.key, ISSUER)
    return jose.jwks({"kid": SIGNER.key_id, "kty": "RSA", "x5c": x5c(certificate)})


def sign(claims: Members) -> str:
    """Signs claims, with the header that the service uses."""
    return SIGNER.sign(claims, SIGNER.header | {"jku": f"{ISSUER}/certs"})


def times() -> Members:
    """Times of a token, who issued it, and what every token has."""
    return {
        "iss": ISSUER,
        "iat": NOW,
        "nbf": NOW,
        "exp": NOW + 28_800,
        "jti": "a",
        "x-ms-ver": "1.0",
        "x-ms-policy-hash": "wm9mHlvTU82e8UqoOy1Yj1FBRSNkfe99",
    }


def snp() -> Members:
    """Returns what is said of a SEV-SNP report."""
    return {
        "x-ms-attestation-type": "sevsnpvm",
        "x-ms-compliance-status": "azure-compliant-cvm",
        "x-ms-sevsnpvm-authorkeydigest": "00" * 48,
        "x-ms-sevsnpvm-bootloader-svn": 3,
        "x-ms-sevsnpvm-guestsvn": 8,
        "x-ms-sevsnpvm-hostdata": "11" * 32,
        "x-ms-sevsnpvm-idkeydigest": "22" * 48,
        "x-ms-sevsnpvm-is-debuggable": False,
        "x-ms-sevsnpvm-launchmeasurement": MEASUREMENT.hex(),
        "x-ms-sevsnpvm-microcode-svn": 115,
        "x-ms-sevsnpvm-migration-allowed": False,
        "x-ms-sevsnpvm-reportdata": REPORT_DATA.hex(),
        "x-ms-sevsnpvm-vmpl": 0,
    }


def runtime() -> Members:
    """Returns the paravisor's claims, which the report's data is a digest of."""
    return {"x-ms-runtime": {"keys": [], "user-data": USER_DATA.hex().upper()}}


def tdx() -> Members:
    """Returns what is said of a TDX quote."""
    return {
        "x-ms-attestation-type": "tdxvm",
        "x-ms-compliance-status": "azure-compliant-cvm",
        "attester_tcb_status": "UpToDate",
        "dbgstat": "disabled",
        "intuse": "generic",
        **{f"tdx_rtmr{n}": f"{n:02x}" * 48 for n in range(4)},
        "tdx_mrtd": MEASUREMENT.hex(),
        "tdx_mrseam": "05" * 48,
        "tdx_report_data": REPORT_DATA.hex(),
        "tdx_seamsvn": 3,
        "tdx_td_attributes": "0000001000000000",
        "tdx_xfam": "e718060000000000",
    }


def sev_snp_vm() -> Members:
    """Returns right claims of SevSnpVm."""
    return times() | snp() | runtime() | {"nonce": "AAECAwQFBgc"}


def tdx_vm() -> Members:
    """Returns right claims of TdxVm."""
    return times() | tdx()


def azure_guest() -> Members:
    """Returns right claims of AzureGuest."""
    payload = {"client-payload": {"nonce": "AAECAwQFBgc="}, "keys": []}
    off = ("bootdebug", "kerneldebug", "hypervisordebug", "testsigning", "flightsigning")
    on = ("default-securebootkeysvalidated", "dbvalidated", "dbxvalidated")
    return times() | {
        "x-ms-attestation-type": "azurevm",
        "secureboot": True,
        **{f"x-ms-azurevm-{name}-enabled": False for name in off},
        **{f"x-ms-azurevm-{name}disabled": True for name in ("debuggers", "signing")},
        **{f"x-ms-azurevm-{name}": True for name in on},
        "x-ms-azurevm-attestation-protocol-ver": "2.0",
        "x-ms-azurevm-attested-pcrs": [0, 1, 2, 3, 4, 5, 6, 7],
        "x-ms-azurevm-ostype": "Linux",
        "x-ms-isolation-tee": snp() | runtime(),
        "x-ms-runtime": payload,
    }
