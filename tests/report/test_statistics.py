import math

import numpy as np
import pandas as pd
import pytest

from headstart.report.statistics import (
    gather_seeds,
    intervals,
    lower_median,
    macro_curves,
    mean_interval,
    paired_difference,
    rank_correlation,
    scores_of_runs,
)


def history_of(rows, strategy="finetune", group="main"):
    """Rows (initialisation, shots, seed, step, part, wnid, f1) as a history."""
    columns = ["initialisation", "shots", "seed", "step", "part", "wnid", "f1"]
    return pd.DataFrame(rows, columns=columns).assign(strategy=strategy, group=group)


def one_class(initialisation, shots, seed, test, validation=()):
    """A run with a single class, evaluated at steps 0, 1, 2, ..."""
    return [
        (initialisation, shots, seed, step, part, "n1", f1)
        for part, values in (("test", test), ("validation", validation))
        for step, f1 in enumerate(values)
    ]


def test_half_width_is_students_quantile_times_standard_error():
    # Values 1, 2, 3, 4: mean 2.5, sum of squares 5, s = sqrt(5/3) = 1.290994, standard error 0.645497;
    # the 97.5 % quantile of Student's t with 3 degrees of freedom is 3.182446.
    mean, half_width = mean_interval([1, 2, 3, 4])
    assert mean == 2.5
    assert half_width == pytest.approx(3.182446 * 0.645497, rel=1e-6)


def test_two_seeds_use_the_wide_quantile_of_one_degree_of_freedom():
    # s of (0, 1) is sqrt(1/2), standard error 1/2, quantile tan(0.475 pi) = 12.7062.
    assert mean_interval([0.0, 1.0]) == (0.5, pytest.approx(0.5 * math.tan(0.475 * math.pi), rel=1e-9))


def test_level_decides_the_width():
    # With one degree of freedom the quantile at level 0.5 is tan(pi/4) = 1.
    assert mean_interval([0.0, 1.0], level=0.5)[1] == pytest.approx(0.5)


def test_one_seed_has_a_mean_and_no_interval():
    mean, half_width = mean_interval([0.7])
    assert mean == 0.7
    assert math.isnan(half_width)


def test_missing_value_leaves_no_mean():
    assert all(map(math.isnan, mean_interval([0.1, math.nan])))


def test_no_value_or_impossible_level_is_refused():
    with pytest.raises(ValueError, match="got none"):
        mean_interval([])
    with pytest.raises(ValueError, match=r"got 95"):
        mean_interval([0.1, 0.2], level=95)


def test_pairs_cancel_what_seeds_share():
    # The differences are 0.1, 0.1, 0.4: mean 0.2, s = sqrt(0.03), standard error 0.1, quantile 4.302653.
    mean, half_width = paired_difference([0.2, 0.6, 1.0], [0.1, 0.5, 0.6])
    assert mean == pytest.approx(0.2)
    assert half_width == pytest.approx(0.4302653, rel=1e-6)
    assert mean_interval([0.2, 0.6, 1.0])[1] > half_width


def test_unequal_pairs_are_refused():
    with pytest.raises(ValueError, match="got 2 and 1"):
        paired_difference([1, 2], [1])


def test_rank_correlation_follows_order_only():
    assert rank_correlation([1, 2, 50], [0.1, 0.11, 0.9]) == pytest.approx(1)
    assert rank_correlation([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)


def test_rank_correlation_shares_the_rank_of_ties():
    # Ranks 1, 2, 3 against 1.5, 1.5, 3: covariance 1.5, norms sqrt(2) and sqrt(1.5); 1.5 / sqrt(3).
    assert rank_correlation([1, 2, 3], [0.2, 0.2, 0.7]) == pytest.approx(1.5 / math.sqrt(3))


def test_rank_correlation_of_a_constant_is_unknown():
    assert math.isnan(rank_correlation([1, 2, 3], [0.5, 0.5, 0.5]))


def test_macro_f_leaves_out_classes_without_images():
    rows = [("random", 1, 0, 0, "test", wnid, f1) for wnid, f1 in (("a", 0.2), ("b", 0.6), ("c", math.nan))]
    curves = macro_curves(history_of(rows))
    assert curves["f1"].tolist() == [pytest.approx(0.4)]
    assert curves["classes"].tolist() == [2]


def test_macro_f_of_single_precision_scores_is_a_double():
    rows = [("random", 1, 0, 0, "test", wnid, f1) for wnid, f1 in (("a", 0.1), ("b", 0.2))]
    frame = history_of(rows).astype({"f1": "float32"})
    assert macro_curves(frame)["f1"].tolist() == [(float(np.float32(0.1)) + float(np.float32(0.2))) / 2]


def test_intervals_are_taken_over_the_rows_of_a_group():
    frame = pd.DataFrame({"K": [1, 1, 2], "f1": [0.0, 1.0, 0.3]})
    found = intervals(frame, ["K"])
    assert found["seeds"].tolist() == [2, 1]
    assert found["mean"].tolist() == [0.5, 0.3]
    assert found["half_width"].tolist()[0] == pytest.approx(6.3531, rel=1e-4)
    assert math.isnan(found["half_width"].tolist()[1])


def test_gathered_tables_keep_their_seed():
    found = gather_seeds({7: pd.DataFrame({"K": [1, 2]}), 8: pd.DataFrame({"K": [3]})})
    assert found.to_dict("list") == {"seed": [7, 7, 8], "K": [1, 2, 3]}
    with pytest.raises(ValueError, match="at least one seed"):
        gather_seeds({})


def test_lower_median_is_one_of_the_values():
    assert lower_median([4, 1]) == 1
    assert lower_median(pd.Series([9, 2, 5])) == 5


def test_scores_of_a_run_are_first_best_final_and_clean_best():
    # Best on test is 0.7 at step 2; validation peaks at step 1, where test reads 0.5.
    rows = one_class("inference", 5, 0, test=[0.3, 0.5, 0.7, 0.6], validation=[0.2, 0.9, 0.8, 0.1])
    run = scores_of_runs(history_of(rows)).iloc[0]
    assert (run["first"], run["best"], run["final"], run["clean_best"]) == (0.3, 0.7, 0.6, 0.5)
    assert (run["classes"], run["steps"]) == (1, 3)


def test_best_includes_step_zero():
    run = scores_of_runs(history_of(one_class("inference", 1, 0, test=[0.4, 0.3, 0.2]))).iloc[0]
    assert run["best"] == 0.4


def test_clean_best_takes_the_earliest_of_equal_steps():
    rows = one_class("inference", 1, 0, test=[0.1, 0.2, 0.3], validation=[0.0, 0.5, 0.5])
    assert scores_of_runs(history_of(rows))["clean_best"].tolist() == [0.2]


def test_without_validation_images_there_is_no_clean_best():
    absent = history_of(one_class("random", 1, 0, test=[0.1, 0.2]))
    empty = history_of(one_class("random", 1, 0, test=[0.1, 0.2], validation=[math.nan, math.nan]))
    assert scores_of_runs(absent)["clean_best"].isna().all()
    assert scores_of_runs(empty)["clean_best"].isna().all()


def test_run_without_step_zero_is_refused():
    rows = [("random", 1, 4, 1, "test", "n1", 0.2)]
    with pytest.raises(ValueError, match="random, 1 shots, seed 4 has no test scores at step 0"):
        scores_of_runs(history_of(rows))


def test_runs_over_different_classes_are_not_averaged():
    rows = one_class("random", 1, 0, test=[0.1]) + one_class("random", 1, 1, test=[0.1])
    rows += [("random", 1, 1, 0, "test", "n2", 0.3)]
    with pytest.raises(ValueError, match="count 1, 2 classes"):
        scores_of_runs(history_of(rows))


def test_runs_with_different_budgets_are_not_compared():
    rows = one_class("random", 1, 0, test=[0.1, 0.2]) + one_class("inference", 1, 0, test=[0.1])
    with pytest.raises(ValueError, match="runs of 1 shots end after 0, 1 steps"):
        scores_of_runs(history_of(rows))
