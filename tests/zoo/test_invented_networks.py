"""Networks that the library does not know: what is called is derived from their interfaces."""

import keras
import numpy as np
import pytest
from PIL import Image

import keras_gans
from keras_gans import generation, image, interface, models, networks, zoo
from keras_gans.callbacks import SampleGrid
from keras_gans.interface import Codes, Interface, Label, Latents
from keras_gans.zoo.inference import generate as generating


def pair_generator(size=4):
    """Latents and two labels of different numbers of classes to two images of different sizes."""
    latents = keras.Input((6,), name="z")
    shape = keras.Input((), dtype="int32", name="shape")
    colour = keras.Input((), dtype="int32", name="colour")
    given = [keras.layers.Embedding(3, 4)(shape), keras.layers.Embedding(2, 4)(colour)]
    x = keras.layers.Concatenate()([latents, *given])
    made = [
        keras.layers.Reshape((side, side, channels), name=name)(
            keras.layers.Dense(side * side * channels, "tanh")(x)
        )
        for name, side, channels in (("first", size, 1), ("second", 2 * size, 3))
    ]
    return keras.Model([latents, shape, colour], made, name="pair")


def doubling_generator(image_side=8):
    """An image at one size to one of twice that; `None` for any size."""
    images = x = keras.Input((image_side, image_side, 3))
    x = keras.layers.Conv2D(12, 3, padding="same", activation="tanh")(x)
    x = keras.layers.UpSampling2D(2)(x)
    return keras.Model(images, keras.layers.Conv2D(3, 1, activation="tanh")(x), name="doubling")


def judge(inputs=(8, 8, 3)):
    return keras.Sequential([keras.Input(inputs), keras.layers.Flatten(), keras.layers.Dense(1)])


class Invented(keras_gans.GAN):
    """A GAN whose step is its own affair: only what it takes and makes is looked at here."""

    def check_networks(self):
        pass

    def images(self, data):
        return data[-1] if isinstance(data, tuple) else data

    def train_step(self, data):
        for tracker in self.trackers.values():
            tracker.update_state(0.0)
        return self.get_metrics_result()


def pair():
    gan = Invented(pair_generator(), judge(), ema_decay=0.9, seed=0)
    gan.compile()
    return gan


def named():
    gan = pair()
    gan.state_input(Label(3, ("round", "square", "star"), "shape"))
    return gan


def doubling(side=8):
    gan = Invented(doubling_generator(side), judge(), seed=0)
    gan.compile()
    return gan


@pytest.fixture
def known(monkeypatch):
    """The networks and the class as a contributor adds them: in the rooms that recipes look in."""
    for function in (pair_generator, doubling_generator, judge):
        monkeypatch.setattr(networks, function.__name__, function, raising=False)
    added = ["pair_generator", "doubling_generator", "judge"]
    monkeypatch.setattr(networks, "__all__", [*networks.__all__, *added])
    monkeypatch.setattr(models, "Invented", Invented, raising=False)


def read(path):
    with Image.open(path) as file:
        return np.asarray(file)


def recipe(generator):
    return {
        "epochs": 1,
        "samples": 2,
        "data": {"name": "digits", "image_size": 16},
        "networks": {"generator": {"type": generator}, "discriminator": {"type": "judge"}},
        "model": {"type": "Invented"},
    }


# ---- generate of the class itself


def test_a_dict_of_outputs_by_name_and_labels_that_are_drawn():
    gan = pair()
    made = gan.generate(8, seed=3)
    assert {n: x.shape for n, x in made.items()} == {
        "first": (8, 4, 4, 1),
        "second": (8, 8, 8, 3),
    }
    drawn = generation.classes_left_out(gan.interface(), 8, seed=3)
    chosen = gan.generate(8, seed=3, **drawn)
    for name in made:
        np.testing.assert_array_equal(made[name], chosen[name])
    one = gan.generate(8, seed=3, shape=1)["first"]  # the others are drawn as before
    kept = drawn["shape"] == 1
    assert kept.sum() in (2, 3)  # of eight
    np.testing.assert_array_equal(one[kept], made["first"][kept])
    few = gan.generate(3, seed=3)
    np.testing.assert_array_equal(few["first"], made["first"][:3])
    latents = gan.given_latents(8, seed=3)
    by_hand = gan.inference_generator([latents, np.full(8, 1), drawn["colour"]])
    np.testing.assert_allclose(one, by_hand[0], atol=1e-6)


def test_labels_that_are_drawn_are_even_and_independent():
    gan = pair()
    drawn = generation.classes_left_out(gan.interface(), 6000, seed=1)
    counts = np.zeros((3, 2))
    np.add.at(counts, (drawn["shape"], drawn["colour"]), 1)
    assert (counts.sum(axis=0) == 3000).all() and (counts.sum(axis=1) == 2000).all()
    assert np.abs(counts / 1000 - 1).max() < 0.12
    assert any(
        (drawn[n] != generation.classes_left_out(gan.interface(), 6000, 2)[n]).any() for n in drawn
    )
    # Without a seed they are new at each call, but for latents that are given.
    latents = gan.given_latents(8, seed=0)
    same = [gan.generate(latents=latents)["first"] for _ in range(2)]
    np.testing.assert_array_equal(*same)


def test_images_of_a_class_of_ones_own():
    gan = doubling()
    images = np.random.default_rng(0).uniform(-1, 1, (3, 8, 8, 3)).astype("float32")
    np.testing.assert_allclose(gan.generate(images), gan.generator(images), atol=1e-6)
    np.testing.assert_array_equal(gan.generate(images=images), gan.generate(images))


@pytest.mark.parametrize(
    ("gan", "given", "message"),
    [
        (pair, {"shape": 3}, "Expected 0 to 2.*Received: 3"),
        (pair, {"colour": 2}, "Expected 0 to 1.*Received: 2"),
        (pair, {"color": 1}, "no input 'color'. Did you mean 'colour'.*an? Invented, color=1"),
        (pair, {"labels": 1}, "no input 'labels'"),
        (pair, {"categorical": 1}, "has no codes"),
        (doubling, {"images": np.zeros((1, 9, 8, 3))}, r"Expected a batch of shape \(number, 8"),
        (doubling, {}, r"images do not fit the generator"),
    ],
)
def test_what_an_invented_generator_does_not_take(gan, given, message):
    with pytest.raises(ValueError, match=message):
        gan().generate(**given)


def test_two_latents_and_codes_lie_in_a_row():
    z, style = keras.Input((3,), name="z"), keras.Input((4,), name="style")
    x = keras.layers.Dense(16, "tanh")(keras.layers.Concatenate()([z, style]))
    network = keras.Model([z, style], keras.layers.Reshape((4, 4, 1))(x))
    coded = Interface(
        [Latents(3, name="z"), Latents(4, Codes((2,), 1), name="style")],
        interface.of(network).outputs,
    )
    gan = Invented(interface.state(network, coded), judge())
    latents = gan.given_latents(5, seed=0)
    assert latents.shape == (5, 7)
    assert (latents[:, 4:6].sum(axis=1) == 1).all() and (np.abs(latents[:, 6]) <= 1).all()
    np.testing.assert_array_equal(latents[:2], gan.given_latents(2, seed=0))
    made = gan.generate(latents=latents, categorical=1, continuous=[0.5])
    latents[:, 4:] = [0, 1, 0.5]
    expected = network([latents[:, :3], latents[:, 3:]])
    np.testing.assert_allclose(made, expected, atol=1e-6)


# ---- files, grids, animations


def test_generate_writes_a_file_for_each_output_and_class(tmp_path):
    gan = pair()
    made = zoo.generate(gan, [5, 6], shape=[2, 0], scale=2, output=tmp_path)
    names = [path.name for path in made.files]
    # A row is a seed, a column a shape of each output; a colour is drawn for each seed.
    colours = [
        int(generation.classes_left_out(gan.interface(), 1, seed)["colour"][0]) for seed in (5, 6)
    ]
    assert names == [
        f"seed{seed:04d}_shape{shape}_colour{colour}_{output}.png"
        for seed, colour in zip((5, 6), colours)
        for shape in (2, 0)
        for output in ("first", "second")
    ]
    alone = gan.generate(1, seed=6, shape=0)
    found = read(tmp_path / f"seed0006_shape0_colour{colours[1]}_second.png")
    np.testing.assert_array_equal(found, image.enlarge(image.to_uint8(alone["second"]), 2)[0])
    assert read(tmp_path / f"seed0006_shape0_colour{colours[1]}_first.png").shape == (8, 8)
    # The smaller output is enlarged to the size of the larger.
    assert read(made.grid).shape == (2 * 16 + 2, 4 * 16 + 3 * 2, 3)


def test_what_is_not_chosen_is_drawn_for_each_seed_in_any_company(tmp_path):
    gan = named()
    made = zoo.generate(gan, range(9), output=tmp_path / "all")
    assert read(made.grid).shape == (9 * 8 + 8 * 2, 2 * 8 + 2, 3)  # a column for each output
    drawn = {path.name.split("_")[1] for path in made.files}
    assert drawn == {"shape-round", "shape-square", "shape-star"}
    part = zoo.generate(gan, range(9), output=tmp_path / "part", shard=(2, 2))
    for path in part.files:
        assert path.read_bytes() == (tmp_path / "all" / path.name).read_bytes()


@pytest.mark.parametrize("asked", ["star", 2, ["star"], [2, 2], ["star", 2]])
def test_classes_by_number_and_by_name(asked):
    gan, latents = named(), pair().given_latents(2, seed=0)
    expected = gan.generate(latents=latents, shape=[2, 2], colour=0)["first"]
    if asked != ["star"]:
        made = gan.generate(latents=latents, shape=asked, colour=0)["first"]
        np.testing.assert_array_equal(made, expected)
    columns = generating.columns_of(gan.interface(), {"shape": asked})
    assert {column["shape"] for column in columns} == {2}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"shape": "stars"}, "no shape of that name. Did you mean 'star'.*Received: shape='stars'"),
        ({"shape": ["star", "sqare"]}, "Did you mean 'square'"),
        ({"shape": "star", "colour": "red"}, "names of the classes are not known. Expected 0 to 1"),
        ({"shape": ["star", 3]}, "Expected 0 to 2.*3 for 'shape'"),
    ],
)
def test_names_of_classes_that_there_are_not(given, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        named().generate(2, **given)
    with pytest.raises(ValueError, match=message):
        zoo.generate(named(), [0], output=tmp_path, **given)
    assert not list(tmp_path.iterdir())


def test_interpolate_has_a_column_for_each_class_and_output(tmp_path):
    path = zoo.interpolate(
        pair(), tmp_path / "a.webp", seeds=[0, 1], steps=2, scale=1, shape=1, colour=[0, 1]
    )
    with Image.open(path) as film:
        assert film.size == (4 * 8 + 3 * 2, 8) and film.n_frames == 4


def test_project_finds_a_latent_and_both_labels():
    gan = pair()
    target = gan.generate(1, seed=0, shape=2, colour=1)["first"][0]
    quick = {"steps": 2, "candidates": 4, "starts": 6, "verbose": 0}
    found = zoo.project(gan, target, label={"shape": 2}, **quick)
    assert found.label["shape"] == 2 and found.label["colour"] in (0, 1)
    again = gan.generate(latents=found.latent, **found.label)["first"][0]
    np.testing.assert_allclose(found.image, again, atol=1e-6)
    with pytest.raises(ValueError, match="Expected 0 to 1"):
        zoo.project(gan, target, label={"colour": 2}, **quick)
    many = Interface(
        [gan.interface().latents, Label(99, name="a"), Label(9, name="b")], gan.interface().outputs
    )
    interface.state(gan.generator, many)
    with pytest.raises(ValueError, match=r"at most 100. Give some of \['a', 'b'\].*leaves 891"):
        zoo.project(gan, target, **quick)


def test_a_grid_of_samples_as_it_learns(tmp_path):
    grid = SampleGrid(tmp_path, num_images=3, animation=None)
    gan = pair()
    gan.fit(np.zeros((2, 8, 8, 3), "float32"), batch_size=2, verbose=0, callbacks=[grid])
    shown = read(tmp_path / "epoch_0001.png")
    assert shown.shape == (3 * 8 + 2 * 2, 2 * 8 + 2, 3)
    second = image.to_uint8(gan.generate(3, seed=0)["second"])
    np.testing.assert_array_equal(shown[:8, 10:], second[0])


@pytest.mark.parametrize("side", [8, None])
def test_a_grid_of_what_is_made_of_images(tmp_path, side):
    rng = np.random.default_rng(0)
    inputs = [rng.uniform(-1, 1, (2, n, n, 3)).astype("float32") for n in (8, 16)]
    grid = SampleGrid(tmp_path, animation=None, inputs=inputs)
    gan = doubling(side)
    gan.fit(*inputs, batch_size=2, verbose=0, callbacks=[grid])
    shown = read(tmp_path / "epoch_0001.png")
    assert shown.shape == (2 * 16 + 2, 3 * 16 + 2 * 2, 3)
    pixels = image.to_uint8(inputs[0])[0]
    np.testing.assert_array_equal(shown[:16, :16], pixels.repeat(2, 0).repeat(2, 1))


@pytest.mark.parametrize("side", [8, None])
@pytest.mark.parametrize("options", [{}, {"resized": True}])
def test_translate_makes_files_of_twice_the_size(tmp_path, side, options):
    pixels = np.random.default_rng(0).integers(0, 256, (8, 21, 4), "uint8")
    pixels[..., 3] = 255  # what is transparent is put on white before it is translated
    Image.fromarray(pixels).save(tmp_path / "a.png")
    gan = doubling(side)
    done = zoo.translate(gan, tmp_path / "a.png", tmp_path / "out", verbose=0, **options)
    assert not done.failed
    assert read(done.written[0]).shape == (16, 42, 4)  # the alpha channel, too
    if side is None and not options:
        # A tile is larger than the image, so the whole goes through at once.
        made = gan.generate(image.from_uint8(pixels[None, ..., :3]))
        inner = read(done.written[0])[2:-2, 2:-2, :3]
        np.testing.assert_allclose(inner, image.to_uint8(made)[0, 2:-2, 2:-2], atol=1)


# ---- presets


def test_a_preset_of_invented_networks(tmp_path, known):
    config = recipe("pair_generator")
    gan = zoo.Recipe(config).build_model()
    names = Label(3, ("round", "square", "star"), "shape")
    gan.state_input(names)
    folder = gan.save_to_preset(tmp_path / "pairs", config)
    card = zoo.card(folder)
    assert card.conditional and not card.translates and card.image_shape == (4, 4, 1)
    assert card.interface().options == ("shape", "colour")
    with Image.open(folder / "samples.png") as picture:
        assert picture.size == (2 * 8 + 2, 2 * 8 + 2)
    assert zoo.verify(folder)
    assert interface.of(zoo.load(folder)).labels[0] == names
    opened = zoo.open_gan(folder)
    assert opened.untrained == ("discriminator",)
    for network in (opened.generator, opened.inference_generator):
        assert interface.of(network).labels[0] == names
    made = zoo.generate(folder, [0], shape=1, output=tmp_path / "made")
    assert len(made.files) == 2
    assert made.files[0].name.startswith("seed0000_shape-square_colour")
    np.testing.assert_allclose(
        opened.generate(2, seed=0)["second"], gan.generate(2, seed=0)["second"], atol=0.01
    )


def test_a_preset_that_enlarges_images(tmp_path, known, monkeypatch):
    config = recipe("doubling_generator")
    gan = zoo.Recipe(config).build_model()
    pairs = [np.zeros((2, n, n, 3), "float32") for n in (8, 16)]
    monkeypatch.setattr(zoo.Recipe, "sample_pairs", lambda recipe: pairs)
    folder = zoo.save_preset(gan, tmp_path / "doubling", {"recipe": config})
    card = zoo.card(folder)
    assert card.translates and card.image_shape == (16, 16, 3) and card.interface().scale == 2
    assert read(folder / "samples.png").shape == (2 * 16 + 2, 3 * 16 + 4, 3)
    Image.fromarray(np.zeros((8, 8, 3), "uint8")).save(tmp_path / "a.png")
    done = zoo.translate(folder, tmp_path / "a.png", tmp_path / "out", verbose=0)
    assert read(done.written[0]).shape == (16, 16, 3)


def test_columns_are_what_is_given_or_all_combinations():
    described = pair().interface()
    assert generating.columns_of(described, {}) == [{}]
    columns = generating.columns_of(described, {}, every=True)
    assert len(columns) == 6
    assert columns[1] == {"shape": 0, "colour": 1}
