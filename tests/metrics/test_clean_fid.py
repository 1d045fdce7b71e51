"""Our distances and our resize against clean-fid, on the same features and images."""

import json
import pathlib

import numpy as np
import pytest
from reference import clean_fid as script
from reference import torch_fidelity

from keras_gans import metrics

EXPECTED = json.loads(pathlib.Path(script.__file__).with_suffix(".json").read_text())


@pytest.mark.parametrize("name", torch_fidelity.CASES)
def test_distances(name):
    expected = EXPECTED["distances"][name]
    real, generated, _ = torch_fidelity.arrays(*torch_fidelity.CASES[name])
    found = metrics.frechet_distance(real, generated)
    # It takes a root of a product of singular covariances.
    assert found == pytest.approx(expected["frechet"], rel=1e-5 if name == "singular" else 1e-9)
    size, value = expected["kernel_of_the_first"]
    assert metrics.mmd(real[:size], generated[:size]) == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize("name", script.IMAGES)
def test_resizing(name):
    expected = EXPECTED["resized"][name]
    (found,) = metrics.resize_clean(script.picture(*script.IMAGES[name])[None]).astype("float64")
    assert (
        found.min() == 0 and found.max() == 255
    )  # some pixels overshoot: clipping has been tested
    # Rounded to four digits in the file.
    pixels = found[:: script.STEP, :: script.STEP]
    np.testing.assert_allclose(pixels, expected["pixels"], rtol=0, atol=1e-3)
    assert found.sum() == pytest.approx(expected["sum"], rel=1e-7)
    assert np.square(found).sum() == pytest.approx(expected["sum_of_squares"], rel=1e-7)
