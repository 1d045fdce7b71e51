"""A metric's name is its protocol: numbers of different protocols are never compared."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

# A lower value of these is better; of all others a higher one.
_LOWER = ("frechet", "fid", "kernel", "kid", "l1", "ms_ssim_diversity")
_LOWER += ("perceptual", "colour_shift", "grid_ratio")
_LOWER += ("share_difference", "pair_difference", "impossible", "strangeness")
# Names that are only correct for features of InceptionV3 behind the resize of clean-fid.
_INCEPTION = {"frechet": "fid", "kernel": "kid", "classifier_score": "inception_score"}


@dataclasses.dataclass(frozen=True)
class Protocol:
    """How a number was measured.

    >>> Protocol("frechet", 10_000, "fashion_mnist_cnn_v1", "a1", "b2").name
    'frechet10k_fashion_mnist_cnn_v1'

    Attributes:
        metric: what was computed, such as `"frechet"`.
        num_images: how many real, and how many generated images.
        features: name of the feature network, the resize before it included.
        features_sha256: of the network's weights; `None` if unknown.
        reference_sha256: of the real images that generated ones are compared with.
        reference: data and split of these, if they are not the network's usual ones.
    """

    metric: str
    num_images: int
    features: str
    features_sha256: str | None
    reference_sha256: str
    reference: str = ""

    @property
    def name(self) -> str:
        """`<metric><number>_<features>`, with `_on_<reference>` if that is not the usual one."""
        thousands = self.num_images % 1000 == 0
        number = f"{self.num_images // 1000}k" if thousands else f"{self.num_images}"
        metric = f"{self.metric}_" if self.metric[-1].isdigit() else self.metric
        if self.features == "inception_v3":
            metric = _INCEPTION.get(metric, metric)
        where = re.sub(r"\W+", "_", self.reference).strip("_")
        return f"{metric}{number}_{self.features}" + (f"_on_{where}" if where else "")

    @property
    def lower_is_better(self) -> bool:
        return self.metric in _LOWER


@dataclasses.dataclass(frozen=True)
class Measurement:
    """A number and its protocol.

    Attributes:
        protocol: a `Protocol`.
        value: the number.
        low: lower end of its interval; `None` if there is none.
        high: upper end.
    """

    protocol: Protocol
    value: float
    low: float | None = None
    high: float | None = None

    def better_than(self, other: "Measurement") -> bool:
        """Returns whether this is the better value.

        >>> weights = Protocol("frechet", 100, "net", "a1", "b2")
        >>> Measurement(weights, 3.0).better_than(Measurement(weights, 4.0))
        True

        Raises:
            ValueError: if the other number was measured by another protocol.
        """
        if self.protocol != other.protocol:
            fields = [f.name for f in dataclasses.fields(Protocol)]
            differ = [n for n in fields if getattr(self.protocol, n) != getattr(other.protocol, n)]
            raise ValueError(
                "Numbers of different protocols cannot be compared. Measure both again, with the "
                f"same data, features and number of images. Received: {self.protocol.name} and "
                f"{other.protocol.name}, which differ in {', '.join(differ)}"
            )
        if self.protocol.lower_is_better:
            return self.value < other.value
        return self.value > other.value

    def __float__(self):
        return float(self.value)

    def __str__(self):
        interval = "" if self.low is None else f" ({self.low:.4g} to {self.high:.4g})"
        return f"{self.value:.4g}{interval}"

    def to_json(self) -> dict[str, Any]:
        """Returns a dictionary for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, made: Mapping[str, Any]) -> "Measurement":
        """Returns a measurement from the result of `to_json`."""
        return cls(**{**made, "protocol": Protocol(**made["protocol"])})
