"""What a person sees in the terminal when a run has failed: which job, why, and what to do next."""

import re
from collections.abc import Iterable
from pathlib import Path

# What the words of Snakemake or of a job's log mean; the first that fits counts.
CURES = {
    r"No space left on device|Disk quota exceeded": (
        "The disk is full. Make room (`make plan` says how much an experiment needs)."
    ),
    r"GPU's memory is full|OutOfMemoryError": (
        "The GPU's memory ran out. Close what else uses it, or add --retries 5: each attempt takes less at once, with "
        "the same results (docs/gpu.md)."
    ),
    r"Signals\.SIGKILL|returned non-zero exit status 137|MemoryError|oom-kill": (
        "A job was killed from outside, mostly because the memory ran out. Give fewer --cores, so that fewer jobs "
        "share it, or go where there is more."
    ),
    r"Permission denied|Read-only file system": "A file may not be written. Work where you may write.",
    r"MissingOutputException": "Files came late, as on a network disk. Add --latency-wait 60.",
}
AGAIN = (
    "Then give the same command again: what is finished is kept, training goes on where it was saved. If Snakemake "
    "says that the directory is locked, and no other run is at work, add --unlock once. More: docs/troubleshooting.md"
)
FAILED = re.compile(r"^Error in rule (\w+):\n((?:    .*\n)+)", flags=re.MULTILINE)


def failing_words(logs: Iterable[Path]) -> str:
    """Return what failed and what to do, from Snakemake's logs of the run and the logs of the jobs that failed."""
    text = "\n".join(map(contents, logs))
    lines, read = ["", "What went wrong, and what to do"], [text]
    for rule, told in FAILED.findall(text):
        place = re.search(r"^    log: (.*?)(?: \(check|$)", told, flags=re.MULTILINE)
        words = contents(Path(place[1])) if place else ""
        read.append(words)
        lines.append(f"- {rule}: {last_error(words)}" + (f"\n  log: {place[1]}" if place else ""))
    cure = next((cure for signs, cure in CURES.items() if re.search(signs, "\n".join(read))), None)
    return "\n".join([*lines, *([cure] if cure else []), AGAIN, ""])


def contents(log: Path) -> str:
    """Return the text of a log, nothing where there is none."""
    return log.read_text(errors="replace") if log.is_file() else ""


def last_error(words: str) -> str:
    """Return the message at the end of a trace, or say that there is none.

    >>> last_error("Traceback (most recent call last):\\n  File ...\\nValueError: no tar; fetch it again\\n")
    'ValueError: no tar; fetch it again'
    """
    found = re.findall(r"^(?:\w+\.)*\w+(?:Error|Exception|Interrupt|Offered)\b.*$", words, flags=re.MULTILINE)
    return found[-1] if found else "it ended without a word of its own"
