"""`[services.trustee]`: where Confidential Containers' Trustee is, and whose its tokens are."""

from __future__ import annotations

from dataclasses import dataclass

from wasmtime_attestation.policy.table import Table
from wasmtime_attestation.services import endpoint

VERSION = "0.4.0"
"""Of the KBS protocol; the service takes the one that it speaks alone."""
_VERSION = r"\d{1,3}\.\d{1,3}\.\d{1,3}"
_MOST_NAMES = 16


@dataclass(frozen=True, slots=True)
class Settings:
    """A Trustee.

    Attributes:
        url: the address of its KBS.
        keys_file: a file with the public keys of its tokens: JWKS or PEM; None for `keys_url`.
        keys_url: where they are fetched.
        names: the values of `iss` of its tokens; empty where they have none.
        version: of the protocol.
        policy_selector: which of its policies apply, in the words of its configuration.
        seconds: that a question may take.
    """

    url: str
    keys_file: str | None = None
    keys_url: str | None = None
    names: frozenset[str] = frozenset()
    version: str = VERSION
    policy_selector: str | None = None
    seconds: int = endpoint.SECONDS

    def __post_init__(self) -> None:
        """Raises ValueError for keys at no place, or at two."""
        if (self.keys_file is None) == (self.keys_url is None):
            raise ValueError("the keys of a Trustee are in a file (jwks) or at an address")


def read(table: Table) -> Settings:
    """Takes `[services.trustee]`.

    Raises:
        SettingError: a setting makes no sense.
    """
    url = endpoint.read(table, "url", "The address of the Key Broker Service.")
    keys_file = table.optional_string("jwks", "A file with the public keys of its tokens.")
    keys_url = endpoint.read(table, "jwks-url", "Where these keys are, if they are in no file.")
    names = table.strings("iss", about="The values of iss of its tokens, if they have one.")
    version = table.formed("protocol-version", _VERSION, f"Of the KBS protocol; {VERSION}.")
    selector = table.optional_string("policy-selector", "Its attestation-policy-selector.")
    seconds = endpoint.read_seconds(table)
    table.end()
    if table.is_absent:
        return Settings("", keys_file="")
    if url is None:
        raise table.refusal("url", "a Trustee has a url")
    if len(names) > _MOST_NAMES or not all(names):
        raise table.refusal("iss", f"iss has more than {_MOST_NAMES} names, or an empty one")
    try:
        return Settings(
            url=url,
            keys_file=keys_file,
            keys_url=keys_url,
            names=frozenset(names),
            version=version or VERSION,
            policy_selector=selector,
            seconds=seconds,
        )
    except ValueError as error:
        raise table.refusal("jwks", f"{error}: give jwks or jwks-url") from error
