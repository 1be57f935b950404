"""Texts that are policies, that are none, and that are not even TOML, with what is said of each."""

from __future__ import annotations

from wasmtime_attestation.wit import TeeType

EVERYTHING = f"""
schema = 1
name = "production"
accept = ["amd-sev-snp", "simulated"]
guest-digests = ["{"ab" * 32}"]
issuers = ["urn:one", "urn:two"]
maximum-age-seconds = 60
require-reference-values = true

[snp]
vmpl = [0, 1]
measurements = ["{"01" * 48}", "{"02" * 48}"]
host-data = ["{"03" * 32}"]
id-key-digests = ["{"04" * 48}"]
author-key-digests = ["{"05" * 48}"]
chip-ids = ["{"06" * 64}"]
minimum-guest-svn = 7
require-minimum-tcb = true
require-revocation-check = true
allow-migration-agent = true
allow-smt = false
unsafe-allow-debug = true
allow-provisional-firmware = false
required-launch-mitigations = 3
required-current-mitigations = 0x7fffffffffffffff
required-platform-info = ["ecc-enabled", "alias-check-complete"]
denied-platform-info = ["smt-enabled"]
required-guest-policy = ["single-socket-only"]
family-ids = ["{"07" * 16}"]
image-ids = ["{"08" * 16}"]
csp-ids = ["Cloud"]

[snp.minimum-launch-tcb.Genoa]
snp = 21

[snp.minimum-committed-tcb.Genoa]
snp = 20

[snp.minimum-tcb.Milan]
boot-loader = 4
snp = 22
microcode = 211

[snp.minimum-tcb.Turin]
fmc = 1
tee = 2
"""
"""Every setting but those of TDX, and each with a value that is not its default."""

NOT_TOML: list[tuple[str | bytes, str]] = [
    ("schema = 1\nschema = 1", "2:11: Cannot overwrite a value"),
    ("schema = 1\n[snp]\n[snp]", "3:5: Cannot declare ('snp',) twice"),
    ("schema", "1:7: Expected '=' after a key in a key/value pair"),
    (b"schema = 1 # \xff", "1:14: it is not UTF-8: byte 0xff makes no character"),
    (
        b"\xef\xbb\xbf\nname = '\xc3\xa9\xff'",
        "2:10: it is not UTF-8: byte 0xff makes no character",
    ),
    (b"\0", "1:1: Invalid statement"),
]
"""Text, and the message from the position on."""

NO_POLICIES: list[tuple[str, str]] = [
    ("", "1:1: schema is missing; it must be 1"),
    ("\n# no version\n[snp]", "1:1: schema is missing; it must be 1"),
    ("schema = 2", "1:1: schema must be 1"),
    ("  schema = true", "1:3: schema must be a whole number"),
    ("schema = 1.0", "1:1: schema must be a whole number"),
    ('"schema" = "1"', "1:1: schema must be a whole number"),
    ("schema = 1\nacept = []", "2:1: unknown setting acept; did you mean accept?"),
    (
        "schema = 1\n[snp]\n\tunsafe_allow_debug = true",
        "3:2: unknown setting snp.unsafe_allow_debug; did you mean unsafe-allow-debug?",
    ),
    (
        "schema = 1\n[snp.minimum-tcb.milan]",
        "2:18: unknown setting snp.minimum-tcb.milan; did you mean Milan?",
    ),
    (
        "schema = 1\n[snp.minimum-tcb.Milan]\nucode = 1",
        "3:1: unknown setting snp.minimum-tcb.Milan.ucode",
    ),
    ("schema = 1\n[sgx]", "2:2: unknown setting sgx"),
    ("schema = 1\nsnp = {vmpl = [0], sgx = 1}", "2:20: unknown setting snp.sgx"),
    (
        "schema = 1\nextends = 'lax'",
        "2:1: extends has 'lax'; known are hardware-only, strict, azure-cvm, gpu",
    ),
    ("schema = 1\nextends = ['strict']", "2:1: extends must be a string"),
    (
        'schema = 1\naccept = ["amd-sev-snp",\n\n  "all"]',
        f"4:3: accept has 'all'; known are {', '.join(TeeType)}",
    ),
    ('schema = 1\naccept = "amd-sev-snp"', "2:1: accept must be a list"),
    ("schema = 1\naccept = [1]", "2:11: accept must be a list; each value is a string"),
    ("schema = 1\nname = 1", "2:1: name must be a string"),
    ("schema = 1\nsnp = 1", "2:1: snp must be a table"),
    ("schema = 1\n[[snp]]\nvmpl = [0]", "2:3: snp must be a table"),
    ("schema = 1\n[snp]\nvmpl = 0", "3:1: snp.vmpl must be a list"),
    (
        "schema = 1\nsnp.vmpl = [0, true]",
        "2:16: snp.vmpl must be a list; each value is a whole number",
    ),
    ("schema = 1\nsnp . vmpl = [-1]", "2:15: snp.vmpl must be from 0 to 3"),
    ("schema = 1\n[snp]\nallow-smt = 0", "3:1: snp.allow-smt must be true or false"),
    ("schema = 1\n['snp']\n'allow-smt' = ''", "3:1: snp.allow-smt must be true or false"),
    (
        "schema = 1\n[snp]\nminimum-guest-svn = -1",
        "3:1: snp.minimum-guest-svn must be from 0 to 4294967295",
    ),
    (
        "schema = 1\n[tdx]\ngrace-period-days = 36501",
        "3:1: tdx.grace-period-days must be from 0 to 36500",
    ),
    (
        "schema = 1\n[snp.minimum-tcb.Milan]\nsnp = 1.5",
        "3:1: snp.minimum-tcb.Milan.snp must be a whole number",
    ),
    (
        "schema = 1\n[snp.minimum-tcb]\nMilan = 1",
        "3:1: snp.minimum-tcb.Milan must be a table",
    ),
]
"""TOML that is no policy, and the message from the position on."""
