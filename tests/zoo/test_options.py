import json
import subprocess
import sys

import pytest

import tiny
from keras_gans.interface import Image, Interface, Label, Latents
from keras_gans.zoo.inference import options


@pytest.mark.parametrize(
    ("preset", "verb", "flags"),
    [
        ("dcgan_digits_28", "generate", []),
        ("conditional_gan_digits_28", "generate", ["--labels"]),
        ("conditional_gan_digits_28", "interpolate", ["--labels"]),
        ("conditional_gan_digits_28", "project", ["--label"]),
        ("infogan_digits_28", "generate", ["--categorical", "--continuous"]),
        ("infogan_digits_28", "interpolate", ["--categorical"]),
        ("infogan_digits_28", "project", []),
        ("cyclegan_emoji_style_64", "translate", ["--backward"]),
        ("pix2pix_drawing_to_avatar_64", "translate", []),
    ],
)
def test_the_options_of_a_preset(preset, verb, flags):
    assert [option.flag for option in options.options_of(preset, verb)] == flags


def test_options_are_named_by_the_inputs_of_labels(monkeypatch):
    labels = [Label(2, ("cat", "dog"), "animal"), Label(3, name="fur_colour")]
    described = Interface([Latents(3), *labels], [Image(8, 8, 1)])
    monkeypatch.setattr(options, "interfaces_of", lambda source: {"generator": described})
    first, second = options.options_of("x", "generate")
    assert (first.flag, first.name, first.kind) == ("--condition animal=", "animal", "classes")
    assert "0 to 1 (cat, dog)" in first.help
    assert (second.flag, second.name) == ("--condition fur_colour=", "fur_colour")


def test_a_run_says_its_options_too(tmp_path):
    generator = {**tiny.RECIPE["networks"]["generator"], "latent_dim": 5, "num_classes": 4}
    config = {"networks": {"generator": generator}, "model": {"type": "DCGAN"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert options.interfaces_of(tmp_path)["generator"].latent_dim == 5
    assert [o.flag for o in options.options_of(tmp_path, "generate")] == ["--labels"]


def test_options_come_without_tensorflow():
    program = (
        "import sys; sys.argv[0] = 'keras-gans'\n"
        "from keras_gans.zoo.inference import options\n"
        "options.options_of('infogan_digits_28', 'generate')\n"
        "assert not {'tensorflow', 'keras', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_an_unknown_preset_is_an_error():
    with pytest.raises(ValueError, match="Did you mean 'dcgan_digits_28'"):
        options.options_of("dcgan_digit_28", "generate")
