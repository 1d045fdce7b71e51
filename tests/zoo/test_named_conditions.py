"""A recipe of several conditions, from its plan to images that are asked for by name."""

import pytest

from keras_gans import zoo
from keras_gans.zoo.runs.plan import plan

pytest.importorskip("dicebear")
pytest.importorskip("resvg_py")

CONDITIONS = {"hair": 5, "glasses": 3}

pytestmark = pytest.mark.usefixtures("without_graphs")


def recipe(data_dir):
    network = {"image_shape": [16, 16, 3], "num_classes": CONDITIONS, "width": 4}
    options = {"batch_normalization": False}
    return {
        "description": "Tiny faces.",
        "epochs": 1,
        "samples": 4,
        "data": {
            "name": "pixel_faces",
            "attributes": list(CONDITIONS),
            "faces": 8,
            "batch_size": 4,
            "data_dir": str(data_dir),
        },
        "networks": {
            "generator": {"type": "conditional_dcgan_generator", "latent_dim": 4, **network},
            "discriminator": {"type": "conditional_dcgan_discriminator", **network, **options},
        },
        "model": {"type": "ConditionalGAN"},
    }


def test_a_recipe_of_named_conditions_is_planned_trained_and_generated_from(tmp_path):
    config = recipe(tmp_path / "data")
    planned = plan(zoo.Recipe(config), tmp_path / "run")
    assert planned.batch_shape == (4, 16, 16, 3) and planned.steps_per_epoch == 2
    zoo.train(config, tmp_path / "run", verbose=0)
    gan = zoo.open_gan(tmp_path / "run")
    names = {port.name: port.names for port in gan.interface("generator").labels}
    assert names["glasses"] == ("none", "clear", "dark") and len(names["hair"]) == 5
    assert gan.generate(2, hair="red", glasses=["none", 2], seed=0).shape == (2, 16, 16, 3)
    with pytest.raises(ValueError, match="no hair of that name.*Did you mean 'red'"):
        gan.generate(2, hair="rad")
