"""`[host]`: where evidence comes from, which tokens guests get, and what is accepted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wasmtime_attestation.attesters.providers import PROVIDERS
from wasmtime_attestation.policy import presets
from wasmtime_attestation.policy.table import Table

REPLAY = "replay:"
TEES = ("auto", "none", "simulated", *PROVIDERS)
"""Where evidence may come from, besides `replay:FILE`."""
EVIDENCE, EAR = "evidence", "ear"
SERVICES = ("maa", "ita", "nras", "trustee")
TOKENS = (EVIDENCE, EAR, *SERVICES)
"""The kinds of token that guests may get."""
MOST_GPUS = 256


@dataclass(frozen=True, slots=True)
class Settings:
    """How guests are served.

    Attributes:
        tee: a word of `TEES`, or `replay:FILE`.
        tokens: the kinds of token that guests get: the first that can be had, and no others.
        evidence_summary: whether results carry a summary of the evidence.
        policy: what `verify-token` appraises with: a preset, a name of `[policies]`, or a file.
        endorsements: files and folders of endorsements.
        gpus: how many GPUs the machine must have; None where any number will do.
        issuers: files of further issuers whose tokens count.
        ear_key: the private key of this host as Verifier; None where it is none.
    """

    tee: str = "auto"
    tokens: tuple[str, ...] = (EVIDENCE,)
    evidence_summary: bool = False
    policy: str = presets.HARDWARE_ONLY
    endorsements: tuple[Path, ...] = ()
    gpus: int | None = None
    issuers: tuple[Path, ...] = ()
    ear_key: Path | None = None


def read(table: Table) -> Settings:
    """Takes `[host]`.

    Raises:
        SettingError: a setting makes no sense.
    """
    ear_key = table.optional_string("ear-key", "The private key (PEM, P-384) that signs EARs.")
    settings = Settings(
        tee=_tee(table),
        tokens=_tokens(table),
        evidence_summary=table.boolean(
            "evidence-summary", default=False, about="Whether results carry a summary."
        ),
        policy=table.string(
            "policy", presets.HARDWARE_ONLY, "What verify-token appraises tokens with."
        ),
        endorsements=_paths(table, "endorsements", "Files and folders of endorsements."),
        gpus=table.limit("gpus", MOST_GPUS, "How many GPUs this machine must have."),
        issuers=_paths(table, "issuers", "Files of further issuers whose tokens count."),
        ear_key=Path(ear_key) if ear_key else None,
    )
    table.end()
    if EAR in settings.tokens and settings.ear_key is None:
        raise table.refusal(
            "tokens", "tokens has ear, and there is no ear-key: nobody could verify the results"
        )
    return settings


def _tee(table: Table) -> str:
    form = {"anyOf": [{"enum": list(TEES)}, {"pattern": f"^{REPLAY}."}]}
    tee = table.string("tee", "auto", "Where evidence comes from; auto looks what there is.", form)
    if tee not in TEES and not (tee.startswith(REPLAY) and tee != REPLAY):
        known = ", ".join((*TEES, f"{REPLAY}FILE"))
        raise table.refusal("tee", f"tee has {tee!r}; known are {known}")
    return tee


def _tokens(table: Table) -> tuple[str, ...]:
    about = "Kinds of token, in the order they are tried."
    kinds = table.words("tokens", TOKENS, [EVIDENCE], about)
    if not kinds or len(set(kinds)) != len(kinds):
        raise table.refusal("tokens", "tokens is empty, or has a kind twice")
    return tuple(kinds)


def _paths(table: Table, key: str, about: str) -> tuple[Path, ...]:
    names = table.strings(key, about=about)
    if not all(names):
        raise table.refusal(key, f"{key} has an empty name")
    return tuple(map(Path, names))
