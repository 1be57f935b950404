"""`wasmtime-attestation cache`: what is kept on disk, whether it is whole, and its removal."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from wasmtime_attestation.cache import disk, inventory, machine_code
from wasmtime_attestation.cache.inventory import Cache, Item, Place, State
from wasmtime_attestation.cache.machine_identity import boot_of_machine
from wasmtime_attestation.cli import options
from wasmtime_attestation.cli.terminal import printable, say
from wasmtime_attestation.endorsers.cache_folder import default_folder
from wasmtime_attestation.errors import InvalidArgumentError, RejectedError, UnavailableError

F = TypeVar("F", bound=Callable[..., Any])
_DIGITS = 16


@click.group("cache")
def command() -> None:
    """Look at the caches on disk, verify and clear them (docs/caches.md).

    There are three: tokens of services, endorsements that vendors' services answered, and guests
    that were compiled. Tokens of this host are in no file; they are never printed, nor are those
    of services.
    """


def _selection(function: F) -> F:
    function = click.option(
        "--only",
        type=click.Choice([str(cache) for cache in Cache]),
        help="One of the caches.",
    )(function)
    return click.option(
        "--directory",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="Where tokens are, as `directory` of [cache] says, or with `--only code` compiled "
        "guests, as [cache.code] says; this user's folder without it.",
    )(function)


@command.command("ls")
@_selection
@options.as_json
@options.verbose
def ls_command(*, only: str | None, directory: Path | None, as_json: bool) -> None:
    """List what is kept."""
    items = _items(_places(only, directory))
    if as_json:
        click.echo(json.dumps({"entries": [item.to_json() for item in items]}, indent=2))
        return
    for item in items:
        click.echo(printable(_line(item)))


@command.command("show")
@click.argument("name", metavar="NAME")
@_selection
@options.as_json
@options.verbose
def show_command(*, name: str, only: str | None, directory: Path | None, as_json: bool) -> None:
    """Show what entries say whose NAME begins so."""
    found = [item for item in _items(_places(only, directory)) if item.name.startswith(name)]
    if not found or not name:
        raise InvalidArgumentError(f"no entry has a name that begins with {name!r}; see `cache ls`")
    if as_json:
        click.echo(json.dumps({"entries": [item.to_json() for item in found]}, indent=2))
        return
    for item in found:
        for member, value in item.to_json().items():
            click.echo(printable(f"{member + ':':<14} {_value(member, value)}"))


@command.command("verify")
@_selection
@options.as_json
@options.verbose
def verify_command(*, only: str | None, directory: Path | None, as_json: bool) -> int:
    """Say whether every entry is whole; exit code 4 where one is not.

    That an entry is whole says nothing about its content: tokens and endorsements are verified
    when they are used.
    """
    items = _items(_places(only, directory))
    damaged = [item for item in items if item.state is State.DAMAGED]
    if as_json:
        counts = {str(state): sum(item.state is state for item in items) for state in State}
        members = {"entries": counts, "damaged": [item.to_json() for item in damaged]}
        click.echo(json.dumps(members, indent=2))
    else:
        for item in damaged:
            click.echo(printable(_line(item)))
        click.echo(f"{len(items)} entries, {len(damaged)} damaged")
    return RejectedError.exit_code if damaged else 0


@command.command("clear")
@_selection
@options.as_json
@options.verbose
def clear_command(*, only: str | None, directory: Path | None, as_json: bool) -> int:
    """Remove what is kept; hosts that run keep what is in their memory, until it expires."""
    counts, left = {}, 0
    for place in _places(only, directory):
        counts[str(place.cache)], remaining = place.clear()
        left += remaining
    if as_json:
        click.echo(json.dumps({"removed": counts, "left": left}))
    else:
        click.echo(", ".join(f"{count} {cache} removed" for cache, count in counts.items()))
    if left:
        say(f"{left} entries could not be removed: see the permissions of the folder")
    return UnavailableError.exit_code if left else 0


def _places(only: str | None, directory: Path | None) -> list[Place]:
    is_of_code = only == Cache.CODE
    folders = (
        (Cache.TOKENS, directory or disk.default_directory()),
        (Cache.ENDORSEMENTS, default_folder()),
        (Cache.CODE, (directory if is_of_code else None) or machine_code.default_directory()),
    )
    return [
        Place(cache, folder)
        for cache, folder in folders
        if folder is not None and only in (None, str(cache))
    ]


def _items(places: Iterable[Place]) -> list[Item]:
    now, boot = int(time.time()), boot_of_machine()
    return [item for place in places for item in place.items(now, boot)]


def _line(item: Item) -> str:
    said = item.members
    start = f"{item.name[:_DIGITS]}  {item.cache:<12}  {item.size:>8}  {item.state}"
    if item.state is State.DAMAGED:
        return f"{start}: {said['reason']}"
    if item.cache is Cache.ENDORSEMENTS:
        none = "" if said["found"] else ", there was none"
        return f"{start}  {_value('fetched', said['fetched'])}  {said['url']}{none}"
    if item.cache is Cache.CODE:
        return f"{start}  guest {said['guest']}, {said['compiler']}"
    until = _value("expires", said["expires"])
    return f"{start}  until {until}  {said['kind']} of {said['target']}, {said['service']}"


def _value(member: str, value: object) -> str:
    if member in {"issued", "expires", "fetched"} and isinstance(value, int):
        return inventory.instant(value)
    return "-" if value is None else str(value)
