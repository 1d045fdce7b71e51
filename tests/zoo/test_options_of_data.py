"""What only one data set understands, such as the kind of its pairs, reaches the evaluation too."""

import numpy as np
import pytest

from keras_gans import data, zoo

pytest.importorskip("dicebear")
pytest.importorskip("resvg_py")


def test_a_recipe_is_evaluated_on_the_pairs_that_it_is_trained_on(tmp_path):
    options = {"pair": "drawing", "faces": 8, "image_size": 32, "data_dir": str(tmp_path)}
    size = {"image_shape": [32, 32, 3], "width": 4}
    recipe = zoo.Recipe(
        {
            "epochs": 1,
            "data": {
                "type": "load_pairs",
                "name": "avatars",
                "batch_size": 2,
                "augment": False,
                **options,
            },
            "networks": {
                "generator": {"type": "unet_generator", "depth": 3, **size},
                "discriminator": {
                    "type": "patch_discriminator",
                    "condition_shape": [32, 32, 3],
                    "receptive_field": 16,
                    **size,
                },
            },
            "model": {"type": "Pix2Pix"},
            "evaluation": {"split": "test"},
        }
    )
    evaluation = recipe.evaluation(split="test")
    pairs = data.load_pairs(
        "avatars", split="test", batch_size=2, shuffle=False, augment=False, **options
    )
    for seen, wanted in zip(next(evaluation.pairs()), next(pairs.as_numpy_iterator()), strict=True):
        np.testing.assert_array_equal(seen, wanted)
    names = evaluation.measure(lambda images: images)
    assert "l1_2_pixels_on_avatars_test_drawing_a_to_b_32" in names
