"""Our metrics against torch-fidelity, on the same features."""

import json
import pathlib

import pytest
from reference import torch_fidelity as script
from scipy.special import softmax

from keras_gans import metrics

EXPECTED = json.loads(pathlib.Path(script.__file__).with_suffix(".json").read_text())["cases"]


@pytest.mark.parametrize("name", EXPECTED)
def test_agrees_with_torch_fidelity(name):
    expected = EXPECTED[name]
    real, generated, logits = arrays = script.arrays(*script.CASES[name])
    assert [array.sum() for array in arrays] == pytest.approx(expected["sums"], rel=1e-9)
    found = metrics.frechet_distance(real, generated)
    # It takes roots of eigenvalues that rounding leaves at 1e-15, of singular covariances.
    rel = 1e-5 if name == "singular" else 1e-9
    assert found == pytest.approx(expected["frechet_inception_distance"], rel=rel)
    size, value = expected["kernel_of_the_first"]
    assert metrics.mmd(real[:size], generated[:size]) == pytest.approx(value, rel=1e-9)
    for k in (3, 5):
        found = metrics.precision_recall(real, generated, neighbors=k)
        values = [found.precision, found.recall]
        assert values == pytest.approx(expected[f"precision_recall_{k}"], abs=1e-6)  # its float32
    for splits in (1, 10):
        found = metrics.inception_score(softmax(logits, axis=1), splits)
        values = [found.value, found.stddev]
        assert values == pytest.approx(expected[f"inception_score_{splits}"], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", EXPECTED)
def test_random_subsets_agree_as_far_as_chance_lets_them(name):
    expected = EXPECTED[name]["kernel_of_subsets"]
    real, generated, _ = script.arrays(*script.CASES[name])
    found = metrics.kernel_distance(real, generated, expected["subset_size"], num_subsets=50)
    # Means of 50 and of 200 draws differ by 0.16 of the standard deviation of one draw.
    assert found.value == pytest.approx(expected["value"], abs=0.5 * expected["stddev"])
    assert found.stddev == pytest.approx(expected["stddev"], rel=0.3)
