from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from headstart.heads import sweeps
from headstart.heads.blending import BIASES, NORMS, TIES, blend, nearest
from headstart.heads.neighbours import choose
from headstart.heads.starts import HeadInputs, start_blended
from headstart.heads.sweeps import (
    CrossValidation,
    Images,
    SourceHead,
    cross_validated_sweep,
    deal,
    mean_by_type,
    numbers_to_try,
    plain_logits,
    running_logits,
    sweep,
    sweep_measures,
)
from headstart.measures.material import source_logits
from headstart.measures.metrics import READINGS, confusion, couple_f_scores, f_scores
from headstart.measures.similarity import inference

S, T, D, N = 40, 9, 12, 300
KS = [1, 2, 3, 5, 8, 20, 40]


def trial(folds, seed, reading="argmax"):
    """Cross-validation of inference similarity, as a rule sets it up."""
    return CrossValidation(folds, seed, {"inference": partial(inference, targets=T, reading=reading)})


def made(seed=0):
    rng = np.random.default_rng(seed)
    weight, bias = rng.normal(size=(S, D)).astype(np.float32), rng.normal(size=S).astype(np.float32)
    labels = np.arange(N) % T
    centres = rng.normal(size=(T, D))
    features = (centres[labels] + 0.8 * rng.normal(size=(N, D))).astype(np.float32)
    similarities = {"dense": rng.random((T, S))}
    # As inference gives it for few images: most similarities are zero, some classes have one neighbour only.
    similarities["sparse"] = np.where(rng.random((T, S)) < 0.06, rng.random((T, S)), 0)
    similarities["sparse"][np.arange(T), rng.integers(S, size=T)] = 0.5
    # As WordNet gives it: a few values, ties everywhere, two classes with the same row, two with proportional ones.
    similarities["tied"] = rng.integers(1, 4, size=(T, S)) / 4
    similarities["tied"][1] = similarities["tied"][0]
    similarities["tied"][2] = similarities["tied"][0] * 0.9
    similarities["signed"] = rng.normal(size=(T, S))
    return similarities, SourceHead(weight, bias), Images(features, labels)


SIMILARITIES = ["dense", "sparse", "tied", "signed"]


@pytest.mark.parametrize("bias_rule", BIASES)
@pytest.mark.parametrize("kind", SIMILARITIES)
def test_running_sums_predict_what_built_heads_predict(kind, bias_rule):
    for seed in range(5):
        similarities, head, images = made(seed)
        head = SourceHead(head.weight, head.bias, bias_rule=bias_rule)
        fast = list(running_logits(similarities[kind], head, images.features, KS))
        plain = list(plain_logits(similarities[kind], head, images.features, KS))
        assert len(fast) == len(plain) == len(KS)
        for one, other in zip(fast, plain, strict=True):
            assert np.allclose(one, other, rtol=1e-9, atol=1e-9)
            rounded = one.astype(np.float32), other.astype(np.float32)
            assert np.array_equal(rounded[0].argmax(axis=0), rounded[1].argmax(axis=0))


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("kind", SIMILARITIES)
def test_sweep_gives_sklearns_f_of_every_head_built_and_multiplied(kind, ties, norm):
    similarities, head, images = made()
    head = SourceHead(head.weight, head.bias, ties=ties, norm=norm)
    found = sweep(similarities[kind], head, images, KS)
    assert found.shape == (len(KS), T)
    for row, K in enumerate(KS):
        given = HeadInputs(
            names=list("abcdefghi"), source_weight=head.weight, source_bias=head.bias, norm=norm, ties=ties,
            similarity=similarities[kind], neighbours=K,
        )  # fmt: skip
        built = start_blended(given)
        predictions = (images.features @ built.weight.T + built.bias).argmax(axis=1)
        assert np.array_equal(found[row], f1_score(images.labels, predictions, average=None)), f"K = {K}"


def test_twin_classes_tie_and_the_first_wins_for_every_k():
    # Classes 0, 1 and 2 of `tied` have the same coefficients, so the later two are never predicted.
    similarities, head, images = made()
    found = sweep(similarities["tied"], head, images, KS)
    assert (found[:, 1:3] == 0).all()
    assert (found[:, 0] > 0).any()


def test_f_stays_where_no_neighbour_is_left():
    similarities, head, images = made()
    similarity = np.zeros((T, S))
    similarity[:, :3] = similarities["dense"][:, :3]
    found = sweep(similarity, head, images, [1, 2, 3, 4, 20, 40])
    assert np.array_equal(found[2:], np.broadcast_to(found[2], (4, T)))
    assert not np.array_equal(found[0], found[2])


def test_scoring_in_parts_changes_nothing(monkeypatch):
    similarities, head, images = made()
    whole = sweep(similarities["dense"], head, images, KS)
    monkeypatch.setattr(sweeps, "CHUNK", 7)
    assert np.array_equal(sweep(similarities["dense"], head, images, KS), whole)


def test_class_without_images_has_no_f():
    similarities, head, images = made()
    some = images.labels != 4
    found = sweep(similarities["dense"], head, Images(images.features[some], images.labels[some]), KS)
    assert np.isnan(found[:, 4]).all()
    assert not np.isnan(np.delete(found, 4, axis=1)).any()


def test_class_without_similarity_is_named():
    similarities, head, images = made()
    similarities["dense"][2] = -1
    for ties in TIES:
        rules = SourceHead(head.weight, head.bias, ties=ties)
        with pytest.raises(ValueError, match="positive similarity to c;"):
            sweep(similarities["dense"], rules, images, KS, names=list("abcdefghi"))


@pytest.mark.parametrize("Ks", [[], [0, 1], [2, 1], [1, 1], [1, 41]])
def test_numbers_of_neighbours_must_rise_within_the_sources(Ks):
    similarities, head, images = made()
    with pytest.raises(ValueError, match=r"expected rising numbers of neighbours within 1\.\.40"):
        sweep(similarities["dense"], head, images, Ks)


def test_numbers_to_try_end_with_all_sources():
    assert numbers_to_try(50, [100, 200], 1000) == [*range(1, 51), 100, 200, 1000]
    assert numbers_to_try(50, [100, 200], 36) == [*range(1, 37)]


def test_every_class_is_dealt_evenly_by_seed():
    labels = np.repeat([0, 1, 2], [10, 7, 3])
    parts = deal(labels, folds=3, seed=5)
    assert sorted(np.concatenate(parts)) == list(range(20))
    for label, most in [(0, 4), (1, 3), (2, 1)]:
        sizes = [int((labels[part] == label).sum()) for part in parts]
        assert max(sizes) == most
        assert max(sizes) - min(sizes) <= 1
    again, other = deal(labels, folds=3, seed=5), deal(labels, folds=3, seed=6)
    assert all(np.array_equal(one, two) for one, two in zip(parts, again, strict=True))
    assert not all(np.array_equal(one, two) for one, two in zip(parts, other, strict=True))


def plain_similarity(reading, labels, logits):
    """Each couple on its own, as the readings are defined."""
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    found = np.zeros((T, S))
    for target in range(T):
        for source in range(S):
            mine, column = labels == target, p[:, source]
            if reading == "argmax":
                found[target, source] = f1_score(mine, logits.argmax(axis=1) == source, zero_division=0)
            elif reading == "soft":
                found[target, source] = 2 * column[mine].sum() / (mine.sum() + column.sum())
            else:
                taken = column >= column[:, None]
                found[target, source] = (2 * (taken & mine).sum(axis=1) / (mine.sum() + taken.sum(axis=1))).max()
    return found


@pytest.mark.parametrize("reading", READINGS)
def test_no_image_is_scored_on_its_own_similarity(reading):
    similarities, head, images = made()
    logits = images.features.astype(np.float64) @ head.weight.T + head.bias
    labels, counts = images.labels, np.zeros((len(KS), T, 2))
    for part in deal(labels, folds=4, seed=0):
        rest = np.array([image for image in range(N) if image not in part])
        similarity = plain_similarity(reading, labels[rest], logits[rest])
        for row, K in enumerate(KS):
            weight, bias = blend(head.weight, head.bias, *nearest(similarity, K))
            taken = (images.features[part] @ weight.T + bias).argmax(axis=1)
            for label in range(T):
                counts[row, label, 0] += ((taken == label) & (labels[part] == label)).sum()
                counts[row, label, 1] += (taken == label).sum()
    expected = 2 * counts[:, :, 0] / (np.bincount(labels) + counts[:, :, 1])
    found = cross_validated_sweep("inference", head, images, list("abcdefghi"), KS, trial(4, 0, reading))
    assert np.array_equal(found, expected)
    if reading == "argmax":
        default = cross_validated_sweep("inference", head, images, list("abcdefghi"), KS, trial(4, 0))
        assert np.array_equal(default, expected)


def test_cross_validation_on_noise_promises_nothing():
    # Labels without any relation to the features: an image's own similarity finds it again, other images' do not.
    rng = np.random.default_rng(0)
    head = SourceHead(rng.normal(size=(1000, D)).astype(np.float32), np.zeros(1000, np.float32))
    images = Images(rng.normal(size=(4 * T, D)).astype(np.float32), np.arange(4 * T) % T)
    predictions = (images.features @ head.weight.T).argmax(axis=1)
    itself = sweep(couple_f_scores(images.labels, predictions, T, 1000), head, images, [1, 2, 5])
    held_out = cross_validated_sweep("inference", head, images, list("abcdefghi"), [1, 2, 5], trial(5, 0))
    assert itself.mean() > 0.3
    assert held_out.mean() < 0.2  # chance is about 1 / 9


def test_one_image_per_class_is_scored_on_itself_and_k_one_is_chosen():
    _, head, images = made()
    single = Images(images.features[:T], images.labels[:T])
    found = cross_validated_sweep("inference", head, single, list("abcdefghi"), KS, trial(5, 0))
    assert np.array_equal(found, np.broadcast_to(found[0], found.shape))
    assert found[0].max() == 1.0


@pytest.mark.parametrize("reading", ["soft", "threshold"])
def test_one_image_per_class_has_many_neighbours_where_no_largest_logit_is_asked_for(reading):
    _, head, images = made()
    single, names = Images(images.features[:T], images.labels[:T]), list("abcdefghi")
    similarity = inference(single.labels, source_logits(single.features, head.weight, head.bias), T, reading)
    assert (similarity > 0).all()
    found = cross_validated_sweep("inference", head, single, names, KS, trial(5, 0, reading))
    assert np.array_equal(found, sweep(similarity, head, single, KS, names))
    assert len(np.unique(found, axis=0)) > 1


def test_folds_never_exceed_the_images_of_the_smallest_class():
    _, head, images = made()
    some = Images(images.features[: 2 * T], images.labels[: 2 * T])
    names = list("abcdefghi")
    five, two = (cross_validated_sweep("inference", head, some, names, KS, trial(folds, 0)) for folds in (5, 2))
    assert np.array_equal(five, two)


def test_a_cross_validation_that_holds_nothing_out_is_refused_with_the_cure():
    with pytest.raises(ValueError, match="at least 2 folds, got 1; raise neighbours.folds"):
        trial(1, 0)


def test_means_by_type_count_the_classes_that_have_images():
    scores = np.array([[0.2, 0.4, 0.9, np.nan], [0.3, 0.5, 0.8, np.nan]])
    frame = mean_by_type(scores, ["included", "included", "disjoint", "disjoint"], [1, 5])
    assert list(frame.columns) == ["type", "K", "f1", "classes"]
    assert frame.values.tolist() == [
        ["disjoint", 1, 0.9, 1], ["disjoint", 5, 0.8, 1],
        ["included", 1, pytest.approx(0.3), 2], ["included", 5, pytest.approx(0.4), 2],
    ]  # fmt: skip


def test_all_measures_are_swept_on_test_and_training_images():
    similarities, head, images = made()
    names, types = list("abcdefghi"), ["included"] * 4 + ["disjoint"] * 5
    train = Images(images.features[: 10 * T], images.labels[: 10 * T])
    tables = {
        measure: pd.DataFrame(similarities[kind], names)
        for measure, kind in [("inference", "sparse"), ("wordnet", "tied")]
    }
    table = sweep_measures(tables, head, {"test": images, "train": train}, types, KS, trial(5, 3))
    assert list(table.columns) == ["measure", "type", "K", "images", "f1", "classes"]
    assert len(table) == 2 * 2 * 2 * len(KS)
    expected = {
        ("inference", "test"): sweep(similarities["sparse"], head, images, KS),
        ("inference", "train"): cross_validated_sweep("inference", head, train, names, KS, trial(5, 3)),
        ("wordnet", "test"): sweep(similarities["tied"], head, images, KS),
        ("wordnet", "train"): sweep(similarities["tied"], head, train, KS),
    }
    for (measure, which), scores in expected.items():
        part = table[(table["measure"] == measure) & (table["images"] == which)]
        assert part[part["type"] == "included"]["f1"].tolist() == pytest.approx(scores[:, :4].mean(axis=1))
        assert part[part["type"] == "disjoint"]["f1"].tolist() == pytest.approx(scores[:, 4:].mean(axis=1))
    assert set(choose(table)["K"]) <= set(KS)


def test_the_reading_reaches_the_folds_and_no_other_sweep():
    similarities, head, images = made()
    names, types = list("abcdefghi"), ["included"] * T
    tables = {
        "inference": pd.DataFrame(similarities["dense"], names),
        "wordnet": pd.DataFrame(similarities["tied"], names),
    }
    both = {"test": images, "train": images}
    readings = ["argmax", "soft", "threshold"]
    swept = {reading: sweep_measures(tables, head, both, types, KS, trial(5, 3, reading)) for reading in readings}
    for reading, table in swept.items():
        folded = (table["measure"] == "inference") & (table["images"] == "train")
        expected = cross_validated_sweep("inference", head, images, names, KS, trial(5, 3, reading))
        assert table[folded]["f1"].tolist() == pytest.approx(expected.mean(axis=1))
        assert table[~folded].equals(swept["argmax"][~folded])
    assert len({tuple(table["f1"]) for table in swept.values()}) == 3


@pytest.mark.parametrize("norm", ["untouched", "rescaled"])  # running sums, plain heads
def test_a_lonely_target_is_swept_with_the_row_its_head_starts_from(norm):
    rng = np.random.default_rng(3)
    weight, bias = rng.normal(size=(4, 6)).astype(np.float32), rng.normal(size=4).astype(np.float32)
    similarity = rng.uniform(0.1, 1, size=(3, 4))
    similarity[1] = np.nan
    images = Images(rng.normal(size=(60, 6)).astype(np.float32), np.arange(60) % 3)
    found = sweep(similarity, SourceHead(weight, bias, norm=norm, lonely="random", seed=7), images, [1, 3])
    for at, K in enumerate((1, 3)):
        inputs = HeadInputs(
            names="abc", source_weight=weight, source_bias=bias, similarity=similarity, neighbours=K, seed=7,
            norm=norm, lonely="random",
        )  # fmt: skip
        head = start_blended(inputs)
        predictions = (images.features @ head.weight.T + head.bias).argmax(axis=1)
        np.testing.assert_array_equal(found[at], f_scores(confusion(images.labels, predictions, 3)))
    with pytest.raises(ValueError, match="row 1"):
        sweep(similarity, SourceHead(weight, bias, norm=norm), images, [1])
