"""What image-to-image GANs share, whatever their step."""

from keras_gans import batches, generation


class ImageToImage:
    """Pairs `(source, target)` to train on, and `generate(images)`.

    For a GAN whose generator takes images: inherit from this, then from `AdversarialModel`.
    """

    def pairs(self, data):
        """The sources and targets of a batch, float32; refuses what does not fit the networks."""
        made, taken = self.generator.output_shape[1:], tuple(self.generator.inputs[0].shape)[1:]
        return batches.image_pairs(data, taken, made, type(self).__name__)

    def check_data(self, batch):
        for images in self.pairs(batch):
            batches.check_range(images)

    def translate(self, generator, images, batch_size=8, seed=None):
        """What a generator makes of images `(number, *image_shape)`, as a NumPy array.

        With a seed, two integers, of one that takes `[images, seed]`: `networks.stochastic`.
        """
        return generation.translate(generator, images, batch_size, seed)


def require_images(generator, name="generator"):
    """Raises ValueError unless a generator is image-to-image."""
    shapes = [tuple(x.shape) for x in generator.inputs]
    made = [len(x.shape) for x in generator.outputs]
    if len(shapes) != 1 or len(shapes[0]) != 4 or made != [4]:
        raise ValueError(
            f"The {name} must be image-to-image, as `keras_gans.networks.unet_generator` and "
            f"`resnet_generator` are. Received: {generator.name!r} from {shapes} to "
            f"{generator.output_shape}"
        )
