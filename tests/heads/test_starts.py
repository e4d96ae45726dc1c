from typing import Any

import numpy as np
import pytest

from headstart.heads.blending import BIASES, NORMS, TIES, blend, mean_length
from headstart.heads.starts import (
    HeadInputs,
    imprinted_head,
    initialise,
    load_heads,
    random_head,
    save_heads,
)
from headstart.measures.metrics import couple_f_scores
from headstart.measures.semantics import Semantics
from headstart.naming import read_start
from headstart.vocabulary import all_starts, code_of

# Lengths of the rows: 5, 1, 2, so 8 / 3 on average.
WEIGHT = np.array([[3.0, 4.0], [0.0, 1.0], [2.0, 0.0]], dtype=np.float32)
BIAS = np.array([1.0, -1.0, 0.5], dtype=np.float32)
SHARES = [[0.5, 0.1, 0.2], [0.0, 0.6, -0.1]]


def build(name, given):
    return code_of(all_starts()[name].code)(given)


def inputs(**changes):
    given: dict[str, Any] = {
        "names": ["bullet", "crane"],
        "source_weight": WEIGHT,
        "source_bias": BIAS,
        "similarity": np.array([[0.5, 0.0, 0.25], [0.1, 0.3, 0.0]]),
        "neighbours": 2,
        "features": np.array([[1.0, 0.0], [0.0, 2.0], [0.0, 4.0]], dtype=np.float32),
        "labels": np.array([0, 1, 1]),
        "seed": 3,
        "semantic": Semantics(
            *(np.array(part, dtype=np.float32) for part in ([[1.0, 0.5], [0.0, 1.0]], [0.1, 0.2], SHARES, SHARES)),
            sources=np.eye(3, dtype=np.float32),
        ),
    }
    return HeadInputs(**(given | changes))


def test_blended_rows_follow_the_papers_formula():
    # bullet: sources 0 and 2 with 0.5 and 0.25, so 2/3 and 1/3; crane: sources 1 and 0 with 3/4 and 1/4.
    head = build("wordnet", inputs())
    assert head.sources.tolist() == [[0, 2], [1, 0]]
    assert head.coefficients == pytest.approx(np.array([[2 / 3, 1 / 3], [3 / 4, 1 / 4]]))
    assert head.weight == pytest.approx(np.array([[2 + 2 / 3, 8 / 3], [0.75, 1.75]]))
    assert head.bias == pytest.approx(np.array([2 / 3 + 0.5 / 3, -0.75 + 0.25]))
    assert {head.weight.dtype, head.bias.dtype, head.coefficients.dtype} == {np.dtype(np.float32)}
    assert head.sources.dtype == np.int64


def test_one_neighbour_copies_its_row_exactly():
    rng = np.random.default_rng(0)
    weight, bias = rng.normal(size=(30, 8)).astype(np.float32), rng.normal(size=30).astype(np.float32)
    similarity = rng.random((12, 30))
    head = build(
        "inference",
        inputs(names=list("abcdefghijkl"), source_weight=weight, source_bias=bias, similarity=similarity, neighbours=1),
    )
    assert np.array_equal(head.weight, weight[similarity.argmax(axis=1)])
    assert np.array_equal(head.bias, bias[similarity.argmax(axis=1)])


@pytest.mark.parametrize("option, choices", [("ties", TIES), ("bias", BIASES), ("norm", NORMS)])
def test_unknown_rule_lists_all_known_ones(option, choices):
    with pytest.raises(ValueError) as caught:
        build("wordnet", inputs(**{option: "other"}))
    assert str(caught.value) == f"unknown {option} 'other'; use one of {', '.join(choices)}"


def test_similarity_of_other_source_classes_is_refused():
    with pytest.raises(ValueError, match=r"expected similarity \(2, 3\) .* got \(2, 4\)"):
        build("wordnet", inputs(similarity=np.ones((2, 4))))
    with pytest.raises(ValueError, match="source 5 is chosen, but the source head has only 3 rows"):
        blend(WEIGHT, BIAS, np.array([[5]]), np.array([[1.0]]))


def test_random_head_fills_xaviers_range_without_bias():
    head = random_head(targets=50, features=70, seed=0)
    bound = np.sqrt(6 / 120)
    assert np.abs(head.weight).max() <= bound
    assert np.abs(head.weight).max() > 0.99 * bound
    # The variance of a uniform distribution is bound^2 / 3; 3500 draws estimate it to 2 %.
    assert head.weight.var() == pytest.approx(bound**2 / 3, rel=0.1)
    assert not head.bias.any()
    assert head.sources.tolist() == [[-1]] * 50
    assert not head.coefficients.any()


def test_random_head_depends_on_the_seed_only():
    assert np.array_equal(random_head(3, 4, seed=1).weight, random_head(3, 4, seed=1).weight)
    assert not np.array_equal(random_head(3, 4, seed=1).weight, random_head(3, 4, seed=2).weight)


def test_imprinted_row_is_the_direction_of_the_mean_unit_feature():
    # Class 1: unit features (0.6, 0.8) and (1, 0), mean (0.8, 0.4), whose direction is (2, 1) / sqrt 5.
    features = np.array([[0.0, 9.0], [3.0, 4.0], [7.0, 0.0]])
    head = imprinted_head(features, np.array([0, 1, 1]), ["bullet", "crane"], scale=10.0)
    assert head.weight == pytest.approx(np.array([[0, 10], [20 / np.sqrt(5), 10 / np.sqrt(5)]]), rel=1e-6)
    assert not head.bias.any()


def test_imprinted_head_as_a_linear_layer_decides_by_cosine():
    rng = np.random.default_rng(0)
    features, labels = rng.random((60, 16)), np.arange(60) % 6
    head = imprinted_head(features * rng.uniform(0.1, 9, size=(60, 1)), labels, list("abcdef"), scale=2.5)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    means = np.stack([unit[labels == label].mean(axis=0) for label in range(6)])
    new = rng.random((200, 16)) * rng.uniform(0.1, 9, size=(200, 1))
    cosine = (new / np.linalg.norm(new, axis=1, keepdims=True)) @ (means / np.linalg.norm(means, axis=1)[:, None]).T
    assert np.array_equal((new @ head.weight.T + head.bias).argmax(axis=1), cosine.argmax(axis=1))


def test_imprinted_rows_are_as_long_as_source_rows_on_average():
    head = build("imprinted", inputs())
    assert np.linalg.norm(head.weight, axis=1) == pytest.approx([8 / 3, 8 / 3])
    assert mean_length(WEIGHT) == pytest.approx(8 / 3)


def test_class_without_training_images_cannot_be_imprinted():
    with pytest.raises(ValueError, match="no training image, or only zero features, for crane"):
        build("imprinted", inputs(labels=np.array([0, 0, 0])))


@pytest.mark.parametrize("name", all_starts())
def test_every_initialisation_is_called_alike_and_survives_its_file(name, tmp_path):
    head = build(name, inputs())
    assert head.weight.shape == (2, 2)
    assert head.bias.shape == (2,)
    assert head.sources.shape == head.coefficients.shape
    save_heads({f"{name}-k1": head, "other": build("random", inputs())}, tmp_path / "heads" / "0.safetensors")
    read = load_heads(tmp_path / "heads" / "0.safetensors")
    assert set(read) == {f"{name}-k1", "other"}
    for field, tensor in vars(head).items():
        assert np.array_equal(getattr(read[f"{name}-k1"], field), tensor)
        assert getattr(read[f"{name}-k1"], field).dtype == tensor.dtype


def test_what_an_initialisation_lacks_is_named():
    with pytest.raises(ValueError, match="needs a similarity matrix and the number of neighbours"):
        build("word2vec", inputs(similarity=None))
    with pytest.raises(ValueError, match="needs the training images' features and labels"):
        build("imprinted", inputs(features=None))


def test_inference_head_of_one_image_copies_the_class_the_network_saw():
    similarity = couple_f_scores([0, 1], [2, 1], targets=2, sources=3)
    head = build("inference", inputs(similarity=similarity, neighbours=3))
    assert np.array_equal(head.weight, WEIGHT[[2, 1]])


@pytest.mark.parametrize("name, parsed", [
    ("random", ("", None)),
    ("inference-k1", ("inference", 1)),
    ("wordnet-k20", ("wordnet", 20)),
    ("imprinted", ("", None)),
])  # fmt: skip
def test_names_of_initialisations_are_parsed(name, parsed):
    start, fixed = read_start(name)
    assert (start.measure, fixed) == parsed


@pytest.mark.parametrize("name", ["other", "random-k1", "imprinted-k2", "inference-k0", "inference-k", "inference-k1x"])
def test_unknown_initialisation_lists_all_known_ones(name):
    with pytest.raises(ValueError) as caught:
        read_start(name)
    assert f"unknown initialisation {name!r}; use one of {', '.join(all_starts())}" in str(caught.value)


def test_a_lonely_target_gets_a_random_row_where_the_rule_says_so():
    similarity = np.array([[0.5, 0.5], [np.nan, np.nan]])
    given = {
        "names": ["known", "unknown"],
        "source_weight": np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], np.float32),
        "source_bias": np.array([1.0, 3.0], np.float32),
        "similarity": similarity,
        "neighbours": 2,
        "seed": 5,
    }
    head = build("word2vec", HeadInputs(**given, lonely="random"))
    np.testing.assert_array_equal(head.weight[0], [0.5, 0.5, 0.0])
    np.testing.assert_array_equal(head.weight[1], random_head(2, 3, 5).weight[1])
    assert head.bias.tolist() == [2.0, 0.0]
    assert head.sources.tolist() == [[0, 1], [-1, -1]]
    with pytest.raises(ValueError, match=r"positive similarity to unknown; .*heads\.lonely: random"):
        build("word2vec", HeadInputs(**given))


def test_each_initialisation_gets_the_matrix_of_its_measure_and_its_own_number_of_neighbours():
    swapped = np.asarray(inputs().similarity)[:, ::-1]
    heads = initialise(
        ["random", "wordnet-k1", "inference"],
        inputs(similarity=None, neighbours=None),
        {"wordnet": swapped, "inference": inputs().similarity, "random": None},
        {"wordnet-k1": [1, 1], "inference": [2, 2], "random": None},
    )
    assert list(heads) == ["random", "wordnet-k1", "inference"]
    expected = build("wordnet", inputs(similarity=swapped, neighbours=[1, 1]))
    assert np.array_equal(heads["wordnet-k1"].weight, expected.weight)
    assert np.array_equal(heads["inference"].weight, build("inference", inputs(neighbours=[2, 2])).weight)
    assert not np.array_equal(heads["wordnet-k1"].weight, heads["inference"].weight)
    assert np.array_equal(heads["random"].weight, build("random", inputs()).weight)


def test_changed_source_rows_are_blended_in_the_order_of_their_words():
    rng = np.random.default_rng(0)
    weight, bias = rng.normal(size=(3, 4)).astype(np.float32), rng.normal(size=3).astype(np.float32)
    similarity = np.array([[0.5, 0.5, 0.0]])
    shared = HeadInputs(names=["t"], source_weight=weight, source_bias=bias)
    names = ["wordnet-k2", "wordnet-k2-centred", "wordnet-k2-unit", "wordnet-k2-centred-unit"]
    heads = initialise(names, shared, {"wordnet": similarity}, dict.fromkeys(names, 2))
    rows, offsets = weight - weight.mean(axis=0), bias - bias.mean()
    np.testing.assert_allclose(heads["wordnet-k2"].weight[0], weight[:2].mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(heads["wordnet-k2-centred"].weight[0], rows[:2].mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(heads["wordnet-k2-centred"].bias[0], offsets[:2].mean(), atol=1e-6)
    lengths = np.linalg.norm(rows, axis=1)
    equal = rows * (lengths.mean() / lengths)[:, None]
    np.testing.assert_allclose(heads["wordnet-k2-centred-unit"].weight[0], equal[:2].mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(
        heads["wordnet-k2-centred-unit"].bias[0], (offsets * lengths.mean() / lengths)[:2].mean(), atol=1e-6
    )
    lengths = np.linalg.norm(weight, axis=1)
    equal = weight * (lengths.mean() / lengths)[:, None]
    np.testing.assert_allclose(heads["wordnet-k2-unit"].weight[0], equal[:2].mean(axis=0), atol=1e-6)
