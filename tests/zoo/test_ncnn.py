"""Files of ncnn: what is read, and what is refused before it is."""

import struct

import numpy as np
import pytest
from reference import real_esrgan as script

from keras_gans.zoo.converters import ncnn


@pytest.fixture
def path(tmp_path):
    return script.write(script.compact(width=2, depth=0), tmp_path / "net.param")


def change(path, *pairs):
    text = path.read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text)
    return path


def test_layers_and_weights(path):
    layers = ncnn.read_param(path)
    assert [layer.kind for layer in layers] == [
        *("Input", "Split", "Convolution", "PReLU", "Convolution"),
        *("PixelShuffle", "Interp", "BinaryOp"),
    ]
    assert layers[2].options == {0: 2, 1: 3, 4: 1, 5: 1, 6: 54}
    assert layers[0].outputs == layers[1].inputs == ("data",)
    weights = ncnn.read_bin(path.with_suffix(".bin"), layers)
    kernel, bias = weights["Convolution_1"]
    content = path.with_suffix(".bin").read_bytes()
    assert content[:4] == struct.pack("<I", 0x01306B47)
    expected = np.frombuffer(content[4:112], "<f2").reshape(2, 3, 3, 3)
    np.testing.assert_array_equal(kernel, expected)
    np.testing.assert_array_equal(bias, np.frombuffer(content[112:120], "<f4"))
    assert {a.dtype.name for arrays in weights.values() for a in arrays} == {"float32"}
    assert [len(arrays) for arrays in weights.values()] == [2, 1, 2]


def test_kernels_of_an_odd_number_of_halves_are_padded(tmp_path):
    path = script.write(script.compact(channels=1, width=1, depth=0), tmp_path / "net.param")
    content = path.with_suffix(".bin").read_bytes()
    kernel, bias = ncnn.read_bin(path.with_suffix(".bin"), ncnn.read_param(path))["Convolution_1"]
    np.testing.assert_array_equal(kernel.ravel(), np.frombuffer(content[4:22], "<f2"))
    np.testing.assert_array_equal(bias, np.frombuffer(content[24:28], "<f4"))


def test_an_array_among_the_options(tmp_path):
    layers = ncnn.read_param(script.write(script.rrdb(blocks=1), tmp_path / "net.param"))
    (_, second, *_) = [x for x in layers if x.kind == "Convolution"]
    assert second.options[9] == 2 and second.options[10] == (0.2,)
    assert next(x for x in layers if x.kind == "Eltwise").options == {0: 1, 1: (0.2, 1.0)}


def test_options_that_say_nothing_are_left_out(path):
    expected = ncnn.read_param(path)
    change(path, ("1=3 4=1", "1=3 11=3 2=1 12=1 3=1 13=1 14=1 15=1 16=1 9=0 18=0.0 4=1"))
    assert ncnn.read_param(path) == expected
    # And those that say something are not.
    change(path, ("11=3 2=1 12=1 3=1 13=1", "11=5 2=2 12=1 3=1 13=2"))
    options = ncnn.read_param(path)[2].options
    assert {key: options[key] for key in (11, 2, 12, 13)} == {11: 5, 2: 2, 12: 1, 13: 2}
    assert 3 not in options


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("7767517", "7767518", "first line is not 7767517"),
        ("8 9", "8", "two counts do not follow"),
        ("8 9", "eight 9", "invalid literal"),
        ("8 9", "9 9", "announces 9 layers and 9 blobs, and has 8 and 9"),
        ("8 9", "8 10", "announces 8 layers and 10 blobs"),
        ("PReLU", "BatchNorm", "kind BatchNorm, and only"),
        ("PReLU PReLU_2 1 1", "PReLU PReLU_2 -1 1", "fewer blobs than it says"),
        ("PReLU PReLU_2 1 1", "PReLU PReLU_2 1 7", "fewer blobs than it says"),
        ("PReLU PReLU_2 1 1", "PReLU PReLU_2 1000000000 1", "fewer blobs than it says"),
        ("PReLU PReLU_2 1 1 1 2", "PReLU PReLU_2 1 1 9 2", "used before it is produced"),
        ("PReLU PReLU_2 1 1 1 2", "PReLU PReLU_2 1 1 1 1", "produced twice"),
        ("0=2 1=3", "0=2 0=2 1=3", "option 0 twice"),
        ("0=2 1=3", "0=two 1=3", "could not convert"),
        ("0=2 1=3", "0=nan 1=3", "an option is nan"),
        ("0=2 1=3", "=2 1=3", "invalid literal"),
        ("0=2 1=3", "-1=2 1=3", "a negative one"),
        ("0=2 1=3", "0=2 -23310=2,0.2 1=3", "array of another length"),
        ("0=2 1=3", "0=2 -23310=x,0.2 1=3", "invalid literal"),
    ],
)
def test_bad_text(path, old, new, message):
    with pytest.raises(
        ValueError, match=f"(?s)not a supported network of ncnn.*{message}.*Received: .*net.param"
    ):
        ncnn.read_param(change(path, (old, new)))


def test_text_that_is_cut_off_at_any_line(path):
    lines = path.read_text().splitlines(keepends=True)
    for number in range(len(lines)):
        path.write_text("".join(lines[:number]))
        with pytest.raises(ValueError, match=r"damaged.*Received: .*net.param"):
            ncnn.read_param(path)


def test_a_file_that_is_no_text_or_not_there(path):
    with pytest.raises(ValueError, match="not text"):
        ncnn.read_param(path.with_suffix(".bin"))
    with pytest.raises(FileNotFoundError):
        ncnn.read_param(path.with_name("other.param"))
    with pytest.raises(ValueError, match="folder"):
        ncnn.read_bin(path.parent, ncnn.read_param(path))
    with pytest.raises(FileNotFoundError):
        ncnn.read_bin(path.with_name("other.bin"), ncnn.read_param(path))


def refuse(path, content, message):
    path.with_suffix(".bin").write_bytes(content)
    with pytest.raises(
        ValueError, match=f"not those of the layers.*{message}.*Received: .*net.bin"
    ):
        ncnn.read_bin(path.with_suffix(".bin"), ncnn.read_param(path))


def test_weights_that_are_cut_off_or_too_long(path):
    content = path.with_suffix(".bin").read_bytes()
    for length in range(0, len(content), 3):
        refuse(path, content[:length], "do not take|ends before")
    refuse(path, content[:-1], "ends before")
    refuse(path, content + b"\0", "1 bytes are left over")
    refuse(path, content + b"\0" * 4, "4 bytes are left over")
    refuse(path, content + b"\0" * 4 * len(content), "do not take")


@pytest.mark.parametrize("flag", [0x000D4B38, 0x0002C056, 1, 0xFFFFFFFF])
def test_weights_in_another_form(path, flag):
    content = path.with_suffix(".bin").read_bytes()
    refuse(path, struct.pack("<I", flag) + content[4:], f"layer Convolution_1 .* form 0x{flag:08x}")


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("half", [True, False])
def test_weights_that_are_not_finite(tmp_path, value, half):
    path = script.write(script.compact(half, width=2, depth=0), tmp_path / "net.param")
    content = bytearray(path.with_suffix(".bin").read_bytes())
    size = 2 if half else 4
    content[4 : 4 + size] = np.array(value, f"<f{size}").tobytes()
    refuse(path, bytes(content), "Convolution_1 are not finite")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0=2 1=3", "0=0 1=3", "not a multiple"),
        ("0=2 1=3", "0=2.0 1=3", "not a multiple"),
        ("0=2 1=3", "0=-2 1=3", "not a multiple"),
        ("6=54", "6=55", "not a multiple"),
        ("6=54", "6=54 8=1", "have 8 bits"),
        ("6=54", "6=54000000000", "do not take"),
        ("6=54", "6=72", "do not take|ends before|form"),
        ("Convolution_3", "Convolution_1", "two layers have one name"),
    ],
)
def test_layers_whose_weights_cannot_be(path, old, new, message):
    layers = ncnn.read_param(change(path, (old, new)))
    with pytest.raises(ValueError, match=f"{message}.*Received"):
        ncnn.read_bin(path.with_suffix(".bin"), layers)
