"""Every place of an experiment is its own, and rules write to all of them and to no other."""

import re
from string import Formatter

import pytest

from pipeline.layout import PLACES, Layout
from running import PROJECT

RULES = "\n".join(path.read_text() for path in sorted((PROJECT / "workflow/rules").glob("*.smk")))
WILDCARDS = {
    *("experiment", "wnid", "file", "part", "seed", "shots", "sample", "measure", "strategy"),
    *("table", "figure", "form", "most", "pupil", "role"),
}


def test_no_two_places_are_one():
    assert len(set(PLACES.values())) == len(PLACES)
    for place in PLACES.values():
        fields = {field for _, field, _, _ in Formatter().parse(place) if field}
        assert "experiment" in fields and fields <= WILDCARDS, place


@pytest.mark.parametrize("name", sorted(set(PLACES) - {"state", "pupil_state", "unpacked"}))
def test_every_place_is_an_output_of_a_rule(name):
    outputs = "\n".join(re.findall(r"^ +output:\n(.*?)^ +log:", RULES, flags=re.MULTILINE | re.DOTALL))
    assert re.search(rf'AT\.{name}\b|AT\.at\("{name}"', outputs), name


def test_wildcards_are_left_to_rules_or_filled_in():
    layout = Layout("birds")
    assert layout.similarity == "results/birds/similarity/{measure}/{sample}.parquet"
    assert layout.at("similarity", measure="path", sample="5-0") == "results/birds/similarity/path/5-0.parquet"
    assert layout.at("classes") == "results/birds/classes.csv"
    assert layout.log("audit_images") == "results/birds/logs/audit_images.log"
    assert layout.benchmark("tabulate", "{table}") == "results/birds/benchmarks/tabulate/{table}.tsv"


def test_an_unknown_place_is_refused_with_the_known_ones():
    with pytest.raises(AttributeError, match="no place is called 'stores'; known are tar, captions"):
        Layout("birds").at("stores")


def test_progress_is_kept_outside_the_results():
    assert all(place.startswith("work/birds/") for place in (Layout("birds").state, Layout("birds").pupil_state))
