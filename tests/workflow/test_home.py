"""Where the home directory cannot be written, the variables that docs/troubleshooting.md names are enough."""

import os
import re
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def test_the_variables_of_the_docs_stand_in_for_a_home_directory(tmp_path):
    row = next(line for line in (PROJECT / "docs/troubleshooting.md").read_text().splitlines() if "XDG_" in line)
    named = re.findall(r"(\w+)=(/tmp/headstart-cache)", row)
    assert [name for name, _ in named] == ["XDG_CACHE_HOME", "MPLCONFIGDIR"]
    (tmp_path / "file").touch()
    (tmp_path / "Snakefile").write_text('rule one:\n    output: "one.txt"\n    shell: "touch {output}"\n')
    # Not even root can make a folder inside a file.
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "MPL"))}
    bare |= {"HOME": str(tmp_path / "file/home")}

    def run(*command: str, **variables: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, *command], cwd=tmp_path, env=bare | variables, text=True, capture_output=True
        )

    cache = {name: str(tmp_path / "cache") for name, _ in named}
    snakemake = ("-m", "snakemake", "--cores", "1")
    refused = run(*snakemake)
    assert refused.returncode != 0 and "makedirs" in refused.stderr and "file/home" in refused.stderr
    assert run(*snakemake, **cache).returncode == 0
    assert (tmp_path / "one.txt").exists()
    plotted = run("-W", "error", "-c", "import matplotlib.pyplot", **cache)
    assert (plotted.returncode, plotted.stderr) == (0, "")
