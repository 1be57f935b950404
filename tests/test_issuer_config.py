"""An issuer is described in a file, strictly: a misspelt setting must not be ignored."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from wasmtime_attestation.claims.verdict import TokenKind
from wasmtime_attestation.endorsements.jwa import Algorithm
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.issuer_config import load
from wasmtime_attestation.policy.source import MAX_SIZE

from tests.fakes import maa

DOCS = Path(__file__).resolve().parents[1] / "docs" / "token.md"
RIGHT = 'kind = "maa"\niss = ["https://a.example"]\n'


def test_the_least_that_is_needed() -> None:
    found = load("ours", RIGHT.encode())
    issuer = found.issuer
    assert (issuer.name, issuer.kind) == ("ours", TokenKind.MAA)
    assert issuer.names == {"https://a.example"}
    assert issuer.accepted_algorithms == {Algorithm.RS256}
    assert (issuer.leeway, issuer.longest_life) == (60, 86_400)
    assert (issuer.pins, issuer.keys.keys, found.keys_file) == (frozenset(), (), None)


def test_everything() -> None:
    text = f"""
        name = "Intel, ours"
        kind = "ita"
        iss = ["one", "two"]
        jwks = "keys.json"
        algorithms = ["PS384"]
        pins = ["{"ab" * 32}"]
        leeway = 0
        lifetime = 600
        required-policies = ["a"]
    """
    found = load("file", text.encode())
    issuer = found.issuer
    assert found.keys_file == "keys.json"
    assert issuer.name == "Intel, ours"
    assert issuer.names == {"one", "two"}
    assert issuer.accepted_algorithms == {Algorithm.PS384}
    assert issuer.pins == {b"\xab" * 32}
    assert (issuer.leeway, issuer.longest_life) == (0, 600)
    assert issuer.required_policies == {"a"}


def test_keys_are_added() -> None:
    found = load("ours", RIGHT.encode() + b'jwks = "keys.json"')
    assert len(found.with_keys(maa.keys()).keys.keys) == 1
    with pytest.raises(InvalidArgumentError, match=r"issuer ours in keys\.json: "):
        found.with_keys(b"{}")


def test_a_verifier_without_a_name() -> None:
    assert load("ours", b'kind = "ear"').issuer.names == frozenset()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "kind"),
        ('kind = "jwt"', "kind"),
        ('kind = "evidence-token"', "kind"),
        ('kind = "maa"', "tokens of kind maa have an iss"),
        ('kind = "maa"\niss = []', "tokens of kind maa have an iss"),
        ('kind = "maa"\niss = [""]', "iss has"),
        ('kind = "maa"\niss = "https://a.example"', "iss must be "),
        (f"{RIGHT}keys = 5", "unknown setting keys"),
        (f"{RIGHT}jwks = 5", "jwks"),
        (f"{RIGHT}algorithms = []", "algorithms of kind maa are of RS256"),
        (f'{RIGHT}algorithms = ["none"]', "algorithms"),
        (f'{RIGHT}algorithms = ["PS256"]', "algorithms of kind maa are of RS256"),
        (f'{RIGHT}pins = ["ab"]', "pins has a value that is not 32 bytes"),
        (f"{RIGHT}leeway = 61", "leeway must be from 0 to 60"),
        (f"{RIGHT}leeway = -1", "leeway must be from 0 to 60"),
        (f"{RIGHT}lifetime = 0", "lifetime is not 1 to 86400"),
        (f"{RIGHT}lifetime = 86401", "lifetime must be from 0 to 86400"),
        (f'{RIGHT}required-policies = ["a"]', "only Intel Trust Authority"),
        ("kind = ", ""),
        ("\udcff", ""),
    ],
    ids=repr,
)
def test_what_is_no_issuer(text: str, says: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r"issuer ours.*: ") as caught:
        load("ours", text.encode("utf-8", "surrogateescape"))
    assert says in caught.value.message


def test_it_is_bounded() -> None:
    with pytest.raises(InvalidArgumentError, match="larger than"):
        load("ours", b"#" * (MAX_SIZE + 1))
    with pytest.raises(InvalidArgumentError, match="dots"):
        load("ours", ".".join("a" * 40).encode())
    names = ", ".join(f'"{n}"' for n in range(17))
    with pytest.raises(InvalidArgumentError, match="more than 16 names"):
        load("ours", f'kind = "maa"\niss = [{names}]'.encode())


def test_the_files_in_the_documentation_are_ones() -> None:
    texts = re.findall(r"```toml\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert texts
    for text in texts:
        load("documented", text.replace("<32 bytes of hex>", "ab" * 32).encode())
