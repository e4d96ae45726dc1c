import numpy as np
import pytest

from headstart.data.views import View


@pytest.mark.parametrize(
    ("side", "mean", "std", "said"),
    [
        (0, [0.5] * 3, [0.5] * 3, "expected a crop of at least 1 pixel a side, got 0; raise images.crop"),
        (8, [0.5], [0.5] * 3, r"expected the mean of 3 colour channels, got 1 \(\[0.5\]\); give .* \(source.mean\)"),
        (8, [0.5] * 3, [0.5] * 4, r"expected the std of 3 colour channels, got 4 .*\(source.std\)"),
        (8, [0.5] * 3, [0.5, 0.0, 0.5], r"a std above 0 for every colour channel, got \[0.5, 0.0, 0.5\]; .*source.std"),
        (8, [0.5] * 3, [0.5, 0.5, float("nan")], "a std above 0"),
    ],
)
def test_a_view_that_no_network_can_have_is_refused_with_the_cure(side, mean, std, said):
    with pytest.raises(ValueError, match=said):
        View(side, mean, std)


def test_tuples_and_arrays_will_do_and_a_black_mean_too():
    assert View(1, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)) == View(1, (0.0,) * 3, (1.0,) * 3)
    assert View(8, np.zeros(3), np.ones(3)).side == 8
