"""One choice of docs/deviations.md can be measured anew; the lines of the others stay as they were measured."""

import pandas as pd
import pytest

from pipeline.docs import deviations
from running import PROJECT

WRITTEN = (PROJECT / "docs/deviations.md").read_text()
BLOCK = WRITTEN.partition("<!-- measured: written by `make deviations` -->\n\n")[2].partition(
    "\n\n<!-- end of measured"
)[0]


@pytest.fixture
def measured(monkeypatch):
    """Made scores in place of trainings: the other setting is 0.1 below the default in every run."""

    def run(choice, default, cores):
        cells = [(name, n, seed) for name in ("random",) for n in choice.group["shots"] for seed in (0, 1)]
        frame = pd.DataFrame(cells, columns=deviations.BY)
        return frame.assign(**{choice.score: 0.5 if default else 0.4})

    monkeypatch.setattr(deviations, "run", run)


def test_the_lines_of_other_choices_stay(measured):
    found = deviations.page(WRITTEN, ["training.passes"], cores=1).splitlines()
    ours = [line for line in found if "training.passes" in line]
    assert len(ours) == 1 and ours[0].startswith(
        "| `training.passes: {number: 5, least: 10}` | Best | Random | n = 1: 0.500 →"
    )
    assert [line for line in found if line not in ours] == [
        line for line in BLOCK.splitlines() if "training.passes" not in line
    ]


def test_choices_that_show_in_other_runs_share_no_default():
    names = {deviations.name_of(choice, default=True): choice.group for choice in deviations.CHOICES}
    for choice in deviations.CHOICES:
        assert names[deviations.name_of(choice, default=True)] == choice.group
        assert deviations.experiment(choice, default=False)["starts"] is None  # compared elsewhere
