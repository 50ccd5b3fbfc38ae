"""Build sdist and wheel, install the wheel in an empty environment, and solve every task there.

`make wheel` runs this. The environment is outside the checkout and has the core dependencies only.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"

SOLVE = """
import sys
import gymnasium as gym
import gensim_envs
from gensim_envs.seeds import CERTIFICATE

print("gensim_envs from", gensim_envs.__file__)
assert gensim_envs.__file__.startswith(sys.prefix), "this is not the installed wheel"
ids = [id for id, spec in gym.registry.items() if spec.namespace == "gensim"]
assert ids, "nothing is registered"

def solved(env, seed):
    oracle = gensim_envs.Oracle(env)
    try:
        return gensim_envs.rollout(env, lambda *_: oracle.act(), seed=seed).success
    except gensim_envs.OracleError:
        return False

unsolved = []
for id in ids:
    env = gym.make(id)
    # A certificate forgives two of its seeds, so one of any three is solved.
    seed = next((seed for seed in CERTIFICATE[:3] if solved(env, seed)), None)
    env.close()
    print(f"  {id}:", "NOT SOLVED" if seed is None else f"solved, seed {seed}")
    unsolved += [id] * (seed is None)
if unsolved:
    sys.exit(f"not solved: {', '.join(unsolved)}")
"""


def run(*command: str | Path, cwd: Path, env: dict[str, str]) -> None:
    """Run a command that must succeed."""
    words = (str(word) for word in command if "\n" not in str(word))
    print("$", *words, flush=True)
    subprocess.run(command, cwd=cwd, env=env, check=True)


def build(folder: Path) -> Path:
    """Build the sdist, and from it the wheel; returns the wheel."""
    # `build` makes the wheel from the unpacked sdist, so a file that the sdist lacks shows.
    environment = {**os.environ, "PIP_CONSTRAINT": CONSTRAINTS.name}
    command = (sys.executable, "-m", "build", "--outdir", folder, ROOT)
    run(*command, cwd=ROOT, env=environment)
    (wheel,) = folder.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    strange = [top for top in tops if top != "gensim_envs" and not top.endswith(".dist-info")]
    if strange:
        sys.exit(f"{wheel.name} would put {strange} into site-packages")
    if "gensim_envs/py.typed" not in names:
        sys.exit(f"{wheel.name} lacks py.typed")
    if any(name.startswith("gensim_envs/shipped/generated/recording/") for name in names):
        sys.exit(f"{wheel.name} contains the recording")
    return wheel


def main() -> None:
    """Build, install, solve."""
    with tempfile.TemporaryDirectory(prefix="gensim-wheel-") as name:
        folder = Path(name)
        wheel = build(folder / "dist")
        home = folder / "venv"
        venv.create(home, with_pip=True)
        own = ("PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT", "PYTHONPATH", "GENSIM_LIBRARY")
        clean = {key: value for key, value in os.environ.items() if key not in own}
        python = home / "bin" / "python"
        install = ("-m", "pip", "install", "--quiet", "-c", CONSTRAINTS, wheel)
        run(python, *install, cwd=folder, env=clean)
        run(home / "bin" / "gensim", "list", cwd=folder, env=clean)
        run(python, "-I", "-c", SOLVE, cwd=folder, env=clean)
    print("the wheel is good: every task was made and solved")


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error.cmd[0]} failed with exit code {error.returncode}")
