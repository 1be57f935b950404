"""Which extensions the certificates of a path have (RFC 5280 section 4.2), for `cryptography`.

An extension that is critical and not named here is refused by the library itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import Criticality, ExtensionPolicy, Policy

_ANY, _CRITICAL, _NOT_CRITICAL = (
    Criticality.AGNOSTIC,
    Criticality.CRITICAL,
    Criticality.NON_CRITICAL,
)
_Purpose: TypeAlias = "x509.ObjectIdentifier | None"
_IsFor: TypeAlias = "Callable[[Policy, x509.Certificate, x509.ExtendedKeyUsage | None], None]"


def authority(purpose: _Purpose) -> ExtensionPolicy:
    """Returns the rules for a root or an intermediate.

    Args:
        purpose: what an extended key usage that is there must not exclude.
    """
    return (
        _common()
        .may_be_present(x509.AuthorityKeyIdentifier, _NOT_CRITICAL, _names_its_issuers_key)
        .require_present(x509.SubjectKeyIdentifier, _NOT_CRITICAL, None)
        .require_present(x509.BasicConstraints, _CRITICAL, None)
        .require_present(x509.KeyUsage, _ANY, _signs_certificates)
        .may_be_present(x509.NameConstraints, _CRITICAL, _is_understood)
        .may_be_present(x509.ExtendedKeyUsage, _ANY, _does_not_exclude(purpose))
    )


def leaf(purpose: _Purpose) -> ExtensionPolicy:
    """Returns the rules for the certificate in question.

    Args:
        purpose: what its extended key usage must name.
    """
    policy = (
        _common()
        .require_present(x509.AuthorityKeyIdentifier, _NOT_CRITICAL, _names_a_key)
        .may_be_present(x509.SubjectKeyIdentifier, _NOT_CRITICAL, None)
        .may_be_present(x509.BasicConstraints, _ANY, _is_no_authority)
        .may_be_present(x509.KeyUsage, _ANY, _signs_data)
        .require_not_present(x509.NameConstraints)
    )
    if purpose is None:
        return policy.may_be_present(x509.ExtendedKeyUsage, _ANY, _names_a_purpose)
    return policy.require_present(x509.ExtendedKeyUsage, _ANY, _is_for(purpose))


def _common() -> ExtensionPolicy:
    policy = ExtensionPolicy.permit_all().may_be_present(
        x509.AuthorityInformationAccess, _NOT_CRITICAL, None
    )
    # They restrict which certificate policies count, and nobody here asks for one.
    for unprocessed in (x509.PolicyConstraints, x509.InhibitAnyPolicy):
        policy = policy.require_not_present(unprocessed)
    return policy


def _names_its_issuers_key(
    policy: Policy, certificate: x509.Certificate, key: x509.AuthorityKeyIdentifier | None
) -> None:
    """Only a root that signed itself may leave it out (section 4.2.1.1)."""
    if key is not None:
        _names_a_key(policy, certificate, key)
    elif certificate.issuer != certificate.subject:
        raise ValueError("an authority does not name its issuer's key")


def _names_a_key(
    _policy: Policy, _certificate: x509.Certificate, key: x509.AuthorityKeyIdentifier
) -> None:
    if key.key_identifier is None:
        raise ValueError("an authority key identifier names no key")


def _signs_certificates(
    _policy: Policy, _certificate: x509.Certificate, usage: x509.KeyUsage
) -> None:
    if not usage.key_cert_sign:
        raise ValueError("an authority's key may not sign certificates")


def _signs_data(
    _policy: Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None
) -> None:
    if usage is not None and (usage.key_cert_sign or not usage.digital_signature):
        raise ValueError("the leaf's key may not sign data, or may sign certificates")


def _is_no_authority(
    _policy: Policy, _certificate: x509.Certificate, constraints: x509.BasicConstraints | None
) -> None:
    if constraints is not None and (constraints.ca or constraints.path_length is not None):
        raise ValueError("the leaf is a certification authority")


def _is_understood(
    _policy: Policy, _certificate: x509.Certificate, constraints: x509.NameConstraints | None
) -> None:
    """The library processes DNS names and IP addresses; of the others it would ignore some."""
    if constraints is None:
        return
    names = [*(constraints.permitted_subtrees or ()), *(constraints.excluded_subtrees or ())]
    if not names or not all(isinstance(n, x509.DNSName | x509.IPAddress) for n in names):
        raise ValueError("name constraints that are neither of DNS names nor of IP addresses")


def _names_a_purpose(
    _policy: Policy, _certificate: x509.Certificate, usage: x509.ExtendedKeyUsage | None
) -> None:
    if usage is not None and not _set(usage):
        raise ValueError("an extended key usage names no purpose")


def _does_not_exclude(purpose: _Purpose) -> _IsFor:
    def check(
        _policy: Policy, _certificate: x509.Certificate, usage: x509.ExtendedKeyUsage | None
    ) -> None:
        if purpose is None or usage is None:
            return
        if not {purpose, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & _set(usage):
            raise ValueError(f"an authority is not for {purpose.dotted_string}")

    return check


def _is_for(
    purpose: x509.ObjectIdentifier,
) -> Callable[[Policy, x509.Certificate, x509.ExtendedKeyUsage], None]:
    def check(
        _policy: Policy, _certificate: x509.Certificate, usage: x509.ExtendedKeyUsage
    ) -> None:
        if purpose not in usage:
            raise ValueError(f"the leaf is not for {purpose.dotted_string}")

    return check


def _set(usage: Iterable[x509.ObjectIdentifier]) -> set[x509.ObjectIdentifier]:
    return {*usage}
