//! Logistic regression by gradient descent, on data that is made here.

const EPOCHS: u32 = 200;
const RATE: f64 = 2.0;

/// A point of the plane, and whether it belongs to the class.
pub struct Point {
    x: f64,
    y: f64,
    label: f64,
}

/// Two weights and a bias.
#[derive(Default)]
pub struct Model {
    x: f64,
    y: f64,
    bias: f64,
}

impl Model {
    /// The probability that a point belongs to the class.
    fn predict(&self, point: &Point) -> f64 {
        let logit = self.x * point.x + self.y * point.y + self.bias;
        1.0 / (1.0 + (-logit).exp())
    }

    /// The share of points that are told right.
    pub fn accuracy(&self, points: &[Point]) -> f64 {
        let right = points
            .iter()
            .filter(|p| (self.predict(p) > 0.5) == (p.label > 0.5));
        right.count() as f64 / points.len() as f64
    }
}

/// Makes points that a line separates. They stand for data that only this machine may see.
pub fn points(count: usize) -> Vec<Point> {
    let mut state = 2026u64;
    let mut coordinate = || {
        state = (1_103_515_245 * state + 12_345) % (1 << 31);
        state as f64 / f64::from(1 << 30) - 1.0
    };
    let mut point = || {
        let (x, y) = (coordinate(), coordinate());
        let label = if x + 2.0 * y > 0.25 { 1.0 } else { 0.0 };
        Point { x, y, label }
    };
    (0..count).map(|_| point()).collect()
}

/// Fits a model, and reports the loss before every fiftieth epoch.
pub fn train(points: &[Point], report: impl Fn(u32, f64)) -> Model {
    let mut model = Model::default();
    let rate = RATE / points.len() as f64;
    for epoch in 0..EPOCHS {
        let mut step = Model::default();
        let mut loss = 0.0;
        for point in points {
            let error = model.predict(point) - point.label;
            loss -= (1.0 - error.abs()).ln() / points.len() as f64;
            step.x += error * point.x;
            step.y += error * point.y;
            step.bias += error;
        }
        if epoch % 50 == 0 {
            report(epoch, loss);
        }
        model.x -= rate * step.x;
        model.y -= rate * step.y;
        model.bias -= rate * step.bias;
    }
    model
}
