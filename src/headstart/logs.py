"""Let what a job says reach both its log file and the terminal."""

import logging
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import TextIO


class Tee:
    """A text stream that writes everything to several others."""

    def __init__(self, *streams: TextIO) -> None:
        """Write to these streams, the terminal first."""
        self.streams = streams

    def write(self, text: str) -> int:
        """Write the text to every stream."""
        for stream in self.streams:
            stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush every stream."""
        for stream in self.streams:
            stream.flush()

    def isatty(self) -> bool:
        """Say whether the first stream is a terminal."""
        return self.streams[0].isatty()


def follow(path: str | Path) -> None:
    """Copy all that this process prints to a log file; of an error, the terminal gets the message alone.

    Args:
        path: the log file, replaced if it is there.
    """
    log = open(path, "w", buffering=1)  # noqa: SIM115 (open as long as the process lives)
    terminal = sys.stderr
    sys.stdout = sys.stderr = tee = Tee(terminal, log)
    logging.basicConfig(format="%(message)s", stream=tee, force=True)
    logging.getLogger("headstart").setLevel(logging.INFO)

    def explain(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        traceback.print_exception(kind, error, trace, file=log)
        print(f"\n{kind.__name__}: {error}\n(the whole trace is in {path})", file=terminal)

    sys.excepthook = explain
