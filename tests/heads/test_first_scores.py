import numpy as np

from headstart.heads.scoring import first_scores
from headstart.heads.starts import random_head


def test_a_head_is_scored_on_features_as_the_first_step_of_a_run_does():
    rng = np.random.default_rng(0)
    features, labels = rng.normal(size=(12, 5)).astype(np.float32), np.arange(12) % 3
    heads = {"random": random_head(3, 5, 0), "other": random_head(3, 5, 1)}
    found = first_scores(heads, features, labels, ["a", "b", "c"])
    assert (
        found["initialisation"].tolist() == ["random"] * 3 + ["other"] * 3 and found["wnid"].tolist() == list("abc") * 2
    )
    predicted = (features @ heads["other"].weight.T).argmax(axis=1)
    for number, f1 in enumerate(found["f1"][3:]):
        right = ((predicted == number) & (labels == number)).sum()
        assert f1 == 2 * right / ((labels == number).sum() + (predicted == number).sum())
