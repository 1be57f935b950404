"""A FUSE server that needs no libfuse: files and devices of our own at production paths.

    class Hello(Handle):
        def read(self, caller: Caller, offset: int, size: int) -> bytes:
            return b"hello\n"[offset:]

    server = Server(File(lambda caller, flags: Hello()), Path("/dev/hello"))   # a file stands there
    server.serve(ready)          # until it is unmounted; `ready` is called before

A root that is a `Directory` is mounted on a directory, one that is a `File` on a regular file. Each
request is answered in a thread of its own, and no handler may use what is mounted: serve from a
process that does nothing else. An `OSError` that a handler raises is what the caller gets.

Three things differ from a file of the kernel's own. A file is a regular file, also where a device
is emulated. What a handle does "at close" happens in `flush`, at the first close of a descriptor
that was duplicated. And a caller that is killed waits for a handler that hangs, until the server is
gone.

Source: Linux, include/uapi/linux/fuse.h (protocol 7.31) and fs/fuse.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import stat
import struct
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)
_MS_NOSUID, _MS_NODEV = 2, 4
_REQUEST = struct.Struct("<IIQQIIII")
_DIRECT_IO, _NONSEEKABLE = 1, 4
_ATOMIC_O_TRUNC, _BIG_WRITES = 1 << 3, 1 << 5
_MAX_WRITE = 1 << 17
_BUFFER = _MAX_WRITE + (1 << 16)
# Operations that are answered by nothing: FORGET and BATCH_FORGET.
_SILENT = frozenset({2, 42})
_INTERRUPT = 36
_INIT = 26


@dataclass
class Caller:
    """The process whose system call is answered.

    Attributes:
        pid, uid, gid: as the kernel says.
        interrupted: set when a signal came while its call waits.
    """

    pid: int
    uid: int
    gid: int
    interrupted: threading.Event = field(default_factory=threading.Event)

    def wait(self, seconds: float) -> None:
        """Takes as long as a slow device does.

        Raises:
            OSError: EINTR, a signal came.
        """
        if self.interrupted.wait(seconds):
            raise OSError(errno.EINTR, "interrupted")

    def read_memory(self, address: int, size: int) -> bytes:
        """Reads its memory, as `copy_from_user` does.

        Raises:
            OSError: EFAULT.
        """
        buffer = ctypes.create_string_buffer(size)
        self._copy(_libc.process_vm_readv, buffer, address, size)
        return buffer.raw

    def write_memory(self, address: int, data: bytes) -> None:
        """Writes to its memory, as `copy_to_user` does.

        Raises:
            OSError: EFAULT.
        """
        buffer = ctypes.create_string_buffer(data, len(data))
        self._copy(_libc.process_vm_writev, buffer, address, len(data))

    def _copy(self, call: Callable[..., int], buffer: object, address: int, size: int) -> None:
        here = _IoVec(ctypes.cast(buffer, ctypes.c_void_p), size)  # type: ignore[arg-type]
        there = _IoVec(address, size)
        one, none = ctypes.c_ulong(1), ctypes.c_ulong(0)
        done = call(self.pid, ctypes.byref(here), one, ctypes.byref(there), one, none)
        if done != size:
            raise OSError(errno.EFAULT, "bad address")


class _IoVec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class Handle:
    """A file while it is open: every `open` has one of its own."""

    def read(self, caller: Caller, offset: int, size: int) -> bytes:
        """Answers read(2); more than `size` bytes are cut off, none is the end."""
        del caller, offset, size
        raise OSError(errno.EINVAL, "not for reading")

    def write(self, caller: Caller, offset: int, data: bytes) -> int:
        """Answers write(2): how many bytes were taken."""
        del caller, offset, data
        raise OSError(errno.EINVAL, "not for writing")

    def ioctl(
        self, caller: Caller, command: int, argument: int, data: bytes, size: int
    ) -> tuple[int, bytes]:
        """Answers ioctl(2).

        Args:
            caller: whose memory holds what the argument points to.
            command: the number; the kernel copies as many bytes as it says.
            argument: the third argument, mostly an address in the caller's memory.
            data: what was there, for `_IOW` and `_IOWR`.
            size: how many bytes may be written back, for `_IOR` and `_IOWR`.

        Returns:
            What the call returns, or an errno below zero, and what is written back in both cases.
        """
        del caller, command, argument, data, size
        raise OSError(errno.ENOTTY, "no such ioctl")

    def flush(self, caller: Caller) -> None:
        """A descriptor is closed; close(2) waits for this."""

    def release(self) -> None:
        """The last descriptor was closed; nobody waits for this."""


@dataclass(eq=False)
class File:
    """A file.

    Attributes:
        opened: answers open(2) with the caller and the flags.
        mode: the permission bits; as on configfs they hold for root too.
        uid, gid: the owner.
        size: what stat(2) says.
        seekable: whether pread(2) and lseek(2) work.
    """

    opened: Callable[[Caller, int], Handle]
    mode: int = 0o600
    uid: int = 0
    gid: int = 0
    size: int = 0
    seekable: bool = True
    kind = stat.S_IFREG

    def open(self, caller: Caller, flags: int) -> Handle:
        """Answers open(2)."""
        access = flags & os.O_ACCMODE
        reads, writes = access != os.O_WRONLY, access != os.O_RDONLY
        if (reads and not self.mode & 0o444) or (writes and not self.mode & 0o222):
            raise OSError(errno.EACCES, "the mode forbids it")
        return self.opened(caller, flags)


@dataclass(eq=False)
class Directory:
    """A directory; what is not overridden is refused.

    Attributes:
        children: by name.
        mode: the permission bits.
        uid, gid: the owner.
    """

    children: dict[str, Node] = field(default_factory=dict)
    mode: int = 0o755
    uid: int = 0
    gid: int = 0
    size = 0
    kind = stat.S_IFDIR

    def lookup(self, name: str) -> Node:
        """Returns a child.

        Raises:
            OSError: ENOENT.
        """
        child = self.children.get(name)
        if child is None:
            raise OSError(errno.ENOENT, name)
        return child

    def mkdir(self, caller: Caller, name: str) -> Node:
        """Answers mkdir(2)."""
        del caller
        raise OSError(errno.EPERM, name)

    def rmdir(self, caller: Caller, name: str) -> None:
        """Answers rmdir(2)."""
        del caller
        raise OSError(errno.EPERM, name)


Node = File | Directory


class Server:
    """A mounted file system.

    Args:
        root: what stands at `target`.
        target: a directory, or a regular file if `root` is a file.
        name: what /proc/mounts calls it.

    Raises:
        OSError: mount(2) failed; root alone may.
    """

    def __init__(self, root: Node, target: Path, name: str = "emulation") -> None:
        self._nodes: dict[int, Node] = {1: root}
        self._numbers: dict[Node, int] = {root: 1}
        self._handles: dict[int, Handle] = {}
        self._waiting: dict[int, Caller] = {}
        self._last = 1
        self._lock = threading.Lock()
        self._fd = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = (
            f"fd={self._fd},rootmode={root.kind | root.mode:o},user_id=0,group_id=0,allow_other,"
            "default_permissions"
        )
        if _libc.mount(
            name.encode(),
            os.fsencode(target),
            b"fuse",
            ctypes.c_ulong(_MS_NOSUID | _MS_NODEV),
            options.encode(),
        ):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(target))

    def serve(self, ready: Callable[[], None] = lambda: None) -> None:
        """Answers requests until it is unmounted.

        Args:
            ready: called when the file system can be used.
        """
        ready()
        while True:
            try:
                request = os.read(self._fd, _BUFFER)
            except OSError as error:
                if error.errno in (errno.ENOENT, errno.EINTR, errno.EAGAIN):
                    continue
                return  # ENODEV: unmounted
            self._take(request)

    def _take(self, request: bytes) -> None:
        _, operation, unique, node, uid, gid, pid, _ = _REQUEST.unpack_from(request)
        body = request[_REQUEST.size :]
        if operation == _INTERRUPT:
            waiting = self._waiting.get(int.from_bytes(body[:8], "little"))
            if waiting is not None:
                waiting.interrupted.set()
        elif operation not in _SILENT:
            caller = Caller(pid, uid, gid)
            self._waiting[unique] = caller
            arguments = (unique, operation, node, body, caller)
            threading.Thread(target=self._answer, args=arguments, daemon=True).start()

    def _answer(self, unique: int, operation: int, node: int, body: bytes, caller: Caller) -> None:
        number, answer = 0, b""
        try:
            answer = self._dispatch(operation, node, body, caller)
        except OSError as error:
            number = error.errno or errno.EIO
        except Exception:  # noqa: BLE001  the caller must not wait forever for a test's mistake
            traceback.print_exc()
            number = errno.EIO
        self._waiting.pop(unique, None)
        header = struct.pack("<IiQ", 16 + len(answer) * (not number), -number, unique)
        with contextlib.suppress(OSError):  # ENOENT: interrupted; ENODEV: unmounted
            os.write(self._fd, header + (b"" if number else answer))

    def _dispatch(self, operation: int, number: int, body: bytes, caller: Caller) -> bytes:
        if operation == _INIT:
            return self._init(body)
        node = self._nodes.get(number)
        if node is None:
            raise OSError(errno.ENOENT, "no such node")
        answer = _OPERATIONS.get(operation)
        if answer is None:
            raise OSError(errno.ENOSYS, f"operation {operation}")
        return answer(self, node, body, caller)

    @staticmethod
    def _init(body: bytes) -> bytes:
        _, minor, ahead, flags = struct.unpack_from("<4I", body)
        agreed = flags & (_ATOMIC_O_TRUNC | _BIG_WRITES)
        start = struct.pack("<4I", 7, min(minor, 31), ahead, agreed)
        return start + struct.pack("<2H2I2HI28x", 64, 48, _MAX_WRITE, 1, 0, 0, 0)

    def _number(self, node: Node) -> int:
        with self._lock:
            if node not in self._numbers:
                self._last += 1
                self._numbers[node] = self._last
                self._nodes[self._last] = node
            return self._numbers[node]

    def _attributes(self, node: Node) -> bytes:
        links = 2 if isinstance(node, Directory) else 1
        numbers = (self._number(node), node.size, 0, 0, 0, 0)
        owner = (node.kind | node.mode, links, node.uid, node.gid, 0, 4096, 0)
        return struct.pack("<6Q10I", *numbers, 0, 0, 0, *owner)

    def _entry(self, node: Node) -> bytes:
        return struct.pack("<5Q", self._number(node), 0, 0, 0, 0) + self._attributes(node)

    def _lookup(self, node: Node, body: bytes, caller: Caller) -> bytes:
        del caller
        return self._entry(_directory(node).lookup(_name(body)))

    def _getattr(self, node: Node, body: bytes, caller: Caller) -> bytes:
        del body, caller
        return bytes(16) + self._attributes(node)

    def _mkdir(self, node: Node, body: bytes, caller: Caller) -> bytes:
        return self._entry(_directory(node).mkdir(caller, _name(body[8:])))

    def _rmdir(self, node: Node, body: bytes, caller: Caller) -> bytes:
        _directory(node).rmdir(caller, _name(body))
        return b""

    def _open(self, node: Node, body: bytes, caller: Caller) -> bytes:
        if isinstance(node, Directory):
            return struct.pack("<QII", 0, 0, 0)
        handle = node.open(caller, int.from_bytes(body[:4], "little"))
        with self._lock:
            self._last += 1
            number = self._last
            self._handles[number] = handle
        flags = _DIRECT_IO | (0 if node.seekable else _NONSEEKABLE)
        return struct.pack("<QII", number, flags, 0)

    def _read(self, node: Node, body: bytes, caller: Caller) -> bytes:
        del node
        handle, offset, size = struct.unpack_from("<QQI", body)
        return self._handles[handle].read(caller, offset, size)[:size]

    def _write(self, node: Node, body: bytes, caller: Caller) -> bytes:
        del node
        handle, offset, size = struct.unpack_from("<QQI", body)
        taken = self._handles[handle].write(caller, offset, body[40 : 40 + size])
        return struct.pack("<II", taken, 0)

    def _flush(self, node: Node, body: bytes, caller: Caller) -> bytes:
        del node
        self._handles[int.from_bytes(body[:8], "little")].flush(caller)
        return b""

    def _release(self, node: Node, body: bytes, caller: Caller) -> bytes:
        del node, caller
        handle = self._handles.pop(int.from_bytes(body[:8], "little"), None)
        if handle is not None:
            handle.release()
        return b""

    def _readdir(self, node: Node, body: bytes, caller: Caller) -> bytes:
        del caller
        _, offset, size = struct.unpack_from("<QQI", body)
        children = list(_directory(node).children.items())
        found = b""
        for position, (name, child) in enumerate([(".", node), ("..", node), *children], 1):
            encoded = name.encode()
            kind, number = child.kind >> 12, self._number(child)
            entry = struct.pack("<QQII", number, position, len(encoded), kind) + encoded
            entry += bytes(-len(entry) % 8)
            if position > offset and len(found) + len(entry) <= size:
                found += entry
        return found

    def _ioctl(self, node: Node, body: bytes, caller: Caller) -> bytes:
        del node
        handle, _, command, argument, data_size, size = struct.unpack_from("<QIIQII", body)
        data = body[32 : 32 + data_size]
        result, back = self._handles[handle].ioctl(caller, command, argument, data, size)
        return struct.pack("<iIII", result, 0, 0, 0) + back[:size]

    def _statfs(self, node: Node, body: bytes, caller: Caller) -> bytes:
        del node, body, caller
        return struct.pack("<5Q3I28x", 0, 0, 0, 0, 0, 4096, 255, 4096)

    def _nothing(self, node: Node, body: bytes, caller: Caller) -> bytes:
        del node, body, caller
        return b""

    def _forbidden(self, node: Node, body: bytes, caller: Caller) -> bytes:
        del node, body, caller
        raise OSError(errno.EPERM, "not permitted")

    def _refused(self, node: Node, body: bytes, caller: Caller) -> bytes:
        del node, body, caller
        raise OSError(errno.EACCES, "permission denied")


_OPERATIONS: dict[int, Callable[[Server, Node, bytes, Caller], bytes]] = {
    1: Server._lookup,
    3: Server._getattr,
    4: Server._getattr,  # SETATTR: says yes, as configfs does to chmod(2)
    6: Server._forbidden,  # SYMLINK
    8: Server._refused,  # MKNOD
    9: Server._mkdir,
    10: Server._forbidden,  # UNLINK
    11: Server._rmdir,
    14: Server._open,
    15: Server._read,
    16: Server._write,
    17: Server._statfs,
    18: Server._release,
    20: Server._nothing,  # FSYNC
    25: Server._flush,
    27: Server._open,  # OPENDIR
    28: Server._readdir,
    29: Server._nothing,  # RELEASEDIR
    35: Server._refused,  # CREATE
    39: Server._ioctl,
}


def _directory(node: Node) -> Directory:
    if isinstance(node, Directory):
        return node
    raise OSError(errno.ENOTDIR, "not a directory")


def _name(body: bytes) -> str:
    return body.partition(b"\0")[0].decode()
