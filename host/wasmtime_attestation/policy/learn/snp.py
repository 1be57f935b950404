"""What a policy learns from SEV-SNP reports: the tables `snp` and `snp.minimum-tcb`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wasmtime_attestation.claims.snp import SnpClaims
from wasmtime_attestation.policy.learn.section import Section
from wasmtime_attestation.policy.toml_text import assignment, comment

_TCB = ("boot_loader", "tee", "snp", "microcode", "fmc")


def sections(known: Sequence[SnpClaims]) -> list[Section]:
    """Returns the tables that accept these reports and no other software."""
    snp = Section("snp")
    reports = [claims.report for claims in known]
    snp.values("measurements", (r.measurement for r in reports), "MEASUREMENT: what was launched.")
    snp.values("host-data", (r.host_data for r in reports), "HOST_DATA: what the host put there.")
    _keys(snp, known)
    snp.suggest(
        "chip-ids", (r.chip_id for r in reports), "Only these processors, if you mean that:"
    )
    _configuration(snp, known)
    lowest = min(report.guest_svn for report in reports)
    snp.set("minimum-guest-svn", "The lowest GUEST_SVN that was seen.", to=lowest)
    return [snp, *_minimum_tcb(known)]


def _keys(snp: Section, known: Sequence[SnpClaims]) -> None:
    """Digests of keys; all zero where the guest was launched without them."""
    ids = {claims.report.id_key_digest for claims in known}
    authors = {claims.report.author_key_digest for claims in known}
    if any(map(any, ids)):
        snp.values("id-key-digests", ids, "ID_KEY_DIGEST: who signed the ID block.")
    if any(map(any, authors)):
        snp.values("author-key-digests", authors, "AUTHOR_KEY_DIGEST: who signed that key.")


def _configuration(snp: Section, known: Sequence[SnpClaims]) -> None:
    vmpls = sorted({claims.report.vmpl for claims in known})
    if vmpls != [0]:
        why = "some reports were asked for below the highest privilege level"
        snp.weaken("vmpl", why, to=vmpls)
    guests = [claims.report.policy for claims in known]
    if any(guest.migration_agent_allowed for guest in guests):
        snp.weaken("allow-migration-agent", "a migration agent may move the guest", to=True)
    if not any(guest.smt_allowed for guest in guests):
        snp.set("allow-smt", "No guest allowed SMT.", to=False)
    if not all(claims.revocation_checked for claims in known):
        snp.weaken(
            "require-revocation-check",
            "AMD's revocation list was not among the endorsements; give it, and remove this",
            to=False,
        )


def _minimum_tcb(known: Sequence[SnpClaims]) -> Iterator[Section]:
    for line in sorted({claims.product_line for claims in known}):
        tcbs = [c.report.reported_tcb for c in known if c.product_line is line]
        section = Section(f"snp.minimum-tcb.{line}", list(comment("The lowest that were seen.")))
        for name in _TCB:
            lowest = min(getattr(tcb, name) or 0 for tcb in tcbs)
            if lowest or name != "fmc":
                section.lines += assignment(name.replace("_", "-"), lowest)
        yield section
