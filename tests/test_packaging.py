import configparser
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = {"keras_gans": ROOT / "keras_gans", "keras_gans.zoo": ROOT / "zoo"}
ROOMS["keras_gans.export"] = ROOT / "export"


def options():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    return config["options"]


def packages_on_disk():
    found = set()
    for name, folder in ROOMS.items():
        for path in folder.rglob("__init__.py"):
            inner = path.parent.relative_to(folder).parts
            found.add(".".join((name, *inner)))
    return found


def test_setup_lists_every_package():
    assert set(options()["packages"].split()) == packages_on_disk()


def test_every_preset_is_package_data():
    for path in (ROOT / "zoo" / "presets").rglob("*"):
        if path.is_file():
            assert len(path.relative_to(ROOT / "zoo").parts) == 3, "package_data says presets/*/*"


def test_no_file_is_large():
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if tracked.returncode:
        pytest.skip("not a git checkout")
    sizes = {name: (ROOT / name).stat().st_size for name in tracked.stdout.split("\0") if name}
    # The one large network that comes with the library, of 7 million parameters.
    assert sizes.pop("zoo/presets/esrgan_faithful_x4/generator.weights.h5", 0) < 15e6
    assert max(sizes.values()) < 10e6 and sum(sizes.values()) < 150e6


def test_importing_the_library_imports_no_data_set_library_and_no_plots():
    program = (
        "import sys, keras\n"
        "before = set(sys.modules)  # Keras imports pandas where it is installed\n"
        "import keras_gans\n"
        "assert not {'keras_gans.zoo', 'keras_gans.export'} & set(sys.modules)\n"
        "import keras_gans.data, keras_gans.image\n"
        "heavy = {'tensorflow_datasets', 'mlxtend', 'matplotlib', 'pandas', 'PIL'}\n"
        "assert not heavy & (set(sys.modules) - before), heavy & set(sys.modules)\n"
        "assert keras.saving.get_registered_object('keras_gans>DCGAN')"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


@pytest.mark.slow  # builds the wheel in an environment of its own
def test_the_wheel_works_from_another_folder(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", tmp_path / "dist", ROOT],
        check=True,
        capture_output=True,
    )
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    assert len(list((tmp_path / "dist").glob("*.tar.gz"))) == 1
    site = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", site, wheel]
    subprocess.run(install, check=True)
    # The dependencies are those of this environment; ours comes first, from the wheel.
    program = (
        "import json, keras_gans, keras_gans.zoo, keras_gans.export, numpy\n"
        "generator = keras_gans.zoo.load('dcgan_digits_28')\n"
        "z = keras_gans.latent.sample(2, generator.input_shape[-1], seed=0)\n"
        "print(json.dumps([keras_gans.__file__, generator.predict(z, verbose=0).shape]))"
    )
    import tensorflow

    rest = Path(tensorflow.__file__).parent.parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(rest)])}
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    where, shape = json.loads(done.stdout.splitlines()[-1])
    assert Path(where).is_relative_to(site) and shape == [2, 28, 28, 1]
