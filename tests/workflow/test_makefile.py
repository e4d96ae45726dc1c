"""`make .venv/ready` clears no environment but its own."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
# Stands in for Python, pip and uv: it notes how it was called, and makes the folder that `venv` would make.
STANDIN = """#!/bin/sh
echo "$@" >> "$CALLS"
case "$*" in
    *"-m venv"*) rm -rf .venv && mkdir -p .venv/bin && cp "$0" .venv/bin/python && cp "$0" .venv/bin/uv ;;
    *"uv pip"* | "pip "*) [ -z "$BROKEN" ] ;;
esac
"""


@pytest.fixture
def make(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    for name in ("Makefile", "requirements.txt", "requirements-uv.txt"):
        shutil.copy2(PROJECT / name, folder)
    standin, calls = tmp_path / "python", tmp_path / "calls"
    standin.write_text(STANDIN)
    standin.chmod(0o755)

    def run(broken: str = "") -> tuple[subprocess.CompletedProcess, str]:
        calls.write_text("")
        made = subprocess.run(
            ["make", ".venv/ready", f"PYTHON={standin}"],
            cwd=folder,
            env=os.environ | {"CALLS": str(calls), "BROKEN": broken},
            text=True,
            capture_output=True,
        )
        return made, calls.read_text()

    run.folder = folder
    return run


@pytest.mark.parametrize("kind", ["link", "dead link", "link to its own kind", "folder", "environment", "file"])
def test_what_make_has_not_set_up_is_not_touched(make, tmp_path, kind):
    place, other = make.folder / ".venv", tmp_path / "other"
    other.mkdir()
    (other / "pyvenv.cfg").write_text("home = /usr/bin")
    if kind == "link to its own kind":
        (other / "ready").touch()
        os.utime(other / "ready", (0, 0))
    if kind == "dead link":
        place.symlink_to("gone")
    elif kind.startswith("link"):
        place.symlink_to(other)
    elif kind == "file":
        place.write_text("a file")
    else:
        shutil.copytree(other, place)
        (place / "pyvenv.cfg").rename(place / ("notes.txt" if kind == "folder" else "pyvenv.cfg"))
    before = sorted((path, path.lstat().st_mtime_ns) for path in tmp_path.rglob("*") if path.name != "calls")
    made, called = make()
    assert made.returncode != 0 and called == ""
    said = ".venv is a link to" if "link" in kind else ".venv is there, and make has not set it up; move it away"
    assert said in made.stderr
    assert sorted((path, path.lstat().st_mtime_ns) for path in tmp_path.rglob("*") if path.name != "calls") == before


def test_its_own_environment_is_set_up_anew_finished_or_not(make):
    place = make.folder / ".venv"
    place.mkdir()  # as a mounted folder is
    made, called = make(broken="yes")
    assert made.returncode != 0 and "-m venv --clear" in called and not (place / "ready").exists()
    made, called = make()
    assert made.returncode == 0 and "-m venv --clear" in called and (place / "ready").exists(), made.stderr
    assert not (place / "unfinished").exists()
    assert make()[1] == ""
    os.utime(place / "ready", (0, 0))
    assert "-m venv --clear" in make()[1]
