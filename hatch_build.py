"""Put the suite's library into wheels, inside the package, where the loader looks for it first."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

RECORDING = "recording"


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Leave editable installs alone: they read the library of their checkout."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add registry.json and generated/, except the recording, which only a checkout needs."""
        if version != "standard":
            return
        names = ["registry.json"]
        for path in sorted(Path(self.root, "generated").iterdir()):
            if path.name != RECORDING and path.name != "__pycache__":
                names.append(f"generated/{path.name}")
        for name in names:
            build_data["force_include"][name] = f"gensim_envs/shipped/{name}"
