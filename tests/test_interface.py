import json
import subprocess
import sys

import keras
import pytest
import small_gans

from keras_gans import interface, networks
from keras_gans.interface import (
    Array,
    Codes,
    Image,
    Interface,
    Label,
    Latents,
    Number,
    Style,
    Text,
)


def two_labels():
    """Latents and two labels to two images."""
    latents = keras.Input((6,), name="z")
    shape = keras.Input((), dtype="int32", name="shape")
    colour = keras.Input((), dtype="int32", name="colour")
    stated = [keras.layers.Embedding(3, 2)(shape), keras.layers.Embedding(5, 2)(colour)]
    x = keras.layers.Concatenate()([latents, *stated])
    made = [
        keras.layers.Reshape((4, 4, 1), name=name)(keras.layers.Dense(16, "tanh")(x))
        for name in ("first", "second")
    ]
    return keras.Model([latents, shape, colour], made)


def enlarging(factor=2, side=None):
    images = keras.Input((side, side, 3))
    return keras.Model(images, keras.layers.UpSampling2D(factor)(images))


EVERY_KIND = Interface(
    [
        Latents(9, Codes((2, 3), 1), styles=(8, 16), random_state=True),
        Number("psi", 1.0),
        Label(3, ("cat", "dog", "owl")),
        Label(5, name="colour"),
        Text(4, ("red", "hair")),
        Style(8, 32),
        Image(None, None, 3),
    ],
    [Image(None, None, 3, "first", 1.5), Image(None, None, 1, "second"), Array((None, 2))],
)


def test_json_and_back_is_the_same():
    text = json.dumps(EVERY_KIND.to_json())
    assert Interface.from_json(json.loads(text)) == EVERY_KIND


def test_json_leaves_defaults_out():
    assert Interface([Latents(64)], [Image(28, 28, 1)]).to_json() == {
        "inputs": [{"type": "latents", "size": 64}],
        "outputs": [{"type": "image", "height": 28, "width": 28, "channels": 1}],
    }


def good():
    return {
        "inputs": [{"type": "latents", "size": 4}],
        "outputs": [{"type": "array", "sizes": [1]}],
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v["inputs"][0].update(type="latent"), "Did you mean 'latents'"),
        (lambda v: v["inputs"][0].update(sizes=3), "no field 'sizes'.*Did you mean 'size'"),
        (lambda v: v["inputs"][0].pop("size"), r"lacks \['size'\]"),
        (lambda v: v["inputs"][0].update(size="4"), "integer of at least 1"),
        (lambda v: v["inputs"][0].update(size=True), "integer of at least 1"),
        (lambda v: v["inputs"][0].update(name="two words"), "must be an identifier"),
        (lambda v: v["inputs"][0].update(codes={"continuous": 4}), "at least one coordinate"),
        (lambda v: v["inputs"][0].update(codes={"classes": 4}), "no field 'classes'"),
        (lambda v: v["inputs"][0].update(codes=3), "Expected an object for codes"),
        (lambda v: v["inputs"][0].update(styles=8), "their number and their length"),
        (lambda v: v["inputs"][0].update(styles=[8, 0]), "integer of at least 1"),
        (lambda v: v["inputs"].append({"type": "number", "name": "psi", "low": 2}), "below `high`"),
        (lambda v: v["inputs"].append({"type": "number", "name": "psi", "default": "1"}), "finite"),
        (lambda v: v.update(inputs=[]), "must be at least one"),
        (lambda v: v.update(inputs={}), "must be a list"),
        (lambda v: v.update(outputs=[3]), "object with a known `type`"),
        (lambda v: v.update(outputs=[*v["outputs"]] * 2), "a name of its own"),
        (lambda v: v.update(kind="GAN"), "no field 'kind'"),
        (lambda v: v.pop("outputs"), r"no \['outputs'\]"),
    ],
)
def test_json_that_is_wrong_is_refused_with_the_field(change, message):
    value = good()
    change(value)
    with pytest.raises(ValueError, match=message):
        Interface.from_json(value)


@pytest.mark.parametrize("value", [None, [], "DCGAN", 3])
def test_json_that_is_no_object_is_refused(value):
    with pytest.raises(ValueError, match="Expected an object"):
        Interface.from_json(value)


def test_names_of_classes_must_be_as_many_as_classes():
    with pytest.raises(ValueError, match="2 names for 3 classes"):
        Label(3, ("cat", "dog"))


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        (lambda: networks.mlp_generator((2,), latent_dim=3), [[Latents(3)], [Array((2,))]]),
        (
            lambda: networks.dcgan_generator((16, 16, 3), latent_dim=6, width=4),
            [[Latents(6)], [Image(16, 16, 3)]],
        ),
        (
            lambda: small_gans.labelled(3).generator,
            [[Latents(6), Label(3)], [Image(16, 16, 1)]],
        ),
        (
            lambda: networks.resnet_generator((None, None, 3), width=4, blocks=1),
            [[Image(None, None, 3)], [Image(None, None, 3)]],
        ),
        (lambda: enlarging(2), [[Image(None, None, 3)], [Image(None, None, 3, scale=2)]]),
        (lambda: enlarging(2, 8), [[Image(8, 8, 3)], [Image(16, 16, 3)]]),
        (
            two_labels,
            [
                [Latents(6), Label(3, name="shape"), Label(5, name="colour")],
                [Image(4, 4, 1, "first"), Image(4, 4, 1, "second")],
            ],
        ),
    ],
)
def test_an_interface_is_inferred(network, expected):
    assert interface.of(network()) == Interface(*expected)


@pytest.mark.parametrize("side", [None, 8])
def test_the_scale_between_what_goes_in_and_comes_out(side):
    found = interface.of(enlarging(3, side))
    assert found.scale == 3
    assert found.size_of_output(8, 10) == (24, 30)


def test_each_gan_says_what_its_networks_take_and_make():
    assert small_gans.plain().interface() == Interface([Latents(6)], [Image(16, 16, 1)])
    coded = small_gans.with_codes((3, 2)).interface()
    assert coded.codes == Codes((3, 2), 2) and coded.latents.size == 11
    assert small_gans.labelled(4).interface().labels == (Label(4),)
    translator = small_gans.translator()
    assert translator.interface().takes_image and not translator.interface().takes_latents
    # A map of logits is no grey image.
    assert not translator.interface("discriminator").images


def test_what_is_stated_comes_before_what_shapes_say():
    network = enlarging(2, 8)
    stated = Interface([Image(8, 8, 3, "photo")], [Image(16, 16, 3, "large")])
    assert interface.of(interface.state(network, stated)) == stated


@pytest.mark.parametrize(
    "stated",
    [
        Interface([Image(8, 8, 3)], [Image(8, 8, 3)]),
        Interface([Image(8, 8, 1)], [Image(16, 16, 3)]),
        Interface([Latents(8)], [Image(16, 16, 3)]),
        Interface([Image(8, 8, 3), Label(2)], [Image(16, 16, 3)]),
    ],
)
def test_an_interface_that_the_network_does_not_fit_is_refused(stated):
    with pytest.raises(ValueError, match="does not fit its interface"):
        interface.state(enlarging(2, 8), stated)


def test_a_label_where_the_network_takes_floats_is_refused():
    scalar = keras.Input(())
    network = keras.Model(scalar, keras.ops.expand_dims(scalar, -1))
    with pytest.raises(ValueError, match="Expected int32 for 'labels'"):
        interface.state(network, Interface([Label(2)], [Array((1,))]))


def test_an_input_that_shapes_do_not_explain_asks_for_an_interface():
    words = keras.Input((5,), dtype="int32", name="words")
    network = keras.Model(words, keras.layers.Embedding(9, 2)(words))
    with pytest.raises(ValueError, match=r"'words'.*interface\.state"):
        interface.of(network)
    text = Interface([Text(5, ("a",) * 8)], [Array((5, 2))])
    assert interface.of(interface.state(network, text)).texts == text.inputs


def test_the_classes_of_a_single_label_are_read_off_the_whole_network():
    labels = keras.Input((), dtype="int32")
    turned = keras.layers.Lambda(lambda y: 4 - y)(labels)  # not what looks labels up
    network = keras.Model(labels, keras.layers.Embedding(5, 3)(turned))
    assert interface.of(network).labels == (Label(5),)


def test_a_network_that_does_not_know_its_inputs_is_refused():
    class Subclassed(keras.Model):
        def call(self, inputs):
            return inputs

    with pytest.raises(ValueError, match="Give it a `keras.Input`"):
        interface.of(Subclassed())


def test_an_interface_is_read_without_tensorflow():
    code = (
        "import sys; sys.argv = ['keras-gans']; from keras_gans import interface; "
        "interface.Interface.from_json({'inputs': [{'type': 'latents', 'size': 2}], "
        "'outputs': [{'type': 'array', 'sizes': [1]}]}); "
        "print('tensorflow' in sys.modules, 'keras' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "False"]
