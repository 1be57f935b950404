"""The JSON that a guest passes to the legacy ABI, read strictly.

The types are those of the world (`wit/`), the form is the one that answers
have. A key that is missing or null is an option's none; nothing else is
forgiven.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from wasmtime_attestation import wit
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.evidence import base64url, strict_json
from wasmtime_attestation.world import values

T = TypeVar("T")

MAX_PARAMETER = 1 << 16
"""The most bytes of one parameter: eight times the largest valid challenge."""


def target(data: bytes) -> wit.Target:
    """Reads a `target`: `{"case":"vm"}`, `{"case":"gpu","value":0}` or `{"case":"all"}`.

    Raises:
        InvalidArgumentError: it is anything else.
    """
    members = _Members("target", data, "case", "value")
    match members.required("case", values.string):
        case "gpu":
            return wit.Target(wit.TargetKind.GPU, members.required("value", values.u32))
        case ("vm" | "all") as case:
            members.absent("value")
            return wit.Target(wit.TargetKind(case))
        case case:
            raise InvalidArgumentError(f"target: no case {case[:80]!r}; use vm, gpu or all")


def challenge(data: bytes) -> wit.Challenge:
    """Reads a `challenge`.

    Raises:
        InvalidArgumentError: it is not one.
    """
    members = _Members("challenge", data, "nonce", "user_data", "audience")
    return wit.Challenge(
        members.required("nonce", _octets),
        members.optional("user_data", _octets),
        members.optional("audience", values.string),
    )


def expectations(data: bytes) -> wit.Expectations:
    """Reads `expectations`.

    Raises:
        InvalidArgumentError: they are none.
    """
    members = _Members("expectations", data, "nonce", "audience", "max_age_seconds", "policy")
    return wit.Expectations(
        members.optional("nonce", _octets),
        members.optional("audience", values.string),
        members.optional("max_age_seconds", values.u32),
        members.optional("policy", values.string),
    )


class _Members:
    """The members of the JSON object that a parameter is."""

    def __init__(self, parameter: str, data: bytes, *known: str) -> None:
        self._parameter = parameter
        self._members = _object(parameter, data)
        for key in self._members.keys() - set(known):
            raise self._error(f"no such key as {key[:80]!r}; use {', '.join(known)}")

    def optional(self, key: str, read: Callable[[object, str], T]) -> T | None:
        try:
            return values.option(read, self._members.get(key), key)
        except ValueError as error:
            raise self._error(str(error)) from error

    def required(self, key: str, read: Callable[[object, str], T]) -> T:
        value = self.optional(key, read)
        if value is None:
            raise self._error(f"{key} is missing")
        return value

    def absent(self, key: str) -> None:
        if self._members.get(key) is not None:
            raise self._error(f"this case has no {key}")

    def _error(self, what: str) -> InvalidArgumentError:
        return InvalidArgumentError(f"{self._parameter}: {what}")


def _object(parameter: str, data: bytes) -> dict[str, strict_json.Json]:
    if len(data) > MAX_PARAMETER:
        raise InvalidArgumentError(
            f"{parameter}: {len(data)} bytes of JSON, where at most {MAX_PARAMETER} can be right"
        )
    try:
        value = strict_json.loads(data)
    except ValueError as error:
        raise InvalidArgumentError(f"{parameter}: not strict JSON: {error}") from error
    if not isinstance(value, dict):
        raise InvalidArgumentError(f"{parameter}: the JSON is not an object")
    return value


def _octets(value: object, name: str) -> bytes:
    try:
        return base64url.decode(values.string(value, name))
    except ValueError as error:
        raise values.MisfitError(f"{name} is not base64url without padding: {error}") from error
