"""What every format exports: one function, with named float32 inputs and outputs."""

import keras
import tensorflow as tf


def signature(generator, batch_size=None):
    """The input of a generator as a named `tf.TensorSpec`.

    Args:
        generator: a built `keras.Model` with one input and one output.
        batch_size: fixed, or `None` for any.

    Raises:
        ValueError: for anything that is not a generator.
    """
    if hasattr(generator, "inference_generator"):
        raise ValueError(
            "A whole GAN would take its discriminator along. Export the generator: "
            f"`gan.inference_generator`. Received: {generator!r}"
        )
    if not isinstance(generator, keras.Model) or not generator.built:
        raise ValueError(
            "Expected a generator: a built `keras.Model`. Give it a `keras.Input`. "
            f"Received: {generator!r}"
        )
    inputs = generator.inputs
    if len(inputs) != 1 or len(generator.outputs) != 1:
        raise ValueError(
            "Expected a generator of one input and one output. "
            f"Received: {len(inputs)} inputs, {len(generator.outputs)} outputs"
        )
    name = "latents" if len(inputs[0].shape) == 2 else "images"
    return tf.TensorSpec((batch_size, *inputs[0].shape[1:]), tf.float32, name=name)


def function(generator, spec):
    """The generator in inference mode as a `tf.function` from `spec` to `{"images": float32}`."""

    @tf.function(input_signature=[spec])
    def serve(inputs):
        return {"images": tf.cast(generator(inputs, training=False), "float32")}

    return serve
