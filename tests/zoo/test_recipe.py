import copy
import json

import keras
import numpy as np
import pytest

import keras_gans
import tiny
from keras_gans import zoo
from keras_gans.zoo.runs.plan import plan

RING = {
    "description": "points on a ring",
    "epochs": 2,
    "data": {"name": "ring", "batch_size": 32, "num_examples": 128},
    "networks": {
        "generator": {"type": "mlp_generator", "image_shape": [2], "latent_dim": 3, "width": 8},
        "discriminator": {"type": "mlp_discriminator", "image_shape": [2], "width": 8},
    },
    "model": {"type": "GAN", "loss": {"type": "least_squares", "real_label": 0.9}},
    "generator_optimizer": {
        "type": "Adam",
        "learning_rate": {
            "type": "ExponentialDecay",
            "initial_learning_rate": 0.01,
            "decay_steps": 10,
            "decay_rate": 0.5,
        },
    },
}


def changed(path, value):
    config = copy.deepcopy(RING)
    part = config
    for key in path.split(".")[:-1]:
        part = part[key]
    part[path.split(".")[-1]] = value
    return config


def test_a_recipe_becomes_the_gan_it_says():
    gan = zoo.Recipe(RING).build_model()
    assert type(gan).__name__ == "GAN" and gan.seed == 0
    assert gan.adversarial_loss.get_config()["real_label"] == 0.9
    assert gan.generator.input_shape == (None, 3)
    schedule = gan.generator_optimizer._learning_rate
    assert isinstance(schedule, keras.optimizers.schedules.ExponentialDecay)
    assert schedule.decay_steps == 10
    assert gan.discriminator_optimizer.beta_1 == 0.5  # none given: the class's own


def test_the_same_seed_makes_the_same_weights():
    a, b = (zoo.Recipe(RING).build_model().get_weights() for _ in range(2))
    c = zoo.Recipe(changed("seed", 1)).build_model().get_weights()
    assert all((x == y).all() for x, y in zip(a, b))
    assert any((x != y).any() for x, y in zip(a, c))


def test_a_completed_recipe_reads_back_as_itself():
    config = zoo.Recipe(RING).config
    assert zoo.Recipe(json.loads(json.dumps(config))).config == config


def test_what_differs_from_its_default_is_told_apart():
    rows = {field: (value, default) for field, value, default in zoo.Recipe(RING).rows()}
    assert rows["networks.generator.width"] == (8, 128)
    assert rows["networks.generator.depth"] == (2, 2)
    assert rows["data.batch_size"] == (32, 64)
    assert rows["epochs"] == (2, ...)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("epoch", 3, "no field 'epoch'. Did you mean 'epochs'"),
        ("networks.generator.widht", 3, "'networks.generator.widht'. Did you mean 'width'"),
        ("networks.critic", {}, "no field 'networks.critic'"),
        ("networks.generator.type", "mlp_generatr", "Did you mean 'mlp_generator'"),
        ("networks.generator", {"type": "mlp_generator"}, r"lacks \['image_shape'\]"),
        ("model.type", "DCGANN", "Did you mean 'DCGAN'"),
        ("model", {}, "known `type`.*Expected one of"),
        ("model.los", "hinge", "Did you mean 'loss'"),
        ("generator_optimizer.type", "Adm", "Did you mean 'Adam'"),
        ("generator_optimizer.learning_rat", 1.0, "Did you mean 'learning_rate'"),
        ("generator_optimizer.learning_rate.type", "Cosine", "Did you mean 'CosineDecay'"),
        ("generator_optimizer.type", "os.system", "known `type`"),
        ("epochs", 0, "'epochs' must be an integer of at least 1"),
        ("epochs", True, "'epochs' must be an integer"),
        ("data", "ring", "'data' must be an object"),
    ],
)
def test_wrong_recipes_are_refused_with_the_nearest_name(path, value, message):
    with pytest.raises(ValueError, match=message):
        zoo.Recipe(changed(path, value))


def paths(config, before=()):
    for key, value in config.items():
        yield (*before, key)
        if isinstance(value, dict):
            yield from paths(value, (*before, key))


@pytest.mark.parametrize("path", [".".join(path) for path in paths(RING)])
def test_values_of_any_kind_make_a_gan_or_an_error_that_says_why(path):
    for value in (None, -1, 0.5, 10**30, True, "x", [], [1], {}, {"a": 1}, float("nan"), "\x1b[0m"):
        try:
            zoo.Recipe(changed(path, value)).build_model()
        except ValueError as error:
            assert len(str(error)) > 20


@pytest.mark.parametrize(
    "content",
    [b"[1, 2]", b"3", b"\xff\xfe\x00", b"[" * 100_000, b"", b"null"],
    ids=["list", "number", "no UTF-8", "nested", "empty", "null"],
)
def test_files_that_are_no_recipe(content, tmp_path):
    path = tmp_path / "mine.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"The (recipe|file) is damaged: it .*Received"):
        zoo.Recipe.read(path)


def evaluated(**fields):
    config = json.loads(json.dumps(tiny.RECIPE))
    shape = [28, 28, 1]
    for network in config["networks"].values():
        network["image_shape"] = shape
    config["data"]["image_size"] = 28
    return {**config, "evaluation": fields}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (evaluated(best="frechet"), None),
        (evaluated(best="frechett"), "'evaluation.best' is no metric.*Did you mean 'frechet'"),
        (evaluated(features="nothing"), "no feature network of that name"),
        (evaluated(split="test"), "no such split"),
        (evaluated(num_images=3000), "fewer real images"),
        (evaluated(every=0), "`every` must be"),
        ({**tiny.RECIPE, "evaluation": {}}, "16"),  # of other images than its features are of
        ({**tiny.RECIPE, "evaluation": {"features": "random_cnn_v1"}}, "Received"),
    ],
)
def test_an_evaluation_that_will_fail_is_refused_before_the_training(
    config, message, tmp_path, monkeypatch
):
    monkeypatch.setenv("KERAS_GANS_CACHE", str(tmp_path / "cache"))
    recipe = zoo.Recipe(config)
    gan = recipe.build_model()
    before = gan.get_weights()
    if message is None:
        assert recipe.build_evaluation(tmp_path / "run", gan).best == config["evaluation"]["best"]
        assert all((a == b).all() for a, b in zip(before, gan.get_weights()))
    else:
        with pytest.raises(ValueError, match=message):
            recipe.build_evaluation(tmp_path / "run", gan)
    assert not (tmp_path / "run").exists() and not (tmp_path / "cache").exists()


def test_missing_parts_are_named():
    with pytest.raises(ValueError, match="lacks the field 'epochs'"):
        zoo.Recipe({k: v for k, v in RING.items() if k != "epochs"})
    with pytest.raises(ValueError, match=r"networks.discriminator.*known `type`"):
        zoo.Recipe(changed("networks", {"generator": RING["networks"]["generator"]}))


def test_unknown_loss_and_data_options_are_refused():
    with pytest.raises(ValueError, match="Did you mean 'hinge'"):
        zoo.Recipe(changed("model.loss", "hing")).build_model()
    with pytest.raises(ValueError, match="radius"):
        zoo.Recipe(changed("data.radios", 3)).load_data(first_epoch=0)


THREE = {
    "epochs": 1,
    "data": {"name": "digits", "batch_size": 16, "num_examples": 32, "image_size": 16},
    "networks": {
        "generator": {"type": "mlp_generator", "image_shape": [16, 16, 1], "latent_dim": 1},
        "discriminator": {"type": "mlp_discriminator", "image_shape": [16, 16, 1], "width": 4},
        "encoder": {"type": "mlp_discriminator", "image_shape": [16, 16, 1], "width": 4},
    },
    "model": {"type": "LatentRegression"},
}


@pytest.fixture
def three_sides(monkeypatch):
    from models.test_three_sides import LatentRegression

    monkeypatch.setattr(keras_gans.models, "LatentRegression", LatentRegression, raising=False)


def test_every_side_has_its_optimizer(three_sides, tmp_path):
    for side in ("generator", "discriminator", "encoder"):
        config = {**THREE, f"{side}_optimizer": {"type": "SGD", "learning_rate": 0.25}}
        gan = zoo.Recipe(config).build_model()
        rates = {s: float(getattr(gan, f"{s}_optimizer").learning_rate) for s in gan.sides}
        assert [s for s, rate in rates.items() if rate == 0.25] == [side]
    fields = zoo.Recipe(THREE).config
    assert (
        fields["encoder_optimizer"] is None and "encoder_optimizer" not in zoo.Recipe(RING).config
    )
    with pytest.raises(ValueError, match="no field 'encoder_optimiser'. Did you mean 'encoder_opt"):
        zoo.Recipe({**THREE, "encoder_optimiser": None})
    with pytest.raises(ValueError, match="no field 'encoder_optimizer'"):
        zoo.Recipe({**RING, "encoder_optimizer": None})
    # As a file, whose class is only known once TensorFlow has loaded.
    (tmp_path / "three.json").write_text(json.dumps(config))
    assert zoo.Recipe.read(tmp_path / "three.json").config == zoo.Recipe(config).config


def test_the_plan_counts_every_side(three_sides, tmp_path):
    data = {**THREE["data"], "data_dir": str(tmp_path)}
    planned = plan(zoo.Recipe({**THREE, "data": data}), tmp_path / "run")
    assert list(planned.parameters) == [
        f"{s}: {s}" for s in ("generator", "discriminator", "encoder")
    ]
    assert (planned.steps_per_epoch, planned.first_epoch, planned.last_epoch) == (2, 1, 1)
    assert planned.steps == 2 and planned.batch_shape == (16, 16, 16, 1)
    assert planned.checkpoint_bytes >= 4 * sum(planned.parameters.values())
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("labels", "other", "kept"),
    [(True, None, True), (False, None, True), ("labels.csv", None, False), (True, "digits", False)],
)
def test_an_evaluation_is_of_the_classes_that_were_chosen(labels, other, kept, monkeypatch):
    given = {}
    monkeypatch.setattr(
        "keras_gans.metrics.Evaluation", lambda data, **options: given.update(options)
    )
    data = {"name": "photographs", "image_size": 16, "labels": labels, "class_names": ["a", "b"]}
    zoo.Recipe({**tiny.RECIPE, "data": data}).evaluation(other)
    assert given == {"image_size": 16, "on_error": "raise"} | (
        {"class_names": ["a", "b"]} if kept else {}
    )


@pytest.mark.parametrize(
    "earlier",
    [
        {"model": {**zoo.Recipe(RING).config["model"], "sides": None, "interfaces": None}},
        {"generator_optimizer": RING["generator_optimizer"], "evaluation": {"every": 3}},
        {"description": "another", "epochs": 1, "initial": None},
    ],
)
def test_a_run_that_an_earlier_version_began_goes_on(earlier):
    recipe = zoo.Recipe(RING)
    recipe.require_same({**recipe.config, **earlier}, "config.json")
    with pytest.raises(ValueError, match=r"model.loss.real_label \(was 1, now 0.9\)"):
        other = {**recipe.config["model"], "loss": {"type": "least_squares", "real_label": 1}}
        recipe.require_same({**recipe.config, **earlier, "model": other}, "config.json")


def test_an_argument_that_a_later_version_added_has_its_default_even_a_tuple():
    recipe = zoo.Recipe(tiny.RECIPE)
    earlier = copy.deepcopy(recipe.config)
    assert earlier["networks"]["discriminator"].pop("augment") == []  # () in the signature
    recipe.require_same(earlier, "config.json")
    recipe.config["networks"]["discriminator"]["augment"] = ["cutout"]
    with pytest.raises(ValueError, match=r"discriminator.augment \(was \[\], now \['cutout'\]\)"):
        recipe.require_same(earlier, "config.json")


def test_reading(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(RING))
    recipe = zoo.Recipe.read(path, epochs=7)
    assert recipe.name == "mine" and recipe.config["epochs"] == 7
    again = zoo.Recipe.read(recipe, epochs=9)
    assert again.name == "mine" and again.config == {**recipe.config, "epochs": 9}
    path.write_text('{"epochs": 3,')
    with pytest.raises(ValueError, match="recipe is damaged: it is not JSON"):
        zoo.Recipe.read(path)
    with pytest.raises(ValueError, match="no recipe at that path"):
        zoo.Recipe.read(tmp_path / "other.json")
    with pytest.raises(ValueError, match="Did you mean 'dcgan_digits_28'"):
        zoo.Recipe.read("dcgan_digits")


@pytest.mark.parametrize(
    "name",
    [
        # The networks of the others are built, and have their weights, in test_presets.py.
        pytest.param(n, marks=[pytest.mark.by_hand] * zoo.card(n).trained)
        for n in zoo.list_presets()
        if zoo.card(n).recipe
    ],
)
def test_every_recipe_of_a_preset_builds(name):
    recipe = zoo.Recipe.read(name)
    gan = recipe.build_model()
    if recipe.translates:
        shape = [side or 8 for side in gan.generator.input_shape[1:]]
        made = gan.generator.compute_output_shape((2, *shape))
        assert gan.generate(np.zeros((2, *shape))).shape == made
    else:
        made = keras.tree.flatten(gan.generate(2, seed=0))
        assert [len(images) for images in made] == [2] * len(gan.generator.outputs)


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ([], "it is a list, not a dictionary"),
        ({**RING, "epochs": float("nan")}, "Out of range float values"),
        ({**RING, "description": {1, 2}}, "set is not JSON serializable"),
        ({**RING, "description": nested(100_000)}, "RecursionError"),
        ({**RING, "description": 3}, "'recipe.description' must be text"),
        ({**RING, "dtype_policy": 16}, "'recipe.dtype_policy' must be text"),
        ({**RING, "dtype_policy": "float17"}, "no policy of Keras. Expected 'float32'"),
        ({**RING, "seed": 2**32}, "'seed' must be below 2"),
        ({**RING, "epochs": 2**40}, "'epochs' must be below 2"),
        ({**RING, "epochs": 10**30}, "larger than any count or size"),
        ({**RING, "model": {"type": ["GAN"]}}, "'model' must be an object with a known `type`"),
    ],
)
def test_what_is_no_recipe(config, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        zoo.Recipe(config)


@pytest.mark.parametrize("source", [None, 3, ["dcgan_digits_28"]])
def test_what_names_no_recipe(source):
    with pytest.raises(ValueError, match="A recipe is the name of a preset.*Received"):
        zoo.Recipe.read(source)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("networks.generator", {"latent_dim": "many"}),
        ("networks.generator", {"latent_dim": [64]}),
        ("networks.generator", {"width": None}),
        ("networks.generator", {"latent_dim": 10**25}),
        ("networks.generator", {"image_shape": "16x16"}),
        ("networks.discriminator", {"width": {"a": 1}}),
        ("model", {"ema_decay": "0.9"}),
        ("generator_optimizer", {"type": "Adam", "learning_rate": [1]}),
    ],
)
def test_values_that_nothing_can_be_built_with(field, value, tmp_path):
    config = json.loads(json.dumps(tiny.recipe(tmp_path)))
    *path, last = field.split(".")
    place = config
    for name in path:
        place = place[name]
    place[last] = {**(place.get(last) or {}), **value}
    with pytest.raises(ValueError, match="Received"):
        zoo.Recipe(config).build_model()
