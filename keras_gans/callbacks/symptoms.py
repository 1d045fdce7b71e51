"""What ails a training, read from numbers taken at intervals. Pure functions."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from keras_gans import losses

# Losses that are 0 where the discriminator is right about everything, and never below.
_SATURATING = (
    losses.NonSaturating,
    losses.LeastSquares,
    losses.Hinge,
    losses.RelativisticAverage,
    losses.RelativisticPairing,
)
# Losses whose minimum lies at infinite logits: without a penalty these can grow for ever.
_CROSS_ENTROPY = (losses.NonSaturating, losses.RelativisticAverage, losses.RelativisticPairing)
# A generator's loss that falls by less over a whole trend may fall by chance.
_FALL = 0.1


@dataclasses.dataclass(frozen=True)
class Message:
    """What `TrainingHealth` has to say.

    Attributes:
        epoch: number of the epoch in which it was found, from 1.
        step: number of steps done.
        kind: such as `"low_diversity"`; docs/health.md lists them.
        text: what was seen and what to try, in words.
        value: the number that was out of bounds.
        threshold: the bound.
    """

    epoch: int
    step: int
    kind: str
    text: str
    value: float
    threshold: float


def discriminator_wins(
    readings: Sequence[Mapping[str, float]],
    loss: losses.AdversarialLoss | None,
    limit: float,
    patience: int,
) -> dict[str, Any] | None:
    """Is the discriminator right about everything, at each of the last `patience` readings?

    By its probabilities where the loss has some: as far from 0 and 1 as its labels ask. By its
    loss where that cannot fall below 0. Never by Wasserstein's, which has no bound.

    >>> reading = {"real_probability": 0.999, "fake_probability": 0.001}
    >>> found = discriminator_wins([reading] * 3, losses.get("non_saturating"), 0.01, 3)
    >>> found["value"], found["threshold"]
    (0.001, 0.01)

    Args:
        readings: dictionaries of numbers, the newest last.
        loss: a `losses.AdversarialLoss`, or `None` if the model has none.
        limit: how near to its labels, or to a loss of 0, a discriminator has won.
        patience: for how many readings in a row.

    Returns:
        `None`, or `kind`, `value`, `threshold` and `text` of a `Message`.
    """
    advice = (
        "Its gradient says less and less to the generator. Try a lower learning rate for the "
        "discriminator, fewer of its steps, one-sided label smoothing (`real_label=0.9`), "
        "`InstanceNoise` or an R1 penalty."
    )
    if isinstance(loss, losses.NonSaturating):
        high, low = _targets(loss)

        def won(reading):
            real, fake = reading["real_probability"], reading["fake_probability"]
            return real >= high - limit and fake <= low + limit

        if _lasts(readings, patience, won, "real_probability", "fake_probability"):
            real, fake = readings[-1]["real_probability"], readings[-1]["fake_probability"]
            text = (
                f"The discriminator wins: for {patience} checks it has been sure of real images, "
                f"D(x) = {real:.4f}, and of generated ones, D(G(z)) = {fake:.4f}. {advice}"
            )
            return _found("discriminator_wins", fake, low + limit, text)
    elif isinstance(loss, _SATURATING) and _lasts(
        readings, patience, lambda r: r["discriminator_loss"] <= limit, "discriminator_loss"
    ):
        value = readings[-1]["discriminator_loss"]
        text = (
            f"The discriminator wins: for {patience} checks its loss has been near zero, "
            f"{value:.4g}. {advice}"
        )
        return _found("discriminator_wins", value, limit, text)
    return None


def large_gradients(
    readings: Sequence[Mapping[str, float]],
    loss: losses.AdversarialLoss | None,
    limit: float | str,
    largest_weight: float = 1.0,
) -> dict[str, Any] | None:
    """Is the mean norm of a side's gradient above the limit?

    A Wasserstein critic's score has no scale, and so its gradient has none: `limit="auto"` is
    1000 for that loss and 100 for any other, times the largest weight of a term of the losses.

    >>> large_gradients([{"generator_gradient_norm": 250.0}], None, "auto")["value"]
    250.0

    Args:
        readings: dictionaries of numbers, the newest last.
        loss: a `losses.AdversarialLoss`, or `None`.
        limit: a number, or `"auto"`.
        largest_weight: of the terms of the losses, such as Pix2Pix' L1 term.

    Returns:
        As `discriminator_wins`.
    """
    if limit == "auto":
        limit = largest_weight * (1000.0 if isinstance(loss, losses.Wasserstein) else 100.0)
    norms = {
        side: readings[-1].get(f"{side}_gradient_norm") for side in ("discriminator", "generator")
    }
    norms = {side: norm for side, norm in norms.items() if norm is not None}
    side = max(norms, key=norms.get, default=None)
    if side is None or not norms[side] > limit:
        return None
    text = (
        f"The gradient of the {side} is large: its norm was {norms[side]:.4g} on average since "
        f"the last check, above {limit:g}. Steps this long break a training. Try a lower learning "
        f"rate for the {side}, `clipnorm` of its optimizer, a penalty, spectral normalisation."
    )
    return _found("large_gradients", norms[side], limit, text)


def drifting_apart(
    readings: Sequence[Mapping[str, float]],
    loss: losses.AdversarialLoss | None,
    limit: float,
    trend: int,
) -> dict[str, Any] | None:
    """Do the logits of real and generated examples move apart, check after check?

    Only for cross-entropies. That of other losses is bounded by their labels or margins, or means
    nothing: a Wasserstein critic's gap is an estimate of a distance.

    >>> readings = [{"real_logit": x, "fake_logit": -x} for x in (1.0, 2.0, 3.0, 4.0, 5.0)]
    >>> drifting_apart(readings, losses.get("non_saturating"), 6.0, 5)["value"]
    10.0

    Args:
        readings: dictionaries of numbers, the newest last.
        loss: a `losses.AdversarialLoss`, or `None`.
        limit: a gap that is not yet worth a word.
        trend: how many readings must each be further apart than the one before.

    Returns:
        As `discriminator_wins`.
    """
    if not isinstance(loss, _CROSS_ENTROPY) or not _have(readings, trend, "real_logit"):
        return None
    gaps = [r["real_logit"] - r["fake_logit"] for r in readings[-trend:]]
    # A quarter of it in this window: a gap that has settled still creeps.
    if not (min(np.diff(gaps)) > 0 and gaps[-1] > limit and gaps[-1] - gaps[0] > limit / 4):
        return None
    text = (
        f"D(x) and D(G(z)) drift apart: the gap of their mean logits has grown at each of "
        f"{trend} checks, from {gaps[0]:.2f} to {gaps[-1]:.2f}. The discriminator learns faster "
        "than the generator. Try a lower learning rate for it, label smoothing or an R1 penalty, "
        "before it wins."
    )
    return _found("drifting_apart", gaps[-1], limit, text)


def generator_stuck(
    readings: Sequence[Mapping[str, float]], limit: float, trend: int
) -> dict[str, Any] | None:
    """Does the generator's loss only fall, while the samples of fixed latents stay the same?

    Then it is the discriminator that changes, and the falling loss no progress.

    >>> readings = [{"generator_loss": loss, "change": 0.0} for loss in (5.0, 4.0, 3.0)]
    >>> generator_stuck(readings, 0.01, 3)["kind"]
    'generator_stuck'

    Args:
        readings: dictionaries of numbers, the newest last.
        limit: a change between two readings, in mean distances of two real examples, that is none.
        trend: over how many readings.

    Returns:
        As `discriminator_wins`.
    """
    if not _have(readings, trend, "generator_loss", "change"):
        return None
    recent = readings[-trend:]
    falls = -np.diff([r["generator_loss"] for r in recent])
    change = max(r["change"] for r in recent[1:])
    if not (min(falls) > 0 and sum(falls) > _FALL and change < limit):
        return None
    text = (
        f"The generator stands still: its loss fell at each of {trend} checks, from "
        f"{recent[0]['generator_loss']:.4g} to {recent[-1]['generator_loss']:.4g}, and the samples "
        f"of fixed latents moved by no more than {change:.2g} of the distance of two real images. "
        "It is the discriminator that changes. Try a higher learning rate for the generator, look "
        "whether its weights are trainable, and whether the moving average is too slow."
    )
    return _found("generator_stuck", change, limit, text)


def low_diversity(
    readings: Sequence[Mapping[str, float]], limit: float, patience: int
) -> dict[str, Any] | None:
    """Are samples much more alike than real examples, at each of the last readings?

    >>> low_diversity([{"diversity": 0.05}] * 3, 0.25, 3)["value"]
    0.05

    Args:
        readings: dictionaries of numbers, the newest last.
        limit: of the mean distance of two samples, in that of two real examples.
        patience: for how many readings in a row.

    Returns:
        As `discriminator_wins`.
    """
    if not _lasts(readings, patience, lambda r: r["diversity"] < limit, "diversity"):
        return None
    value = readings[-1]["diversity"]
    text = (
        f"Samples are too much alike: for {patience} checks two of them have been no further apart "
        f"than {value:.3g} of the distance of two real images, below {limit:g}. Mode collapse "
        "looks like this. Try `MinibatchStdDev` or `MinibatchDiscrimination` in the discriminator, "
        "`WGANGP`, `UnrolledGAN`, or a larger batch."
    )
    return _found("low_diversity", value, limit, text)


def few_modes(
    readings: Sequence[Mapping[str, float]], expected: float, share: float, patience: int
) -> dict[str, Any] | None:
    """Does a classifier see few classes among the samples, at each of the last readings?

    >>> few_modes([{"modes": 2.0}] * 3, expected=10.0, share=0.5, patience=3)["threshold"]
    5.0

    Args:
        readings: dictionaries of numbers, the newest last.
        expected: how many classes as many real examples would show: `expected_classes`.
        share: of these, below which there are few.
        patience: for how many readings in a row.

    Returns:
        As `discriminator_wins`.
    """
    if not _lasts(readings, patience, lambda r: r["modes"] < share * expected, "modes"):
        return None
    value = readings[-1]["modes"]
    text = (
        f"Samples show few classes: {value:.0f} of the {expected:.1f} to be expected of as many "
        f"real images, for {patience} checks. The generator has dropped modes. Try "
        "`MinibatchStdDev`, `WGANGP`, `UnrolledGAN`, a larger batch, or labels: `ConditionalGAN`."
    )
    return _found("few_modes", value, share * expected, text)


def expected_classes(num_samples: int, num_classes: int) -> float:
    """How many of equally common classes that many examples show, on average.

    >>> expected_classes(2, 2)
    1.5
    """
    return num_classes * (1.0 - (1.0 - 1.0 / num_classes) ** num_samples)


def mean_distance(examples: ArrayLike) -> float:
    """Mean Euclidean distance of two different examples of an array `(number, ...)`.

    >>> mean_distance(np.array([[0.0], [1.0], [3.0]]))  # 1, 3 and 2
    2.0
    """
    flat = np.reshape(np.asarray(examples, "float64"), (len(examples), -1))
    distances = [np.linalg.norm(flat[i + 1 :] - flat[i], axis=1) for i in range(len(flat) - 1)]
    return float(np.mean(np.concatenate(distances)))


def _targets(loss):
    """The mean labels that a loss asks for, flips included."""
    real, fake = (float(np.mean(label)) for label in (loss.real_label, loss.fake_label))
    return real + loss.flip * (fake - real), fake + loss.flip * (real - fake)


def _have(readings, number, *names):
    recent = readings[-number:]
    return len(recent) == number and all(name in r for r in recent for name in names)


def _lasts(readings, patience, test, *names):
    return _have(readings, patience, *names) and all(test(r) for r in readings[-patience:])


def _found(kind, value, threshold, text):
    return {"kind": kind, "text": text, "value": float(value), "threshold": float(threshold)}
