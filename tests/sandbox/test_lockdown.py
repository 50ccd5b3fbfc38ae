"""The system-call filter, run by an interpreter of our own: also for the machine not at hand."""

from __future__ import annotations

import struct

import pytest

from gensim_envs.sandbox import lockdown

KILL, EPERM, ALLOW = 0x8000_0000, 0x0005_0001, 0x7FFF_0000
MACHINES = {"x86_64": (0, 0xC000_003E), "aarch64": (1, 0xC000_00B7)}
PID = 4242
EXEC = 4


def run(machine: str, number: int, *arguments: int, arch: int | None = None) -> int:
    """What the filter answers to one system call (linux/bpf_common.h, linux/seccomp.h)."""
    program = lockdown._filter(machine, PID)
    code = [struct.unpack_from("=HBBI", program, k) for k in range(0, len(program), 8)]
    arch = MACHINES[machine][1] if arch is None else arch
    data = struct.pack("=IIQ6Q", number, arch, 0, *arguments, *[0] * (6 - len(arguments)))
    at, word = 0, 0
    while True:
        operation, yes, no, value = code[at]
        at += 1
        if operation == 0x20:
            (word,) = struct.unpack_from("=I", data, value)
        elif operation == 0x06:
            return int(value)
        else:
            tests = {0x15: word == value, 0x35: word >= value, 0x45: bool(word & value)}
            at += yes if tests[operation] else no


@pytest.mark.parametrize("machine", MACHINES)
def test_every_call_has_the_answer_of_its_list(machine: str) -> None:
    column = MACHINES[machine][0]
    lists = {ALLOW: lockdown._ALLOWED, KILL: lockdown._KILLED}
    listed = set()
    for action, table in lists.items():
        for name, row in table.items():
            if (number := row[column]) is not None:
                assert run(machine, number) == action, name
                assert number not in listed, name
                listed.add(number)
    for row in lockdown._ALLOWED_WITHOUT_EXEC.values():
        number = row[column]
        assert number is not None
        assert run(machine, number, 0, 4096, 3) == ALLOW
        assert run(machine, number, 0, 4096, 3 | EXEC) == EPERM
        listed.add(number)
    for row in lockdown._ALLOWED_ON_ITSELF.values():
        number = row[column]
        assert number is not None
        assert run(machine, number, PID) == ALLOW
        assert run(machine, number, PID + 1) == KILL
        assert run(machine, number, 2**64 - 1) == KILL  # kill(-1): everybody
        assert run(machine, number, 0) == KILL  # kill(0): the group
        listed.add(number)
    for row in lockdown._ALLOWED_ADVICE.values():
        number = row[column]
        assert number is not None
        for advice in range(32):
            expected = ALLOW if advice in lockdown._ADVICE else EPERM
            assert run(machine, number, 0, 4096, advice) == expected
        assert run(machine, number, 0, 4096, 100) == EPERM  # MADV_HWPOISON
        listed.add(number)
    for number in range(600):
        if number not in listed:
            assert run(machine, number) == EPERM


@pytest.mark.parametrize("machine", MACHINES)
def test_calls_in_the_numbering_of_another_architecture_are_killed(machine: str) -> None:
    for other in (0x4000_0003, 0x4000_0028, *(arch for _, arch in MACHINES.values())):
        expected = ALLOW if other == MACHINES[machine][1] else KILL
        number = lockdown._ALLOWED["read"][MACHINES[machine][0]]
        assert number is not None
        assert run(machine, number, arch=other) == expected
    if machine == "x86_64":
        assert run(machine, 0x4000_0000) == KILL  # read, in the x32 numbering
