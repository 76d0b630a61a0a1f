//! What the crate promises, seen from outside.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic too")]

mod auctions;
mod brute_force;
mod envelopes;
mod goals;
mod hourly;
mod models;
mod pacing;
mod plans;
mod shares;
mod state;

use gaelp_budget::{ArmLimits, CapTree, CurveForm, GroupId, ResponseCurve};
use gaelp_core::Micros;
use proptest::prelude::*;

/// One cent.
const CENT: Micros = Micros::new(10_000);

fn money(major: f64) -> Micros {
    #[expect(clippy::cast_possible_truncation, reason = "small amounts")]
    Micros::new((major * 1e6).round() as i64)
}

/// A smooth curve of any family, whose first unit brings about 0.2 to 9 per unit.
fn curve() -> impl Strategy<Value = ResponseCurve> {
    (0..4_u8, 0.2..9.0_f64, 0.5..30.0_f64, 0.2..0.8_f64).prop_map(|(family, slope, scale, p)| {
        let form = match family {
            0 => CurveForm::Hill {
                top: slope * scale,
                half: scale,
                exponent: 1.0,
            },
            1 => CurveForm::Log {
                factor: slope * scale,
                scale,
            },
            2 => CurveForm::Exponential {
                top: slope * scale,
                scale,
            },
            _ => CurveForm::Power {
                factor: slope * scale.powf(1.0 - p) / p,
                exponent: p,
                shift: scale,
            },
        };
        form.try_into().unwrap()
    })
}

/// A concave curve that may also be made of straight pieces, or begin with an endless slope.
fn any_curve() -> impl Strategy<Value = ResponseCurve> {
    let pieces = prop::collection::vec((1..40_u8, 0..90_u8), 1..5).prop_map(|points| {
        let points = points
            .into_iter()
            .map(|(x, y)| (f64::from(x) * 0.5, f64::from(y)));
        gaelp_budget::concave_envelope(&points.collect::<Vec<_>>()).unwrap()
    });
    let steep = (1.0..80.0_f64, 1.0..20.0_f64, 0.4..1.0_f64).prop_map(|(top, half, exponent)| {
        CurveForm::Hill {
            top,
            half,
            exponent,
        }
        .try_into()
        .unwrap()
    });
    prop_oneof![3 => curve(), 1 => pieces, 1 => steep]
}

/// An arm: its curve, floor and ceiling in whole units, and the campaign that it lies in.
#[derive(Clone, Debug)]
struct Spec {
    curve: ResponseCurve,
    floor: i64,
    ceiling: i64,
    campaign: usize,
}

fn specs(
    curves: impl Strategy<Value = ResponseCurve>,
    arms: std::ops::Range<usize>,
    most: i64,
) -> impl Strategy<Value = Vec<Spec>> {
    let spec = (curves, 0..=most / 3, 0..=most, 0..4_usize).prop_map(
        move |(curve, floor, room, campaign)| Spec {
            curve,
            floor: if room % 3 == 0 { floor } else { 0 },
            ceiling: floor + room,
            campaign,
        },
    );
    prop::collection::vec(spec, arms)
}

/// Caps and floors of two platforms with two campaigns each, in whole units.
type Caps = [(i64, i64); 6];

/// Arms in campaigns in platforms in an account, in units of `quantum`.
///
/// Floors are cut to what the members can spend, and caps raised to what they must, so that a plan
/// exists for every budget above the floors.
fn tree(specs: &[Spec], caps: &Caps, quantum: Micros) -> (CapTree<usize>, i64) {
    let sum = |of: fn(&Spec) -> i64, campaign| -> i64 {
        specs
            .iter()
            .filter(|spec| spec.campaign == campaign)
            .map(of)
            .sum()
    };
    let fit = |(floor, room): (i64, i64), least: i64, most: i64| {
        let floor = floor.min(most);
        let cap = (floor + room).max(least);
        (floor, cap, least.max(floor), most.min(cap))
    };
    let amount = |units: i64| quantum.checked_mul(units).unwrap();
    let mut tree = CapTree::new("account");
    let mut groups = Vec::new();
    let mut must = 0;
    for platform in 0..2 {
        let campaigns = [2 * platform, 2 * platform + 1].map(|campaign| {
            let (least, most) = (sum(|s| s.floor, campaign), sum(|s| s.ceiling, campaign));
            fit(caps[campaign], least, most)
        });
        let least = campaigns.iter().map(|c| c.2).sum();
        let most = campaigns.iter().map(|c| c.3).sum();
        let (floor, cap, least, _) = fit(caps[4 + platform], least, most);
        must += least;
        let name = format!("platform {platform}");
        let outer = tree
            .group(GroupId::WHOLE, name, amount(floor), Some(amount(cap)))
            .unwrap();
        for (floor, cap, ..) in campaigns {
            let name = format!("campaign {}", groups.len());
            groups.push(
                tree.group(outer, name, amount(floor), Some(amount(cap)))
                    .unwrap(),
            );
        }
    }
    for (place, spec) in specs.iter().enumerate() {
        let limits = ArmLimits::between(amount(spec.floor), amount(spec.ceiling));
        tree.arm(groups[spec.campaign], place, spec.curve.clone(), limits)
            .unwrap();
    }
    (tree, must)
}

fn caps(most: i64) -> impl Strategy<Value = Caps> {
    [0, 1, 2, 3, 4, 5].map(|_| (0..=most / 2, 0..=most))
}
