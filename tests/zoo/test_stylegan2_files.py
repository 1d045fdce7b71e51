"""StyleGAN2's networks from the files of other programs, and files of something else."""

import os
import pathlib

import numpy as np
import pytest
import stylegan2_files as files
from reference import stylegan2 as script

from keras_gans import cli, networks, zoo
from keras_gans.networks.stylegan2 import parts
from keras_gans.reading import pickles
from keras_gans.zoo.converters import stylegan2

REFERENCE = np.load(pathlib.Path(script.__file__).with_suffix(".npz"))
Z, LABELS = REFERENCE["z"], REFERENCE["labels"]
# A folder of all reference files of the original programs, for whoever has them.
FOLDER = os.environ.get("KERAS_GANS_STYLEGAN2_FILES")


def tensors(role):
    return {n[2:]: REFERENCE[n] for n in REFERENCE.files if n.startswith(f"{role}/")}


def first(images):
    """Channels first, as in the reference."""
    return np.asarray(images).transpose(0, 3, 1, 2)


@pytest.fixture(scope="module")
def conditional(tmp_path_factory):
    """A pickle of a class-conditional pair, as Python 3.7 wrote it."""
    path = tmp_path_factory.mktemp("pickles") / "conditional.pkl"
    path.write_bytes(files.pytorch(tensors("G"), tensors("D"), clamp=1.0, protocol=3))
    return path


@pytest.fixture(scope="module")
def generator(conditional):
    return stylegan2.load_generator(conditional)


def test_styles_are_those_of_the_authors(generator):
    mapping, truncation, _ = parts(generator)
    w = mapping([Z, LABELS])
    np.testing.assert_allclose(truncation(w), REFERENCE["w"], atol=5e-6)
    np.testing.assert_allclose(truncation(w, psi=0.7), REFERENCE["w_psi_0.7"], atol=5e-6)
    chosen = truncation(w, psi=np.full(len(Z), 0.5, "float32"), cutoff=3)
    np.testing.assert_allclose(chosen, REFERENCE["w_psi_0.5_cutoff_3"], atol=5e-6)


def test_images_are_those_of_the_authors(generator):
    _, _, synthesis = parts(generator)
    w = REFERENCE["w"]
    expected = REFERENCE["image_noise_const"]
    np.testing.assert_allclose(first(synthesis(w[:1])), expected, atol=1e-5)
    made = generator([Z[:1], LABELS[:1]])
    np.testing.assert_allclose(first(made), np.clip(expected, -1, 1), atol=1e-5)
    mixed = np.concatenate([w[:1, :4], w[1:2, 4:]], axis=1)
    expected = REFERENCE["image_noise_const_mixed_from_4"]
    np.testing.assert_allclose(first(synthesis(mixed)), expected, atol=1e-5)


def test_images_without_noise_are_those_of_the_authors(generator, conditional):
    found = stylegan2._read(conditional, "G_ema")
    arguments = stylegan2.generator_arguments(found, conditional)
    without = networks.stylegan2_generator(**{**arguments, "noise": "none"})
    without.set_weights(generator.get_weights())
    made = first(parts(without)[2](REFERENCE["w"][:1]))
    np.testing.assert_allclose(made, REFERENCE["image_noise_none"], atol=1e-5)


def test_logits_are_those_of_the_authors(conditional):
    network = stylegan2.load_discriminator(conditional)
    images, labels = script.d_images(), REFERENCE["d_labels"]
    np.testing.assert_allclose(network([images, labels]), REFERENCE["d_logits"], atol=2e-6)
    two = network([images[:2], labels[:2]])
    np.testing.assert_allclose(two, REFERENCE["d_logits_first_2"], atol=2e-6)


def test_a_file_of_the_authors_other_program():
    network = stylegan2.load_generator(script.PICKLE)
    mapping, truncation, synthesis = parts(network)
    made = synthesis(truncation(mapping(REFERENCE["by_stylegan3_z"][:1])))
    np.testing.assert_allclose(first(made), REFERENCE["by_stylegan3_image"], atol=1e-5)
    assert {w.clamp for w in synthesis.layers if hasattr(w, "clamp")} == {256.0}


def test_other_programs_hold_the_same_network(tmp_path):
    """The same tensors in other files: their conventions are undone."""
    found = stylegan2._read(script.PICKLE, "G_ema").arrays
    found = {n: a for n, a in found.items() if not n.endswith("resample_filter")}
    (tmp_path / "tensorflow.pkl").write_bytes(files.tensorflow(found, conv_clamp=256.0))
    files.rosinality(tmp_path / "rosinality.pt", found, d_optim={0: 1}, args=None)
    weights = stylegan2.load_generator(script.PICKLE).get_weights()
    for name in ("tensorflow.pkl", "rosinality.pt"):
        made = stylegan2.load_generator(tmp_path / name)
        for ours, theirs in zip(made.get_weights(), weights, strict=True):
            if ours.dtype == "float32":  # and no seeds of noise
                np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_a_file_without_an_average_gets_one(tmp_path):
    found = {n: a for n, a in stylegan2._read(script.PICKLE, "G_ema").arrays.items()}
    found = {n: a for n, a in found.items() if not n.endswith(("resample_filter", "w_avg"))}
    network = stylegan2.load_generator(files.rosinality(tmp_path / "a.pt", found))
    mapping, truncation, _ = parts(network)
    w = mapping.predict(np.random.RandomState(1).randn(4000, 12), batch_size=4000, verbose=0)
    np.testing.assert_allclose(truncation.average, w.mean(axis=0), atol=0.1)


# ---- presets


@pytest.fixture(scope="module")
def preset(conditional, tmp_path_factory):
    folder = tmp_path_factory.mktemp("presets") / "mine"
    words = ["keras-gans", "zoo", "import", str(conditional), "--out", str(folder)]
    assert cli.main(cli.parse(words)) == 0
    return folder


def test_an_imported_file_is_a_preset(preset):
    assert set(zoo.verify(preset)) >= {"generator.weights.h5", "interface.json", "origin.json"}
    card = zoo.card(preset)
    assert card.origin == "imported" and "research and evaluation" in card.licence
    described = card.interface()
    assert described.options == ("labels", "psi")
    assert described.latents.styles == (8, 16) and described.latents.random_state


def test_seeds_give_the_images_of_the_original_program(preset, generator):
    """The latents of the reference are those of seed 210."""
    gan = zoo.open_gan(preset)
    made = gan.generate(4, seed=210, labels=LABELS)
    expected = np.clip(REFERENCE["image_noise_const"], -1, 1)
    np.testing.assert_allclose(first(made[:1]), expected, atol=1e-5)
    made = gan.generate(2, seed=210, labels=LABELS[:2], psi=[0.7, 0.0])
    typical = networks.truncated(generator, 0.7)([Z[:1], LABELS[:1]])
    np.testing.assert_allclose(made[:1], typical, atol=1e-5)
    with pytest.raises(ValueError, match="from 0 to 2.*Received: seed=4294967296"):
        gan.generate(1, seed=2**32)
    with pytest.raises(ValueError, match="Use `psi` instead.*Received: truncation=0.5"):
        gan.generate(1, seed=1, truncation=0.5)


def test_generate_with_psi(preset, tmp_path):
    words = f"keras-gans generate {preset} --psi 0.5 --seeds 210-211 --labels 1"
    assert cli.main(cli.parse([*words.split(), "--output", str(tmp_path / "made")])) == 0
    assert len(list((tmp_path / "made").glob("seed*_label1.png"))) == 2


def test_psi_needs_styles(tmp_path):
    with pytest.raises(ValueError, match="no styles to truncate.*Received: a DCGAN, psi=0.7"):
        zoo.generate("dcgan_digits_28", seeds=[1], psi=0.7, output=tmp_path)


def test_there_is_something_already(preset, conditional):
    with pytest.raises(FileExistsError, match="Received"):
        zoo.import_file(conditional, preset)
    with pytest.raises(ValueError, match="kind of these networks.*Received"):
        zoo.import_file(conditional.with_suffix(".zip"), preset / "new")


# ---- what is refused


def refused(tmp_path, content, said, error=ValueError):
    path = tmp_path / "bad.pkl"
    path.write_bytes(content)
    with pytest.raises(error, match=f"(?s){said}.*Received|Received.*{said}"):
        stylegan2.load_generator(path)


def test_another_name_is_named_and_refused(tmp_path):
    marker = tmp_path / "run"
    for module, name in (("os", "system"), ("builtins", "eval"), ("torch.nn", "Module")):
        bad = files.pytorch(tensors("G"), extra=files.Call(module, name, f"touch {marker}"))
        refused(tmp_path, bad, f"asks for {module}.{name}")
    assert not marker.exists()


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_a_file_that_is_cut_off(conditional, tmp_path, share):
    content = conditional.read_bytes()
    refused(tmp_path, content[: int(share * len(content))], "cut off")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"G_ema": None}, "no network 'G_ema'"),
        ({"G_ema": files.parameter(np.ones(3))}, "no network 'G_ema'"),
        ({"G_ema": files.New("dnnlib.tflib.network", "Network", state={"_buffers": 3})}, "Error"),
    ],
)
def test_a_file_without_the_network(tmp_path, change, said):
    refused(tmp_path, files.pytorch(tensors("G"), **change), said)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"synthesis.input.weight": np.ones((2, 2))}, "StyleGAN3"),
        ({"synthesis.b32.conv1.weight": np.ones((8, 8, 5, 5))}, "shape"),
        ({"synthesis.b32.conv2.weight": np.ones((8, 8, 3, 3))}, "no counterpart"),
        ({"synthesis.b16.conv1.bias": None}, "no counterpart"),
        ({"synthesis.b4.const": None}, "lacks"),
        ({"mapping.fc0.bias": np.full(16, np.nan)}, "not finite"),
        ({"synthesis.b8.noise_filter": np.ones((2, 2))}, "no counterpart"),
    ],
)
def test_other_networks(tmp_path, change, said):
    found = {n: a for n, a in {**tensors("G"), **change}.items() if a is not None}
    refused(tmp_path, files.pytorch(found), said)


def test_other_networks_of_tensorflow(tmp_path):
    found = {n: a for n, a in stylegan2._read(script.PICKLE, "G_ema").arrays.items()}
    found = {n: a for n, a in found.items() if not n.endswith("resample_filter")}
    refused(tmp_path, files.tensorflow(found, architecture="orig"), "architecture 'orig'")
    old = files.tensorflow({**found, "synthesis.b4.conv1.StyleMod": np.ones(3)})
    refused(tmp_path, old, "StyleGAN1")


def test_a_tensor_larger_than_its_numbers(tmp_path):
    content = files.pickled({"G_ema": files.Call("torch._utils", "_rebuild_tensor_v2")})
    refused(tmp_path, content, "TypeError|required positional")
    array = pickles.Array(pickles.Dtype("<f4"), (2**40,), b"\0" * 8, (1,))
    with pytest.raises(ValueError, match="claims shape"):
        array.read()
    array = pickles.Array(pickles.Dtype("<f4"), (2,), b"\0" * 8, (5,))
    with pytest.raises(ValueError, match="exceeds its 2 numbers"):
        array.read()


# ---- with the files of the original programs


@pytest.mark.by_hand
@pytest.mark.skipif(FOLDER is None, reason="KERAS_GANS_STYLEGAN2_FILES names no folder")
@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("stylegan2_unconditional.pkl", "stylegan2_unconditional"),
        ("stylegan2_conditional.pkl", "stylegan2_conditional"),
        ("stylegan2_tensorflow.pkl", "stylegan2_unconditional"),
        ("stylegan2_orig_discriminator.pkl", "stylegan2_orig_discriminator"),
        ("rosinality_converted.pt", "rosinality"),
        ("rosinality_training.pt", "rosinality"),
    ],
)
def test_files_of_the_original_programs(name, reference):
    folder = pathlib.Path(FOLDER)
    made = np.load(folder / f"{reference}.npz")
    if "w" in made:
        mapping, truncation, synthesis = parts(stylegan2.load_generator(folder / name))
        given = [made["z"], made["c"].argmax(axis=1)] if "c" in made else made["z"]
        images = first(synthesis(truncation(mapping(given))[:2]))
        key = "image_stored_noise" if "rosinality" in name else "image_noise_const"
        np.testing.assert_allclose(images, made[key], atol=1e-5)
    if "d_logits" in made and "converted" not in name:
        x = made["d_images"].transpose(0, 2, 3, 1)
        given = [x, made["d_c"].argmax(axis=1)] if "d_c" in made else x
        logits = stylegan2.load_discriminator(folder / name)(given)
        np.testing.assert_allclose(logits, made["d_logits"], atol=2e-6)
