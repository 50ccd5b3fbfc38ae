"""The modules of agents import each other without cycles."""

from __future__ import annotations

import ast
import graphlib
from pathlib import Path

import agents

ROOT = Path(agents.__file__).parents[1]


def test_modules_import_each_other_without_cycles() -> None:
    """Imports in functions and under TYPE_CHECKING count too."""
    files = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in (ROOT / "agents").rglob("*.py")
    }
    graph: dict[str, set[str]] = {}
    for module, path in files.items():
        found: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module is not None:
                inner = {f"{node.module}.{alias.name}" for alias in node.names}
                found.update(inner & files.keys() or {node.module})
        graph[module] = found & files.keys() - {module}
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError


def test_folders_import_only_those_before_them() -> None:
    order = ["data", "policies", "evaluation", "training", "benchmark"]
    for path in (ROOT / "agents").rglob("*.py"):
        folder = path.relative_to(ROOT / "agents").parts[0]
        if path.name == "__main__.py":
            continue  # it starts them all
        later = order[order.index(folder) + 1 :] if folder in order else order
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("agents."):
                assert (node.module or "").split(".")[1] not in later, f"{path}: {node.module}"
