import dataclasses

import numpy as np
import pytest

from keras_gans import directions
from keras_gans.directions import Direction, find, holds, masks, move, read, resolve, write


def normal(number=4000, size=6, seed=0):
    return np.random.default_rng(seed).normal(size=(number, size)).astype("float32")


AXES = np.eye(6, dtype="float32")


@pytest.mark.parametrize("method", directions.METHODS)
def test_of_a_linear_generator_the_direction_is_found(method):
    """What is seen is on which side of a hyperplane a latent lies: its normal is the answer."""
    latents, wanted = normal(20_000), np.array([2, 1, 0, 0, -2, 0]) / 3
    found = find(latents, {"smile": latents @ wanted > 0.5}, method=method)["smile"]
    assert found.vector @ wanted > 0.999
    assert np.linalg.norm(found.vector) == pytest.approx(1, abs=1e-6)
    # The means of a normal above and below 0.5 (its tail has the share 0.3085, density 0.3521).
    assert found.step == pytest.approx(0.3521 / 0.3085 + 0.3521 / 0.6915, abs=0.03)
    assert found.samples == (20_000 - found.samples[1], pytest.approx(6170, abs=150))
    # By hand: the middle of both means is 0.316, so nearly all without it, and all with it.
    assert found.accuracy == pytest.approx((1 + 0.6241 / 0.6915) / 2, abs=0.01)


def test_the_means_and_the_classifier_by_hand():
    latents = normal(300)
    side = (latents[:, 0] + 0.3 * normal(300, 1, 1)[:, 0]) > 0
    groups = latents[~side].astype("float64"), latents[side].astype("float64")
    means = groups[1].mean(axis=0) - groups[0].mean(axis=0)
    found = find(latents, {"a": side}, method="means")["a"]
    np.testing.assert_allclose(found.vector, means / np.linalg.norm(means), atol=1e-6)
    assert found.step == pytest.approx(np.linalg.norm(means), rel=1e-5)
    # Fisher's discriminant is least squares on the classes, but for its length.
    design = np.column_stack([latents, np.ones(300)]).astype("float64")
    normal_ = np.linalg.lstsq(design, side.astype("float64"), rcond=None)[0][:-1]
    found = find(latents, {"a": side})["a"]
    np.testing.assert_allclose(found.vector, normal_ / np.linalg.norm(normal_), atol=1e-4)


def test_of_correlated_latents_the_classifier_finds_the_normal_and_the_means_do_not():
    latents = normal()
    latents[:, 1] = 0.9 * latents[:, 0] + 0.45 * latents[:, 1]
    side = {"a": latents[:, 0] > 0}
    assert find(latents, side)["a"].vector[0] > 0.99
    assert find(latents, side, method="means")["a"].vector[0] < 0.9


def test_what_other_attributes_have_is_taken_out():
    latents = normal(20_000)
    seen = {
        "glasses": latents @ (AXES[0] + AXES[1]) > 0,
        "age": latents @ (AXES[1] + AXES[2]) > 0,
        "age:old": latents @ AXES[2] > 1,
    }
    plain, apart = find(latents, seen, orthogonal=False), find(latents, seen)
    assert plain["glasses"].vector @ plain["age"].vector == pytest.approx(0.5, abs=0.03)
    for name in ("age", "age:old"):
        assert apart["glasses"].vector @ plain[name].vector == pytest.approx(0, abs=0.15)
    assert apart["glasses"].vector[0] > 0.95
    # Values of one attribute may lie as they like.
    assert apart["age"].vector @ apart["age:old"].vector > 0.1
    # Only what is wanted is found, but nothing of the others stays in it.
    (only,) = find(latents, seen, ["glasses"]).values()
    np.testing.assert_array_equal(only.vector, apart["glasses"].vector)


def test_what_the_latents_say_nothing_of_takes_nothing_away():
    latents, draw = normal(2000), np.random.default_rng(1)
    chance = {f"chance_{k}": draw.random(2000) < 0.5 for k in range(12)}  # twice as many as axes
    found = find(latents, {"a": latents[:, 0] > 0, **chance})
    assert found["a"].vector[0] > 0.98 and found["a"].step > 1.5
    assert all(found[name].accuracy < 0.55 for name in chance)


def test_the_part_of_others_by_hand():
    """Two planes at 45 degrees: the minimum of 8/pi (u.v)^2 + ridge |v|^2 where w.v = 1."""
    latents = normal(50_000)
    masks_ = {"a": latents @ (AXES[0] + AXES[1]) > 0, "b": latents[:, 1] > 0}
    found = find(latents, masks_)["a"].vector
    # (ridge I + 8/pi u u^T)^-1 w, with w = (1, 1) / sqrt(2) and u = (0, 1).
    ridge = directions._RIDGE
    expected = np.array([1 / ridge, 1 / (ridge + 8 / np.pi), 0, 0, 0, 0])
    np.testing.assert_allclose(found, expected / np.linalg.norm(expected), atol=0.02)


def test_codes_are_left_alone():
    latents = normal()
    latents[:, 5] = latents[:, 0] > 0  # a code that says the same
    noise = [True] * 5 + [False]
    found = find(latents, {"a": latents[:, 0] > 0}, noise=noise)
    assert found["a"].vector[5] == 0 and found["a"].vector[0] > 0.99
    moved = move(latents, found, {"a": 2}, noise)
    np.testing.assert_array_equal(moved[:, 5], latents[:, 5])
    lengths = [np.linalg.norm(z[:, :5], axis=1) for z in (latents, moved)]
    np.testing.assert_allclose(*lengths, rtol=1e-5)


def direction(vector, step=2.0):
    return Direction(np.array(vector, "float32"), step, (50, 60), 0.9)


def test_a_move_by_hand():
    known = {"a": direction([1, 0, 0], 3.0), "b": direction([0, 1, 0], 2.0)}
    latents = np.array([[0, 0, 5], [3, 4, 0]], "float32")
    moved = move(latents, known, {"a": 1, "b": -2})
    by_hand = np.array([[3, -4, 5], [6, 0, 0]])  # and both are made 5 long again
    np.testing.assert_allclose(
        moved, by_hand * 5 / np.linalg.norm(by_hand, axis=1)[:, None], rtol=1e-6
    )
    np.testing.assert_array_equal(latents, [[0, 0, 5], [3, 4, 0]])  # of the caller
    np.testing.assert_array_equal(move(latents, known, {"a": 0}), latents)
    # Nothing is divided by 0.
    np.testing.assert_allclose(move([[0, 0, 0], [-3, 0, 0]], known, {"a": 1}), [[3, 0, 0], [0] * 3])


def test_a_value_takes_the_place_of_another():
    """Three values along one axis: to the middle one no direction leads, but the value does."""
    latents = normal(20_000)
    kinds = np.digitize(latents @ (AXES[0] + AXES[1]) / np.sqrt(2), [-0.5, 0.5])
    seen = {"hair": np.array(["red", "brown", "black"])[kinds], "hat": latents[:, 1] > 0}
    sides = masks(seen)
    found = find(latents, sides)
    for name, value in (("hair:brown", True), ("hair:black", True), ("hat", True), ("hat", False)):
        one = found[name]
        moved = latents + one.towards(latents, value)
        factor = 1 if value else -one.samples[1] / one.samples[0]
        expected = np.broadcast_to(factor * one.targets, (len(latents), len(one.targets)))
        np.testing.assert_allclose(moved @ one.reads.T, expected, atol=2e-3)
        group = latents[sides[name] if value else ~sides[name]]
        np.testing.assert_allclose((group @ one.reads.T).mean(axis=0), expected[0], atol=0.03)
    # All have brown hair then, and the hat of nearly all is as it was.
    moved = move(latents, found, {"hair": "brown"})
    assert (np.abs(moved @ (AXES[0] + AXES[1]) / np.sqrt(2)) < 0.5).mean() > 0.99
    assert ((moved[:, 1] > 0) == seen["hat"]).mean() > 0.85
    halfway = latents + 0.5 * found["hair:brown"].towards(latents)
    lengths = [np.linalg.norm(z, axis=1, keepdims=True) for z in (latents, halfway)]
    again = move(latents, found, {"hair": "brown"}, strength=0.5)
    np.testing.assert_allclose(again, halfway * lengths[0] / lengths[1], rtol=1e-4, atol=1e-5)


def test_a_value_may_be_called_by_a_number():
    assert resolve({"class": 3}, ["class:3", "class:7"]) == {"class:3": True}
    assert resolve({"class:7": 3}, ["class:3", "class:7"]) == {"class:7": 3.0}


def test_without_readings_a_value_is_a_step():
    known = {"a": direction([1, 0], 3.0)}
    for value, strength in ((True, 1), (False, -1), ("yes", 1), ("no", -1)):
        latents = np.array([[0.0, 4.0]])
        by_step = move(latents, known, {"a": strength})
        np.testing.assert_array_equal(move(latents, known, {"a": value}), by_step)


@pytest.mark.parametrize(
    ("seen", "values", "expected"),
    [
        ({"a": [True, False, True]}, None, {"a": [1, 0, 1]}),
        ({"a": ["no", "yes", "no"]}, None, {"a": [0, 1, 0]}),
        ({"a": ["x", "", "y"]}, None, {"a:x": [1, 0, 0], "a:y": [0, 0, 1]}),
        ({"a": ["no", "", "yes"]}, None, {"a": [0, 0, 1]}),
        (
            {"a": [0, 1, 2]},
            {"a": ["none", "x", "y"]},
            {"a": [0, 1, 1], "a:x": [0, 1, 0], "a:y": [0, 0, 1]},
        ),
        (
            {"a": [0, 0, 2]},
            {"a": ["x", "y", "z"]},
            {"a:x": [1, 1, 0], "a:y": [0] * 3, "a:z": [0, 0, 1]},
        ),
        ({"a": [7, 9, 7]}, None, {"a:7": [1, 0, 1], "a:9": [0, 1, 0]}),
        ({"a": ["x"] * 3, "b": [False] * 3}, None, {"a:x": [1] * 3, "b": [0] * 3}),
    ],
)  # fmt: skip
def test_values_become_directions(seen, values, expected):
    found = masks(seen, values)
    assert {name: mask.astype(int).tolist() for name, mask in found.items()} == expected
    for name, mask in found.items():
        np.testing.assert_array_equal(holds(name, seen, values), mask)


def test_directions_are_kept_in_a_file(tmp_path):
    latents = normal(500)
    found = find(latents, {"a": latents[:, 0] > 0, "hair:t-shirt/0.5": latents[:, 1] > 0})
    found["a"] = dataclasses.replace(found["a"], changed=0.75, kept=0.5)
    again = read(write(tmp_path / "made" / "directions.npz", found))
    assert list(again) == list(found)
    for name, one in found.items():
        for part, value in vars(one).items():
            np.testing.assert_array_equal(getattr(again[name], part), value)


WHOLE = {"a.vector": np.ones(3), "a.step": 1.0, "a.samples": np.array([1, 2]), "a.accuracy": 0.5}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a.vector": np.ones(3)}, "no step of a direction 'a'"),
        ({"a.vector": np.ones((3, 1)), "a.step": 1.0}, "no vector"),
        ({"a.vector": np.array([np.nan]), "a.step": 1.0}, "not finite"),
        ({"a.vector": np.array([object()])}, "expected real numbers"),
        ({"a.vector": np.array(["x"])}, "expected real numbers"),
        ({"weights": np.ones(3)}, "no vector"),
        ({**WHOLE, "a.samples": np.array([1, 2, 3])}, "do not fit each other"),
        ({**WHOLE, "a.reads": np.ones((2, 3))}, "do not fit each other"),
        (
            {
                **WHOLE,
                "a.reads": np.ones((2, 4)),
                "a.writes": np.ones((2, 4)),
                "a.targets": np.ones(2),
            },
            "fit",
        ),
    ],
)
def test_other_files_are_refused(arrays, message, tmp_path):
    np.savez(tmp_path / "d.npz", **arrays)
    with pytest.raises(ValueError, match=rf"(?s)\.npz.*{message}"):
        read(tmp_path / "d.npz")


LATENTS = normal(100)
HALF = LATENTS[:, 0] > 0
KNOWN = {"glasses": direction([1, 0]), "hair:red": direction([0, 1])}
WRONG = [
    (lambda: find(LATENTS, {"a": np.arange(100) < 19}), "too few .* 'a'.* 19 with it, 81 without"),
    (lambda: find(LATENTS, {"a": np.zeros(100, bool)}), "too few .* 0 with it"),
    (lambda: find(LATENTS, {"a": HALF}, ["b"]), r"no direction of that name.* \['a'\]"),
    (lambda: find(LATENTS, {"a": HALF}, method="mean"), "Did you mean 'means'"),
    (lambda: find(LATENTS, {"a": HALF[:50]}), r"bool of shape \(100,\)"),
    (lambda: find(LATENTS, {"a": HALF * 1.0}), "float64"),
    (lambda: find(LATENTS[0], {"a": HALF}), r"\(number, latent_dim\)"),
    (lambda: find(LATENTS * np.nan, {"a": HALF}), "all finite"),
    (lambda: masks({"a": [0.5, 0.7]}), "above the median.*float64"),
    (lambda: masks({"a b": [True]}), "identifier.*'a b'"),
    (lambda: masks({"a": [[True]]}), r"shape \(1, 1\)"),
    (lambda: masks({"a": [True], "b": [True, False]}), r"arrays of \[1, 2\]"),
    (lambda: masks({"a": [0, 3]}, {"a": ["x", "y"]}), "from 0 to 1.*0 to 3"),
    (lambda: resolve({"glases": 1}, KNOWN), "Did you mean 'glasses'.*'glases'"),
    (lambda: resolve({"hair": "rot"}, KNOWN), r"Did you mean 'hair:red'.*'hair:rot'"),
    (lambda: resolve({"hair": "none"}, KNOWN), "no direction of that name.*'hair'"),
    (lambda: resolve({"glasses": np.inf}, KNOWN), "one finite number.*glasses=inf"),
    (lambda: resolve({"glasses": [1, 2]}, KNOWN), "one finite number"),
    (lambda: resolve({"glases": True}, KNOWN), "Did you mean 'glasses'"),
    (lambda: resolve({}, KNOWN), "a dictionary of names"),
    (lambda: resolve(["glasses"], KNOWN), "a dictionary of names"),
    (lambda: move(np.ones((2, 3)), KNOWN, {"glasses": 1}), "another generator.*2 numbers"),
]


@pytest.mark.parametrize(("call", "message"), WRONG)
def test_wrong_inputs(call, message):
    with pytest.raises(ValueError, match=f"(?s){message}") as error:
        call()
    assert "Received: " in str(error.value)
