"""Every kind of file that is decoded inside the graph, held against Pillow."""

import io
import struct
import time
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_gans import image
from keras_gans.export.graph import pictures

MAX_PIXELS = 10_000
HEIGHT, WIDTH = 11, 7
rng = np.random.default_rng(0)


class Served:
    """The decoder in a graph and a session, as TF Serving has it."""

    def __init__(self):
        with tf.Graph().as_default() as graph:
            self.file = tf.compat.v1.placeholder(tf.string, ())
            self.size = pictures.size(self.file, MAX_PIXELS)
            with tf.control_dependencies([self.size]):
                file = tf.identity(self.file)
            self.pixels = [pictures.decode(file, channels) for channels in (1, 3)]
        self.session = tf.compat.v1.Session(graph=graph)

    def __call__(self, file):
        """Grey pixels, and those in colour."""
        feed = {self.file: file}
        size, (grey, colours) = self.session.run((self.size, self.pixels), feed)
        assert tuple(size) == grey.shape[:2] == colours.shape[:2]
        return grey, colours


DECODE = Served()


def pillow(file, channels=3):
    """As `keras-gans translate` reads it: on white paper."""
    pixels = np.asarray(image.decode(io.BytesIO(file), channels))
    return pixels.reshape(*pixels.shape[:2], channels)


def saved(array, kind, mode=None, **options):
    file = io.BytesIO()
    picture = Image.fromarray(array)
    (picture.convert(mode) if mode else picture).save(file, kind, **options)
    return file.getvalue()


def noise(*shape, levels=256):
    return rng.integers(0, levels, shape)


def is_served_as_pillow_reads_it(file):
    grey, colours = DECODE(file)
    np.testing.assert_array_equal(colours, pillow(file))
    np.testing.assert_array_equal(grey, pillow(file, 1))


# ---- PNG


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def packed(samples, depth):
    """Rows of samples `(height, width, channels)` as PNG holds them, without a filter."""
    rows = samples.reshape(len(samples), -1)
    if depth == 16:
        rows = [row.astype(">u2").tobytes() for row in rows]
    else:
        bits = (rows[..., None] >> np.arange(depth)[::-1]) & 1
        rows = [np.packbits(row.reshape(-1)).tobytes() for row in bits.astype("uint8")]
    return b"".join(b"\0" + row for row in rows)


# Where the seven passes of an interlaced PNG begin, and their steps.
PASSES = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2)]
PASSES += [(1, 0, 2, 1)]


def png(samples, depth, kind, palette=None, clear=None, interlaced=False):
    height, width = samples.shape[:2]
    parts = (
        [samples[y::down, x::right] for y, x, down, right in PASSES] if interlaced else [samples]
    )
    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlaced)
    file = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
    if palette is not None:
        file += chunk(b"PLTE", palette.astype("uint8").tobytes())
    if clear is not None:
        file += chunk(b"tRNS", clear)
    data = b"".join(packed(part, depth) for part in parts if part.size)
    return file + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


# Grey, colours, a palette, grey and colours with alpha: their numbers, channels and bit depths.
PNG_KINDS = {
    "grey": (0, 1, (1, 2, 4, 8, 16)),
    "colours": (2, 3, (8, 16)),
    "palette": (3, 1, (1, 2, 4, 8)),
    "grey and alpha": (4, 2, (8, 16)),
    "colours and alpha": (6, 4, (8, 16)),
}
PNG = [
    (name, depth, clear, interlaced)
    for name, (kind, _, depths) in PNG_KINDS.items()
    for depth in depths
    for clear in ((False, True) if kind < 4 else (False,))
    for interlaced in (False, True)
]


@pytest.mark.parametrize(("name", "depth", "clear", "interlaced"), PNG)
def test_png(name, depth, clear, interlaced):
    kind, channels, _ = PNG_KINDS[name]
    samples = noise(HEIGHT, WIDTH, channels, levels=2**depth)
    palette = noise(2**depth, 3) if name == "palette" else None
    told = None
    if clear and name == "palette":
        told = bytes(noise(2**depth - (depth > 1)).tolist())  # the last colour is opaque
    elif clear:
        told = struct.pack(f">{channels}H", *samples[2, 3])
    file = png(samples, depth, kind, palette, told, interlaced)
    if not clear or palette is not None or depth in (1, 8):
        return is_served_as_pillow_reads_it(file)
    # Pillow looks for the transparent value among 8 bits: of other depths it finds another, or
    # none. Section 11.3.2.1 of the PNG specification compares whole samples.
    expected = pillow(png(samples, depth, kind, None, None, interlaced)).copy()
    expected[(samples == samples[2, 3]).all(-1)] = 255
    np.testing.assert_array_equal(DECODE(file)[1], expected)


def test_a_quantized_png_is_not_white():
    smooth = np.linspace(0, 255, 64)[:, None, None] * np.linspace(0, 1, 64)[:, None]
    picture = Image.fromarray((smooth * [1.0, 0.5, 0.8]).astype("uint8")).quantize(8)
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    assert file.getvalue()[24] == 4 and pillow(file.getvalue()).mean() < 100
    is_served_as_pillow_reads_it(file.getvalue())


# ---- GIF


def gif(indices, table=None, own=None, screen=None, at=(0, 0), clear=None, interlaced=False):
    """A GIF of 16 colours whose codes stay 5 bits wide; sizes are `(width, height)`."""
    height, width = indices.shape
    if interlaced:
        order = [
            k
            for start, step in ((0, 8), (4, 8), (2, 4), (1, 2))
            for k in range(height)[start::step]
        ]
        indices = indices[order]

    def of(table):
        if table is None:
            return 0, b""
        return 0x80 | (len(table).bit_length() - 2), table.astype("uint8").tobytes()

    flags, table = of(table)
    own_flags, own = of(own)
    file = b"GIF89a" + struct.pack("<HHBBB", *(screen or (width, height)), flags, 3, 0) + table
    file += b"\x21\xfe\x05a\x21b\x2cc\x00"  # a comment that looks like other blocks
    if clear is not None:
        file += b"\x21\xf9\x04\x01\0\0" + bytes([clear]) + b"\0"
    file += b"\x2c" + struct.pack("<HHHHB", *at, width, height, own_flags | 0x40 * interlaced) + own
    codes = []
    for k, index in enumerate(indices.reshape(-1).tolist()):
        codes += [16, index] if k % 14 == 0 else [index]  # cleared before codes grow
    bits = np.array([*codes, 17])[:, None] >> np.arange(5) & 1
    data = np.packbits(bits.astype("uint8").reshape(-1), bitorder="little").tobytes()
    blocks = [data[k : k + 255] for k in range(0, len(data), 255)]
    return file + b"\4" + b"".join(bytes([len(b)]) + b for b in blocks) + b"\0\x3b"


TABLE, OWN = noise(16, 3), noise(16, 3)
GIF = {
    "plain": {},
    "transparent": {"clear": 5},
    "interlaced": {"interlaced": True},
    "its own table": {"own": OWN},
    "its own table alone": {"table": None, "own": OWN},
    "no table": {"table": None},
    "a small table": {"table": TABLE[:8]},
    "smaller than the screen": {"screen": (12, 14), "at": (2, 1)},
    "smaller, transparent": {"screen": (12, 14), "at": (2, 1), "clear": 5},
    "smaller, its own table": {"screen": (12, 14), "at": (2, 1), "own": OWN},
    "larger than the screen": {"screen": (3, 4)},
    "over the edge": {"screen": (8, 12), "at": (4, 3), "clear": 5},
    "all at once": {"screen": (9, 20), "at": (1, 2), "clear": 5, "own": OWN, "interlaced": True},
}


@pytest.mark.parametrize("options", GIF.values(), ids=GIF)
def test_gif(options):
    is_served_as_pillow_reads_it(
        gif(noise(HEIGHT, WIDTH, levels=16), **{"table": TABLE, **options})
    )


def test_gif_as_pillow_writes_it():
    frames = [Image.fromarray(noise(60, 50, 3).astype("uint8") // (k + 1)) for k in range(3)]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], comment=b"x" * 700)
    is_served_as_pillow_reads_it(file.getvalue())


def test_frames_behind_the_first_are_not_unpacked():
    """The second says that it has 60,000 pixels a side, and is nothing else."""
    first = gif(noise(HEIGHT, WIDTH, levels=16), TABLE)
    second = b"\x2c" + struct.pack("<HHHHB", 0, 0, 60_000, 60_000, 0) + b"\4\x01\0\0\x3b"
    np.testing.assert_array_equal(DECODE(first[:-1] + second)[1], pillow(first))


# ---- BMP


def bmp(samples, bits, header=40, palette=None, masks=None, from_top=False, compression=None):
    """A BMP of samples `(height, width)`: indices, or pixels as integers."""
    height, width = samples.shape
    table = b""
    if palette is not None:
        entries = palette[:, ::-1].astype("uint8")
        table = (entries if header == 12 else np.pad(entries, ((0, 0), (0, 1)))).tobytes()
    if masks is not None:
        table = struct.pack("<4I", *masks)
    if header == 12:
        head = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        signed, used = -height if from_top else height, 0 if palette is None else len(palette)
        compression = 3 * (masks is not None) if compression is None else compression
        head = struct.pack(
            "<IiiHHIIiiII", header, width, signed, 1, bits, compression, 0, 0, 0, used, 0
        )
        if masks is not None:
            # Behind a header of 40 bytes, inside a longer one.
            head, table = head + table[: 12 if header < 56 else 16], b""
        head += bytes(max(header - len(head), 0))
    shifts = np.arange(bits)[::-1] if bits < 8 else np.arange(bits)
    rows = (samples if from_top else samples[::-1])[..., None] >> shifts & 1
    order = "big" if bits < 8 else "little"
    rows = [np.packbits(row.reshape(-1).astype("uint8"), bitorder=order).tobytes() for row in rows]
    body = b"".join(row + bytes(-len(row) % 4) for row in rows)
    start = 14 + len(head) + len(table)
    return b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + head + table + body


RGB555, RGB565 = (0x7C00, 0x3E0, 0x1F, 0), (0xF800, 0x7E0, 0x1F, 0)
RGB888, RGBA = (0xFF0000, 0xFF00, 0xFF, 0), (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
BGRA = (0xFF, 0xFF00, 0xFF0000, 0xFF000000)
BMP = {
    f"{bits} bits, header of {header}{', from the top' * from_top}": (bits, header, None, from_top)
    for bits in (1, 4, 8, 16, 24, 32)
    for header in (12, 40, 64, 108, 124)
    for from_top in (False, True)
    if header > 12 or (bits in (1, 4, 8, 24) and not from_top)
}
BMP |= {
    f"masks {[hex(m) for m in masks]}, {bits} bits, header of {header}": (
        bits,
        header,
        masks,
        False,
    )
    for bits, header, masks in [
        (16, 40, RGB555),
        (16, 40, RGB565),
        (16, 56, RGB565),
        (24, 52, RGB888),
        (32, 40, RGB888),
        (32, 56, RGBA),
        (32, 108, BGRA),
        (32, 124, RGBA),
    ]
}


@pytest.mark.parametrize(("bits", "header", "masks", "from_top"), BMP.values(), ids=BMP)
def test_bmp(bits, header, masks, from_top):
    palette = noise(2**bits, 3) if bits <= 8 else None
    file = bmp(noise(HEIGHT, WIDTH, levels=2**bits), bits, header, palette, masks, from_top)
    is_served_as_pillow_reads_it(file)


def test_bmp_of_few_colours():
    file = bmp(noise(HEIGHT, WIDTH, levels=16), 8, palette=noise(16, 3))
    is_served_as_pillow_reads_it(file)


def test_bmp_with_masks_that_pillow_does_not_know():
    samples = noise(HEIGHT, WIDTH, levels=2**16)
    file = bmp(samples, 16, masks=(0xF00, 0xF0, 0xF, 0))
    expected = np.stack([samples >> shift & 15 for shift in (8, 4, 0)], -1) * 17
    np.testing.assert_array_equal(DECODE(file)[1], expected)


# ---- JPEG


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpeg(mode, progressive, subsampling):
    options = {"quality": 90, "progressive": progressive, "subsampling": subsampling}
    is_served_as_pillow_reads_it(saved(noise(37, 45, 3).astype("uint8"), "JPEG", mode, **options))


def test_jpeg_of_rgb():
    file = saved(noise(37, 45, 3).astype("uint8"), "JPEG", keep_rgb=True)
    is_served_as_pillow_reads_it(file)


def scans(number, side=100):
    """A progressive JPEG whose last scan comes again and again."""
    file = saved(np.full((side, side, 3), 90, "uint8"), "JPEG", progressive=True)
    last = file[file.rindex(b"\xff\xda") : -2]
    return file[:-2] + last * (number - file.count(b"\xff\xda")) + file[-2:]


def without_adobe(file):
    place = file.index(b"Adobe")
    (length,) = struct.unpack(">H", file[place - 2 : place])
    return file[: place - 4] + file[place - 2 + length :]


# ---- what is refused


def blocks(lengths):
    """A GIF with a comment in blocks of these lengths."""
    file = gif(noise(HEIGHT, WIDTH, levels=16), TABLE)
    place = file.index(b"\x21\xfe") + 2
    comment = b"".join(bytes([n]) + b"x" * n for n in lengths)
    return file[:place] + comment + file[place:]


def wide_png(width, height):
    file = png(noise(4, 4, 1), 8, 0)
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return file[:8] + chunk(b"IHDR", head) + file[33:]


INDICES = noise(HEIGHT, WIDTH, levels=16)
REFUSED = {
    "compressed BMP": (bmp(INDICES, 8, palette=TABLE, compression=1), "compressed"),
    "compressed BMP of 4 bits": (bmp(INDICES, 4, palette=TABLE, compression=2), "compressed"),
    "JPEG in a BMP": (bmp(INDICES, 24, compression=4), "compressed"),
    "BMP of 2 bits": (bmp(INDICES % 4, 2, palette=TABLE[:4]), "other than 1, 4, 8"),
    "BMP with another header": (bmp(INDICES, 24, header=200), "unknown header"),
    "BMP whose masks have gaps": (bmp(INDICES, 16, masks=(0x500, 0xF0, 0xF, 0)), "gaps"),
    "BMP that ends early": (bmp(INDICES, 24)[:-1], "ends before its last pixel"),
    "beginning of a BMP": (bmp(INDICES, 24)[:20], "unknown header|no pixels|compressed"),
    "BMP without pixels": (bmp(INDICES[:0], 24), "no pixels"),
    "GIF whose pixels end early": (gif(INDICES, TABLE)[:-9], None),
    "GIF with a frame without pixels": (gif(INDICES[:, :0], TABLE, screen=(9, 9)), "no pixels"),
    "GIF of blocks of two lengths": (blocks([1, 2] * 2000), "too many blocks"),
    "GIF of many extensions": (
        gif(INDICES, TABLE).replace(b"\x21\xfe", b"\x21\xfe\0" * 5000 + b"\x21\xfe"),
        "too many blocks",
    ),
    "JPEG of ink": (without_adobe(saved(noise(9, 9, 3).astype("uint8"), "JPEG", "CMYK")), "CMYK"),
    "JPEG of many scans": (scans(101), "more than 100 scans"),
    "PNG, all bits of its sides set": (wide_png(2**32 - 1, 2**32 - 1), "too many pixels"),
    "PNG, one side a thousandfold": (wide_png(2**31, 2**33 // 2**31), "too many pixels"),
    "PNG of two deep colours": (png(noise(4, 4, 1), 8, 0)[:24] + b"\x03\x00" + bytes(40), None),
}


@pytest.mark.parametrize(("file", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_right_is_refused(file, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        DECODE(file)[1]


def test_as_many_scans_and_blocks_as_allowed():
    assert scans(100).count(b"\xff\xda") == 100 and DECODE(scans(100))[1].shape == (100, 100, 3)
    is_served_as_pillow_reads_it(blocks([1, 2] * 100 + [255] * 3000 + [7]))


def test_blocks_of_one_byte_take_no_time():
    """0.8 MB of them were 20 seconds."""
    file = blocks([1] * 400_000)
    before = time.monotonic()
    assert DECODE(file)[1].shape == (HEIGHT, WIDTH, 3)
    assert time.monotonic() - before < 3
