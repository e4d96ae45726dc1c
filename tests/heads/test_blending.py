import numpy as np
import pytest

from headstart.heads.blending import TIES, blend, dense_coefficients, nearest

# Lengths of the rows: 5, 1, 2, so 8 / 3 on average.
WEIGHT = np.array([[3.0, 4.0], [0.0, 1.0], [2.0, 0.0]], dtype=np.float32)
BIAS = np.array([1.0, -1.0, 0.5], dtype=np.float32)


def test_coefficients_of_every_row_sum_to_one():
    rng = np.random.default_rng(1)
    similarity = np.maximum(rng.normal(size=(20, 30)), 0)
    for ties in TIES:
        for K in (1, 2, 7, 30):
            sources, coefficients = nearest(similarity, K, ties)
            assert coefficients.sum(axis=1) == pytest.approx(np.ones(20))
            assert np.array_equal(sources >= 0, coefficients > 0)


def test_equal_similarities_are_taken_in_class_order():
    similarity = np.zeros((1, 40))
    similarity[0, [33, 7, 21]] = 0.5
    similarity[0, 12] = 0.9
    sources, coefficients = nearest(similarity, 3)
    assert sources.tolist() == [[12, 7, 21]]
    assert coefficients == pytest.approx(np.array([[0.9, 0.5, 0.5]]) / 1.9)


def test_average_shares_the_places_left_among_all_tied_at_the_last_place():
    similarity = np.zeros((1, 40))
    similarity[0, [33, 7, 21]] = 0.6
    similarity[0, 12] = 0.9
    # K = 3: source 12 takes one place, three sources share the two that are left: 0.6 * 2/3 = 0.4 each.
    sources, coefficients = nearest(similarity, 3, ties="average")
    assert sources.tolist() == [[12, 7, 21, 33]]
    assert coefficients == pytest.approx(np.array([[0.9, 0.4, 0.4, 0.4]]) / 2.1)


def test_average_is_order_where_nothing_is_tied():
    similarity = np.random.default_rng(2).permutation(60).reshape(3, 20) + 1.0
    for K in (1, 5, 20):
        first, second = nearest(similarity, K, "order"), nearest(similarity, K, "average")
        assert np.array_equal(first[0], second[0])
        assert first[1] == pytest.approx(second[1])


def test_average_does_not_depend_on_the_order_of_tied_sources():
    similarity = np.array([[0.5, 0.5, 0.5, 0.2]])
    rows, _ = blend(WEIGHT, BIAS, *nearest(similarity[:, :3], 2, "average"))
    assert rows == pytest.approx(WEIGHT.mean(axis=0, keepdims=True))


def test_zero_and_negative_similarities_are_no_neighbours():
    sources, coefficients = nearest([[-0.5, 0.0, 0.2], [0.1, 0.1, 0.2]], K=3)
    assert sources.tolist() == [[2, -1, -1], [2, 0, 1]]
    assert coefficients == pytest.approx(np.array([[1, 0, 0], [0.5, 0.25, 0.25]]))


def test_class_without_any_similarity_is_named():
    for ties in TIES:
        with pytest.raises(ValueError, match="no source class has a positive similarity to crane; leave"):
            nearest([[0.1, 0.2], [0.0, -0.3]], K=1, ties=ties, names=["bullet", "crane"])


def test_number_of_neighbours_may_differ_by_class():
    sources, coefficients = nearest([[0.3, 0.1, 0.2], [0.3, 0.1, 0.2]], K=[1, 3])
    assert sources.tolist() == [[0, -1, -1], [0, 2, 1]]
    assert coefficients[0].tolist() == [1, 0, 0]


@pytest.mark.parametrize("K", [0, 4, [1, 4]])
def test_impossible_numbers_of_neighbours_are_refused(K):
    with pytest.raises(ValueError, match=r"expected K in 1\.\.3 \(source classes\)"):
        nearest(np.ones((2, 3)), K)


def test_similarity_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="expected finite similarities"):
        nearest([[0.1, np.nan]], K=1)


def test_zero_bias_leaves_the_bias_out():
    _, bias = blend(WEIGHT, BIAS, np.array([[0]]), np.array([[1.0]]), bias_rule="zero")
    assert bias.tolist() == [0.0]


def test_rescaled_rows_have_the_mean_length_and_keep_direction_and_bias():
    choice = nearest([[1.0, 1.0, 1.0], [0.0, 1.0, 0.0]], K=3)
    plain, plain_bias = blend(WEIGHT, BIAS, *choice)
    rows, bias = blend(WEIGHT, BIAS, *choice, norm="rescaled")
    assert np.linalg.norm(rows, axis=1) == pytest.approx([8 / 3, 8 / 3])
    assert rows[1] == pytest.approx([0, 8 / 3])
    assert rows[0] / np.linalg.norm(rows[0]) == pytest.approx(plain[0] / np.linalg.norm(plain[0]))
    assert np.array_equal(bias, plain_bias)


def test_dense_coefficients_put_each_share_at_its_source():
    dense = dense_coefficients(np.array([[2, 0], [1, -1]]), np.array([[0.75, 0.25], [1.0, 0.0]]), 4)
    assert dense.tolist() == [[0.25, 0, 0.75, 0], [0, 1, 0, 0]]
