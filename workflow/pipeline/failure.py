"""What a person sees in the terminal when a run has failed: which job, why, and what to do next."""

import re
from collections.abc import Iterable
from pathlib import Path

from pipeline.last_words import Failure, contents, failures_in

# What the words of Snakemake or of a job's log mean; the first that fits counts. `\1` is what the sign has in brackets.
CURES = {
    r"No space left on device|Disk quota exceeded": (
        "The disk is full. Make room (`make plan` says how much an experiment needs)."
    ),
    r"GPU's memory is full|OutOfMemoryError": (
        "The GPU's memory ran out. Close what else uses it, or add --retries 5: each attempt takes less at once, with "
        "the same results (docs/gpu.md)."
    ),
    r"Signals\.SIGKILL|returned non-zero exit status 137|MemoryError|oom.kill|OUT_OF_MEMORY": (
        "A job was killed from outside, mostly because the memory ran out. Give fewer --cores, so that fewer jobs "
        "share it, or go where there is more."
    ),
    r"Permission denied|Read-only file system": "A file may not be written. Work where you may write.",
    r"MissingOutputException": "Files came late, as on a network disk. Add --latency-wait 60.",
    r"(?:No module named|cannot import name .* from(?: partially initialized module)?) '(headstart[\w.]*)'": (
        "The code of this project does not fit together at `\\1`: the trace in the log says where. `git status` shows "
        "what was changed; correct it, or take it back."
    ),
    r"No module named '(\w+)": (
        "The package `\\1` is not installed in the environment that ran this job: `make .venv/ready` sets up all of "
        "them, or let Snakemake do it with --sdm conda; what the code needs anew must be named in requirements.in and "
        "in envs/ (CONTRIBUTING.md)."
    ),
    r"cannot import name .* from '(\w+)": (
        "The package `\\1` is installed in another version than the code is written for: `make .venv/ready` sets up "
        "the tested ones, or let Snakemake do it with --sdm conda."
    ),
    r"ImportError: (\S+?):": (
        "The file `\\1`, which a package needs, is missing or broken; the trace in the log names the package. Install "
        "that anew (`make .venv/ready` in a fresh .venv, or --sdm conda), or what of the system holds the file."
    ),
    r'File "([^"<\n]+)", line (\d+)\n(?: {4}.*\n)*(?:\w+\.)*(?:Syntax|Indentation|Tab)Error:': (
        "\\1, line \\2, is no Python. Correct it, or take it back (`git diff` shows what was changed)."
    ),
    r"BUG: Out of jobs ready to be started": (
        "--until names a rule that another named rule rests on; name the last one alone."
    ),
    r"Terminating processes on user request": (
        "The run was stopped from outside: by Ctrl-C, or with the session it ran in."
    ),
}
AGAIN = (
    "Then give the same command again: what is finished is kept, training goes on where it was saved. If Snakemake "
    "says that the directory is locked, and no other run is at work, add --unlock once. More: docs/troubleshooting.md"
)


def failing_words(logs: Iterable[Path]) -> str:
    """Return what failed and what to do, from Snakemake's logs of the run and the logs of the jobs that failed."""
    places = list(logs)
    text = "\n".join(map(contents, places))
    failures = failures_in(text) or [unexplained(text, places)]
    cures = dict.fromkeys(cure for failure in failures for cure in [cure_of(failure.words, failure.told)] if cure)
    found = list(cures) or [cure for cure in [cure_of(text)] if cure]
    return "\n".join(["", "What went wrong, and what to do", *map(listed, failures), *found, AGAIN, ""])


def unexplained(text: str, places: Iterable[Path]) -> Failure:
    """Return that no reason is known but perhaps a stop from outside."""
    stopped = "it was stopped" if "on user request" in text else "it ended without saying why"
    return Failure("snakemake", stopped, [str(place) for place in places if place.is_file()], text)


def listed(failure: Failure) -> str:
    """Lay a failure out: name and words, further lines indented, and the logs.

    >>> print(listed(Failure("embed", "Data: no tar;\\nfetch it", ["a.log"], "")))
    - embed: Data: no tar;
        fetch it
      log: a.log
    """
    lines = [re.sub(r"\n(?=.)", "\n    ", f"- {failure.name}: {failure.words}")]
    return "\n".join([*lines, *(f"  log: {log}" for log in failure.logs)])


def cure_of(*texts: str) -> str | None:
    """Return what to do about the first of some texts that has a known sign, the most telling text first."""
    matches = ((re.search(sign, text), cure) for text in texts for sign, cure in CURES.items())
    return next((match.expand(cure) for match, cure in matches if match), None)
