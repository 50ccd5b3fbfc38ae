"""Start a bare Python interpreter that has this package but neither site nor environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from gensim_envs.utils.processes import PORTABLE

START_SECONDS = 60.0  # for a first import on a busy machine; half a second is usual

# Without `site` (no .pth file runs) and without the caller's variables; the package is entered
# as an empty shell, since its `__init__` registers environments, of which the worker needs none.
BOOT = """
import json, os, sys, types
options = json.loads(sys.argv[1])
sys.path.extend(options["path"])
sys.modules["gensim_envs"] = types.ModuleType("gensim_envs")
sys.modules["gensim_envs"].__path__ = [options["package"]]
if "operation" in options:
    from gensim_envs.sandbox import lockdown
    os._exit(lockdown.probe(options["operation"]))
try:
    from gensim_envs.sandbox.worker import main
    main(options)
except Exception as error:
    os.write(options["control"], f"{type(error).__name__}: {error}"[:2000].encode(errors="replace"))
"""
_ENVIRONMENT = {
    "PYTHONHASHSEED": "0",  # equal seeds, equal specs: in every worker
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    **PORTABLE,
}


def start_worker(
    options: dict[str, Any], folder: str, ended: threading.Event
) -> subprocess.Popen[bytes]:
    """Start a worker from a thread that lives as long as it does.

    The kernel ends the worker with the *thread* that started it. The main thread lasts; for any
    other a parked one of our own is used.
    """
    if threading.current_thread() is threading.main_thread():
        return start_interpreter(options, folder)
    result: list[subprocess.Popen[bytes] | BaseException] = []
    started = threading.Event()

    def run() -> None:
        try:
            result.append(start_interpreter(options, folder))
        except BaseException as error:
            result.append(error)
            return
        finally:
            started.set()
        ended.wait()

    threading.Thread(target=run, name="gensim-sandbox", daemon=True).start()
    started.wait()
    if isinstance(result[0], BaseException):
        raise result[0]
    return result[0]


def start_interpreter(options: dict[str, Any], folder: str) -> subprocess.Popen[bytes]:
    """Start an interpreter that runs a worker, or probes one forbidden operation.

    Args:
        options: for `BOOT`; "control" is the number of a file descriptor to pass on.
        folder: its working directory.
    """
    options = {
        "parent": os.getpid(),
        # Where this process found NumPy and Shapely; behind the standard library.
        "path": [entry for entry in sys.path if os.path.isabs(entry)],
        "package": str(Path(__file__).resolve().parents[1]),
        **options,
    }
    files = [options["control"]] if "control" in options else []
    return subprocess.Popen(
        [sys.executable, "-S", "-s", "-P", "-c", BOOT, json.dumps(options)],
        env=_ENVIRONMENT,
        cwd=folder,
        pass_fds=files,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
