"""Finds problems of a training from its statistics. Pure functions."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from keras_gans import losses

# Losses that are 0 if the discriminator is right about everything, and never below.
_SATURATING = (
    losses.NonSaturating,
    losses.LeastSquares,
    losses.Hinge,
    losses.RelativisticAverage,
    losses.RelativisticPairing,
)
# Losses whose minimum lies at infinite logits: without a penalty the logits can grow forever.
_CROSS_ENTROPY = (losses.NonSaturating, losses.RelativisticAverage, losses.RelativisticPairing)
# A generator's loss that falls by less than this over a trend may fall by chance.
_FALL = 0.1


@dataclasses.dataclass(frozen=True)
class Message:
    """A message of `TrainingHealth`.

    Attributes:
        epoch: number of the epoch in which it was found, from 1.
        step: number of steps done.
        kind: such as `"low_diversity"`; docs/health.md lists them.
        text: what was found, and what to try.
        value: the number that passed the threshold.
        threshold: that threshold.
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
    """Finds a discriminator that was right about everything at the last `patience` readings.

    It is judged by its probabilities if the loss defines some, relative to the labels of the loss.
    Otherwise it is judged by its loss, if that cannot fall below 0. Wasserstein's loss has no bound
    and is not judged.

    >>> reading = {"real_probability": 0.999, "fake_probability": 0.001}
    >>> found = discriminator_wins([reading] * 3, losses.get("non_saturating"), 0.01, 3)
    >>> found["value"], found["threshold"]
    (0.001, 0.01)

    Args:
        readings: dictionaries of numbers, the newest last.
        loss: a `losses.AdversarialLoss`, or `None` if the model has none.
        limit: distance to its labels, or to a loss of 0, at which a discriminator has won.
        patience: for how many consecutive readings.

    Returns:
        `None`, or `kind`, `value`, `threshold` and `text` of a `Message`.
    """
    advice = (
        "Its gradient teaches the generator less and less. Try a lower learning rate for the "
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
                f"The discriminator wins: for {patience} checks it has recognized real images, "
                f"D(x) = {real:.4f}, and generated ones, D(G(z)) = {fake:.4f}. {advice}"
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
    """Finds a side whose mean gradient norm is above the limit.

    The score of a Wasserstein critic has no scale, and so neither has its gradient. `limit="auto"`
    is 1000 for that loss and 100 for any other, times the largest weight of a loss term.

    >>> large_gradients([{"generator_gradient_norm": 250.0}], None, "auto")["value"]
    250.0

    Args:
        readings: dictionaries of numbers, the newest last.
        loss: a `losses.AdversarialLoss`, or `None`.
        limit: a number, or `"auto"`.
        largest_weight: of the loss terms, such as that of Pix2Pix' L1 term.

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
        f"the last check, above {limit:g}. Such large steps break a training. Try a lower learning "
        f"rate for the {side}, `clipnorm` of its optimizer, a penalty, spectral normalisation."
    )
    return _found("large_gradients", norms[side], limit, text)


def drifting_apart(
    readings: Sequence[Mapping[str, float]],
    loss: losses.AdversarialLoss | None,
    limit: float,
    trend: int,
) -> dict[str, Any] | None:
    """Finds logits of real and generated examples that move apart at every check.

    Only for cross-entropies. With other losses the gap is bounded by their labels or margins, or
    it has another meaning: that of a Wasserstein critic estimates a distance.

    >>> readings = [{"real_logit": x, "fake_logit": -x} for x in (1.0, 2.0, 3.0, 4.0, 5.0)]
    >>> drifting_apart(readings, losses.get("non_saturating"), 6.0, 5)["value"]
    10.0

    Args:
        readings: dictionaries of numbers, the newest last.
        loss: a `losses.AdversarialLoss`, or `None`.
        limit: the gap above which there is a message.
        trend: how many readings must each have a larger gap than the one before.

    Returns:
        As `discriminator_wins`.
    """
    if not isinstance(loss, _CROSS_ENTROPY) or not _have(readings, trend, "real_logit"):
        return None
    gaps = [r["real_logit"] - r["fake_logit"] for r in readings[-trend:]]
    # It must grow by a quarter of the limit in this window: a settled gap still grows a little.
    if not (min(np.diff(gaps)) > 0 and gaps[-1] > limit and gaps[-1] - gaps[0] > limit / 4):
        return None
    text = (
        f"D(x) and D(G(z)) drift apart: the gap between their mean logits has grown at each of "
        f"{trend} checks, from {gaps[0]:.2f} to {gaps[-1]:.2f}. The discriminator learns faster "
        "than the generator. Try a lower learning rate for it, label smoothing or an R1 penalty, "
        "before it wins."
    )
    return _found("drifting_apart", gaps[-1], limit, text)


def generator_stuck(
    readings: Sequence[Mapping[str, float]], limit: float, trend: int
) -> dict[str, Any] | None:
    """Finds a generator whose loss falls while its samples of fixed latents stay the same.

    Then the discriminator changes, and the falling loss is no progress.

    >>> readings = [{"generator_loss": loss, "change": 0.0} for loss in (5.0, 4.0, 3.0)]
    >>> generator_stuck(readings, 0.01, 3)["kind"]
    'generator_stuck'

    Args:
        readings: dictionaries of numbers, the newest last.
        limit: change between two readings, in mean distances of two real examples, below which the
            samples count as the same.
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
        f"of fixed latents changed by at most {change:.2g} of the distance of two real images. "
        "Only the discriminator changes. Try a higher learning rate for the generator, and check "
        "that its weights are trainable and that the moving average is not too slow."
    )
    return _found("generator_stuck", change, limit, text)


def low_diversity(
    readings: Sequence[Mapping[str, float]], limit: float, patience: int
) -> dict[str, Any] | None:
    """Finds samples that were much more similar than real examples at the last readings.

    >>> low_diversity([{"diversity": 0.05}] * 3, 0.25, 3)["value"]
    0.05

    Args:
        readings: dictionaries of numbers, the newest last.
        limit: least mean distance of two samples, in mean distances of two real examples.
        patience: for how many consecutive readings.

    Returns:
        As `discriminator_wins`.
    """
    if not _lasts(readings, patience, lambda r: r["diversity"] < limit, "diversity"):
        return None
    value = readings[-1]["diversity"]
    text = (
        f"Samples are too similar: for {patience} checks their mean distance has been below "
        f"{limit:g} of that of two real images, now {value:.3g}. This is a sign of mode collapse. "
        "Try `MinibatchStdDev` or `MinibatchDiscrimination` in the discriminator, "
        "`WGANGP`, `UnrolledGAN`, or a larger batch."
    )
    return _found("low_diversity", value, limit, text)


def few_modes(
    readings: Sequence[Mapping[str, float]], expected: float, share: float, patience: int
) -> dict[str, Any] | None:
    """Finds samples of few classes, according to a classifier, at the last readings.

    >>> few_modes([{"modes": 2.0}] * 3, expected=10.0, share=0.5, patience=3)["threshold"]
    5.0

    Args:
        readings: dictionaries of numbers, the newest last.
        expected: how many classes as many real examples show on average: `expected_classes`.
        share: fraction of these below which there is a message.
        patience: for how many consecutive readings.

    Returns:
        As `discriminator_wins`.
    """
    if not _lasts(readings, patience, lambda r: r["modes"] < share * expected, "modes"):
        return None
    value = readings[-1]["modes"]
    text = (
        f"Samples show few classes: {value:.0f} of the {expected:.1f} expected of as many "
        f"real images, for {patience} checks. The generator has dropped modes. Try "
        "`MinibatchStdDev`, `WGANGP`, `UnrolledGAN`, a larger batch, or labels: `ConditionalGAN`."
    )
    return _found("few_modes", value, share * expected, text)


def expected_classes(num_samples: int, num_classes: int) -> float:
    """Returns how many of equally common classes so many examples show on average.

    >>> expected_classes(2, 2)
    1.5
    """
    return num_classes * (1.0 - (1.0 - 1.0 / num_classes) ** num_samples)


def mean_distance(examples: ArrayLike) -> float:
    """Returns the mean Euclidean distance of two different examples of an array `(number, ...)`.

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
