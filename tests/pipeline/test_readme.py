"""The README tells the truth about the project's files and commands."""

import re
from pathlib import Path

from pipeline.docs import readme

PROJECT = Path(__file__).parents[2]
TEXT = (PROJECT / "README.md").read_text()


def test_every_room_has_its_line():
    assert readme.tree() in TEXT, "the list of rooms in README.md is not up to date: run `make readme`"


def test_every_make_target_named_is_there():
    makefile = (PROJECT / "Makefile").read_text()
    text = TEXT + (PROJECT / "CONTRIBUTING.md").read_text()
    named = set(re.findall(r"`make (\w+)`|^    make (\w+)", text, flags=re.MULTILINE))
    for target in {first or second for first, second in named}:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), f"make {target}"


def test_every_dependency_is_justified():
    packages = re.findall(r"^([a-z][a-z0-9-]*)", (PROJECT / "requirements.in").read_text(), flags=re.MULTILINE)
    contributing = (PROJECT / "CONTRIBUTING.md").read_text()
    table = contributing[contributing.index("## Why each dependency") :]
    assert not [package for package in packages if package not in table]


def test_pinned_requirements_carry_hashes_and_name_no_host():
    for name in ("requirements.txt", "requirements-uv.txt"):
        text = (PROJECT / name).read_text()
        assert "://" not in text and "--index" not in text and "--find-links" not in text
        pins = re.split(r"\n(?=[a-zA-Z0-9])", re.sub(r"^ *#.*\n", "", text, flags=re.MULTILINE).strip())
        assert len(pins) >= 1
        for pin in pins:
            assert re.match(r"[\w.-]+(\[[\w,-]+\])?==", pin), pin[:80]
            assert "--hash=sha256:" in pin, pin[:80]


def test_torch_is_not_the_version_without_a_torchvision():
    assert not re.search(r"^torch==2\.13\.0", (PROJECT / "requirements.txt").read_text(), flags=re.MULTILINE)
