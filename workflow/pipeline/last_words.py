"""What failing jobs and Snakemake said last, read from their logs."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

SILENT = "it ended without a word of its own"
# A job that failed alone, or a member of a batch that failed, and what Snakemake tells of it.
JOB = re.compile(r"^Error in rule (\w+):\n((?: {4}.*\n)+)", flags=re.MULTILINE)
MEMBER = re.compile(r"^ {8}rule (\w+):\n((?: {12}.*\n)+)", flags=re.MULTILINE)
BATCH = re.compile(r"^    message: (?!None$)(.+)\n(?:    log: .*\n)?    jobs:$", flags=re.MULTILINE)
# How a command ended, and the name of the script, if it was one.
ENDED = re.compile(r"(?:\b(\w+)\.py)?'+ (returned non-zero exit status \d+|died with <Signals\.\w+: \d+>)")
# An error of Snakemake itself, up to its next message.
SAID = re.compile(
    r"^(?!Error in )(?:BUG: |(?:\w+\.)*\w*(?:Error|Exception)\b).*\n"
    r"(?:(?!\[|Error in |Select jobs|Execute \d|Exiting because|Shutting down|Trying to|Complete log).+\n)*",
    flags=re.MULTILINE,
)
TRACE = re.compile(r"^(?:  \+ Exception Group )?Traceback \(most recent call last\):$", flags=re.MULTILINE)
# What Python says of an error that it passed over, as at its own end; it is not what the job ended with.
IGNORED = re.compile(
    r"^Exception ignored .*\n(?:Traceback \(most recent call last\):\n)?(?: .*\n)*(?:(?:\w+\.)*\w+(?::.*)?(?:\n|\Z))?",
    flags=re.MULTILINE,
)
ERROR = re.compile(r"^(?:\w+\.)*\w+(?:Error|Exception|Interrupt|Offered)\b.*$", flags=re.MULTILINE)
# So many lines of a long message are shown of its beginning and of its end, and so many characters of a long line.
FIRST, LAST, WIDTH = 16, 4, 500


class Failure(NamedTuple):
    """What failed, a rule's job or Snakemake itself; its last words; its logs; all that was said where it failed."""

    name: str
    words: str
    logs: list[str]
    told: str


def failures_in(text: str) -> list[Failure]:
    """Return what failed according to Snakemake's log of a run: jobs, and what kept Snakemake from going on."""
    text += "\n"
    alone = [failed_job(match, text) for match in JOB.finditer(text) if not mended(match, text)]
    members = [failed_job(match, text) for match in MEMBER.finditer(text) if not mended(match, text)]
    # Of a batch all members are listed, those too that had no error or never began.
    jobs = [*alone, *([job for job in members if not job.words.startswith(SILENT)] or members)]
    errors = [own_error(said) for said in SAID.findall(text)]
    found = [*jobs, *(error for error in errors if not jobs or error.name != "snakemake")]
    # A further attempt writes the same log.
    return list({(failure.name, *(failure.logs or [failure.words])): failure for failure in found}.values())


def mended(match: re.Match[str], text: str) -> bool:
    """Say whether a further attempt of a failed job succeeded."""
    number = re.search(r"^ +jobid: (\d+)$", match[2], flags=re.MULTILINE)
    done = number and re.search(rf"^Finished jobid: {number[1]}\b", text[match.end() :], flags=re.MULTILINE)
    return done is not None


def failed_job(match: re.Match[str], text: str) -> Failure:
    """Return a job that failed, with the words of its logs and what Snakemake reported of it."""
    rule, block = match[1], match[2]
    place = re.search(r"^ +log: (.*?)(?: \(check|$)", block, flags=re.MULTILINE)
    logs = place[1].split(", ") if place else []
    said = [contents(Path(log)) for log in logs]
    report = reported(rule, block, "\n".join([text[: match.start()], *said]))
    return Failure(rule, words_of(said, report), logs, "\n".join([report, *said]))


def contents(log: Path) -> str:
    """Return the text of a log, nothing where there is none."""
    return log.read_text(errors="replace") if log.is_file() else ""


def reported(rule: str, block: str, before: str) -> str:
    """Return how a job ended in the words of Snakemake: exit status, signal, or what a cluster says."""
    # Scripts bear the names of their rules. Jobs side by side may end between the two messages about one of them.
    named = [way for script, way in ENDED.findall(before) if script and rule.endswith(script)]
    near = [way for _, way in ENDED.findall(before.rpartition("\nError in rule ")[2])]
    told = re.findall(r"^ +message: (?!None$)(.+)$", block, flags=re.MULTILINE)
    return next((ways[-1] for ways in (named, near, told, BATCH.findall(before)) if ways), "")


def words_of(said: list[str], report: str) -> str:
    """Return the last words in a job's logs, and how it ended where they do not say it."""
    words = next(filter(None, map(last_error, said)), "")
    if words:
        return f"{words}\n({report})" if "died with" in report else words
    # SystemExit leaves no trace: its text are the last words.
    words = next(filter(None, map(last_paragraph, said)), "") if report.endswith(" exit status 1") else ""
    return words or (f"{SILENT} ({report})" if report else SILENT)


def own_error(said: str) -> Failure:
    """Return an error that Snakemake tells as its own, of a rule if it names one.

    >>> own_error('MissingOutputException in rule embed in file "Snakefile", line 2:\\nJob 5 made no file.\\n')[:2]
    ('embed', 'MissingOutputException:\\nJob 5 made no file.')
    """
    rule = re.search(r" in rule (\w+)", said.partition("\n")[0])
    where = re.compile(r'(?: in rule \w+)?(?: in file ".*", line \d+)?(?=:\n)')
    return Failure(rule[1] if rule else "snakemake", shortened(where.sub("", said, count=1).splitlines()), [], said)


def last_error(words: str) -> str:
    """Return the message at the end of a log's last trace, else its last line that tells an error, else nothing.

    >>> last_error("Traceback (most recent call last):\\n  File ...\\nData: no tar;\\nfetch it\\n")
    'Data: no tar;\\nfetch it'
    """
    words = IGNORED.sub("", words)
    *_, start = [0, *(match.end() for match in TRACE.finditer(words))]
    trace = words[start:].replace("\n  | ", "\n") if "Exception Group" in words[:start] else words[start:]
    # The trace itself is indented.
    message = re.search(r"^\S.*", trace, flags=re.MULTILINE | re.DOTALL) if start else None
    if message:
        return shortened(message[0].splitlines())
    return shortened(ERROR.findall(words)[-1:])


def last_paragraph(words: str) -> str:
    """Return what stands at the end of a log, after its last empty line."""
    return shortened(words.strip().rpartition("\n\n")[2].splitlines()[-LAST:])


def shortened(lines: Iterable[str]) -> str:
    """Return lines as one text, without the middle of what is long."""
    cut = [line if len(line) <= WIDTH else f"{line[:WIDTH]} ..." for line in lines]
    if len(cut) > FIRST + LAST:
        cut = [*cut[:FIRST], "...", *cut[-LAST:]]
    return "\n".join(cut).strip("\n")
