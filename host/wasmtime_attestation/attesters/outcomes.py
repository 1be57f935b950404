"""Evidence of several devices: all of it, or what became of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from wasmtime_attestation.errors import AttestationError, UnavailableError, UnsupportedError
from wasmtime_attestation.evidence.envelope import Evidence

MAX_REASON = 400
"""Characters of what one device's failure says."""
MAX_REASONS = 12
"""Different failures that a message has."""


def collect_each(collectors: Sequence[tuple[str, Callable[[], Evidence]]]) -> tuple[Evidence, ...]:
    """Collects from one device after the other, from the rest also when one fails.

    Args:
        collectors: the devices' names, and what collects from them; what they raise begins with
            the name.

    Raises:
        UnsupportedError: every device that failed has no such thing.
        UnavailableError: a device did not answer.
    """
    evidence: list[Evidence] = []
    failures: list[AttestationError] = []
    answered: list[str] = []
    for name, collect in collectors:
        try:
            evidence.append(collect())
        except (UnsupportedError, UnavailableError) as error:
            failures.append(error)
        else:
            answered.append(name)
    if failures:
        raise together(failures, answered, len(collectors))
    return tuple(evidence)


def together(
    failures: Sequence[AttestationError], answered: Iterable[str], count: int
) -> AttestationError:
    """Returns one error for several devices that failed, which says who answered."""
    reasons = [str(failure)[:MAX_REASON] for failure in failures[:MAX_REASONS]]
    if len(failures) > MAX_REASONS:
        reasons.append(f"and {len(failures) - MAX_REASONS} more")
    names = ", ".join(answered) or "none"
    return _kind(failures)(
        f"{len(failures)} of {count} devices gave no evidence, so that nothing was attested: "
        f"{'; '.join(reasons)}; evidence came from: {names[:MAX_REASON]}"
    )


def enumerated(indices: Sequence[int]) -> str:
    """Names GPUs by their indices."""
    if len(indices) == 1:
        return f"GPU {indices[0]}"
    return f"GPUs {', '.join(map(str, indices[:-1]))} and {indices[-1]}"


def collect_parts(
    parts: Iterable[tuple[str, Callable[[], tuple[Evidence, ...]]]],
) -> tuple[Evidence, ...]:
    """Collects from the parts of a machine, from each also when another fails.

    Args:
        parts: their names and what collects from them.

    Raises:
        UnsupportedError: every part that failed has no such thing.
        UnavailableError: a part did not answer.
    """
    evidence: list[Evidence] = []
    failures: list[AttestationError] = []
    said: list[str] = []
    for name, collect in parts:
        try:
            evidence.extend(collect())
        except (UnsupportedError, UnavailableError) as error:
            failures.append(error)
            said.append(f"{name}: {error}")
        else:
            said.append(f"{name}: evidence came")
    if failures:
        raise _kind(failures)(f"not everything can be attested: {'; '.join(said)}")
    return tuple(evidence)


def no_such_gpu(index: int, count: int) -> UnsupportedError:
    """Returns the error for an index beyond the last GPU."""
    has = "one GPU, with index 0" if count == 1 else f"{count} GPUs, with indices 0 to {count - 1}"
    return UnsupportedError(f"there is no GPU {index}: this machine has {has}")


def _kind(failures: Iterable[AttestationError]) -> type[UnsupportedError | UnavailableError]:
    if all(isinstance(failure, UnsupportedError) for failure in failures):
        return UnsupportedError
    return UnavailableError
