"""What loading looks at and leaves behind: nothing of the program's."""

import itertools
import json
import random
import shutil

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

import tiny
from keras_gans import building, latent, zoo
from keras_gans.callbacks import Resume
from keras_gans.files import sha256
from keras_gans.zoo import loading
from keras_gans.zoo.catalog import presets


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """A run in bfloat16, a preset of it, and recipes whose layers draw numbers as they are made."""
    root = tmp_path_factory.mktemp("sources")
    keras.config.set_dtype_policy("float32")
    base = {**tiny.recipe(root / "data"), "epochs": 1, "dtype_policy": "mixed_bfloat16"}
    nets = base["networks"]
    drawing = {**nets["discriminator"], "augment": ["color", "translation"], "dropout": 0.2}
    config = {**base, "networks": {**nets, "discriminator": drawing}}
    gan = zoo.Recipe(config).build_model()
    resume = Resume(root / "run/checkpoints")
    gan.fit(tiny.images(1)[0], batch_size=8, verbose=0, callbacks=[resume])
    (root / "run/config.json").write_text(json.dumps(config))
    both = ["generator", "discriminator"]
    preset = zoo.save_preset(gan, root / "mine", {"recipe": config}, parts=both)
    keras.config.set_dtype_policy("float32")
    return {"run": root / "run", "preset": preset}


def weights(model):
    """Names of dtype policies, and all weights, of a network or a GAN."""
    nets = [getattr(model, n) for side in getattr(model, "sides", {}).values() for n in side]
    nets = nets or [model]
    policies = [layer.dtype_policy.name for net in nets for layer in net.layers]
    return policies, [w.numpy().astype("float32").tobytes() for net in nets for w in net.weights]


def made(model):
    generator = getattr(model, "inference_generator", model)
    latents = np.linspace(-1, 1, 2 * latent.dim(generator), dtype="float32").reshape(2, -1)
    return np.asarray(generator(latents), "float32").tobytes()


KINDS = {
    "float32 generator": lambda s: zoo.load("dcgan_digits_28"),
    "bfloat16 generator": lambda s: zoo.load(s["preset"]),
    "gan to train": lambda s: zoo.load(s["preset"], part="gan", weights=False),
    "gan opened": lambda s: zoo.open_gan(s["preset"]),
    "run": lambda s: zoo.restore(s["run"]),
}
MORE = {
    "without weights": lambda s: zoo.load(s["preset"], weights=False),
    "gan of a preset": lambda s: zoo.load(s["preset"], part="gan"),
    "generator of a run": lambda s: zoo.load(s["run"]),
    "u-net": lambda s: zoo.load("pix2pix_drawing_to_avatar_64", weights=False),
}


def test_every_kind_loads_the_same_after_every_other(sources):
    def loaded(name):
        model = KINDS[name](sources)
        return *weights(model), made(model)

    fresh = {}
    for name in KINDS:
        keras.utils.set_random_seed(0)
        fresh[name] = loaded(name)
    assert len({found[2] for found in fresh.values()}) == 5
    # Five is prime: going round by each step, every kind comes after every other once.
    names = list(KINDS)
    order = [names[step * at % 5] for step in range(1, 5) for at in range(5)] + names[:1]
    for number, (earlier, name) in enumerate(itertools.pairwise(order)):
        # The program has other policies, and is elsewhere in its random numbers.
        keras.config.set_dtype_policy(("mixed_bfloat16", "mixed_float16", "float32")[number % 3])
        keras.utils.set_random_seed(number)
        assert loaded(name) == fresh[name], f"{name} after {earlier}"


def state():
    """What the next random numbers of the program are, of every kind, and its policy."""
    tf_draw = tf.random.normal(()).numpy()
    keras_draw = float(keras.random.normal(()))
    return (
        keras.config.dtype_policy().name,
        random.random(),
        np.random.random(),  # the program's own
        tf_draw,
        keras_draw,
        float(keras.random.normal(())),
    )


@pytest.mark.parametrize("name", [*KINDS, *MORE])
@pytest.mark.parametrize("drawn", [False, True])
def test_loading_leaves_nothing_behind(name, drawn, sources):
    def start():
        keras.config.set_dtype_policy("mixed_float16")
        keras.utils.set_random_seed(7)
        if drawn:
            keras.random.normal(())

    start()
    expected = state()
    start()
    {**KINDS, **MORE}[name](sources)
    assert state() == expected


def test_a_gan_starts_as_its_training_does(sources):
    recipe = zoo.Recipe(json.loads((sources["run"] / "config.json").read_text()))
    opened = loading.build(recipe)
    trained = recipe.build_model()
    assert weights(opened) == weights(trained)
    assert keras.config.dtype_policy().name == "mixed_bfloat16"  # a training goes on under it


# ---- recipes and weights that do not fit


@pytest.fixture
def preset(sources, tmp_path):
    """A copy, to damage."""
    return shutil.copytree(sources["preset"], tmp_path / "mine")


def sign(folder):
    """Writes the SHA-256 of a folder's files anew, as whoever means harm would."""
    metrics = json.loads((folder / "metrics.json").read_text())
    metrics["sha256"] = {n: sha256(folder / n) for n in metrics["sha256"]}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    card = presets.card(folder)
    text = presets.cards.with_facts(card.text, presets.cards.facts(card))
    (folder / "README.md").write_text(text)
    metrics["sha256"]["README.md"] = sha256(folder / "README.md")
    (folder / "metrics.json").write_text(json.dumps(metrics))


@pytest.mark.parametrize("part", ["generator", "gan"])
@pytest.mark.parametrize("field", [{"latent_dim": 2**30}, {"width": 2**20}, {"latent_dim": 129}])
def test_a_recipe_that_makes_more_than_its_weights_is_not_built(field, part, preset):
    path = preset / "recipe.json"
    config = json.loads(path.read_text())
    config["networks"]["generator"] |= field
    path.write_text(json.dumps(config))
    sign(preset)
    if field == {"latent_dim": 129} and part == "gan":  # small enough: its averages have room, too
        message = "another network"
    else:
        message = "more weights than expected, and was not built"
    with pytest.raises(ValueError, match=message):
        zoo.load(preset, part=part)


def test_a_recipe_without_weights_has_an_upper_bound(preset):
    path = preset / "recipe.json"
    config = json.loads(path.read_text())
    config["networks"]["generator"]["latent_dim"] = 2**30
    path.write_text(json.dumps(config))
    for part in ("generator", "gan"):
        with pytest.raises(ValueError, match="was not built. Expected at most 100,000, with 268,"):
            zoo.load(preset, part=part, weights=False)


def test_layers_are_counted_before_they_are_made():
    two = [keras.layers.Dense(4) for _ in range(2)]
    said = pytest.raises(ValueError, match="at most 3, with 100 numbers.*Received: 4 with 32 up to")
    with said, building.at_most(3, 100, "It"):
        keras.Sequential([keras.Input((2,)), *two])
    with building.at_most(2, 12, "It"):
        keras.Sequential([keras.Input((2,)), keras.layers.Dense(4)])
    keras.Sequential([keras.Input((2,)), *(keras.layers.Dense(4) for _ in range(2))])


def test_the_weights_of_a_preset_are_read_with_care(preset, tmp_path):
    path = preset / "generator.weights.h5"
    whole = path.read_bytes()

    def changed(change):
        path.write_bytes(whole)
        with h5py.File(path, "a") as file:
            change(file["layers/dense/vars"])
        sign(preset)
        return preset

    (tmp_path / "secret").write_bytes(bytes(10**6))

    def external(group):
        shape = group["0"].shape
        del group["0"]
        secret = [(str(tmp_path / "secret"), 0, 10**6)]
        group.create_dataset("0", shape, "float16", external=secret)

    for change, message in (
        (external, "has its numbers in another file"),
        (lambda group: group["0"].__setitem__((0, 0), np.nan), "1 numbers that are not finite"),
        (lambda group: group.__delitem__("0"), "weights are of another network|more weights than"),
    ):
        for load in (zoo.load, zoo.open_gan):
            with pytest.raises(ValueError, match=message):
                load(changed(change))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: zoo.load(None), "What to load is named by text or a path.*Received: None"),
        (lambda: zoo.open_gan(3), "What to load is named by text or a path.*Received: 3"),
        (lambda: zoo.restore("nowhere"), "no run in that folder"),
        (lambda: zoo.load("x" * 5000), "no preset of that name"),
        (lambda: zoo.load("dcgan_digits_28\0"), "no preset of that name"),
        (lambda: zoo.load("dcgan_digits_28", part=None), "no such part.*Received: .*part=None"),
        (lambda: zoo.load("dcgan_digits_28", part=["generator"]), "no such part"),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
