"""Write the parts of README.md that come from elsewhere: the demo's results and the list of rooms (`make readme`)."""

import ast
import json
import shutil
from pathlib import Path

from pipeline.layout import Layout

PROJECT = Path(__file__).parents[3]
AT = Layout("shapes")
FIGURES = ("figure3", "shots")
TOP = {
    "Snakefile": "table of contents of the pipeline: config, rules, what `snakemake` makes",
    "workflow/Snakefile": "the same for the workflow catalogue; `workflow/files.txt` lists what importers fetch",
    "Makefile": "`make demo`, `make test` and the rest",
    "requirements.in": "what is needed; `requirements.txt` pins it with hashes",
    "config/": "one YAML per experiment, `schema.yaml`, class lists, the shapes' taxonomy, published values",
    "envs/": "the same packages for `snakemake --use-conda`; `Dockerfile` puts them into an image",
    "docs/": "pages on every side of it, from `docs/README.md` on; pictures of this page",
    "benchmarks/": "fast forms against plain ones: equal results, and how much faster",
    "profiles/": "`default` is read by every run; `workstation` and `slurm` are for `--profile`",
    "workflow/report/": "captions of the report",
    "workflow/rules/": "the rules, by what they make; `common.smk` has what they share",
    "workflow/scripts/": "one script per rule, of the same name: reads files, calls the library, writes files",
    "tests/": "folders as in `src` and `workflow`; `workflow/` runs the whole, `cluster/` on a real Slurm",
}
# Folders whose rooms have a row each, a package or a module.
HOUSES = ("workflow/pipeline", "src/headstart")


def first_line(path: Path) -> str:
    """Return the first sentence of a module's or a package's docstring."""
    file = path / "__init__.py" if path.is_dir() else path
    whole = ast.get_docstring(ast.parse(file.read_text())) or ""
    return whole.split("\n\n")[0].replace("\n", " ").strip().rstrip(".")


def rooms(house: Path) -> list[Path]:
    """Return the packages and modules that lie directly in a folder."""
    inside = sorted(house.iterdir(), key=lambda path: (path.is_dir(), path.name))
    return [
        path for path in inside if path.suffix == ".py" and path.stem != "__init__" or (path / "__init__.py").is_file()
    ]


def tree() -> str:
    """Return a table with one line per room."""
    lines = [f"| `{name}` | {what} |" for name, what in TOP.items()]
    for house in HOUSES:
        for path in rooms(PROJECT / house):
            name = f"{path.relative_to(PROJECT)}{'/' if path.is_dir() else ''}"
            lines.append(f"| `{name}` | {first_line(path)} |")
    return "\n".join(["| place | is |", "|---|---|", *lines])


def demo() -> str:
    """Return Table 2 of the demo, what it ran on, and two of its figures, which are copied to docs/."""
    (PROJECT / "docs").mkdir(exist_ok=True)
    for figure in FIGURES:
        shutil.copyfile(PROJECT / AT.at("figure", figure=figure, form="svg"), PROJECT / f"docs/shapes_{figure}.svg")
    pictures = [
        "![F right after initialisation against the number of source neighbours](docs/shapes_figure3.svg)",
        "![First and best macro F against the number of training images](docs/shapes_shots.svg)",
    ]
    processors = " and ".join(json.loads((PROJECT / AT.provenance).read_text())["processors"])
    where = f"Run on {processors}. Another model gives other numbers ([why](docs/reading-results.md))."
    return "\n\n".join([(PROJECT / AT.at("table", table="table2", form="md")).read_text().strip(), where, *pictures])


def between(text: str, name: str, new: str, maker: str = "make readme") -> str:
    """Replace what stands between a part's two marks."""
    start, end = f"<!-- {name}: written by `{maker}` -->", f"<!-- end of {name} -->"
    head, rest = text.split(start)
    return f"{head}{start}\n\n{new}\n\n{end}{rest.split(end)[1]}"


if __name__ == "__main__":
    readme = PROJECT / "README.md"
    readme.write_text(between(between(readme.read_text(), "demo", demo()), "files", tree()))
