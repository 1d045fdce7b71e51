"""What the discriminators put in front: one of the two augmentations, or none."""

from collections.abc import Mapping

from keras_gans.layers import AdaptiveAugment, DiffAugment
from keras_gans.layers.adaptive_augment import POLICIES
from keras_gans.typing import Augment, Tensor


def augmented(images: Tensor, augment: Augment) -> Tensor:
    """Returns images behind an augmentation that is active in training alone.

    Args:
        images: `(batch, height, width, channels)`, in [-1, 1].
        augment: policies of `layers.DiffAugment`, such as `["color", "cutout"]`; a policy of
            `layers.AdaptiveAugment`, such as `"bgc"`, or a mapping of its arguments, such as
            `{"policy": "bg", "target": 0.5}`; nothing for no augmentation.

    Raises:
        ValueError: for a policy that neither has.
    """
    if not augment:
        return images
    if isinstance(augment, Mapping):
        return AdaptiveAugment(**augment)(images)
    if isinstance(augment, str) and augment in POLICIES:
        return AdaptiveAugment(augment)(images)
    return DiffAugment(augment)(images)
