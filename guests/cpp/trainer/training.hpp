// Logistic regression by gradient descent, on data that is made here.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace training {

constexpr int epochs = 200;
constexpr double learning_rate = 2.0;

// A point of the plane, and whether it belongs to the class.
struct point {
  double x, y, label;
};

// Two weights and a bias.
struct model {
  double x = 0, y = 0, bias = 0;

  // The probability that a point belongs to the class.
  double predict(const point& point) const {
    return 1 / (1 + std::exp(-(x * point.x + y * point.y + bias)));
  }

  // The share of points that are told right.
  double accuracy(std::span<const point> points) const {
    const auto right = std::ranges::count_if(
        points, [&](const point& p) { return (predict(p) > 0.5) == (p.label > 0.5); });
    return static_cast<double>(right) / static_cast<double>(points.size());
  }
};

// Makes points that a line separates. They stand for data that only this machine may see.
inline std::vector<point> make_points(std::size_t count) {
  std::uint64_t state = 2026;
  const auto coordinate = [&] {
    state = (1'103'515'245 * state + 12'345) % (1U << 31);
    return static_cast<double>(state) / (1U << 30) - 1;
  };
  std::vector<point> points;
  while (points.size() < count) {
    const double x = coordinate(), y = coordinate();
    points.push_back({x, y, x + 2 * y > 0.25 ? 1.0 : 0.0});
  }
  return points;
}

// Fits a model, and reports the loss before every fiftieth epoch.
inline model train(std::span<const point> points, auto report) {
  model fitted;
  const auto count = static_cast<double>(points.size());
  for (int epoch = 0; epoch < epochs; epoch++) {
    model step;
    double loss = 0;
    for (const point& point : points) {
      const double error = fitted.predict(point) - point.label;
      loss -= std::log(1 - std::abs(error)) / count;
      step.x += error * point.x;
      step.y += error * point.y;
      step.bias += error;
    }
    if (epoch % 50 == 0) report(epoch, loss);
    fitted.x -= learning_rate / count * step.x;
    fitted.y -= learning_rate / count * step.y;
    fitted.bias -= learning_rate / count * step.bias;
  }
  return fitted;
}

}  // namespace training
