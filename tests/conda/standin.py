"""Answer what Snakemake asks of `conda`, for tests without a conda channel.

An environment is made of links to the packages of the Python that runs this: those that the file names, if their
versions fit, and what they depend on. It shows that the rules find all they need in their environment and nowhere
else; it cannot show what conda-forge has to offer.
"""

import json
import re
import sys
from argparse import ArgumentParser
from collections import defaultdict
from importlib.metadata import Distribution, distributions
from pathlib import Path

FOLDER = Path(__file__).parent
PYPI_NAMES = {"pytorch": "torch", "matplotlib-base": "matplotlib"}
VERSION = "26.7.1"  # Snakemake asks for 24.7.1 or newer


def key(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


INSTALLED = {key(dist.name): dist for dist in distributions()}


def chosen(specs: list[str]) -> dict[str, Distribution]:
    """The packages that some specs name, and all that those require."""
    from packaging.requirements import Requirement

    wanted = {PYPI_NAMES.get(name, name): version for name, _, version in (spec.partition(" ") for spec in specs)}
    fit(sys.version.split(" ")[0], "python", wanted.pop("python"))
    found: dict[str, Distribution] = {}
    todo = list(wanted)
    while todo:
        name = todo.pop()
        if name in found:
            continue
        if name not in INSTALLED:
            sys.exit(f"PackagesNotFoundError: {name}")
        found[name] = INSTALLED[name]
        fit(found[name].version, name, wanted.get(name, ""))
        parts = map(Requirement, found[name].requires or [])
        todo += [key(part.name) for part in parts if part.marker is None or part.marker.evaluate({"extra": ""})]
    return found


def fit(version: str, name: str, wanted: str) -> None:
    """Refuse a version that a spec of conda does not allow; `=3.1` means 3.1.*."""
    from packaging.specifiers import SpecifierSet

    allowed = SpecifierSet(f"={wanted}.*" if re.match(r"=\d", wanted) else wanted)
    if not allowed.contains(version.split("+")[0]):
        sys.exit(f"UnsatisfiableError: {name} {wanted}; there is {version}")


def shares() -> dict[Path, set[str]]:
    """Every file and folder beneath site-packages -> the packages that have a part in it."""
    found = defaultdict(set)
    for name, dist in INSTALLED.items():
        for file in dist.files or []:
            for path in (file, *file.parents):
                found[Path(path)].add(name)
    return found


def create(file: Path, prefix: Path) -> None:
    """Link a Python and the chosen packages into a prefix: whole folders where they belong to one package alone."""
    import yaml

    packages = chosen(yaml.safe_load(file.read_text())["dependencies"])
    base = Path(sys.executable).resolve()
    site = prefix / f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    site.mkdir(parents=True)
    (prefix / "bin").mkdir()
    (prefix / "bin/python").symlink_to(base)
    (prefix / "pyvenv.cfg").write_text(f"home = {base.parent}\ninclude-system-site-packages = false\n")
    owners = shares()
    for dist in packages.values():
        for part in {Path(file) for file in dist.files or [] if ".." not in file.parts}:
            ways = [*reversed(part.parents), part][1:]
            alone = next((way for way in ways if len(owners[way]) == 1), part)
            if not (site / alone).exists():
                (site / alone).parent.mkdir(parents=True, exist_ok=True)
                (site / alone).symlink_to(Path(str(dist.locate_file(""))) / alone)


def main(arguments: list[str]) -> None:
    if arguments == ["--version"]:
        print(f"conda {VERSION}")
    elif arguments[:1] == ["info"]:
        print(json.dumps({"conda_prefix": str(FOLDER), "platform": "linux-64", "conda_version": VERSION}))
    elif arguments[:1] == ["config"]:
        print(json.dumps({"get": {"channel_priority": "strict"}}))
    elif arguments[:2] == ["env", "create"]:
        parser = ArgumentParser()
        parser.add_argument("--file", type=Path, required=True)
        parser.add_argument("--prefix", type=Path, required=True)
        known, _ = parser.parse_known_args(arguments[2:])
        create(known.file, known.prefix)
    elif arguments[:1] != ["clean"]:
        sys.exit(f"not answered: conda {' '.join(arguments)}")


if __name__ == "__main__":
    main(sys.argv[1:])
