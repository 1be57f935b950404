"""Builds the test's own kernel module against the unpacked headers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.emulation.kernel.debian import Unpacked
from tests.tools import require

SOURCE = Path(__file__).with_name("provider.c")
# The headers name each other by absolute paths, so they have to stand there for the while.
_BUILD = """
set -e
for folder in /usr/src /usr/lib; do
    mount -t overlay overlay -o "lowerdir=$1$folder:$folder" "$folder"
done
exec make -s -C "/usr/src/linux-headers-$2" "M=$3" CONFIG_DEBUG_INFO_BTF_MODULES= modules
"""


def provider(unpacked: Unpacked, folder: Path) -> bytes:
    """Builds the provider.

    Args:
        unpacked: the packages.
        folder: an empty one.
    """
    for tool in ("make", "gcc", "unshare"):
        require(tool)
    shutil.copy(SOURCE, folder)
    (folder / "Makefile").write_text("obj-m := provider.o\n")
    command = ["unshare", "-m", "sh", "-c", _BUILD, "sh"]
    command += [str(unpacked.root), unpacked.release, str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    return (folder / "provider.ko").read_bytes()
