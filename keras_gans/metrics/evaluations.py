"""Several evaluations of the same images as one, each with features of its own."""

from collections.abc import Callable, Iterable
from typing import Any

from keras_gans.metrics.protocol import Measurement, Protocol


class Evaluations:
    """Measures the same images by several evaluations, one after the other.

    One feature network sees colour and texture, another one shapes: what it measures are the
    numbers of all, each under the name of its protocol. In `callbacks.Evaluate` the first that
    measures a metric, such as `best="frechet"`, decides; nearest neighbours are those of the first.

    >>> seen = keras_gans.metrics.features.wrap(
    ...     lambda images: images[:, ::7, ::7, 0].reshape(len(images), -1), "pixels", (28, 28, 1)
    ... )
    >>> both = Evaluations.of(
    ...     keras_gans.metrics.Evaluation, "digits", features=["digits_cnn_v1", seen], num_images=50
    ... )
    >>> [part.protocol("frechet").name for part in both.parts]
    ['frechet50_digits_cnn_v1', 'frechet50_pixels_on_digits_train_50']

    Args:
        parts: `Evaluation`s, or `TranslationEvaluation`s, of the same data.

    Attributes:
        parts: these.
    """

    def __init__(self, parts: Iterable[Any]) -> None:
        self.parts = list(parts)

    @classmethod
    def of(cls, kind: Callable[..., Any], *data: Any, **options: Any) -> Any:
        """Makes an evaluation, or with a list of `features` several as one.

        Args:
            kind: `Evaluation`, `TranslationEvaluation` or `SuperResolutionEvaluation`.
            *data: its first argument.
            **options: its other arguments; `features` may be a list.

        Returns:
            An evaluation of that kind, or `Evaluations` for a list of two or more.

        Raises:
            ValueError: for an empty list, or the same features twice; and as that kind.
            ImportError: if the package with a network's weights is not installed.
        """
        features = options.get("features")
        if not isinstance(features, (list, tuple)):
            return kind(*data, **options)
        names = [str(getattr(given, "name", given)) for given in features]
        if not names or len(set(names)) < len(names):
            raise ValueError(
                "Several evaluations of the same images have different features. Expected one or "
                f"more feature networks, none of them twice. Received: features={names}"
            )
        parts = [kind(*data, **{**options, "features": given}) for given in features]
        return parts[0] if len(parts) == 1 else cls(parts)

    def measure(self, source: Any) -> dict[str, Measurement]:
        """Measures images by all evaluations.

        Args:
            source: as of each `measure`; not an iterator, which is empty after the first.

        Returns:
            Names of protocols to `Measurement`s.
        """
        return _joined(*(part.measure(source) for part in self.parts))

    def reference(self) -> dict[str, Measurement]:
        """Returns the reference values of all evaluations."""
        return _joined(*(part.reference() for part in self.parts))

    def degradations(self) -> dict[str, dict[str, Measurement]]:
        """Returns names of the degradations to what all evaluations measure of them."""
        found: dict[str, dict[str, Measurement]] = {}
        for part in self.parts:
            for name, measured in part.degradations().items():
                found[name] = _joined(found.get(name, {}), measured)
        return found

    def backward(self) -> "Evaluations":
        """Returns the evaluations of the same pairs from the targets to the sources."""
        return type(self)(part.backward() for part in self.parts)

    def protocol(self, metric: str) -> Protocol:
        """Returns the `Protocol` of a metric in the first evaluation."""
        return self.parts[0].protocol(metric)

    def __getattr__(self, name: str) -> Any:
        # What does not depend on the features: `num_images`, `split`, `memorization`, and so on.
        if name.startswith("__") or name == "parts":  # of a copy, which has nothing yet
            raise AttributeError(name)
        return getattr(self.parts[0], name)


def _joined(*measured):
    """All of them in their order; of one name, as of pixels, which no network sees, the first."""
    found = {}
    for part in measured:
        found |= {name: value for name, value in part.items() if name not in found}
    return found
