"""Write the parts of README.md that come from elsewhere: the demo's results and the list of files (`make readme`)."""

import ast
import json
import re
import shutil
from pathlib import Path

PROJECT = Path(__file__).parents[3]
RESULTS = PROJECT / "results/shapes"
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
    "src/headstart/explorer/page.html": "the interactive page: its text; `page.css` its looks, `*.js` what it does",
    "tests/": "one file per module, the architecture, the whole workflow; in `cluster/` the workflow on a real Slurm",
}
FOLDERS = (
    "workflow",
    "workflow/rules",
    "workflow/scripts",
    "src/headstart",
    "src/headstart/explorer",
    "src/headstart/shapes",
    "src/headstart/strategies",
)


def first_line(path: Path) -> str:
    """Return the first sentence of a file's docstring."""
    text = path.read_text()
    match = re.match(r'"""(.*?)"""', text, flags=re.DOTALL)
    whole = match[1] if match else ast.get_docstring(ast.parse(text)) or ""
    return whole.split("\n\n")[0].replace("\n", " ").strip().rstrip(".")


def tree() -> str:
    """Return a table with one line per file."""
    lines = [f"| `{name}` | {what} |" for name, what in TOP.items()]
    for folder in FOLDERS:
        files = [path for path in sorted((PROJECT / folder).iterdir()) if path.suffix in (".py", ".smk")]
        named = [(path, first_line(path)) for path in files if path.stat().st_size]
        lines += [f"| `{path.relative_to(PROJECT)}` | {what} |" for path, what in named]
    return "\n".join(["| file | is |", "|---|---|", *lines])


def demo() -> str:
    """Return Table 2 of the demo, what it ran on, and two of its figures, which are copied to docs/."""
    (PROJECT / "docs").mkdir(exist_ok=True)
    for figure in FIGURES:
        shutil.copyfile(RESULTS / f"figures/{figure}.svg", PROJECT / f"docs/shapes_{figure}.svg")
    pictures = [
        "![F right after initialisation against the number of source neighbours](docs/shapes_figure3.svg)",
        "![First and best macro F against the number of training images](docs/shapes_shots.svg)",
    ]
    processors = " and ".join(json.loads((RESULTS / "provenance.json").read_text())["processors"])
    where = f"Run on {processors}. Another model gives other numbers ([why](docs/reading-results.md))."
    return "\n\n".join([(RESULTS / "tables/table2.md").read_text().strip(), where, *pictures])


def between(text: str, name: str, new: str, maker: str = "make readme") -> str:
    """Replace what stands between a part's two marks."""
    start, end = f"<!-- {name}: written by `{maker}` -->", f"<!-- end of {name} -->"
    head, rest = text.split(start)
    return f"{head}{start}\n\n{new}\n\n{end}{rest.split(end)[1]}"


if __name__ == "__main__":
    readme = PROJECT / "README.md"
    readme.write_text(between(between(readme.read_text(), "demo", demo()), "files", tree()))
