"""Settings in the environment: `WASMTIME_ATTESTATION_…`, by name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from wasmtime_attestation.config.layer import Layer, Outside
from wasmtime_attestation.nonces import place
from wasmtime_attestation.policy.table import Json, Key, SettingError

PREFIX = "WASMTIME_ATTESTATION_"
# As click reads flags.
_TRUTH = {
    **dict.fromkeys(("1", "true", "t", "yes", "y", "on"), True),
    **dict.fromkeys(("0", "false", "f", "no", "n", "off"), False),
}


def _text(text: str) -> Json:
    return text


def _words(text: str) -> Json:
    return [word.strip() for word in text.split(",")]


def _path(text: str) -> Json:
    return str(Path(text).absolute())


def _paths(text: str) -> Json:
    return [str(Path(name).absolute()) for name in text.split(os.pathsep)]


def _policy(text: str) -> Json:
    is_file = os.sep in text or text.endswith(".toml")
    return str(Path(text).absolute()) if is_file else text


def _nonce_record(text: str) -> Json:
    return place.absolute(text, Path())


def _boolean(text: str) -> Json:
    if text.lower() not in _TRUTH:
        raise ValueError("it is neither true nor false")
    return _TRUTH[text.lower()]


def _number(text: str) -> Json:
    if not text.isascii() or not text.isdecimal() or len(text) > 10:
        raise ValueError("it is no whole number")
    return int(text)


_VARIABLES: Mapping[str, tuple[Key, Callable[[str], Json]]] = {
    "TEE": (("host", "tee"), _text),
    "TOKENS": (("host", "tokens"), _words),
    "EVIDENCE_SUMMARY": (("host", "evidence-summary"), _boolean),
    "POLICY": (("host", "policy"), _policy),
    "ENDORSEMENTS": (("host", "endorsements"), _paths),
    "GPUS": (("host", "gpus"), _number),
    "ISSUERS": (("host", "issuers"), _paths),
    "EAR_KEY": (("host", "ear-key"), _path),
    "OFFLINE": (("endorsers", "offline"), _boolean),
    "AMD_KDS_URL": (("endorsers", "amd-kds-url"), _text),
    "INTEL_PCS_URL": (("endorsers", "intel-pcs-url"), _text),
    "NVIDIA_RIM_URL": (("endorsers", "nvidia-rim-url"), _text),
    "NVIDIA_OCSP_URL": (("endorsers", "nvidia-ocsp-url"), _text),
    "CODE_CACHE": (("cache", "code", "directory"), _path),
    "CODE_CACHE_BYTES": (("cache", "code", "bytes"), _number),
    "JOURNAL": (("journal", "directory"), _path),
    "REDIS": (("cache", "redis"), _text),
    "NONCE_RECORD": (("cache", "nonce-record"), _nonce_record),
}


def layers(environment: Mapping[str, str]) -> Iterator[Layer]:
    """Returns a layer for each variable that is set and not empty.

    Raises:
        InvalidArgumentError: one is not of its kind.
    """
    for name, (key, convert) in _VARIABLES.items():
        text = environment.get(PREFIX + name)
        if not text:
            continue
        origin = Outside(f"environment variable {PREFIX}{name}")
        try:
            yield of(key, convert(text), origin)
        except ValueError as error:
            raise origin.error(SettingError(key, str(error))) from error


def of(key: Key, value: Json, origin: Outside) -> Layer:
    """Returns a layer with one setting."""
    for part in reversed(key):
        value = {part: value}
    return Layer(value, origin)
