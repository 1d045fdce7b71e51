"""The generated part of a card, from `metrics.json`: a card cannot have other numbers.

No TensorFlow here, as in `presets`.
"""

import re
from collections.abc import Iterable
from typing import Any

from keras_gans.zoo.catalog import heads

BEGIN, END = "<!-- numbers: written by keras_gans.zoo.publish -->", "<!-- end -->"

# The optional field `made` of `metrics.json`: how the weights were trained.
MADE = {
    "steps": int,
    "minutes": float,
    "cores": int,
    "machine": str,
    "python": str,
    "tensorflow": str,
    "keras": str,
}

# Names of metrics to what tables call them.
CALLED = {
    "frechet": "Frechet distance",
    "kernel": "kernel distance",
    "precision": "precision",
    "recall": "recall",
    "density": "density",
    "coverage": "coverage",
    "classifier_score": "classifier score",
    "classes": "classes found",
    "sure": "confidence above 0.9",
    "asked": "label accuracy",
    "ms_ssim_diversity": "MS-SSIM of random pairs",
    "l1": "L1",
    "psnr": "PSNR, dB",
    "ssim": "SSIM",
    "sharpness": "sharpness relative to the targets",
    "psnr_y": "PSNR of luma, dB",
    "ssim_y": "SSIM of luma",
    "perceptual": "perceptual distance",
    "colour_shift": "colour shift, of 255",
    "grid_ratio": "grid: peak of the spectrum over its surroundings",
    "share_difference": "largest difference of a share",
    "pair_difference": "largest difference of a pair's share",
    "impossible": "impossible faces",
    "strangeness": "median strangeness",
    "label_accuracy": "label accuracy",
    "pixel_agreement": "pixels that agree in a pair",
    "attribute_agreement": "attributes that agree in a pair",
    "named_attributes": "attributes of the text that the face shows",
}


# What `metrics.json` and `evaluation.json` of earlier versions called two of their fields.
_EARLIER = {"floor": "reference", "yardsticks": "degradations"}


def renamed(content: Any) -> Any:
    """The content with the fields that had another name in earlier versions under their new ones.

    >>> renamed({"value": 0.8, "floor": 0.9, "yardsticks": {}})
    {'value': 0.8, 'reference': 0.9, 'degradations': {}}
    """
    if not isinstance(content, dict):
        return content
    return {_EARLIER.get(field, field): value for field, value in content.items()}


def facts(card: Any) -> str:
    """The generated part of a card: its numbers, how it was made, its files.

    Args:
        card: a `presets.Card`.

    Returns:
        Markdown, without the marks.
    """
    parts = [_numbers(card), _made(card), _published(card), _files(card)]
    return "\n\n".join(filter(None, parts))


def facts_in(text: str) -> str | None:
    """The generated part that stands in a card; `None` if it has no place for one.

    >>> facts_in(f"# card\\n\\n{BEGIN}\\n\\n1 + 1\\n\\n{END}\\n")
    '1 + 1'
    """
    found = re.search(f"{re.escape(BEGIN)}\n(.*){re.escape(END)}", text, re.DOTALL)
    return found[1].strip() if found else None


def with_facts(text: str, facts: str) -> str:
    """The card's text with its generated part, put at the end where there is no place for it.

    >>> with_facts("# card\\n", "1 + 1").splitlines()[4:]
    ['<!-- numbers: written by keras_gans.zoo.publish -->', '', '1 + 1', '', '<!-- end -->']
    """
    part = f"{BEGIN}\n\n{facts}\n\n{END}"
    if facts_in(text) is None:
        return f"{text.rstrip()}\n\n## Numbers\n\n{part}\n"
    before, rest = text.split(BEGIN, 1)
    return before + part + rest.split(END, 1)[1]


def metric_of(protocol: str) -> str:
    """The metric that a protocol's name begins with.

    >>> metric_of("frechet10k_fashion_mnist_cnn_v1")
    'frechet'
    """
    known = [name for name in CALLED if re.match(rf"{name}_?\d", protocol)]
    return max(known, key=len) if known else protocol


def reference_head(protocols: Iterable[str]) -> str:
    """Heads the column of the values of real images in a table.

    >>> reference_head(["grid_ratio320_pixels_on_earth_test_a_to_b_128"])
    'the targets'

    Args:
        protocols: names of those that have such a value.
    """
    of_targets = {metric_of(name) for name in protocols} == {"grid_ratio"}
    return "the targets" if of_targets else "other real images"


def features_of(protocol: str) -> str:
    """The feature network in a protocol's name, or what it has in that place, such as `"pixels"`.

    >>> features_of("perceptual244_efficientnet_lite0_v1_on_earth_test_x4_96")
    'efficientnet_lite0_v1'
    """
    rest = protocol.removeprefix(metric_of(protocol))
    return re.sub(r"^_?\d+k?_|_on_.*$", "", rest)


def overview(cards: Iterable[Any]) -> str:
    """The tables of presets, with thumbnails, for `zoo/README.md`: one for each shelf.

    Args:
        cards: `presets.Card`s of the presets to show.

    Returns:
        Markdown.
    """
    cards = list(cards)
    parts = []
    for shelf, title in {**heads.SHELVES, "": "Others"}.items():
        if of_shelf := [card for card in cards if card.shelf == shelf]:
            parts.append(f"## {title}\n\n{_table(of_shelf)}")
    return "\n\n".join(parts)


def _table(cards):
    heads = "| | preset | what | origin | data | parameters | MB "
    heads += "| features | Frechet | recall | perceptual |"
    lines = [heads, "|" + "---|" * 11]
    for card in cards:
        path, weights = f"presets/{card.name}", card.metrics["weights"]
        features, values = _shown(card.numbers)
        columns = [
            f'<a href="{path}/README.md"><img src="{path}/samples.png" width="140" '
            f'alt="samples of {card.name}"></a>',
            f"[`{card.name}`]({path}/README.md)",
            card.description,
            card.origin,
            f"`{card.data}`" if card.recipe else card.data,
            f"{sum(w['parameters'] for w in weights.values()):,}",
            f"{sum(w['bytes'] for w in weights.values()) / 1e6:.2f}",
            f"`{features}`" if features else "",
            *(_beside_reference(values.get(m)) for m in ("frechet", "recall", "perceptual")),
        ]
        lines.append(f"| {' | '.join(columns)} |")
    return "\n".join(lines)


def _shown(numbers):
    """The features whose numbers a table shows, of several those that are trained; these numbers.

    Those of a backward generator come last, and are not for the table.
    """
    by: dict[str, dict] = {}
    for protocol, found in numbers.items():
        metric = metric_of(protocol)
        if metric in ("frechet", "recall", "perceptual"):
            by.setdefault(features_of(protocol), {}).setdefault(metric, found)
    trained = [name for name in by if name != "random_cnn_v1"]
    features = next(iter(trained or by), "")
    return features, by.get(features, {})


def _beside_reference(found):
    if found is None:
        return ""
    beside = found.get("reference")
    return _short(found["value"]) + (f" ({_short(beside)})" if beside is not None else "")


def _numbers(card):
    if not card.numbers:
        return ""
    degradations = list(dict.fromkeys(d for n in card.numbers.values() for d in n["degradations"]))
    compared = [p for p, n in card.numbers.items() if n["reference"] is not None]
    beside = [reference_head(compared)] if compared else []
    heads = ["protocol", "", "this preset", *beside, *degradations]
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for protocol, found in card.numbers.items():
        row = [f"`{protocol}`", CALLED.get(metric_of(protocol), ""), _short(found["value"])]
        row += [_short(found["reference"])] * len(beside)
        row += [_short(found["degradations"].get(name)) for name in degradations]
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines)


def _made(card):
    made = card.made
    if not made:
        return ""
    cores = made["cores"]
    return (
        f"{made['steps']:,} steps in {made['minutes']:.0f} minutes on {cores} processor "
        f"core{'s' if cores > 1 else ''} ({made['machine']}; Python {made['python']}, TensorFlow "
        f"{made['tensorflow']}, Keras {made['keras']}, {card.recipe.get('dtype_policy', 'float32')}"
        f", seed {card.recipe.get('seed', 0)})."
    )


def _published(card):
    """Where weights that others made come from, and under which licence."""
    if not card.published:
        return ""
    source = card.published["source"]
    how = {
        "converted": "converted from the file below, and shipped in float16",
        "imported": "read from a file, in float32, by the one who made this preset",
    }.get(card.origin, "read from the installed package when they are loaded, and checked")
    package = ""
    if "package" in source:
        package = f" of the package `{source['package']}` {source['version']}"
    return (
        f"Origin of the weights: {card.origin}; {how}. "
        f"`{source['file']}`{package} has the SHA-256 "
        f"`{source['sha256']}`. Licence of the weights: {card.licence}"
    )


def _files(card):
    lines = ["| file | parameters | MB | SHA-256 |", "|---|---|---|---|"]
    for file, about in card.metrics["weights"].items():
        size, digest = f"{about['bytes'] / 1e6:.2f}", card.sha256.get(file)
        if digest is None and card.published:
            digest = card.published["source"]["sha256"]
        lines.append(f"| `{file}` | {about['parameters']:,} | {size} | `{digest}` |")
    return "\n".join(lines)


def _short(value):
    """A number as the table shows it."""
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else f"{value:.3g}"
