//! Concave curves of straight pieces.

use super::{CurveError, CurveForm, ResponseCurve};

/// The least concave curve that is nowhere below any of the points: from nothing to the highest.
///
/// For responses that were measured at some budgets, or that are S-shaped: what a mixture over
/// time of the budgets at two corners brings, a plain curve cannot bring more of.
///
/// **Cost.** One sort.
/// **Source.** Andrew (1979), Another efficient algorithm for convex hulls in two dimensions.
///
/// ```
/// use gaelp_budget::{Curve, concave_envelope};
///
/// // The first five dollars bring next to nothing.
/// let curve = concave_envelope(&[(5.0, 1.0), (10.0, 30.0), (20.0, 40.0), (30.0, 38.0)])?;
/// assert_eq!(curve.value(5.0), 15.0);
/// assert_eq!(curve.marginal(10.0), 1.0);
/// assert_eq!(curve.value(30.0), 40.0);
/// # Ok::<(), gaelp_budget::CurveError>(())
/// ```
///
/// # Errors
/// [`CurveError`] without points, and for points out of range.
pub fn concave_envelope(points: &[(f64, f64)]) -> Result<ResponseCurve, CurveError> {
    let all = CurveForm::Piecewise {
        points: points.to_vec(),
    };
    // The ranges first; that the points bend is what the hull is for.
    match ResponseCurve::try_from(all) {
        Ok(curve) => return Ok(curve),
        Err(CurveError::NotConcave { .. }) => {}
        Err(other) => return Err(other),
    }
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
    let mut hull = vec![(0.0, 0.0)];
    for point in sorted {
        if point.1 <= hull[hull.len() - 1].1 {
            continue;
        }
        while let [.., before, last] = hull[..]
            && (last.1 - before.1) * (point.0 - before.0)
                <= (point.1 - before.1) * (last.0 - before.0)
        {
            hull.pop();
        }
        hull.push(point);
    }
    let mut points = hull.split_off(1);
    if points.is_empty() {
        points.push((1.0, 0.0)); // Nothing brings anything.
    }
    CurveForm::Piecewise { points }.try_into()
}

/// How much steeper than the one before a piece may be: the rounding of divisions.
const SLACK: f64 = 1e-12;

pub(super) fn check(points: &[(f64, f64)]) -> Result<(), CurveError> {
    if points.is_empty() {
        return Err(CurveError::NoPoints);
    }
    let mut before = (0.0, 0.0);
    let mut steepest = f64::INFINITY;
    for (place, &(spend, value)) in points.iter().enumerate() {
        let slope = (value - before.1) / (spend - before.0);
        if spend <= before.0 || slope < 0.0 || slope > steepest * (1.0 + SLACK) {
            return Err(CurveError::NotConcave {
                place,
                spend,
                value,
            });
        }
        before = (spend, value);
        steepest = slope;
    }
    Ok(())
}

pub(super) fn value(points: &[(f64, f64)], spend: f64) -> f64 {
    let place = points.partition_point(|point| point.0 < spend);
    let Some(right) = points.get(place) else {
        return points.last().map_or(0.0, |last| last.1);
    };
    let left = before(points, place);
    left.1 + (right.1 - left.1) * ((spend - left.0).max(0.0) / (right.0 - left.0))
}

pub(super) fn marginal(points: &[(f64, f64)], spend: f64) -> f64 {
    slope(points, points.partition_point(|point| point.0 <= spend))
}

pub(super) fn inverse(points: &[(f64, f64)], level: f64) -> f64 {
    let (mut low, mut high) = (0, points.len());
    while low < high {
        let middle = usize::midpoint(low, high);
        if slope(points, middle) >= level {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    before(points, low).0
}

/// The slope of the piece that ends in a point; none after the last.
fn slope(points: &[(f64, f64)], place: usize) -> f64 {
    let left = before(points, place);
    points
        .get(place)
        .map_or(0.0, |right| (right.1 - left.1) / (right.0 - left.0))
}

/// The point before a place.
fn before(points: &[(f64, f64)], place: usize) -> (f64, f64) {
    place.checked_sub(1).map_or((0.0, 0.0), |last| points[last])
}
