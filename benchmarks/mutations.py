"""Change files as an attacker would: bytes, JSON values, HDF5 objects, Python text."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import h5py
import numpy as np

Generator = np.random.Generator
_RAW = (
    "NaN", "1e999", "-Infinity", "1" + "0" * 400, "[" * 50_000, '{"a":' * 50_000, '"\\ud800"',
    "1" * 5000, '{"a": 1, "a": 2}', "-0", "1e-400",
)  # fmt: skip


def mutate(name: str, data: bytes, canary: Path, rng: Generator) -> bytes:
    """Change the content of a file, in a way that suits its kind or in any.

    Args:
        name: of the file; its suffix tells the kind.
        data: the content.
        canary: a file that nothing may open; it and "pipe" beside it are named in some changes.
        rng: the only source of randomness.
    """
    structural = rng.random() < 0.7
    if structural and name.endswith(".json"):
        return _json(data.decode(), canary, rng).encode(errors="surrogatepass")
    if structural and name.endswith(".jsonl"):
        lines = data.decode().splitlines()
        which = int(rng.integers(len(lines)))
        lines[which] = _json(lines[which], canary, rng)
        return "\n".join(lines).encode(errors="surrogatepass")
    if structural and name.endswith(".hdf5"):
        return _hdf5(data, canary, rng)
    if structural and name.endswith(".safetensors"):
        return _safetensors(data, canary, rng)
    if structural and name.endswith(".py"):
        return _python(data.decode(), rng).encode(errors="surrogatepass")
    return _bytes(data, rng)


def _odd_values(canary: Path) -> list[Any]:
    return [
        None, True, False, 0, 1, -1, 2**31, 2**63, 10**18, -(10**18), 0.5, 1e300, -1e-300, "",
        "\x1b[2J\x1b]0;owned\x07", "\u202e\u2066", "\x00", "a" * 100_000, str(canary),
        f"../{canary.name}", "/dev/zero", "theirs.evil:X-v0", "__class__", [], {}, [[]], [None],
        [0] * 10_000, {"": ""}, {"__class__": "x"}, [1e300] * 6, "gensim/BlockInsertion-v0",
    ]  # fmt: skip


def _json(text: str, canary: Path, rng: Generator) -> str:
    """Replace, drop, repeat or wrap values anywhere in a JSON text."""
    whole = [json.loads(text)]
    for _ in range(int(rng.integers(1, 4))):
        places = list(_places(whole))
        container, key = places[int(rng.integers(len(places)))]
        values, choice = _odd_values(canary), rng.random()
        if choice < 0.5:
            container[key] = values[int(rng.integers(len(values)))]
        elif choice < 0.6 and isinstance(container[key], int | float):
            container[key] *= float(rng.choice([-1, 0, 1e-9, 1.5, 100, 1e9]))
        elif choice < 0.7:
            other, name = places[int(rng.integers(len(places)))]
            container[key] = json.loads(json.dumps(other[name]))
        elif choice < 0.8 and container is not whole:
            del container[key]
        elif choice < 0.9 and isinstance(container, dict):
            odd = ("\x1b[2J", "x" * 5000, "__proto__", str(canary), "\u202e")
            container[str(rng.choice(odd))] = container[key]
        else:
            container[key] = [container[key]] * int(rng.choice([0, 1, 3, 300]))
        if not whole:
            whole = [None]
    changed = json.dumps(whole[0], ensure_ascii=bool(rng.random() < 0.5))
    if rng.random() < 0.1:  # what json.dumps cannot write
        numbers = list(re.finditer(r"-?\d+(\.\d+)?|\"[^\"]*\"", changed))
        if numbers:
            found = numbers[int(rng.integers(len(numbers)))]
            raw = _RAW[int(rng.integers(len(_RAW)))]
            changed = changed[: found.start()] + raw + changed[found.end() :]
    return changed


def _places(value: Any) -> Any:
    """Every (container, key) of a JSON value."""
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from _places(value[key])


def _bytes(data: bytes, rng: Generator) -> bytes:
    """Flip, cut, repeat, insert or clear bytes."""
    changed = bytearray(data or b"x")
    for _ in range(int(rng.integers(1, 5))):
        at = int(rng.integers(len(changed)))
        length = int(rng.choice([1, 2, 8, 100, 5000]))
        choice = rng.integers(6)
        if choice == 0:
            changed[at] ^= 1 << int(rng.integers(8))
        elif choice == 1:
            changed[at : at + length] = rng.bytes(len(changed[at : at + length]))
        elif choice == 2:
            del changed[at : at + length]
        elif choice == 3:
            changed[at:at] = changed[at : at + length]
        elif choice == 4:
            changed[at : at + length] = bytes(len(changed[at : at + length]))
        elif rng.random() < 0.2:
            del changed[at:]
        changed = changed or bytearray(b"x")
    return bytes(changed)


_TYPES = ("BF16", "F8_E4M3", "F8_E5M2", "F4", "C64", "BOOL", "U64", "I8", "F64", "F8_E8M0")


def _safetensors(data: bytes, canary: Path, rng: Generator) -> bytes:
    """Change the header of a file of tensors."""
    length = int.from_bytes(data[:8], "little")
    text = data[8 : 8 + length].decode()
    if rng.random() < 0.1:
        text = text.replace('"F32"', f'"{rng.choice(_TYPES)}"').replace('"F16"', '"F8_E4M3"')
    header = _json(text, canary, rng).encode(errors="surrogatepass")
    claimed = len(header)
    if rng.random() < 0.1:
        claimed = int(rng.choice([0, 1, 2**40, 2**63 - 1]))
    return claimed.to_bytes(8, "little") + header + data[8 + length :]


def _python(source: str, rng: Generator) -> str:
    """Exchange tokens of a program, and insert some that are not its own."""
    tokens = re.findall(r"\w+|\s+|[^\w\s]", source)
    foreign = (
        "self", "gi_frame", "f_globals", "__class__", "lambda", "yield", "await", "import os",
        "9**9**9", "'%s' % self", "f'{self}'", "(" * 100, "\x00", "\u202e", "\\", '"""', "\n    ",
        "[0] * 10**9", "scene.goal", "while True: pass", "global x", "del", "@", ":=", "*", "**",
        "-1", "1e308", "None", "scene.rng", "scene", "try:\n        pass\n    finally:", "\t",
    )  # fmt: skip
    for _ in range(int(rng.integers(1, 4))):
        at, other = rng.integers(len(tokens), size=2)
        choice = rng.random()
        if choice < 0.3:
            tokens[at] = tokens[other]
        elif choice < 0.5:
            tokens[at] = ""
        elif choice < 0.6:
            tokens[at:at] = tokens[other : other + 30]
        else:
            where = slice(at, at + int(choice < 0.8))
            tokens[where] = [f" {foreign[int(rng.integers(len(foreign)))]} "]
    return "".join(tokens)


def _hdf5(data: bytes, canary: Path, rng: Generator) -> bytes:
    """Replace objects of an HDF5 file by links, references to files, odd types and odd sizes."""
    buffer = io.BytesIO(data)
    with h5py.File(buffer, "r+") as file:
        names: list[str] = []
        file.visit(names.append)
        for _ in range(int(rng.integers(1, 3))):
            name = str(rng.choice(names))
            try:
                old = file[name]
            except (KeyError, RuntimeError):  # replaced by a link into nothing, or a loop
                continue
            shape = (2, 6)
            if isinstance(old, h5py.Dataset) and old.shape and old.shape[0] < 100:
                shape = old.shape
            if rng.random() < 0.15:
                odd: list[Any] = [
                    -1,
                    2**63 - 1,
                    "x" * 1000,
                    [1, 2],
                    1e300,
                    b"\xff",
                    h5py.Empty("f"),
                ]
                old.attrs["seed"] = odd[int(rng.integers(len(odd)))]
                continue
            del old
            del file[name]
            _replace(file, name, shape, canary, rng)
    return buffer.getvalue()


def _replace(
    file: h5py.File, name: str, shape: tuple[int, ...], canary: Path, rng: Generator
) -> None:
    """Put something odd where an object of an HDF5 file was."""
    choice = int(rng.integers(11))
    if rng.random() < 0.3:
        canary = canary.with_name("pipe")  # which nobody can open without waiting
    if choice == 0:
        file[name] = h5py.ExternalLink(str(canary), "x")
    elif choice == 1:
        file[name] = h5py.SoftLink(str(rng.choice(["/", name, "/episode_0", "/nowhere"])))
    elif choice == 2:
        file.create_dataset(name, (2, 6), "f4", external=[(str(canary), 0, 48)])
    elif choice == 3:
        layout = h5py.VirtualLayout((2, 6), "f4")
        layout[:] = h5py.VirtualSource(str(canary), "numbers", (2, 6))
        file.create_virtual_dataset(name, layout)
    elif choice == 4:
        file.create_dataset(name, (2**40, 6), "f8", chunks=(1024, 6), compression="gzip")
    elif choice == 5:
        file.create_dataset(name, data=np.full(shape, rng.choice([np.nan, np.inf, 1e30])))
    elif choice == 6:
        file[name] = [b"\xff\xfe", b"a"]
    elif choice == 7:
        file[name] = np.zeros(3, [("a", "f4"), ("b", "S5")])
    elif choice == 8:
        file.create_group(name)
    elif choice == 9:
        file[name] = h5py.Empty("f4")
    else:
        dtype = str(rng.choice(["u1", "i8", "f2", "c16", "?", "S3"]))
        file[name] = np.zeros((*shape[:1], *shape[1:][::-1]), dtype)
