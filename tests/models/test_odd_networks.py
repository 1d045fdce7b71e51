"""Every GAN class with networks that it cannot train: the constructor says why not."""

import keras
import numpy as np
import pytest
from keras import layers

import keras_gans

IMAGE, LATENTS, LABELS = (8, 8, 1), (6,), ()


class Subclassed(keras.Model):
    def __init__(self, inner, **kwargs):
        super().__init__(**kwargs)
        self.inner = inner

    def call(self, inputs):
        return self.inner(inputs)


def heads(x, outputs, activation):
    for number, shape in enumerate(outputs):
        y = layers.Dense(int(np.prod(shape)))(x)
        y = layers.Reshape(shape)(y) if len(shape) > 1 else y
        yield layers.Activation(activation.get(number))(y)


def network(inputs, outputs, activation, dtype="float32"):
    """A small model from inputs to outputs of these shapes; labels have the shape ()."""
    given, parts = [], []
    for shape in inputs:
        given.append(keras.Input(shape, dtype=dtype if shape else "int32"))
        part = given[-1] if shape else layers.Embedding(3, 2)(given[-1])
        part = keras.ops.cast(part, "float32")
        parts.append(layers.Flatten()(part))
    x = layers.Concatenate()(parts) if len(parts) > 1 else parts[0]
    made = list(heads(x, outputs, activation))
    return keras.Model(given if len(given) > 1 else given[0], made if len(made) > 1 else made[0])


# Of each class: shapes that the generator takes, that the discriminator takes and returns, and
# which of its outputs must be linear.
PLAIN = ([LATENTS], [IMAGE], [(1,)], (0,))
CLASSES = {
    "GAN": PLAIN,
    "DCGAN": PLAIN,
    "WGAN": PLAIN,
    "WGANGP": PLAIN,
    "UnrolledGAN": PLAIN,
    "EBGAN": ([LATENTS], [IMAGE], [IMAGE, (4,)], ()),
    "InfoGAN": ([(15,)], [IMAGE], [(1,), (10,), (2,)], (0, 1)),
    "SemiSupervisedGAN": ([LATENTS], [IMAGE], [(3,), (5,)], (0,)),
    "ConditionalGAN": ([LATENTS, LABELS], [IMAGE, LABELS], [(1,)], (0,)),
    "ACGAN": ([LATENTS, LABELS], [IMAGE], [(1,), (3,)], (0, 1)),
    "Pix2Pix": ([IMAGE], [IMAGE, IMAGE], [(4, 4, 1)], (0,)),
    "CycleGAN": ([IMAGE], [IMAGE], [(4, 4, 1)], (0,)),
    "SRGAN": ([IMAGE], [IMAGE], [(4, 4, 1)], (0,)),
}


def parts(name, side):
    taken, judged, found, _ = CLASSES[name]
    if side == "generator":
        return list(taken), [IMAGE], {0: "tanh"}
    return list(judged), list(found), {0: "tanh"} if name == "EBGAN" else {}


def make(name, **replaced):
    networks = {s: network(*parts(name, s)) for s in ("generator", "discriminator")}
    networks |= replaced
    if name == "CycleGAN":
        for side in ("generator", "discriminator"):
            networks[f"backward_{side}"] = network(*parts(name, side))
    return getattr(keras_gans, name)(**networks)


def called_once(name, side):
    inner = network(*parts(name, side))
    model = Subclassed(inner)
    arrays = [np.zeros((2, *x.shape[1:]), x.dtype) for x in inner.inputs]
    model(arrays if len(arrays) > 1 else arrays[0])
    return model


def built_by_a_call(name, side):
    inner = network(*parts(name, side))
    model = keras.Sequential([inner])
    model(np.zeros((2, *inner.inputs[0].shape[1:]), "float32"))
    return model


def odd(inputs=lambda x: x, outputs=lambda x: x, activation=None, dtype="float32"):
    def build(name, side):
        taken, made, ends = parts(name, side)
        return network(inputs(taken), outputs(made), activation or ends, dtype)

    return build


def in_list(name, side):
    inner = network(*parts(name, side))
    return keras.Model(inner.inputs, [inner.outputs[0]])


def in_dictionary(name, side):
    inner = network(*parts(name, side))
    return keras.Model(inner.inputs, {f"output_{n}": x for n, x in enumerate(inner.outputs)})


ODD = {
    "a subclassed model called once": called_once,
    "built by a call": built_by_a_call,
    "an output in a list": in_list,
    "outputs in a dictionary": in_dictionary,
    "an output more": odd(outputs=lambda shapes: [*shapes, (2,)]),
    "an input more": odd(inputs=lambda shapes: [*shapes, (3,)]),
    "integers": odd(dtype="uint8"),
    "labels in columns": odd(inputs=lambda shapes: [(1,) if s == () else s for s in shapes]),
    "latents of rank 4": odd(
        inputs=lambda shapes: [(2, 3, 1) if len(s) == 1 else s for s in shapes]
    ),
    "other channels": odd(
        inputs=lambda shapes: [(8, 8, 3) if s == IMAGE else s for s in shapes],
        outputs=lambda shapes: [(8, 8, 3) if s == IMAGE else s for s in shapes],
    ),
}


def changes(name, side, kind):
    taken, made, _ = parts(name, side)
    if kind == "built by a call":
        return len(taken) == 1  # as a Sequential model has
    if kind == "an output in a list":
        return len(made) == 1  # several are a list
    if kind == "labels in columns":
        return LABELS in taken
    if kind == "latents of rank 4":
        return any(len(shape) == 1 for shape in taken)
    return True


CASES = [
    pytest.param(name, side, build, id=f"{name}-{side}-{kind}")
    for name in CLASSES
    for side in ("generator", "discriminator")
    for kind, build in ODD.items()
    if changes(name, side, kind)
]


@pytest.mark.parametrize("name", CLASSES)
def test_plain_networks_are_taken(name):
    assert make(name).built


@pytest.mark.parametrize(("name", "side", "build"), CASES)
def test_the_constructor_says_why_not(name, side, build):
    with pytest.raises(ValueError, match=r"(?s)\. Received: "):
        make(name, **{side: build(name, side)})


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "softmax", "leaky_relu"])
@pytest.mark.parametrize(
    ("name", "output"), [(name, k) for name, (*_, linear) in CLASSES.items() for k in linear]
)
def test_logits_scores_and_classes_are_linear(name, output, activation):
    taken, made, _ = parts(name, "discriminator")
    squashed = network(taken, made, {output: activation})
    with pytest.raises(
        ValueError, match=rf"must have a linear output.*Received: .*{activation.replace('_', '')}"
    ):
        make(name, discriminator=squashed)


@pytest.mark.parametrize("activation", ["sigmoid", "relu", "softplus", "log_sigmoid"])
@pytest.mark.parametrize("name", CLASSES)
def test_images_fill_their_range(name, activation):
    taken, made, _ = parts(name, "generator")
    with pytest.raises(ValueError, match=r"Images lie in \[-1, 1\].*End it in `tanh`.*Received"):
        make(name, generator=network(taken, made, {0: activation}))


def test_a_reconstruction_fills_its_range():
    taken, made, _ = parts("EBGAN", "discriminator")
    with pytest.raises(ValueError, match=r"Images lie in \[-1, 1\]"):
        make("EBGAN", discriminator=network(taken, made, {0: "sigmoid"}))
    assert make("EBGAN", discriminator=network(taken, made, {1: "relu"})).built  # codes may


def test_means_of_codes_may_end_in_tanh():
    taken, made, _ = parts("InfoGAN", "discriminator")
    assert make("InfoGAN", discriminator=network(taken, made, {2: "tanh"})).built


def test_points_have_no_range():
    generator = network([LATENTS], [(2,)], {0: "sigmoid"})
    assert keras_gans.GAN(generator, network([(2,)], [(1,)], {})).built


def test_fewer_classes_than_labels():
    networks = [network(*parts("ConditionalGAN", s)) for s in ("generator", "discriminator")]
    with pytest.raises(ValueError, match="has fewer classes.*num_classes=10, layers of .3. cl"):
        keras_gans.ConditionalGAN(*networks, num_classes=10)


# ---- what the errors advise


def trains(gan):
    gan.compile()
    images = np.tanh(np.random.default_rng(0).normal(size=(4, *IMAGE))).astype("float32")
    return np.isfinite(gan.fit(images, verbose=0).history["generator_loss"][0])


def test_advice_on_subclassed_models():
    model = called_once("GAN", "discriminator")
    inputs = keras.Input(IMAGE)
    assert trains(make("GAN", discriminator=keras.Model(inputs, model(inputs))))


def test_advice_on_several_outputs():
    generator = network([LATENTS], [IMAGE, (2,)], {0: "tanh"})
    assert trains(make("GAN", generator=keras.Model(generator.inputs[0], generator.outputs[0])))


def test_advice_on_ranges():
    generator = network([LATENTS], [IMAGE], {0: "sigmoid"})
    scaled = keras.Sequential([keras.Input(LATENTS), generator, layers.Rescaling(2.0, -1.0)])
    assert trains(make("GAN", generator=scaled))
