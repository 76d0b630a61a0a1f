//! How the hours' money was planned: λ by day, the last plan by ad set, and its proof.

use gaelp::budget::{Binds, Ends};

use super::number;
use super::tables::Cut;
use super::words::Name;
use crate::summary::{LastPlan, PlanDay, PlannedAdSet, Planning, Summary};

/// How many days are listed, the last ones.
const MOST_DAYS: usize = 31;
/// How many ad sets.
const MOST_AD_SETS: usize = 50;

/// What the section is filled with.
pub(super) struct Section {
    /// How often there was a plan.
    pub(super) count: String,
    pub(super) days: Vec<DayRow>,
    /// When the last plan was made, and what it had to spend.
    pub(super) last: String,
    /// What proves it, or why there is none.
    pub(super) proof: Vec<String>,
    pub(super) ad_sets: Cut<AdSetRow>,
}

/// A day: its date, what hours were allowed, target, spend, and λ from the least to the most.
pub(super) struct DayRow {
    pub(super) date: String,
    pub(super) cells: [String; 6],
}

/// An ad set in the last plan.
pub(super) struct AdSetRow {
    pub(super) name: Name,
    /// Marginal profit, then the rates: in force, permitted, proposed, allowed.
    pub(super) cells: [String; 5],
    pub(super) reason: &'static str,
}

pub(super) fn section(summary: &Summary) -> Option<Section> {
    let plan = summary.plan.as_ref()?;
    let from = plan.days.len().saturating_sub(MOST_DAYS);
    let days = plan.days.iter().skip(from);
    Some(Section {
        count: count(plan),
        days: days.map(|day| day_row(summary, day)).collect(),
        last: last(summary, &plan.last),
        proof: proof(&plan.last),
        ad_sets: Cut::of(&plan.last.ad_sets, MOST_AD_SETS, |ad_set| {
            ad_set_row(summary, ad_set)
        }),
    })
}

/// How often there was a plan, in a sentence.
pub(crate) fn count(plan: &Planning) -> String {
    let steps = plan.planned + plan.infeasible + plan.fixed;
    format!(
        "{} of {} had a plan; {} had none, because minimums and caps left no room for one; in {} \
         nothing might be changed.",
        number::count(plan.planned),
        number::counted(steps, "step", "steps"),
        number::count(plan.infeasible),
        number::count(plan.fixed),
    )
}

fn day_row(summary: &Summary, day: &PlanDay) -> DayRow {
    let sums = summary.days.iter().find(|sums| sums.date == day.date);
    DayRow {
        date: day.date.clone(),
        cells: [
            number::optional_money(sums.map(|sums| sums.target)),
            number::money(day.allowance),
            number::optional_money(sums.map(|sums| sums.actual)),
            number::lambda(day.least_lambda),
            number::lambda(day.mean_lambda),
            number::lambda(day.most_lambda),
        ],
    }
}

fn last(summary: &Summary, last: &LastPlan) -> String {
    let money = |amount| number::money_in(amount, summary.currency);
    let fixed = if last.fixed.is_zero() {
        String::new()
    } else {
        let fixed = money(last.fixed);
        format!(" {fixed} a day of it runs where nothing may be changed.")
    };
    format!(
        "The last step, {}, might spend {}, {}: as much as a daily budget of {} in all spends in \
         such a step. λ was {}: a dollar spent counted as {} dollars.{fixed}",
        last.at,
        money(last.allowance),
        binds(last.binds),
        money(last.daily),
        number::lambda(last.lambda),
        number::statistic(Some(1.0 + last.lambda.to_f64())),
    )
}

/// What bounds an allowance, in words.
pub(crate) fn binds(binds: Binds) -> &'static str {
    match binds {
        Binds::Plan => "its part of what is left of the day's target",
        Binds::Cap => "which is what the day's cap leaves",
        Binds::RisesNoFaster => "because it is not to rise faster",
        Binds::FallsNoFaster => "because it is not to fall faster",
        _ => "for a reason that this version does not know",
    }
}

/// The certificate in words; or why there is no plan.
pub(crate) fn proof(last: &LastPlan) -> Vec<String> {
    if let Some(why) = &last.why_not {
        return vec![format!(
            "There was no plan, so each ad set went by itself: {why}."
        )];
    }
    let Some(proof) = &last.proof else {
        return vec!["Nothing might be changed, so there was nothing to plan.".to_owned()];
    };
    let ends = match proof.ends {
        Ends::Budget => "all of the allowance is used",
        Ends::Goal => "the next dollar would bring less than it counts for",
        Ends::Room => "no ad set may get more in this step",
        Ends::Minimum => "only minimums are spent",
        _ => "of a reason that this version does not know",
    };
    let mut sentences = vec![
        format!("It stops where it does because {ends}."),
        format!(
            "By the curves it rests on, no other plan is better: the duality gap is {:.1e} of the \
             value, and the best exchange of a millionth between two ad sets would gain nothing \
             (at most {:.1e}).",
            proof.gap.abs(),
            proof.best_move,
        ),
    ];
    if proof.falls_freed {
        sentences.push(
            "Ad sets were let fall faster than their choices permit, because the allowance was \
             below what they ran at."
                .to_owned(),
        );
    }
    sentences
}

fn ad_set_row(summary: &Summary, ad_set: &PlannedAdSet) -> AdSetRow {
    let rate = |amount| number::rate(amount, summary.currency);
    AdSetRow {
        name: Name::of(&ad_set.key),
        cells: [
            number::statistic(Some(ad_set.marginal_profit)),
            rate(ad_set.current),
            if ad_set.least == ad_set.most {
                rate(ad_set.most)
            } else {
                format!("{} to {}", rate(ad_set.least), rate(ad_set.most))
            },
            rate(ad_set.proposed),
            ad_set
                .allowed
                .map_or_else(|| number::UNDEFINED.to_owned(), rate),
        ],
        reason: ad_set.reason,
    }
}
