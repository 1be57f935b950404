"""Logistic regression by gradient descent, on data that is made here."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

EPOCHS = 200
RATE = 2.0


@dataclass(frozen=True, slots=True)
class Point:
    """A point of the plane, and whether it belongs to the class."""

    x: float
    y: float
    label: bool


@dataclass(slots=True)
class Model:
    """Two weights and a bias."""

    x: float = 0.0
    y: float = 0.0
    bias: float = 0.0

    def predict(self, point: Point) -> float:
        """Returns the probability that a point belongs to the class."""
        return 1 / (1 + math.exp(-(self.x * point.x + self.y * point.y + self.bias)))

    def accuracy(self, points: Sequence[Point]) -> float:
        """Returns the share of points that are told right."""
        return sum((self.predict(p) > 0.5) == p.label for p in points) / len(points)


def points(count: int) -> list[Point]:
    """Makes points that a line separates. They stand for data that only this machine may see."""
    made = _coordinates()
    pairs = ((next(made), next(made)) for _ in range(count))
    return [Point(x, y, x + 2 * y > 0.25) for x, y in pairs]


def _coordinates() -> Iterator[float]:
    """Makes numbers from -1 to 1, the same ones every time."""
    state = 2026
    while True:
        state = (1_103_515_245 * state + 12_345) % 2**31
        yield state / 2**30 - 1


def train(points: Sequence[Point], report: Callable[[int, float], None]) -> Model:
    """Fits a model, and reports the loss before every fiftieth epoch."""
    model = Model()
    rate = RATE / len(points)
    for epoch in range(EPOCHS):
        errors = [(point, model.predict(point) - point.label) for point in points]
        if epoch % 50 == 0:
            report(epoch, -sum(math.log(1 - abs(error)) for _, error in errors) / len(points))
        model.x -= rate * sum(error * point.x for point, error in errors)
        model.y -= rate * sum(error * point.y for point, error in errors)
        model.bias -= rate * sum(error for _, error in errors)
    return model
