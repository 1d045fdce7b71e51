"""Shipped generators run on every backend of Keras; what trains says that it needs TensorFlow's."""

import builtins
import importlib.util
import inspect
import os
import subprocess
import sys
import venv
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_gans
from keras_gans import layers, networks, zoo

ROOT = Path(__file__).parent.parent.parent
TRAINED = [name for name in zoo.list_presets() if zoo.card(name).trained]
RECIPES = {zoo.card(n).architecture: n for n in zoo.list_presets() if zoo.card(n).recipe}
SMALL = (32, 32, 3)
GENERATORS = {
    "mlp_generator": {"latent_dim": 8},
    "dcgan_generator": {"width": 4},
    "coupled_dcgan_generator": {"width": 4},
    "r3gan_generator": {},
    "conditional_mlp_generator": {"num_classes": 4},
    "conditional_dcgan_generator": {"num_classes": 4, "width": 4},
    "conditional_batch_norm_generator": {"num_classes": 4, "width": 4},
    "resnet_generator": {"width": 4},
    "unet_generator": {"width": 4},
    "laplacian_level_generator": {"latent_dim": 4, "width": 4},
    "laplacian_generator": {"levels": 2, "latent_dim": 8, "width": 4},
    "sngan_generator": {"num_classes": 2, "latent_dim": 4, "width": 8},
    "sagan_generator": {"latent_dim": 4, "width": 8, "max_width": 8, "attention": 16},
    "biggan_deep_generator": {"num_classes": 2, "latent_dim": 4, "class_dim": 4, "width": 8},
    "stylegan2_generator": {"latent_dim": 8, "style_dim": 8, "num_classes": 2, "width": 4},
    "text_dcgan_generator": {"vocabulary": ["red", "hair"], "width": 4, "encoder_width": 4},
}


def inputs_of(generator):
    """Four latents, labels or images, the same in every process."""
    import numpy as np

    from keras_gans import latent

    drawn = []
    for place in generator.inputs:
        size = tuple(side or 16 for side in place.shape[1:])
        if str(place.dtype).startswith("int") and size:
            drawn.append(np.ones((4, *size), "int32"))  # words
        elif size == ():
            drawn.append(np.arange(4, dtype="int32") % 2)  # classes that every input has
        elif len(size) == 1:
            drawn.append(latent.sample(4, size[0], seed=0))
        else:
            drawn.append(np.random.default_rng(0).uniform(-1, 1, (4, *size)).astype("float32"))
    return drawn if len(drawn) > 1 else drawn[0]


def make_images(path):
    """Images of every trained preset, and what a GAN says, into one file."""
    import keras
    import numpy as np

    import keras_gans

    found = {"backend": keras.backend.backend(), "home": keras_gans.__file__, "said": ""}
    for name in keras_gans.zoo.list_presets():
        if keras_gans.zoo.card(name).trained:
            keras_gans.zoo.verify(name)
            generator = keras_gans.zoo.load(name)
            found[name] = generator.predict(inputs_of(generator), verbose=0)
    try:
        keras_gans.zoo.open_gan("dcgan_digits_28")
    except ValueError as error:
        found["said"] = str(error)
    found["latents"] = keras_gans.latent.sample(8, 16, seed=7)
    found["truncated"] = keras_gans.latent.sample(8, 16, seed=7, truncation=0.5)
    np.savez(path, **found)


def images_of(backend, python, folder, path=()):
    """What `make_images` makes in another process, in an empty folder."""
    program = f"{inspect.getsource(inputs_of)}\n{inspect.getsource(make_images)}\nimport sys\n"
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": os.pathsep.join(path)}
    (folder / backend).mkdir()
    subprocess.run(
        [python, "-c", f"{program}make_images(sys.argv[1])", folder / f"{backend}.npz"],
        cwd=folder / backend,
        env=environment,
        check=True,
    )
    with np.load(folder / f"{backend}.npz") as found:
        return dict(found)


def with_wheel(backend, folder):
    """An interpreter that has the backend, and a folder with this project's wheel, unpacked.

    `KERAS_GANS_JAX_PYTHON` and `KERAS_GANS_TORCH_PYTHON` name one that has TensorFlow, too. Without
    them it is made, which downloads the backend: of PyTorch several GB.
    """
    run = {"check": True, "stdout": subprocess.DEVNULL}
    subprocess.run([sys.executable, "-m", "build", "--outdir", folder / "dist", ROOT], **run)
    (wheel,) = (folder / "dist").glob("*.whl")
    python = os.environ.get(f"KERAS_GANS_{backend.upper()}_PYTHON")
    if python is None:
        venv.create(folder / "venv", with_pip=True)
        python = folder / "venv" / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "-q", wheel, backend], **run)
    pip = [python, "-m", "pip", "install", "-q", "--no-deps", "--target", folder / "site", wheel]
    subprocess.run(pip, **run)
    return python, [str(folder / "site")]


def marks(backend):
    here = importlib.util.find_spec(backend) is not None
    return [pytest.mark.slow] if here else [pytest.mark.by_hand]  # makes an environment


@pytest.mark.parametrize("backend", [pytest.param(b, marks=marks(b)) for b in ("jax", "torch")])
def test_images_are_those_of_tensorflow(backend, tmp_path):
    python, path = sys.executable, []
    if importlib.util.find_spec(backend) is None:
        python, path = with_wheel(backend, tmp_path)
    expected = images_of("tensorflow", python, tmp_path, path)
    found = images_of(backend, python, tmp_path, path)
    assert found["backend"] == backend and expected["backend"] == "tensorflow"
    assert not path or str(found["home"]).startswith(path[0])
    assert str(found["said"]).endswith(f"Received: {backend}") and not str(expected["said"])
    assert set(TRAINED) <= set(found) and expected.keys() == found.keys()
    for name in ("latents", "truncated"):
        np.testing.assert_array_equal(found[name], expected[name])
    for name in TRAINED:
        difference = np.abs(found[name] - expected[name]).max()
        print(f"{name}: {backend} and TensorFlow differ by {difference:.1e} at most")
        assert difference < 1e-4, name
        assert np.std(expected[name], axis=0).max() > 0.1, name


@pytest.fixture
def no_tensorflow_of_ours(monkeypatch):
    """Refuses TensorFlow to the code of this library, and to no other.

    Modules that have imported it as `tf` already lose it; functions that import it when they run
    are stopped there.
    """
    real = builtins.__import__

    def guarded(name, globals=None, *args, **kwargs):
        caller = (globals or {}).get("__name__", "")
        if name.split(".")[0] == "tensorflow" and caller.startswith("keras_gans"):
            raise AssertionError(f"{caller} uses TensorFlow, which other backends cannot trace")
        return real(name, globals, *args, **kwargs)

    for name in [n for n in sys.modules if n.startswith(("keras_gans.layers", "keras_gans.net"))]:
        monkeypatch.delattr(sys.modules[name], "tf", raising=False)
    monkeypatch.setattr(builtins, "__import__", guarded)


def generator_type(name):
    """The function that a preset's recipe builds its generator with; `None` without a recipe."""
    recipe = zoo.card(name).recipe
    return recipe["networks"]["generator"]["type"] if recipe else None


@pytest.mark.parametrize(
    "name",
    [
        # Those of the functions below are the same layers with weights.
        pytest.param(n, marks=[pytest.mark.by_hand] * (generator_type(n) in GENERATORS))
        for n in TRAINED
    ],
)
def test_a_trained_generator_uses_no_tensorflow_of_ours(name, request):
    generator = zoo.load(name)
    inputs = inputs_of(generator)
    request.getfixturevalue("no_tensorflow_of_ours")
    assert_finite(generator(inputs, training=False))


@pytest.mark.parametrize("name", GENERATORS)
def test_no_generator_uses_tensorflow_of_ours(name, request):
    inputs = inputs_of(networks.mlp_generator((2,)))  # imports what drawing needs
    generator = getattr(networks, name)(SMALL, **GENERATORS[name])
    inputs = inputs_of(generator)
    request.getfixturevalue("no_tensorflow_of_ours")
    generator = getattr(networks, name)(SMALL, **GENERATORS[name])  # is built without it, too
    assert_finite(generator(inputs, training=False))


def assert_finite(made):
    assert all(np.isfinite(output.numpy()).all() for output in keras.tree.flatten(made))


def test_every_generator_is_looked_at():
    assert set(GENERATORS) == {n for n in networks.__all__ if n.endswith("_generator")}


def test_the_guard_sees_what_draws_and_what_pools(no_tensorflow_of_ours):
    with pytest.raises(AssertionError, match="keras_gans.layers.seeded_layer uses TensorFlow"):
        layers.SeededDropout(0.5, seed=1)(np.ones((1, 4), "float32"), training=True)
    with pytest.raises(NameError, match="tf"):
        layers.ReplayPool(2)(np.ones((1, 4), "float32"), seed=(0, 1))


_FACES = {"image_shape": [16, 16, 1], "width": 4}
_CODED = {"latent_dim": 4, **_FACES}


def _with_encoder(kind, discriminator, class_discriminator=None, **options):
    """A recipe of a GAN with an encoder."""
    classes = {"class_discriminator": class_discriminator} if class_discriminator else {}
    networks_ = {
        "generator": {"type": "dcgan_generator", **_CODED},
        "discriminator": discriminator,
        **classes,
        "encoder": {"type": "dcgan_encoder", **_CODED, **options},
    }
    data = {"name": "pixel_faces", "channels": 1}
    return {"epochs": 1, "data": data, "networks": networks_, "model": {"type": kind}}


# Of which no preset has a recipe.
OWN_RECIPES = {
    "AgeCGAN": {
        "epochs": 1,
        "data": {"name": "pixel_faces", "attributes": ["hair"], "channels": 1},
        "networks": {
            "generator": {
                "type": "conditional_dcgan_generator",
                "num_classes": {"hair": 5},
                "latent_dim": 4,
                **_FACES,
            },
            "discriminator": {
                "type": "conditional_dcgan_discriminator",
                "num_classes": {"hair": 5},
                **_FACES,
            },
            "encoder": {"type": "dcgan_encoder", "latent_dim": 4, **_FACES},
        },
        "model": {"type": "AgeCGAN"},
    },
    "ALI": _with_encoder(
        "ALI", discriminator={"type": "joint_discriminator", **_CODED}, stochastic=True
    ),
    "AAE": _with_encoder("AAE", discriminator={"type": "mlp_discriminator", "image_shape": [4]}),
    **{
        kind: _with_encoder(
            kind,
            discriminator={"type": "mlp_discriminator", "image_shape": [2]},
            class_discriminator={"type": "mlp_discriminator", "image_shape": [2]},
            categorical=2,
        )
        for kind in ("CategoricalAAE", "SemiSupervisedAAE")
    },
}


@pytest.mark.parametrize("kind", keras_gans.models.__all__)
def test_gans_say_that_they_need_tensorflow(kind, monkeypatch):
    own = OWN_RECIPES.get(kind)
    recipe = zoo.Recipe(own) if own else zoo.Recipe.read(RECIPES[kind])
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ValueError, match="KERAS_BACKEND=tensorflow.*zoo.load.*Received: jax"):
        recipe.build_model()


def test_noise_at_inference_says_that_it_needs_tensorflow(monkeypatch):
    generator = networks.unet_generator(SMALL, width=4)
    networks.stochastic(generator)
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(ValueError, match="Start Python with KERAS_BACKEND=tensorflow.*torch"):
        networks.stochastic(generator)
