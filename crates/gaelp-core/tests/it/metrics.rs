//! Metrics: sums in any order, restatements in any order.

use gaelp_core::{
    AdSetKey, HourSpan, MetricRow, Metrics, Micros, Platform, Quantity, Restated, Revision, UtcHour,
};
use proptest::collection::vec;
use proptest::prelude::*;

fn any_metrics() -> impl Strategy<Value = Metrics> {
    let money = || prop_oneof![9 => -1_000_000_000_000..1_000_000_000_000_i64, 1 => any::<i64>()];
    let count = || prop_oneof![9 => 0..1_000_000_000_000_u64, 1 => any::<u64>()];
    (money(), count(), count(), count(), money()).prop_map(
        |(spend, impressions, clicks, conversions, revenue)| Metrics {
            spend: Micros::new(spend),
            impressions,
            clicks,
            conversions: Quantity::from_millionths(conversions),
            revenue: Micros::new(revenue),
        },
    )
}

fn sum<'a>(all: impl IntoIterator<Item = &'a Metrics>) -> Option<Metrics> {
    all.into_iter()
        .try_fold(Metrics::default(), |sum, one| sum.merge(one).ok())
}

/// The sum in 128 bits; `None` where it does not fit back.
fn wide_sum(all: &[Metrics]) -> Option<Metrics> {
    let total = |of: fn(&Metrics) -> i128| all.iter().map(of).sum::<i128>();
    Some(Metrics {
        spend: Micros::new(total(|m| m.spend.get().into()).try_into().ok()?),
        impressions: total(|m| m.impressions.into()).try_into().ok()?,
        clicks: total(|m| m.clicks.into()).try_into().ok()?,
        conversions: Quantity::from_millionths(
            total(|m| m.conversions.millionths().into())
                .try_into()
                .ok()?,
        ),
        revenue: Micros::new(total(|m| m.revenue.get().into()).try_into().ok()?),
    })
}

/// A row of the one ad set and hour, whose figures follow from the revision.
fn row(revision: u32) -> MetricRow {
    MetricRow {
        key: AdSetKey::new(Platform::Meta, "a"),
        span: HourSpan::hour(UtcHour::new(490_000)),
        revision: Revision::new(revision),
        metrics: Metrics {
            spend: Micros::new(i64::from(revision % 7) * 1_000),
            clicks: revision.into(),
            ..Metrics::default()
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn sums_commute(a in any_metrics(), b in any_metrics()) {
        prop_assert_eq!(a.merge(&b), b.merge(&a));
        prop_assert_eq!(a.merge(&b).ok(), wide_sum(&[a, b]));
        prop_assert_eq!(a.merge(&Metrics::default()), Ok(a));
    }

    #[test]
    fn shards_can_be_summed_in_any_order(
        (rows, order) in vec(any_metrics(), 1..8).prop_flat_map(|rows| {
            (Just(rows.clone()), Just(rows).prop_shuffle())
        }),
        cut in 0..8_usize,
    ) {
        let (left, right) = order.split_at(cut.min(order.len()));
        if let (Some(one), Some(left), Some(right)) = (sum(&rows), sum(left), sum(right))
            && let Ok(other) = left.merge(&right)
        {
            prop_assert_eq!(one, other);
            prop_assert_eq!(wide_sum(&rows), Some(one));
        }
        // Where a sum fits but a part of it may not, it is refused and never wrong.
        if let Some(sum) = sum(&order) {
            prop_assert_eq!(wide_sum(&rows), Some(sum));
        }
    }

    #[test]
    fn rates_are_those_of_the_counts(metrics in any_metrics()) {
        let near = |rate: Option<f64>, over: f64, under: f64| match rate {
            Some(rate) => under > 0.0 && (rate - over / under).abs() <= 1e-12 * rate.abs(),
            None => under <= 0.0,
        };
        let (spend, revenue) = (metrics.spend.to_major_f64(), metrics.revenue.to_major_f64());
        let conversions = metrics.conversions.to_f64();
        #[expect(clippy::cast_precision_loss, reason = "compared within 1e-12")]
        let (impressions, clicks) = (metrics.impressions as f64, metrics.clicks as f64);
        prop_assert!(near(metrics.roas(), revenue, spend));
        prop_assert!(near(metrics.cpa(), spend, conversions));
        prop_assert!(near(metrics.ctr(), clicks, impressions));
        prop_assert!(near(metrics.cvr(), conversions, clicks));
    }

    #[test]
    fn deliveries_in_any_order_leave_the_same_state(revisions in vec(0..20_u32, 1..20)) {
        let mut state = row(revisions[0]);
        for &revision in &revisions {
            let before = state.revision.get();
            let expected = match revision.cmp(&before) {
                std::cmp::Ordering::Less => Restated::Older,
                std::cmp::Ordering::Equal => Restated::Known,
                std::cmp::Ordering::Greater => Restated::Newer,
            };
            prop_assert_eq!(state.restate(&row(revision)), expected);
        }
        // The highest, whatever came first and however often each came.
        let highest = revisions.iter().copied().max();
        prop_assert_eq!(Some(state), highest.map(row));
    }
}
