"""Reading and writing files of folders that may come from anyone.

A reader sees the old content or the new one, never a part. All writes and deletions go through
here. They work relative to an opened folder and follow no symbolic link below it, so a library or a
run folder from elsewhere cannot redirect them. Only regular files are read: a named pipe or a
device, which may block or never end, is an error.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import glob
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from io import BufferedReader, BufferedWriter
from pathlib import Path, PurePath

from gensim_envs.errors import FileError, GensimError

LARGEST = 2**28
"""Most bytes of a file that is read as a whole."""

_HOLLOW = 2**26
"""Bytes from which on a file must not consist of holes."""
_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def absolute(path: str | os.PathLike[str]) -> Path:
    """A path without `~`, links and dots.

    Unlike the methods of `Path`, this fails neither for unknown users nor for loops of links.
    """
    return Path(os.path.realpath(os.path.expanduser(path)))


def write(path: Path, data: bytes, root: Path | None = None) -> None:
    """Replace a file in one step, once its bytes have reached the disk.

    Args:
        path: the file; missing folders are created.
        data: the new content.
        root: a folder above the file. Between it and the file no symbolic link is followed. By
            default it is the file's own folder.

    Raises:
        FileError: naming the file and the reason; the old content stays.
    """
    with errors(path), _opened_parent(path, root, create=True) as folder:
        temporary = f".{path.name[:100]}.{secrets.token_hex(8)}.tmp"
        try:
            with open(os.open(temporary, _CREATE, 0o666, dir_fd=folder), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path.name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary, dir_fd=folder)
            raise


def append(path: Path, data: bytes, root: Path | None = None) -> None:
    """Add to the end of a file, which is created where it is missing.

    The arguments are those of `write`.

    Raises:
        FileError: naming the file and the reason.
    """
    with open_appending(path, root) as file, errors(path):
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def open_appending(path: Path, root: Path | None = None) -> BufferedWriter:
    """Open a file to add to its end; the arguments and errors are those of `append`."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    with errors(path), _opened_parent(path, root, create=True) as folder:
        return open(os.open(path.name, flags, 0o666, dir_fd=folder), "ab")


def remove(path: Path, root: Path | None = None) -> None:
    """Delete a file, a symbolic link, or a folder with all that is in it; a missing one is fine.

    Raises:
        FileError: naming the file and the reason.
    """
    with (
        errors(path, "deleted"),
        contextlib.suppress(FileNotFoundError),
        _opened_parent(path, root, create=False) as folder,
    ):
        if stat.S_ISDIR(os.stat(path.name, dir_fd=folder, follow_symlinks=False).st_mode):
            shutil.rmtree(path.name, dir_fd=folder)
        else:
            os.unlink(path.name, dir_fd=folder)


def make_folder(path: Path, root: Path) -> None:
    """Create a folder and those above it, below a root, where no link may stand for one of them.

    Raises:
        FileError: naming the folder and the reason.
    """
    with errors(path, "created"), _opened_parent(path / "file", root, create=True):
        pass


def refuse_links(root: Path) -> None:
    """Check that no symbolic link is in a folder or in one below it.

    For folders that libraries write to by themselves, which would follow it.

    Raises:
        FileError: naming the first link.
    """
    for folder, folders, names in os.walk(root):
        for path in sorted(Path(folder, name) for name in (*folders, *names)):
            if path.is_symlink():
                raise FileError(f"{path} is a symbolic link. Delete it, or use another folder")


def rename(path: Path, name: str, root: Path | None = None) -> None:
    """Give a file another name in its folder, where it replaces what has that name.

    Raises:
        FileError: naming the file and the reason.
    """
    with errors(path, "renamed"), _opened_parent(path, root, create=False) as folder:
        os.rename(path.name, name, src_dir_fd=folder, dst_dir_fd=folder)


def read(path: Path, what: str = "", root: Path | None = None, limit: int = LARGEST) -> bytes:
    """The content of a regular file.

    Args:
        path: the file.
        what: what the file is, for the message of an error: "program", "config".
        root: a folder above the file, below which no symbolic link is followed; None follows all.
        limit: most bytes of the file.

    Raises:
        FileError: naming the file and the reason, such as its size, or that it is a named pipe or
            mostly holes.
    """
    with errors(path, "read", what), open_regular(path, root, limit) as file:
        return file.read(limit)  # it may grow meanwhile


def open_regular(path: Path, root: Path | None = None, limit: int = LARGEST) -> BufferedReader:
    """Open a regular file for reading; the arguments are those of `read`.

    Raises:
        OSError: if it cannot be opened, is not a regular file or is larger than `limit` bytes.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    if root is None:
        descriptor = os.open(path, flags)
    else:
        with _opened_parent(path, root, create=False) as folder:
            descriptor = os.open(path.name, flags | os.O_NOFOLLOW, dir_fd=folder)
    found = os.fstat(descriptor)
    problem = "" if stat.S_ISREG(found.st_mode) else "it is not a regular file"
    if not problem and found.st_size > limit:
        problem = f"it is larger than {limit} bytes"
    if not problem and _is_hollow(descriptor, found.st_size):
        problem = f"most of its {found.st_size} bytes are holes"
    if problem:
        os.close(descriptor)
        raise OSError(errno.EINVAL, problem, str(path))
    return open(descriptor, "rb")


def _is_hollow(descriptor: int, size: int) -> bool:
    """Whether most of a large file takes no place on the disk, but would take memory and time."""
    if size < _HOLLOW:
        return False
    data = end = 0
    try:
        while data < size / 10:
            begin = os.lseek(descriptor, end, os.SEEK_DATA)
            end = os.lseek(descriptor, begin, os.SEEK_HOLE)
            data += end - begin
    except OSError as error:
        return error.errno == errno.ENXIO  # there are no more data
    finally:
        os.lseek(descriptor, 0, os.SEEK_SET)
    return False


def copy(source: Path, target: Path) -> None:
    """Copy the files of a folder and of the folders in it, without following symbolic links.

    Args:
        source: the folder; what is not a regular file in it is an error.
        target: where the files go; those that are there already are replaced.

    Raises:
        FileError: naming the file and the reason.
    """
    for folder, _, names in os.walk(source):
        for name in names:
            path = Path(folder, name)
            write(target / path.relative_to(source), read(path, root=source), target)


def leftovers(path: Path) -> list[Path]:
    """Temporary files beside a file, of calls of `write` that were killed or are still running."""
    return list(path.parent.glob(f".{glob.escape(path.name[:100])}.*.tmp"))


@contextlib.contextmanager
def locked(folder: Path, busy: GensimError | None = None) -> Iterator[None]:
    """Lock a folder for this process; create it if it does not exist.

    The kernel releases the lock when the process ends, in whatever way.

    Args:
        folder: what is locked.
        busy: is raised if another process holds it; by default this waits for it.

    Raises:
        FileError: if the folder cannot be created or opened.
    """
    with errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, _OPEN_FOLDER)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if busy is None else fcntl.LOCK_NB))
        except BlockingIOError:
            assert busy is not None
            raise busy from None
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _opened_parent(path: Path, root: Path | None, *, create: bool) -> Iterator[int]:
    """A descriptor of the folder that a file is in."""
    root = path.parent if root is None else root
    below = PurePath(os.path.relpath(path.parent, root)).parts
    if ".." in below:
        raise ValueError(f"{path} is not below {root}")
    if create:
        root.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as opened:
        descriptor = os.open(root, _OPEN_FOLDER)
        opened.callback(os.close, descriptor)
        for part in below:
            if create:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, dir_fd=descriptor)
            descriptor = os.open(part, _OPEN_FOLDER | os.O_NOFOLLOW, dir_fd=descriptor)
            opened.callback(os.close, descriptor)
        yield descriptor


@contextlib.contextmanager
def errors(path: Path, verb: str = "written", what: str = "") -> Iterator[None]:
    """Turn an `OSError` of the block into a `FileError` that names the path."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        reason = "no space is left on the disk; free some" if full else error.strerror or str(error)
        if error.errno == errno.ELOOP:
            reason = "it is a symbolic link, or a loop of them"
        raise FileError(f"{what} {path} cannot be {verb}: {reason}".lstrip()) from error
