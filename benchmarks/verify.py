"""Measures verification, beside the one signature check that none can do without."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata

from benchmarks import verify_issued, verify_snp, verify_tdx
from benchmarks.timing import Cell, Effort, measure, print_machine, print_table

NO_VECTORS = (
    "There is no real evidence at hand, so the reports are simulated and there are no quotes; "
    "name the folder of real evidence in ATTESTATION_VECTORS."
)
Figures = Mapping[tuple[str, str], float]


def main() -> None:
    """Measures everything in one run and prints the tables."""
    effort = Effort.chosen(__doc__)
    quotes, reports, issued = verify_tdx.batches(), verify_snp.batches(), verify_issued.batches()
    spent = measure(quotes | reports | issued, effort)
    if quotes:
        _print_quotes({what: spent[what] for what in quotes})
        print()
    print_table(
        ("verified", "how", "µs", "of one P-384"),
        [(*what, spent[what], spent[what] / spent[verify_snp.BARE]) for what in reports],
    )
    print()
    print_table(
        ("verified", "how", "µs", "of its bare signature"),
        [(*what, spent[what], spent[what] / spent[what[0], verify_issued.BARE]) for what in issued],
    )
    print_machine("cryptography", "pyjwt", *_installed("dcap-qvl"))
    if not quotes:
        print(NO_VECTORS)


def _print_quotes(spent: Figures) -> None:
    other = spent.get(verify_tdx.DCAP_QVL)
    header = ["verified", "how", "µs", "of one P-256"]
    rows: list[list[Cell]] = [
        [*what, duration, duration / spent[verify_tdx.BARE]] for what, duration in spent.items()
    ]
    if other is not None:
        header.append("of dcap-qvl")
        for row, duration in zip(rows, spent.values(), strict=True):
            row.append(duration / other)
    print_table(header, rows)


def _installed(*names: str) -> list[str]:
    present = {distribution.metadata["Name"] for distribution in metadata.distributions()}
    return [name for name in names if name in present]


if __name__ == "__main__":
    main()
