"""Every setting of a policy that is in force, written or not (`policy show`)."""

from __future__ import annotations

from collections.abc import Iterator

from wasmtime_attestation.policy import SCHEMA, read
from wasmtime_attestation.policy.source import Source
from wasmtime_attestation.policy.table import Setting, Table
from wasmtime_attestation.policy.toml_text import assignment, comment


def show(name: str, source: Source) -> str:
    """Returns a policy as TOML with every setting: reading it gives the same policy.

    Args:
        name: the policy's name where the text gives none.
        source: its text.

    Raises:
        InvalidArgumentError: the text is no policy; the message says where.
    """
    policy, table = read(name, source)
    lines = [
        *comment(f"{source.file}: every setting that is in force, also where the text has none"),
        *_extends(source),
        *assignment("schema", SCHEMA),
        *assignment("name", policy.name),
        *_settings(table, {"schema", "name", "extends"}),
        *_tables(table, ""),
    ]
    return "\n".join(lines) + "\n"


def _extends(source: Source) -> Iterator[str]:
    if "extends" in source.values:
        yield from comment(f"the settings of preset {source.values['extends']} are among them")


def _tables(table: Table, prefix: str) -> Iterator[str]:
    for key, inner in table.tables.items():
        if inner.is_absent:
            continue
        yield ""
        yield from comment(inner.about)
        yield f"[{prefix}{key}]"
        yield from _settings(inner, set())
        yield from _tables(inner, f"{prefix}{key}.")


def _settings(table: Table, without: set[str]) -> Iterator[str]:
    for setting in table.settings:
        if setting.key not in without:
            yield from _setting(setting)


def _setting(setting: Setting) -> Iterator[str]:
    yield from comment(setting.about)
    if setting.value is None:
        yield f"# {setting.key}: not constrained"
    else:
        yield from assignment(setting.key, setting.value)
