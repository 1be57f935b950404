"""Where the machine stands: whose cloud, which kernel, and whether we are in a container.

Sources: cloud-init, tools/ds-identify (what each cloud writes into SMBIOS); systemd, "The
Container Interface"; Podman, podman-run(1) (`/run/.containerenv`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from wasmtime_attestation.attesters.detect.files import Files

DMI = "/sys/class/dmi/id"
AZURE_ASSET_TAG = "7783-7084-3265-9085-8269-3286-77"


@dataclass(frozen=True, slots=True)
class CloudSign:
    """What tells a cloud.

    Attributes:
        cloud: its short name.
        name: its name for people.
        file: below `DMI`.
        value: what stands there, from the start.
    """

    cloud: str
    name: str
    file: str
    value: str


CLOUDS = (
    CloudSign("azure", "Microsoft Azure", "chassis_asset_tag", AZURE_ASSET_TAG),
    CloudSign("gcp", "Google Cloud", "product_name", "Google Compute Engine"),
    CloudSign("aws", "Amazon EC2", "sys_vendor", "Amazon EC2"),
    CloudSign("alibaba", "Alibaba Cloud", "product_name", "Alibaba Cloud ECS"),
    CloudSign("oracle", "Oracle Cloud", "chassis_asset_tag", "OracleCloud.com"),
)
_CONTAINERS = (
    ("/.dockerenv", "docker"),
    ("/run/.containerenv", "podman"),
    ("/var/run/secrets/kubernetes.io", "kubernetes"),
)
_CONTAINER_MANAGER = "/run/host/container-manager"
_SYSTEMD_CONTAINER = "/run/systemd/container"
_CGROUP = "/proc/1/cgroup"
_IN_CGROUP = re.compile(r"(docker|kubepods|containerd|libpod|lxc|crio)")
_RELEASE = "/proc/sys/kernel/osrelease"
_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})")
_WORD = re.compile(r"[A-Za-z0-9._-]{1,32}")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where the machine stands.

    Attributes:
        cloud: a `CloudSign.cloud`; empty where it is not known.
        container: what runs the container that we are in; empty where there is none.
        kernel: the release, such as `6.12.9-cloud`; empty where it cannot be read.
    """

    cloud: str = ""
    container: str = ""
    kernel: str = ""

    @property
    def kernel_version(self) -> tuple[int, int] | None:
        """Major and minor version, or None."""
        found = _VERSION.match(self.kernel)
        return (int(found[1]), int(found[2])) if found else None

    @property
    def cloud_name(self) -> str:
        """The cloud's name for people; empty where it is not known."""
        return next((sign.name for sign in CLOUDS if sign.cloud == self.cloud), "")


def examine(files: Files) -> Surroundings:
    """Reads what the firmware, the kernel and the container's manager say."""
    return Surroundings(_cloud(files), _container(files), files.text(_RELEASE)[:64])


def _cloud(files: Files) -> str:
    for sign in CLOUDS:
        if files.text(f"{DMI}/{sign.file}").startswith(sign.value):
            return sign.cloud
    return ""


def _container(files: Files) -> str:
    for path in (_CONTAINER_MANAGER, _SYSTEMD_CONTAINER):
        if word := _WORD.match(files.text(path)):
            return word[0]
    for path, name in _CONTAINERS:
        if files.has(path):
            return name
    found = _IN_CGROUP.search(files.text(_CGROUP))
    return found[1] if found else ""
