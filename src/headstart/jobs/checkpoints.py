"""Keep the state of a long job beside its outputs, so that a stopped job goes on where it was."""

from __future__ import annotations

import hashlib
import json
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from headstart.jobs.files import replacing

# A state saved before it is due may take this share of a job's time.
LARGEST_SHARE = 0.05
# Bytes a second of a state that was never saved: of a slow disk, so that no short job waits for one.
WRITTEN = 100e6


def digest_of(settings: Iterable[tuple[str, Any]], files: Iterable[Path], large: Iterable[Path] = ()) -> str:
    """Return a digest of all that decides a job's result: named settings, and the content of files.

    Large files count by size and date, which is quick, and at worst takes a rewritten file for another one.

    >>> digest_of([("a", 1), ("b", 2)], []) == digest_of([("b", 2), ("a", 1)], []) != digest_of([("a", 1)], [])
    True
    """
    whole = hashlib.sha256(json.dumps(dict(settings), sort_keys=True, default=str).encode())
    for path in files:
        with path.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    for path in large:
        state = path.stat()
        whole.update(f"{path.name} {state.st_size} {state.st_mtime_ns}".encode())
    return whole.hexdigest()[:16]


class Checkpoint:
    """A job's state in one file: tensors, numbers and texts in dicts, lists and tuples.

    Args:
        path: of the file; it is no output of the job, and `remove` takes it away at the end.
        digest: of all that decides the job's result (config and code); a state of another digest is left aside.
        save_every: seconds after which a new state is due.
    """

    def __init__(self, path: Path, digest: str, save_every: float = 60.0) -> None:
        """Note where and how often to save; nothing is read or written yet."""
        self.path = Path(path)
        self.digest = digest
        self.save_every = save_every
        self._saved = time.monotonic()
        self._cost: float | None = None

    def load(self) -> dict[str, Any] | None:
        """Read the state; None, with a line that says why, where there is none that this job can use."""
        if not self.path.exists():
            return None
        try:
            found = torch.load(self.path, map_location="cpu", weights_only=True)
            digest, state = found["digest"], found["state"]
        except Exception as error:  # a broken file raises almost anything
            print(f"starting from zero: the state at {self.path} cannot be read ({type(error).__name__})")
            return None
        if digest != self.digest:
            print(f"starting from zero: the state at {self.path} is from another config or code ({digest})")
            return None
        return state

    def save(self, state: dict[str, Any]) -> None:
        """Write the state in place of the last one; a reader never sees half of it."""
        start = time.monotonic()
        with replacing(self.path) as partial:
            torch.save({"digest": self.digest, "state": state}, partial)
        self._saved = time.monotonic()
        self._cost = self._saved - start

    def offer(self, state: Callable[[], dict[str, Any]], milestone: bool = False) -> None:
        """Save if a new state is due, or at a milestone where it costs little beside the work since the last one."""
        passed = time.monotonic() - self._saved
        if passed >= self.save_every or (milestone and self._seconds(state) <= LARGEST_SHARE * passed):
            self.save(state())

    def _seconds(self, state: Callable[[], dict[str, Any]]) -> float:
        """Say how long saving takes: as long as the last time, or what the size lets expect."""
        return _bytes(state()) / WRITTEN if self._cost is None else self._cost

    def remove(self) -> None:
        """Take the file away; to be called when the job's outputs are in place."""
        self.path.unlink(missing_ok=True)


def _bytes(state: Any) -> int:
    """Count the bytes of all tensors in nested dicts, lists and tuples."""
    if isinstance(state, torch.Tensor):
        return state.nbytes
    if isinstance(state, dict):
        return sum(map(_bytes, state.values()))
    return sum(map(_bytes, state)) if isinstance(state, list | tuple) else 0


@contextmanager
def termination() -> Iterator[threading.Event]:
    """Give an event that SIGTERM sets, as a cluster sends before it takes the machine away.

    Outside the main thread, where Python takes no signals, the event is never set.
    """
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return
    before = signal.signal(signal.SIGTERM, lambda *_: event.set())
    try:
        yield event
    finally:
        signal.signal(signal.SIGTERM, before)
