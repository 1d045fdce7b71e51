"""A recipe with every part of a run in it, trained in a second."""

RECIPE = {
    "description": "<digits> & more",
    "epochs": 2,
    "data": {"name": "digits", "batch_size": 16, "num_examples": 64, "image_size": 16},
    "networks": {
        "generator": {"type": "dcgan_generator", "image_shape": [16, 16, 1], "width": 4},
        "discriminator": {"type": "dcgan_discriminator", "image_shape": [16, 16, 1], "width": 4},
    },
    "model": {"type": "DCGAN", "ema_decay": 0.9},
    "samples": 4,
}


def recipe(data_dir):
    """The recipe, with its data prepared in a folder that goes with the test."""
    return {**RECIPE, "data": {**RECIPE["data"], "data_dir": str(data_dir)}}
