"""Puts the library into wheels, below the package, where the loader looks for it first."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Leaves editable installs alone: they read the library of their checkout."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it builds a wheel."""
        if version == "standard":
            for name in ("registry.json", "generated"):
                build_data["force_include"][name] = f"gensim_envs/shipped/{name}"
