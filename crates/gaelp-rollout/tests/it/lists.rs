//! Lists of budgets with holes in them.

use std::collections::BTreeMap;
use std::ops::Range;

use async_trait::async_trait;
use gaelp_core::{HourSpan, Micros, Platform, UtcHour};
use gaelp_platform::{
    AdPlatform, BudgetReading, Capabilities, InMemoryPlatform, PlatformError, Report, SetBudget,
    WriteOutcome,
};
use gaelp_rollout::{Mode, Rollout, RolloutConfig};

use crate::support::{START, actions, hours, meta, micros, open_rules, platform, roll, row};

/// A platform whose lists leave an ad set out for some hours.
struct Holed {
    inner: InMemoryPlatform,
    ad_set: &'static str,
    hours: Range<UtcHour>,
}

#[async_trait]
impl AdPlatform for Holed {
    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    async fn report(&self, span: HourSpan) -> Result<Report, PlatformError> {
        self.inner.report(span).await
    }

    async fn budgets(&self) -> Result<Vec<BudgetReading>, PlatformError> {
        let mut list = self.inner.budgets().await?;
        if self.hours.contains(&self.inner.now()) {
            list.retain(|reading| reading.key.ad_set.as_str() != self.ad_set);
        }
        Ok(list)
    }

    async fn set_budget(&self, request: &SetBudget) -> WriteOutcome {
        self.inner.set_budget(request).await
    }
}

/// Runs the canary `holed`, at 24 a day and spending twice that, over five days.
fn run(missing: Range<i32>, gone_after_hours: u32) -> BTreeMap<i64, Micros> {
    let inner = platform(&[("holed", "24")]);
    inner
        .load((0..120).map(|hour| row("holed", START.plus(hour), "2", "6")))
        .unwrap();
    let holed = Holed {
        inner,
        ad_set: "holed",
        hours: START.plus(missing.start)..START.plus(missing.end),
    };
    let mut config = RolloutConfig {
        mode: Mode::Pilot,
        guardrails: open_rules(),
        gone_after_secs: gone_after_hours * 3_600,
        ..RolloutConfig::default()
    };
    config.guardrails.canary = Some(["holed".into()].into());
    config.guardrails.daily_cap = micros("200");
    let mut rollout = Rollout::new(config, vec![meta()]).unwrap();
    let platforms = BTreeMap::from([(Platform::Meta, &holed)]);
    let mut journal = gaelp_rollout::MemoryJournal::new();
    let steps = hours(120).inspect(|span| holed.inner.set_now(span.from));
    roll(&mut rollout, &platforms, None, &mut journal, steps);
    let decisions = actions(journal.records()).into_iter().map(|action| {
        let decision = &action.decision;
        (decision.span.from.since(START), decision.current)
    });
    decisions.collect()
}

/// Found by simulation: what an unlisted ad set had spent was taken for its budget, so that it was
/// returned to more than ever stood.
#[test]
fn i6_an_ad_set_that_a_list_leaves_out_keeps_its_budget() {
    let missing = 10..40;
    let decisions = run(missing.clone(), 72);
    let hours = i64::from(missing.start)..i64::from(missing.end);
    let rates: Vec<Micros> = hours.map(|hour| decisions[&hour]).collect();
    // Its spend of 2 an hour is more than it could have been raised to; nothing is raised.
    assert!(rates.is_sorted_by(|a, b| a >= b), "{rates:?}");
    assert!(rates[0] < micros("2"), "{rates:?}");
}

#[test]
fn an_ad_set_is_gone_once_no_list_names_it_for_long() {
    // With the budget gone, what was spent is all that is known.
    let decisions = run(10..120, 24);
    assert_ne!(decisions[&32], micros("2"));
    assert_eq!(decisions[&35], micros("2"));
}
