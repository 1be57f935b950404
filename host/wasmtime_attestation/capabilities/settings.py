"""`[guests]` of a configuration: the rules, and which of them is for a guest."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from wasmtime_attestation.capabilities import globs
from wasmtime_attestation.capabilities.rule import Rule
from wasmtime_attestation.capabilities.terms import (
    CallClass,
    GuestFunction,
    GuestIdentity,
    IssuedKind,
)
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.policy.source import Source
from wasmtime_attestation.policy.table import SettingError, Table
from wasmtime_attestation.wit import Status

DEFAULT = "default"
MAX_RULES = 64
MAX_PER_MINUTE = 1_000_000
_NAME = "[A-Za-z0-9_-]{1,64}"
_TARGET = r"vm|all|gpu|gpu:(0|[1-9][0-9]{0,8})|(GPU|gpu)-[0-9A-Fa-f-]{1,64}"
_PREFIX = "([0-9A-Fa-f]{2}){0,256}"


@dataclass(frozen=True, slots=True)
class Named:
    """A rule for some guests.

    Attributes:
        rule: what they may do.
        digest: SHA-256 of the only guest that it is for; None where a path says it.
        path: a pattern of the paths of guests; None where a digest says it.
    """

    rule: Rule
    digest: bytes | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """The rules of a host.

    Attributes:
        default: for guests that no other rule is for.
        named: the other rules; no guest is of two of them by digest, or of two by path.
    """

    default: Rule = field(default_factory=lambda: Rule(DEFAULT))
    named: tuple[Named, ...] = ()

    def rule_for(self, guest: GuestIdentity) -> Rule:
        """Returns the rule for a guest: by its digest, by its path, or the default."""
        for named in self.named:
            if named.digest is not None and named.digest == guest.digest:
                return named.rule
        for named in self.named:
            if named.path and guest.path is not None and globs.matches(named.path, guest.path):
                return named.rule
        return self.default


def load(file: str, data: bytes) -> Settings:
    """Reads a file of its own, which has nothing but `[guests]`.

    Args:
        file: where it came from, for messages.
        data: the TOML text.

    Raises:
        InvalidArgumentError: it has no rules; the message says where.
    """
    source = Source.of(file, data, "rules")
    if "guests" not in source.values:
        raise InvalidArgumentError(f"rules {file}: there is no table [guests] in it")
    table = Table(source.values)
    try:
        settings = read(table.table("guests", "What guests may do."))
        table.end()
    except SettingError as error:
        raise source.error(error) from error
    return settings


def read(table: Table) -> Settings:
    """Takes `[guests]`: `default`, and a table for each named rule.

    Raises:
        SettingError: a setting makes no sense, or two rules are for the same guests.
    """
    names = [name for name in table.unread() if name != DEFAULT]
    if len(names) > MAX_RULES:
        raise table.refusal(names[MAX_RULES], f"there are more than {MAX_RULES} rules")
    default = _rule(table.table(DEFAULT, "For guests that no other rule is for."), Rule(DEFAULT))
    named: list[Named] = []
    for name in names:
        one = _named(name, table, default)
        _check_unlike(table, one, named)
        named.append(one)
    table.end()
    return Settings(default, tuple(named))


def _named(name: str, parent: Table, default: Rule) -> Named:
    if not re.fullmatch(_NAME, name):
        raise parent.refusal(name, f"a rule's name must be of the form {_NAME}")
    table = parent.table(name)
    digest = table.formed("digest", "[0-9A-Fa-f]{64}", "SHA-256 of the guest that it is for.")
    path = table.optional_string("path", "A pattern of the paths of guests that it is for.")
    if (digest is None) == (path is None) or path == "":
        raise parent.refusal(name, f"guests.{name} needs either a digest or a path")
    rule = _rule(table, replace(default, name=name))
    return Named(rule, None if digest is None else bytes.fromhex(digest), path)


def _check_unlike(table: Table, one: Named, others: list[Named]) -> None:
    for other in others:
        same = one.digest is not None and one.digest == other.digest
        if one.path is not None and other.path is not None:
            same = globs.overlap(one.path, other.path)
        if same:
            means = "digest" if one.path is None else "path"
            raise table.refusal(
                one.rule.name,
                f"guests.{one.rule.name} and guests.{other.rule.name} are both for the same "
                f"{means}: which one is meant?",
            )


def _rule(table: Table, base: Rule) -> Rule:
    """Reads what a rule allows; what it leaves out is as in `base`."""
    targets = table.all_formed("targets", _TARGET, "What may be attested.")
    prefix = table.formed("user-data-prefix", _PREFIX, "What user data must begin with, in hex.")
    minimum = table.choice("minimum-status", _STATUSES, "The least status of a verified token.")
    audiences = table.names("audiences", "Whom tokens may be for.")
    rule = Rule(
        name=base.name,
        functions=table.choices("functions", GuestFunction, base.functions, "What may be called."),
        targets=base.targets if targets is None else frozenset(t.lower() for t in targets),
        per_minute=MappingProxyType({kind: _rate(table, kind, base) for kind in CallClass}),
        audiences=base.audiences if audiences is None else audiences,
        user_data_prefix=base.user_data_prefix if prefix is None else bytes.fromhex(prefix),
        minimum_status=base.minimum_status if minimum is None else Status(minimum),
        tokens=table.choices("tokens", IssuedKind, base.tokens, "Kinds of token it may be given."),
    )
    table.end()
    return rule


def _rate(table: Table, kind: CallClass, base: Rule) -> int:
    return table.integer(
        f"{kind}-per-minute", base.per_minute[kind], MAX_PER_MINUTE, "Calls a minute; 0: any."
    )


_STATUSES = (Status.NONE, Status.WARNING, Status.AFFIRMING)
