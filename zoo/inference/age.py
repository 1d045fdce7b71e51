"""The same face at another age (Antipov 2017, arXiv:1702.01983, section 2.3 and figure 1).

A conditional GAN on ages, such as `AgeCGAN`, has who is on a picture in its latent, and how old in
its condition. So: find the latent of a face, and generate it with another age.
"""

import dataclasses
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_gans import AdversarialModel, generation, image, metrics
from keras_gans.interface import Label
from keras_gans.metrics import classifiers
from keras_gans.names import did_you_mean
from keras_gans.zoo.inference import project as projecting
from keras_gans.zoo.inference.generate import Source, open_latent_gan

# How the latent of a face is found, in the order of the paper's table 2.
METHODS = ("initial", "pixels", "identity")

_OUT_OF_THE_QUESTION = 0.01  # the probability of a value of which no more is asked

# Drawn images that tell how large distances are, and whether the picture is strange.
_CANDIDATES = 300


@dataclasses.dataclass(frozen=True)
class Aged:
    """What `age` found. Images are floats in [-1, 1], `(height, width, channels)`.

    Attributes:
        images: name or number of each age to the face at that age.
        latent: float32 `(1, latent_dim)`, of the person.
        age: what the person on the picture was taken for, or said to be.
        target: the picture, as the generator could make it.
        start: the face that the encoder's latent gives at that age.
        result: the face that the latent gives at that age.
        strangeness: as of `zoo.project`; `None` for the method `"initial"`.
    """

    images: dict[str | int, np.ndarray]
    latent: np.ndarray
    age: str | int
    target: np.ndarray
    start: np.ndarray
    result: np.ndarray
    strangeness: dict[str, float] | None = None

    def save(self, path: str | Path) -> Path:
        """Writes a picture: the face, what the latent gives at its age, and all the ages."""
        row = image.to_uint8(np.stack([self.target, self.result, *self.images.values()]))
        row = image.enlarge(row, image.visible_scale(self.target.shape))
        return image.save(row, path, columns=len(row))


def age(
    source: Source,
    target: str | Path | np.ndarray,
    *,
    to: str | int | list[str | int] | None = None,
    age: str | int | None = None,
    method: str = "identity",
    identity: str | keras.Model | None = None,
    steps: int = 300,
    seed: int = 0,
    best: bool = False,
    verbose: int = 1,
) -> Aged:
    """Makes the person on a picture older or younger.

    The encoder of the GAN makes a first guess of the latent (section 2.3). `method` says what
    follows: nothing (`"initial"`); steps that bring the generated face nearer to the picture pixel
    by pixel (`"pixels"`), which keeps what is there and loses who it is; or steps that bring it
    nearer in the features of a network that tells people apart (`"identity"`, section 2.3.1).

    >>> gan = keras_gans.AgeCGAN(
    ...     keras_gans.networks.conditional_dcgan_generator((32, 32, 3), {"age": 4}, 8, width=4),
    ...     keras_gans.networks.conditional_dcgan_discriminator((32, 32, 3), {"age": 4}, width=4),
    ...     keras_gans.networks.dcgan_encoder((32, 32, 3), 8, width=4),
    ... )
    >>> found = age(gan, gan.generate(1, age=0, seed=0)[0], to=[2, 3], age=0, method="initial")
    >>> list(found.images)
    [2, 3]

    Args:
        source: name of a trained preset, folder of a run, or a GAN with an encoder.
        target: path of an image file, or an array `(height, width, channels)` of floats in [-1, 1].
        to: the age that is wanted, by its name or number, or several; `None` for all.
        age: that of the person on the picture; `None` for the one whose generated face is nearest
            to the picture.
        method: `"initial"`, `"pixels"` or `"identity"`.
        identity: features that tell people apart, as for `features` of `zoo.project`; `None` for
            the classifier of the data, if there is one, or else `"random_cnn_v1"`.
        steps: of the optimizer.
        seed: of the noise in the steps.
        best: see `open_gan`.
        verbose: 1 shows progress, 0 nothing.

    Returns:
        An `Aged`. A picture that is unlike anything the generator draws gets a `UserWarning`.

    Raises:
        ValueError: if the GAN has no encoder or no condition, for an age that it does not know, or
            a picture that cannot be read.
        FileNotFoundError: if there is no file of that name.
    """
    if method not in METHODS:
        raise ValueError(
            f"There is no such method.{did_you_mean(str(method), METHODS)} Expected one of "
            f"{list(METHODS)}. Received: method={method!r}"
        )
    gan = open_latent_gan(source, best)
    port = _condition(gan)
    wanted = range(port.num_classes) if to is None else [to] if np.ndim(to) == 0 else to
    wanted = generation.choose(port, wanted).tolist()
    described = gan.interface(gan.generator_role)
    target = projecting.as_target(target, described.images[0].shape)
    guess = gan.encode(target[None])
    now = _nearest(gan, port, guess, target) if age is None else _number(port, age)
    start = _faces(gan, port, guess, [now])[0]
    latent, strange = guess, None
    if method != "initial":
        weights = {"pixels": (1.0, 0.0), "identity": (0.0, 1.0)}[method]
        found = projecting.project(
            gan,
            target,
            label={port.name: now},
            features=identity or identity_features(source, gan, port.name),
            pixel_weight=weights[0],
            feature_weight=weights[1],
            start=guess,
            candidates=_CANDIDATES,
            steps=steps,
            seed=seed,
            verbose=verbose,
        )
        latent, strange = found.latent, found.strangeness
    made = _faces(gan, port, latent, [*wanted, now])
    return Aged(
        images={_name(port, k): face for k, face in zip(wanted, made)},
        latent=latent,
        age=_name(port, now),
        target=target,
        start=start,
        result=made[-1],
        strangeness=strange,
    )


def _condition(gan):
    labels = gan.interface(gan.generator_role).labels
    if not hasattr(gan, "encode") or len(labels) != 1:
        raise ValueError(
            "Faces are made older by a generator with one condition, the age, and an encoder. "
            "Expected an AgeCGAN. "
            f"Received: a {type(gan).__name__} with "
            f"{[port.name for port in labels] or 'no'} condition(s)"
        )
    if "encoder" in gan.untrained:
        raise ValueError(
            "This preset comes without its encoder, which makes the first guess. Expected one with "
            "the weights of its encoder, or the folder of the run. Received: untrained="
            f"{list(gan.untrained)}"
        )
    return labels[0]


def _faces(gan, port, latent, ages):
    """The faces of one latent at several ages."""
    made = gan.generate(latents=np.repeat(latent, len(ages), axis=0), **{port.name: ages})
    return generation.first_images(gan.interface(gan.generator_role), made)


def _nearest(gan, port: Label, latent, target) -> int:
    """The age at which the face of a latent is nearest to the picture."""
    faces = _faces(gan, port, latent, list(range(port.num_classes)))
    return int(np.argmin(np.mean((faces - target) ** 2, axis=(1, 2, 3))))


def _number(port, age) -> int:
    return int(generation.choose(port, age, 1)[0])


def _name(port, number):
    return port.names[number] if port.names else number


def identity_features(source: Source, gan: AdversarialModel, condition: str) -> Any:
    """Returns a network that tells people apart and does not see their age.

    It is what the classifier of the data says of all attributes but one.

    Args:
        source: of the GAN; of one without a name the data are not known.
        gan: the GAN itself.
        condition: name of the attribute to leave out.

    Returns:
        A `keras.Model` from images to log(p + 0.01) of the probability p of each value; `None` if
        there is no such classifier. The log-probability itself would be about values that are
        out of the question: of 0.001 and of a billionth, which are no difference to the eye.
    """
    data = None if gan is source else projecting.data_of(source)
    name = metrics.usual_reader(data)
    if name is None:
        return None
    network, recipe, _ = classifiers.load(name)
    others = [head for head in recipe.get("attributes", ()) if head != condition]
    if not others:
        return None
    heads = [keras.ops.softmax(network.get_layer(head).output) for head in others]
    heads = [keras.ops.log(head + _OUT_OF_THE_QUESTION) for head in heads]
    outputs = keras.layers.Concatenate()(heads) if len(heads) > 1 else heads[0]
    return keras.Model(network.inputs[0], outputs, name=f"{name}_without_{condition}")
