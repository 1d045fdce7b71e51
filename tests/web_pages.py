"""What the tests of pages that run a generator in a browser have in common."""

import dataclasses
import json

import chromium
import keras
import numpy as np

from keras_gans import image, interface, networks
from keras_gans.export import litert_js

DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]

# Float16 weights as docs/export.md bounds them: 0.02 of the range of 2.
LEVELS = {"float32": 2, "float16": 3}


def digits(latent_dim=6):
    return networks.dcgan_generator((16, 16, 1), latent_dim=latent_dim, width=4)


def translator():
    """A small U-Net with weights as large as trained ones."""
    generator = networks.unet_generator((32, 64, 3), out_channels=1, width=4, dropout=0)
    rng = np.random.default_rng(0)
    generator.set_weights(
        [w + 0.3 * np.abs(rng.normal(size=w.shape)) for w in generator.get_weights()]
    )
    return generator


def styled():
    """A StyleGAN2 generator that takes psi, with the seeds of NVIDIA's programs."""
    keras.utils.set_random_seed(3)
    generator = networks.stylegan2_generator(
        (16, 16, 3), 12, 8, num_classes=2, width=4, max_width=8, mapping_layers=2, psi=None
    )
    networks.stylegan2.parts(generator)[1].average.assign(np.linspace(-1, 1, 8))
    found = interface.of(generator)
    latents = dataclasses.replace(found.latents, random_state=True)
    return interface.state(generator, found.with_input(latents))


def upscaler():
    """Twice as large, for any size, with weights as large as trained ones."""
    network = networks.compact_upscaler((None, None, 3), scale=2, width=4, depth=1)
    rng = np.random.default_rng(0)
    network.set_weights([w + rng.normal(0, 0.1, w.shape) for w in network.get_weights()])
    return network


def browser_lacks():
    if not chromium.PROGRAM:
        return "there is no Chromium (apt-get install chromium)"
    for package in litert_js.PACKAGES:
        if not (litert_js.cache_folder() / litert_js.archive_name(package)).exists():
            return "LiteRT.js is not in the cache (keras-gans export NAME --format web)"
    return None


def pixels(page, canvas):
    """What a canvas shows, as uint8 `(height, width, 3)`.

    Args:
        page: a `chromium.Page`.
        canvas: a JavaScript expression.
    """
    width, height, values = page.run(
        "((c) => [c.width, c.height, Array.from(c.getContext('2d').getImageData("
        f"0, 0, c.width, c.height).data)])({canvas})"
    )
    shown = np.array(values, "uint8").reshape(height, width, 4)
    assert (shown[..., 3] == 255).all()
    return shown[..., :3]


def enter(page, root, control, value, event="input"):
    """As if a person moved or filled in a control: see `set_value`."""
    page.run(
        f"(() => {{ const root = {root}, e = root.getElementById('{control}');"
        f"e.value = {json.dumps(value)}; root.getElementById('status').textContent = '';"
        f"e.dispatchEvent(new Event('{event}', {{bubbles: true}})) }})()"
    )


def set_value(page, root, control, value, event="input"):
    """Changes a control, and waits for the image that follows.

    Args:
        page: a `chromium.Page`.
        root: JavaScript expression of the document or the tree that the control is in.
        control: its id.
        value: to set.
        event: that tells of it.
    """
    enter(page, root, control, value, event)
    page.until(f"{root}.getElementById('status').textContent.endsWith(' ms')")


def largest(shown, made):
    """The largest difference, in levels, of what a page shows and what Keras made."""
    return np.abs(shown.astype(int) - image.to_uint8(made)).max()
