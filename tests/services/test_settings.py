"""`[services]` of a configuration: what may stand there, and where a mistake is."""

from __future__ import annotations

import subprocess
import sys

import pytest
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.policy.source import Source
from wasmtime_attestation.policy.table import SettingError, Table
from wasmtime_attestation.services import endpoint
from wasmtime_attestation.services.maa_regions import REGIONS, shared_instance
from wasmtime_attestation.services.secret import SecretPlace
from wasmtime_attestation.services.settings import Settings, read, services

POLICY = "1d0f0a2e-0000-4000-8000-000000000001"
WHOLE = f"""
[services.maa]
region = "westeurope"
timeout = 10

[services.ita]
api-key-file = "/run/secrets/ita"
region = "eu"
api-version = "1"
policy-ids = ["{POLICY}"]
policy-must-match = false
token-signing-alg = "RS256"

[services.nras]
api-key-env = "NVIDIA_API_KEY"
api-version = "3"
pins = ["fd32837f954e2c45db073105166dfe6985ae0480bb113fba63b091a75affe896"]
unsafe-devices-only = true

[services.trustee]
url = "https://kbs.example:8443/"
jwks = "trustee.pem"
iss = ["https://as.example"]
policy-selector = "alice"
"""


def load(text: str) -> Settings:
    source = Source.of("host.toml", text.encode(), "configuration")
    try:
        return read(Table(source.values).table("services"))
    except SettingError as error:
        raise source.error(error) from error


def test_everything() -> None:
    settings = load(WHOLE)
    assert settings.maa is not None
    assert (settings.maa.url, settings.maa.seconds) == (
        "https://sharedweu.weu.attest.azure.net",
        10,
    )
    ita = settings.ita
    assert ita is not None
    assert ita.api_key == SecretPlace(file="/run/secrets/ita")
    assert ita.url == "https://api.eu.trustauthority.intel.com"
    assert ita.portal == "https://portal.eu.trustauthority.intel.com"
    assert (ita.version, ita.policy_ids, ita.must_match) == (1, (POLICY,), False)
    assert ita.required_policies == frozenset()
    assert ita.algorithm == "RS256"
    nras = settings.nras
    assert nras is not None
    assert (nras.version, nras.claims, nras.devices_only) == (3, "2.0", True)
    assert nras.service_key == SecretPlace(variable="NVIDIA_API_KEY")
    assert [pin.hex()[:8] for pin in nras.pins] == ["fd32837f"]
    trustee = settings.trustee
    assert trustee is not None
    assert trustee.url == "https://kbs.example:8443"
    assert trustee.keys_file == "trustee.pem"
    assert trustee.names == frozenset({"https://as.example"})
    assert trustee.policy_selector == "alice"
    assert list(services(Settings(settings.maa, ita, nras))) == ["maa", "ita", "nras"]


def test_ids_of_policies_are_as_the_service_writes_them() -> None:
    ita = load(WHOLE.replace(POLICY, POLICY.upper())).ita
    assert ita is not None
    assert ita.policy_ids == (POLICY,)


def test_the_least() -> None:
    assert load("") == Settings()
    assert services(Settings()) == {}
    nras = load("[services.nras]").nras
    assert nras is not None
    assert (nras.url, nras.version, nras.claims) == (
        "https://nras.attestation.nvidia.com",
        4,
        "3.0",
    )
    assert (nras.service_key, nras.devices_only) == (None, False)
    ita = load('[services.ita]\napi-key-env = "K"').ita
    assert ita is not None
    assert ita.url == "https://api.trustauthority.intel.com"
    assert (ita.version, ita.must_match, ita.algorithm) == (2, True, "PS384")


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        ("[services.maa]", "1:1", "url or a region"),
        ('[services.maa]\nurl = "https://a"\nregion = "eastus"', "2:1", "url or a region"),
        ('[services.maa]\nregion = "atlantis"', "2:10", "known are"),
        ('[services.maa]\nurl = "http://a.example"', "2:1", "no https address"),
        ('[services.maa]\nurl = "https://a@b.example"', "2:1", "name or a password"),
        (
            '[services.maa]\nregion = "eastus"\nattestation-type = "AzureGuest"',
            "3:1",
            "sealed to a key",
        ),
        ('[services.maa]\nregion = "eastus"\nregoin = 1', "3:1", "did you mean region"),
        ("[services.ita]", "1:1", "api-key-file"),
        ('[services.ita]\napi-key-file = "a"\napi-key-env = "b"', "3:1", "give one of them"),
        ('[services.ita]\napi-key-env = "a b"', "2:15", "must be the name of"),
        ('[services.ita]\napi-key-env = "K"\nurl = "https://a"', "3:1", "portal-url"),
        ('[services.ita]\napi-key-env = "K"\npolicy-ids = ["x"]', "3:15", "form"),
        ('[services.ita]\napi-key-env = "K"\ntimeout = 0', "3:1", "from 1 to"),
        (
            f'[services.ita]\napi-key-env = "K"\npolicy-ids = ["{POLICY}", '
            + ", ".join(f'"{n:08d}{POLICY[8:]}"' for n in range(10))
            + "]",
            "3:1",
            "more than 10",
        ),
        (
            '[services.nras]\napi-version = "3"\nclaims-version = "3.0"',
            "3:1",
            "no claims 3.0",
        ),
        ('[services.nras]\napi-key = "secret"', "2:1", "unknown setting"),
        ("[services.trustee]", "1:1", "has a url"),
        ('[services.trustee]\nurl = "https://a"', "1:1", "jwks"),
        (
            '[services.trustee]\nurl = "https://a"\njwks = "k"\njwks-url = "https://a/k"',
            "3:1",
            "jwks",
        ),
        ('[services.other]\nurl = "https://a"', "1:11", "unknown setting"),
    ],
)
def test_mistakes(text: str, place: str, problem: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        load(text)
    assert problem in str(caught.value)
    line = place.partition(":")[0]
    assert f"host.toml:{line}:" in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://",
        "https:///path",
        "http://a.example",
        "ftp://a.example",
        "https://user@a.example",
        "https://:pw@a.example",
        "https://a.example?x=1",
        "https://a.example/#x",
        "https://a.example:99999",
        "https://a.example:0",
        "https://a.example:x",
        "https://a b.example",
        "https://a.example\\@b.example",
        "https://\xe4.example",
        "https://a.example\n",
    ],
)
def test_addresses_that_are_not_asked(url: str) -> None:
    with pytest.raises(ValueError, match=r"it has|it is|[Pp]ort|netloc"):
        endpoint.checked(url)


def test_addresses() -> None:
    assert endpoint.checked("https://a.example:8443/kbs/") == "https://a.example:8443/kbs"


def test_regions() -> None:
    """The four that Microsoft's documentation names, and the government's."""
    for region, host in (
        ("eastus", "sharedeus.eus.attest.azure.net"),
        ("eastus2", "sharedeus2.eus2.attest.azure.net"),
        ("westeurope", "sharedweu.weu.attest.azure.net"),
        ("uksouth", "shareduks.uks.attest.azure.net"),
        ("usgovvirginia", "sharedugv.ugv.attest.azure.us"),
    ):
        assert shared_instance(region) == f"https://{host}"
    for region in REGIONS:
        assert endpoint.checked(shared_instance(region))


def test_secrets_stay_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NVIDIA_API_KEY", "very-secret")
    settings = load('[services.nras]\napi-key-env = "NVIDIA_API_KEY"')
    assert "very-secret" not in repr(settings)
    assert "very-secret" not in repr(vars(services(settings)["nras"]))


def test_reading_loads_no_http() -> None:
    """`run` starts without what only somebody who asks a service needs."""
    code = (
        "import sys; import wasmtime_attestation.services.settings; "
        "print(sorted({'httpx', 'asyncio'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_a_key_in_the_place_of_its_name_is_not_shown() -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        load('[services.ita]\napi-key-env = "c2VjcmV0+key=="')
    assert "c2VjcmV0" not in caught.value.message
