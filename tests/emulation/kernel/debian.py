"""A kernel, its headers and QEMU from Debian's packages, unpacked and not installed.

The kernel has to be Linux 6.7 or newer, and QEMU 10, since QEMU 7.2 crashes guests; a release that
has older ones takes both from its backports.
"""

from __future__ import annotations

import fcntl
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.emulation.namespace import ROOT
from tests.tools import missing, require

PACKAGES = ("qemu-system-x86", "linux-image-cloud-amd64", "linux-headers-cloud-amd64")
CACHE = ROOT / "build" / "kernel"
_LIBRARIES = ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu")


@dataclass(frozen=True)
class Unpacked:
    """Where the packages were unpacked."""

    root: Path

    @property
    def release(self) -> str:
        """What `uname -r` says in the machine."""
        (modules,) = (self.root / "lib/modules").iterdir()
        return modules.name

    @property
    def kernel(self) -> Path:
        """The kernel's image."""
        return self.root / "boot" / f"vmlinuz-{self.release}"

    def module(self, name: str) -> bytes:
        """Returns a module of the kernel, as it is loaded."""
        (packed,) = (self.root / "lib/modules" / self.release).rglob(f"{name}.ko.xz")
        return subprocess.run(["xz", "-dc", packed], check=True, capture_output=True).stdout

    def environment(self) -> dict[str, str]:
        """Returns what lets QEMU find its libraries."""
        return {"LD_LIBRARY_PATH": ":".join(str(self.root / folder) for folder in _LIBRARIES)}


def unpacked() -> Unpacked:
    """Returns the packages, fetched where they are not there from another time."""
    for tool in ("apt-get", "dpkg-deb", "xz"):
        require(tool)
    root = CACHE / "root"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes
        if not (root / "done").exists():
            _unpack(root)
    return Unpacked(root)


def _unpack(root: Path) -> None:
    _fetch()
    root.mkdir(exist_ok=True)
    for package in (CACHE / "archives").glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, root], check=True)
    (root / "done").touch()


def _fetch() -> None:
    for folder in ("lists/partial", "archives/partial"):
        (CACHE / folder).mkdir(parents=True, exist_ok=True)
    codename, address = _release()
    keys = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
    suites = (codename, f"{codename}-backports")
    sources = CACHE / "sources.list"
    sources.write_text("".join(f"deb {keys} {address} {suite} main\n" for suite in suites))
    options = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": CACHE / "lists",
        "Dir::Cache::archives": CACHE / "archives",
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        "Debug::NoLocking": "1",
    }
    apt = ["apt-get", "-qq", *(word for o in options.items() for word in ("-o", f"{o[0]}={o[1]}"))]
    subprocess.run([*apt, "update"], check=True)
    install = ("-y", "--download-only", "--no-install-recommends", "install")
    subprocess.run([*apt, "-t", suites[1], *install, *PACKAGES], check=True)


def _release() -> tuple[str, str]:
    """Returns the codename of this Debian, and where its packages come from."""
    facts = dict(
        line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if line
    )
    codename = facts.get("VERSION_CODENAME", "").strip('"')
    for file in sorted(Path("/etc/apt/sources.list.d").glob("*.sources")):
        for stanza in file.read_text().split("\n\n"):
            lines = [line.partition(":") for line in stanza.splitlines()]
            fields = {name: value.split() for name, _, value in lines}
            if codename in fields.get("Suites", []) and "main" in fields.get("Components", []):
                return codename, fields["URIs"][0]
    missing("this is no Debian whose sources say where packages come from")
