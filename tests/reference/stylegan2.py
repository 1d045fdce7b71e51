"""What NVIDIA's own programs make of small StyleGAN2 networks with random weights.

Our layers and networks, with the same weights, must make the same. The arrays were computed with
stylegan2-ada-pytorch (commit d72cc7d, PyTorch 1.7.1) and stylegan3 (c233a91, PyTorch 2.13.0) on a
CPU, in float32. All weights were drawn for this; no line and no weights of those programs are here.
`stylegan2_by_stylegan3.pkl` is a file of the second program, whose texts of source are left out.

This script picks what the tests need from a folder of the files of those programs and of what they
made:

    python tests/reference/stylegan2.py FOLDER

Written beside this script: `stylegan2.npz`, with arrays in PyTorch's order of axes: `G/...` and
`D/...` are the tensors of a class-conditional pair of 32x32x3 (3 mapping layers, 12, 12, 12 and 8
channels, limit 1.0); `z`, `labels`, `w_...` and `image_...` what G made; `d_labels` and `d_logits`
what D made of `d_images()`; `by_stylegan3_...` of the other file; and resampling, convolutions and
minibatch standard deviations of fixed inputs.
"""

import pathlib
import shutil
import sys

import numpy as np

HERE = pathlib.Path(__file__).parent
PICKLE = HERE / "stylegan2_by_stylegan3.pkl"


def d_images():
    """Images for the discriminator, uniform in [-1, 1], `(8, 32, 32, 3)`."""
    images = np.random.RandomState(220).uniform(-1, 1, (8, 3, 32, 32))
    return images.transpose(0, 2, 3, 1).astype("float32")


def tensors_of(folder, role):
    """The tensors of a network, by name."""
    from keras_gans.zoo.converters import stylegan2

    return stylegan2._read(folder / "stylegan2_conditional.pkl", role).arrays


def main(folder):
    found = {}
    for short, role in (("G", "G_ema"), ("D", "D")):
        for name, array in tensors_of(folder, role).items():
            if not name.endswith("resample_filter"):
                found[f"{short}/{name}"] = array
    made = np.load(folder / "stylegan2_conditional.npz")
    found["z"], found["labels"] = made["z"], made["c"].argmax(axis=1)
    found["d_labels"], found["d_logits"] = made["d_c"].argmax(axis=1), made["d_logits"]
    for name in ("w", "w_psi_0.7", "w_psi_0.5_cutoff_3", "d_logits_first_2"):
        found[name] = made[name]
    for name in ("const", "none", "const_mixed_from_4"):
        found[f"image_noise_{name}"] = made[f"image_noise_{name}"][:1]
    made = np.load(folder / "stylegan2_by_stylegan3.npz")
    found["by_stylegan3_z"] = made["z"]
    found["by_stylegan3_image"] = made["image_noise_const"][:1]
    made = np.load(folder / "stylegan2_resampling.npz")
    for name in made.files:
        if not name.startswith(("filter2d_1331", "upsample2d_125", "downsample2d_2d")):
            found[name] = made[name]
    made = np.load(folder / "stylegan2_losses.npz")
    found["mbstd_x"] = made["mbstd_x"]
    for name in made.files:
        if name.startswith("mbstd_group"):
            found[name] = made[name][:, 6:, 0, 0]  # the features alone, which are constant
    np.savez_compressed(HERE / "stylegan2.npz", **found)
    shutil.copyfile(folder / PICKLE.name, PICKLE)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
