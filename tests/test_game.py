"""docs/game.md: its code, against the eigenvalues of what it does, written down once more here."""

import re
from pathlib import Path

import numpy as np
import pytest
import snippets

PAGE = (Path(__file__).parent.parent / "docs/game.md").read_text()
RATE, STEPS = 0.1, 1000
ONE, ZERO = np.eye(2), np.zeros((2, 2))
TURN = np.array([[0.0, -1.0], [1.0, 0.0]])  # the gradients of V = xy, downhill in x, uphill in y
WAIT = np.array([[1.0, 0.0], [RATE, 1.0]])  # y moves after x, by the x that has moved
X_ALONE = RATE * np.array([[0.0, -1.0], [0.0, 0.0]])


def with_momentum(m, alternating):
    """Matrices and polynomial of steps that add m times the move before."""
    square = np.polymul([1, -1], [1, -m])
    if alternating:
        polynomial = np.polyadd(np.polymul(square, square), [RATE**2, 0, 0, 0])
        return WAIT @ (ONE * (1 + m) + X_ALONE), -m * WAIT, polynomial
    return ONE * (1 + m) + RATE * TURN, -m * ONE, np.polyadd(square, [-1j * RATE, 0])


# The next point is `now @ z + before @ z_before`; and the polynomial that the page names.
RULES = {
    "simultaneous": (ONE + RATE * TURN, ZERO, [1, -(1 + 1j * RATE)]),
    "alternating": (WAIT @ (ONE + X_ALONE), ZERO, [1, -(2 - RATE**2), 1]),
    "extragradient": (
        ONE + RATE * TURN @ (ONE + RATE * TURN),
        ZERO,
        [1, -(1 + 1j * RATE - RATE**2)],
    ),
    "optimistic": (ONE + 2 * RATE * TURN, -RATE * TURN, [1, -(1 + 2j * RATE), 1j * RATE]),
    "alternating, momentum -0.5": with_momentum(-0.5, True),
    "alternating, momentum 0.5": with_momentum(0.5, True),
    "simultaneous, momentum -0.5": with_momentum(-0.5, False),
}


@pytest.fixture(scope="module")
def page():
    """What the examples define, but for the one that trains a GAN."""
    scope = {}
    for code in snippets.blocks(PAGE, "python")[:2]:
        exec(code, scope)
    return scope


def theory(now, before):
    """Distance after all steps, and of the mean of the points before: by eigenvalues."""
    values, vectors = np.linalg.eig(np.block([[now, before], [ONE, ZERO]]))
    shares = np.linalg.solve(vectors, np.ones(4))
    sums = [np.sum(value ** np.arange(STEPS)) for value in values]
    last, total = ((vectors @ (f * shares))[:2] for f in (values**STEPS, np.array(sums)))
    return np.linalg.norm(last), np.linalg.norm(total) / STEPS


@pytest.mark.parametrize("name", RULES)
def test_the_distances_are_those_of_theory(page, name):
    now, before, polynomial = RULES[name]
    distance, average = theory(now, before)
    assert page["norms"][name] == pytest.approx(distance, rel=1e-8)
    assert page["averages"][name] == pytest.approx(average, rel=1e-8)
    (row,) = re.findall(rf"^\| {re.escape(name)} \| (\S+) \| (\S+) \| (.*) \|$", PAGE, re.M)
    assert [float(row[0]), float(row[1])] == pytest.approx([distance, average], rel=5e-4)
    largest = np.abs(np.roots(polynomial)).max()
    said = re.search(r"\d\.\d{5}|1(?=:)", row[2])[0]
    assert float(said) == pytest.approx(largest, abs=6e-6)


def test_closed_forms_of_the_page(page):
    norms = page["norms"]
    assert norms["simultaneous"] == pytest.approx(np.sqrt(2) * (1 + RATE**2) ** (STEPS / 2))
    assert norms["simultaneous"] == pytest.approx(204.7, abs=0.05)
    factor = np.sqrt(1 - RATE**2 + RATE**4)
    assert norms["extragradient"] == pytest.approx(np.sqrt(2) * factor**STEPS)
    x, y = page["paths"]["alternating"].T
    np.testing.assert_allclose(x**2 - RATE * x * y + y**2, 2 - RATE, rtol=1e-12)


def test_every_rule_of_the_page_is_looked_at(page):
    assert set(RULES) == set(page["rules"])


def test_an_optimistic_adam_solves_it_and_adam_does_not(page):
    assert page["adam"] > 0.5 and page["optimistic_adam"] < 0.1
    for name in ("Adam", "OptimisticAdam"):
        (said,) = re.findall(rf"^\| `{name}` \| (\S+) \|", PAGE, re.M)
        found = page["adam" if name == "Adam" else "optimistic_adam"]
        assert float(said) == pytest.approx(found, abs=6e-5)
