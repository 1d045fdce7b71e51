import json

import pytest

from keras_gans.metrics import Measurement, Protocol


def protocol(**changes):
    usual = {"metric": "frechet", "num_images": 10_000, "features": "fashion_mnist_cnn_v1"}
    return Protocol(**{**usual, "features_sha256": "a", "reference_sha256": "b", **changes})


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "frechet10k_fashion_mnist_cnn_v1"),
        ({"num_images": 2500}, "frechet2500_fashion_mnist_cnn_v1"),
        ({"metric": "recall"}, "recall10k_fashion_mnist_cnn_v1"),
        ({"reference": "faces train[:50%]"}, "frechet10k_fashion_mnist_cnn_v1_on_faces_train_50"),
        ({"features": "inception_v3"}, "fid10k_inception_v3"),
        ({"features": "inception_v3", "metric": "kernel"}, "kid10k_inception_v3"),
        ({"features": "inception_v3", "metric": "recall"}, "recall10k_inception_v3"),
        # Another network, or another resize, makes no FID.
        ({"features": "inception_v3_keras"}, "frechet10k_inception_v3_keras"),
        ({"features": "inception_v3_legacy"}, "frechet10k_inception_v3_legacy"),
    ],
)
def test_a_name_is_a_protocol(changes, name):
    assert protocol(**changes).name == name


def test_better_is_lower_for_distances_and_higher_for_shares():
    for metric, better, worse in (("frechet", 1.0, 2.0), ("kernel", -0.1, 0.0), ("recall", 1, 0.5)):
        a, b = (Measurement(protocol(metric=metric), value) for value in (better, worse))
        assert a.better_than(b) and not b.better_than(a) and not a.better_than(a)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"num_images": 5000}, "num_images"),
        ({"features": "digits_cnn_v1"}, "features"),
        ({"features_sha256": "c"}, "features_sha256"),
        ({"reference_sha256": "c"}, "reference_sha256"),
        ({"metric": "kernel"}, "metric"),
    ],
)
def test_unlike_protocols_refuse_to_be_compared(changes, field):
    one, other = Measurement(protocol(), 1.0), Measurement(protocol(**changes), 2.0)
    with pytest.raises(ValueError, match=f"different protocols.*differ in {field}"):
        one.better_than(other)


def test_json_brings_back_what_was_measured():
    found = Measurement(protocol(), 1.25, 1.0, 1.5)
    assert Measurement.from_json(json.loads(json.dumps(found.to_json()))) == found
    assert str(found) == "1.25 (1 to 1.5)" and float(found) == 1.25
