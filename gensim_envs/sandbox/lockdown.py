"""Restrict this process to computing (on Linux; elsewhere only POSIX resource limits apply).

Two independent layers, neither of which needs root or a system package:

- seccomp: an allow-list of system calls. Calls that an idle interpreter never makes (processes,
  sockets, signals to others) kill the process, so the parent can report why; all others, such as
  opening a file, fail with EPERM, which Python raises as an error with a line number.
- Landlock, where the kernel has it: no file, no TCP port, no signal or socket beyond the process.

Written against the kernel's interface, since libseccomp is a system package and its Python
binding unmaintained. `deny_all` cannot be undone.

Imports only the standard library, so that `protection` can probe it in a bare interpreter.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import signal
import struct
import sys
from collections.abc import Mapping
from typing import Literal

# linux/seccomp.h, linux/prctl.h, linux/landlock.h
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_SECCOMP_SET_MODE_FILTER, _SECCOMP_FILTER_FLAG_TSYNC = 1, 1
_KILL, _EPERM, _ALLOW = 0x8000_0000, 0x0005_0001, 0x7FFF_0000
_LANDLOCK_CREATE_RULESET, _LANDLOCK_RESTRICT_SELF = 444, 446  # the same on all architectures
_PROT_EXEC = 4
_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.syscall.restype = ctypes.c_long

# linux/bpf_common.h: load a 32-bit word of seccomp_data, jump if equal / greater or equal / any
# bit set, return.
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_X32 = 0x4000_0000  # x86_64 only: the bit of the 32-bit numbering, which would evade the list

_AUDIT_ARCH = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7}
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_CAPSET = {"x86_64": 126, "aarch64": 91}
_PR_CAPBSET_DROP, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 24, 47, 4
_CAPABILITY_VERSION_3, _LAST_CAPABILITY = 0x2008_0522, 63  # linux/capability.h

# Numbers on (x86_64, aarch64); None where the architecture lacks the call.
# Sources: arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h.
_Table = Mapping[str, tuple[int | None, int | None]]
_ALLOWED: _Table = {
    "read": (0, 63), "write": (1, 64), "futex": (202, 98), "clock_gettime": (228, 113),
    "setitimer": (38, 103), "munmap": (11, 215), "brk": (12, 214), "mremap": (25, 216),
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139), "sigaltstack": (131, 132), "restart_syscall": (219, 128),
    "getrandom": (318, 278), "exit": (60, 93), "exit_group": (231, 94), "close": (3, 57),
    "fstat": (5, 80), "lseek": (8, 62), "getpid": (39, 172), "gettid": (186, 178),
    "getrusage": (98, 165), "gettimeofday": (96, 169), "time": (201, None),
    "clock_getres": (229, 114), "nanosleep": (35, 101), "clock_nanosleep": (230, 115),
    "sched_yield": (24, 124), "sched_getaffinity": (204, 123), "getcpu": (309, 168),
    "rseq": (334, 293), "membarrier": (324, 283), "set_robust_list": (273, 99),
    "sysinfo": (99, 179),
}  # fmt: skip
_ALLOWED_WITHOUT_EXEC: _Table = {"mmap": (9, 222), "mprotect": (10, 226)}
_ALLOWED_ADVICE: _Table = {"madvise": (28, 233)}
_ADVICE = (4, 8, 14, 15)  # MADV_DONTNEED, FREE, HUGEPAGE, NOHUGEPAGE: malloc's and NumPy's
_ALLOWED_ON_ITSELF: _Table = {"kill": (62, 129), "tgkill": (234, 131)}  # abort() signals itself
_KILLED: _Table = {
    # processes
    "fork": (57, None), "vfork": (58, None), "clone": (56, 220), "clone3": (435, 435),
    "execve": (59, 221), "execveat": (322, 281), "unshare": (272, 97), "setns": (308, 268),
    # sockets: without one, no other network call has anything to act on
    "socket": (41, 198), "socketpair": (53, 199),
    # other processes
    "ptrace": (101, 117), "tkill": (200, 130), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424),
    "pidfd_getfd": (438, 438), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    # ways round the filter, or into the kernel
    "io_uring_setup": (425, 425), "memfd_create": (319, 279), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "mount": (165, 40),
}  # fmt: skip


def die_with(parent: int) -> None:
    """Have the kernel kill this process when the thread that started it ends.

    Args:
        parent: process id of that thread's process; this process ends at once if it is gone.
    """
    if sys.platform == "linux":
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def limit(memory: int, cpu: int) -> None:
    """Set resource limits of this process.

    Args:
        memory: bytes of address space on top of what is mapped now.
        cpu: seconds of processor time in the life of the process.

    Raises:
        OSError: the machine lacks what the limits need, with the remedy.
    """
    wanted = {
        resource.RLIMIT_CPU: cpu,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NPROC: 0,  # root ignores this one
    }
    if sys.platform == "linux":
        try:
            with open("/proc/self/statm") as file:
                mapped = int(file.read().split()[0]) * resource.getpagesize()
            descriptors = [int(name) for name in os.listdir("/proc/self/fd")]
        except OSError as error:
            raise OSError(
                f"/proc cannot be read on this machine ({error.strerror}), and the sandbox needs "
                "it to limit memory and files. Mount it: mount -t proc proc /proc"
            ) from error
        wanted[resource.RLIMIT_AS] = mapped + memory
        wanted[resource.RLIMIT_NOFILE] = 1 + max(descriptors)
    for kind, value in wanted.items():
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))


def deny_all() -> dict[str, str]:
    """Install both layers, irrevocably.

    Returns:
        For each of "seccomp" and "landlock", "on" or why it is missing.
    """
    if sys.platform != "linux":
        reason = f"missing: {sys.platform} has none"
        return {"seccomp": reason, "landlock": reason}
    layers = {}
    _drop_capabilities()
    _prctl(_PR_SET_DUMPABLE, 0)  # no other process of this user may read its memory
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    for name, install in (("landlock", _install_landlock), ("seccomp", _install_seccomp)):
        try:
            install()
            layers[name] = "on"
        except OSError as error:
            layers[name] = f"missing: {error.strerror}"
    return layers


def forget_arguments() -> None:
    """Blank the command line of this process, which names folders of the host.

    A locked-down child is a fork, so that neither it nor /proc has them afterwards.
    """
    sys.argv[:] = [""]
    sys.orig_argv[:] = [""]
    if sys.platform == "linux":
        try:
            with open("/proc/self/stat") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            return  # `limit` says what to do about it
        start, end = int(fields[45]), int(fields[46])  # arg_start, arg_end: proc_pid_stat(5)
        if start:
            ctypes.memset(start, 0, end - start)


def _drop_capabilities() -> None:
    """Give up what root may do. Without the right to, the bounding set stays, which gives none."""
    machine = platform.machine()
    for capability in range(_LAST_CAPABILITY + 1):
        _LIBC.prctl(_PR_CAPBSET_DROP, ctypes.c_ulong(capability), *[ctypes.c_ulong(0)] * 3)
    _LIBC.prctl(
        _PR_CAP_AMBIENT, ctypes.c_ulong(_PR_CAP_AMBIENT_CLEAR_ALL), *[ctypes.c_ulong(0)] * 3
    )
    if machine in _CAPSET:
        header = ctypes.create_string_buffer(struct.pack("=Ii", _CAPABILITY_VERSION_3, 0))
        data = ctypes.create_string_buffer(24)  # effective, permitted, inheritable: none, twice
        _syscall(_CAPSET[machine], ctypes.addressof(header), ctypes.addressof(data))


def _install_seccomp() -> None:
    machine = platform.machine()
    if machine not in _AUDIT_ARCH:
        raise OSError(0, f"no list of system calls for {machine}")
    program = _filter(machine, os.getpid())
    buffer = ctypes.create_string_buffer(program, len(program))

    class _Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    header = _Program(len(program) // 8, ctypes.addressof(buffer))
    _syscall(
        _SECCOMP[machine],
        _SECCOMP_SET_MODE_FILTER,
        _SECCOMP_FILTER_FLAG_TSYNC,
        ctypes.addressof(header),
    )


def _filter(machine: str, pid: int) -> bytes:
    """Return the classic BPF program; a jump skips ten instructions at most."""
    number, arch, argument = 0, 4, (16, 24, 32)  # offsets in struct seccomp_data, little-endian
    column = 0 if machine == "x86_64" else 1

    def code(operation: int, value: int, yes: int = 0, no: int = 0) -> bytes:
        return struct.pack("=HBBI", operation, yes, no, value)

    def numbers(table: _Table) -> list[int]:
        return [call for row in table.values() if (call := row[column]) is not None]

    parts = [code(_LOAD, arch), code(_EQUAL, _AUDIT_ARCH[machine], yes=1), code(_RETURN, _KILL)]
    parts += [code(_LOAD, number)]
    if machine == "x86_64":
        parts += [code(_AT_LEAST, _X32, no=1), code(_RETURN, _KILL)]
    for call in numbers(_ALLOWED):
        parts += [code(_EQUAL, call, no=1), code(_RETURN, _ALLOW)]
    for call in numbers(_KILLED):
        parts += [code(_EQUAL, call, no=1), code(_RETURN, _KILL)]
    for call in numbers(_ALLOWED_WITHOUT_EXEC):
        test = code(_LOAD, argument[2]) + code(_ANY_BIT, _PROT_EXEC, no=1)
        parts += [code(_EQUAL, call, no=4), test, code(_RETURN, _EPERM), code(_RETURN, _ALLOW)]
    for call in numbers(_ALLOWED_ADVICE):
        length = 1 + 2 * len(_ADVICE) + 1
        parts += [code(_EQUAL, call, no=length), code(_LOAD, argument[2])]
        for advice in _ADVICE:
            parts += [code(_EQUAL, advice, no=1), code(_RETURN, _ALLOW)]
        parts += [code(_RETURN, _EPERM)]
    for call in numbers(_ALLOWED_ON_ITSELF):
        test = code(_LOAD, argument[0]) + code(_EQUAL, pid, no=1)
        parts += [code(_EQUAL, call, no=4), test, code(_RETURN, _ALLOW), code(_RETURN, _KILL)]
    return b"".join([*parts, code(_RETURN, _EPERM)])


def _install_landlock() -> None:
    """Handle each right that the kernel knows, and grant none."""
    version = _syscall(_LANDLOCK_CREATE_RULESET, 0, 0, 1)
    if version < 1:
        raise OSError(0, "the kernel has it switched off")
    # The rights that each version of the interface added, as numbers of bits.
    files = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)) - 1
    attributes = struct.pack("=Q", files)
    if version >= 4:
        attributes += struct.pack("=Q", 0b11)  # TCP: bind, connect
    if version >= 6:
        attributes += struct.pack("=Q", 0b11)  # abstract unix sockets, signals
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    ruleset = _syscall(_LANDLOCK_CREATE_RULESET, ctypes.addressof(buffer), len(attributes), 0)
    try:
        _syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _prctl(option: int, value: int) -> None:
    zero = ctypes.c_ulong(0)
    _checked(_LIBC.prctl(option, ctypes.c_ulong(value), zero, zero, zero))


def _syscall(*arguments: int) -> int:
    return _checked(_LIBC.syscall(*(ctypes.c_long(argument) for argument in arguments)))


def _checked(result: int) -> int:
    """Return the result of a C function, or raise the `OSError` that it reports."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


# --- probing ----------------------------------------------------------------------------------

Operation = Literal["fork", "exec", "tcp", "udp", "unix", "netlink", "read", "write", "list"]
DENIED = 3  # exit status


def probe(operation: Operation) -> int:
    """Lock this process down, then try one forbidden action.

    Returns:
        `DENIED` where it failed with PermissionError, 0 where it could be done; where the operation
        kills the process, it does not return.
    """
    import socket  # here, since the worker shall not have it

    kinds = {
        "tcp": ("AF_INET", socket.SOCK_STREAM),
        "udp": ("AF_INET", socket.SOCK_DGRAM),
        "unix": ("AF_UNIX", socket.SOCK_STREAM),
        "netlink": ("AF_NETLINK", socket.SOCK_RAW),
    }
    deny_all()
    try:
        if operation == "fork":
            if os.fork() == 0:
                os._exit(0)
        elif operation == "exec":
            os.execv(sys.executable, [sys.executable, "-S", "-c", ""])
        elif operation in kinds:
            family, kind = kinds[operation]
            socket.socket(getattr(socket, family), kind).close()
        elif operation == "list":
            os.listdir("/")
        else:
            with open(*((__file__,) if operation == "read" else ("probe", "w"))):
                pass
    except PermissionError:
        return DENIED
    return 0
