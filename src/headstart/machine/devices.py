"""Give each job a GPU of its own where a machine has several."""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

SECONDS_BETWEEN_TRIES = 1.0
# Open as long as the process lives; then, and also when it is killed, the kernel takes the locks away.
_held: dict[Path, int] = {}


def claim(names: Sequence[str], folder: Path | None = None) -> int:
    """Take the first GPU that no other job of this user holds, waiting for one if need be, until the process ends.

    A process that has one keeps that one.

    Args:
        names: what tells the GPUs apart on this machine, whatever number a job sees them under, such as UUIDs.
        folder: of the lock files, the same for all jobs; None takes one per user beside other temporary files.

    Returns:
        The place of the GPU in `names`.
    """
    folder = folder or Path(tempfile.gettempdir(), f"headstart-{os.getuid()}")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    paths = [folder / f"gpu-{name}.lock" for name in names]
    waiting = False
    while True:
        for path in sorted(paths, key=lambda path: path not in _held):
            if path in _held or _lock(path):
                return paths.index(path)
        if not waiting:
            print(f"all {len(names)} GPUs are taken by other jobs (locks in {folder}); waiting for one", flush=True)
        waiting = True
        time.sleep(SECONDS_BETWEEN_TRIES)


def _lock(path: Path) -> bool:
    """Lock a file for this process if it is free, and say whether it was."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return False
    _held[path] = file
    return True
