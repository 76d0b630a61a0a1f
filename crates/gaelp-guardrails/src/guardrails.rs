//! The meet of all rules.

use gaelp_core::{Level, Micros, Reason, RuleId};

use crate::rules::{self, COUNT, Facts, RULES, Restriction};
use crate::{Context, GuardrailConfig, Trailing, Verdict};

/// Hours kept beyond what the rules ask for: the longest local day, so that a daily row which
/// touches a window is there entirely.
const WHOLE_DAY: u32 = 25;

/// The rules with valid settings; made by [`GuardrailConfig::validate`].
///
/// It holds no state: the same context and proposal give the same verdict, always.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guardrails {
    config: GuardrailConfig,
}

impl Guardrails {
    pub(crate) const fn new(config: GuardrailConfig) -> Self {
        Self { config }
    }

    /// The settings.
    pub const fn config(&self) -> &GuardrailConfig {
        &self.config
    }

    /// An empty record of the last hours of an ad set, with as many hours kept as the rules and
    /// their delays ask for.
    pub fn trailing(&self) -> Trailing {
        let config = &self.config;
        let dry = config.freeze_without_conversion_hours.unwrap_or(0);
        let asked = config.roas_window_hours.max(dry);
        Trailing::new(asked.saturating_add(WHOLE_DAY))
    }

    /// What may be done instead of `proposed`, and why.
    ///
    /// First the proposal is raised to the lower bounds, see [`normalise`](Self::normalise). Then
    /// every rule looks at the context, none at what another rule said. The answer is the meet of
    /// what they say: the lowest ceiling, the harshest level, all reasons. So the order of the
    /// rules decides nothing, and one more rule never allows more.
    ///
    /// From [`Level::Deny`] on the proposal does not count: the current rate stays, also where the
    /// proposal was lower. What lies above a cap or the last known good rate is still lowered.
    ///
    /// **Cost.** Below a microsecond; one allocation for the reasons, where there are any.
    ///
    /// The crate's first page has an example.
    pub fn evaluate(&self, context: &Context<'_>, proposed: Micros) -> Verdict {
        let facts = Facts::new(&self.config, context, proposed);
        conclude(&facts, ask_all(&facts))
    }

    /// The proposal, raised to what the policy may not go below: the hourly floor and the largest
    /// changes per hour and per 24 hours.
    ///
    /// The bounds on changes slow a decrease down; they never ask for more than the current rate.
    /// No rule raises anything after that, and all their ceilings beat these floors.
    ///
    /// ```
    /// # use gaelp_core::*;
    /// # use gaelp_guardrails::*;
    /// let guardrails = GuardrailConfig::default().validate()?;
    /// # let (key, trailing) = (AdSetKey::new(Platform::Meta, "1"), guardrails.trailing());
    /// # let now = UtcHour::new(0);
    /// # let context = Context {
    /// #     key: &key, span: HourSpan::hour(now), local: AccountZone::UTC.local(now),
    /// #     current: "1.00".parse()?, day_ago: None, account_spent_today: Micros::ZERO,
    /// #     account_share: "5.00".parse()?, ad_set_spent_today: Micros::ZERO,
    /// #     trailing: &trailing, now, memory: Memory::default(), kill: None,
    /// # };
    /// assert_eq!(context.current, "1.00".parse()?);
    /// assert_eq!(guardrails.normalise(&context, "0.60".parse()?), "0.90".parse()?);
    /// assert_eq!(guardrails.normalise(&context, "1.50".parse()?), "1.50".parse()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn normalise(&self, context: &Context<'_>, proposed: Micros) -> Micros {
        rules::normalise(&self.config, context, proposed).0
    }

    /// Whether a raise, however small, would be allowed: where it is not, a policy need not
    /// consider one.
    pub fn may_raise(&self, context: &Context<'_>) -> bool {
        let facts = Facts::new(&self.config, context, context.current);
        // A denial, too, has the current rate as its ceiling.
        let (ceiling, _) = meet(&ask_all(&facts));
        ceiling.is_none_or(|ceiling| ceiling > facts.current)
    }
}

/// What each rule says, in the order of the rules.
type Said = [(usize, Option<Restriction>); COUNT];

fn ask_all(facts: &Facts<'_>) -> Said {
    std::array::from_fn(|index| (index, (RULES[index].check)(facts)))
}

/// The lowest ceiling and the harshest level.
fn meet(said: &Said) -> (Option<Micros>, Level) {
    let restrictions = said.iter().filter_map(|(_, restriction)| *restriction);
    restrictions.fold((None, Level::Allow), |(ceiling, level), said| {
        let lowest = [ceiling, said.ceiling].into_iter().flatten().min();
        (lowest, level.max(said.level))
    })
}

/// The verdict, whatever the order of what was said.
fn conclude(facts: &Facts<'_>, mut said: Said) -> Verdict {
    let (ceiling, level) = meet(&said);
    let wanted = if level >= Level::Deny {
        facts.current
    } else {
        facts.normalised
    };
    let allowed = ceiling.map_or(wanted, |ceiling| ceiling.min(wanted));
    // A cap that the proposal keeps may still be below the current rate that a denial holds.
    for restriction in said.iter_mut().filter_map(|(_, said)| said.as_mut()) {
        if restriction.ceiling.is_some_and(|ceiling| ceiling < wanted) {
            restriction.level = restriction.level.max(Level::Clamp);
        }
    }
    said.sort_unstable_by_key(|&(index, _)| index);
    Verdict {
        proposed: facts.proposed,
        normalised: facts.normalised,
        allowed,
        level,
        binding: binding(facts, &said, allowed),
        reasons: reasons(&said),
        overruled: Some(facts.lower_bound).filter(|bound| allowed < bound.rate),
        memory: facts.memory,
    }
}

/// The first rule whose ceiling is the result, where that is not what was proposed.
///
/// There always is one: a denial, too, has the current rate as its ceiling.
fn binding(facts: &Facts<'_>, said: &Said, allowed: Micros) -> Option<RuleId> {
    if allowed == facts.normalised {
        return None;
    }
    let bound = |restriction: &Restriction| restriction.ceiling == Some(allowed);
    let mut rules = said.iter();
    let (index, _) = rules.find(|(_, said)| said.as_ref().is_some_and(bound))?;
    Some(RULES[*index].id.clone())
}

fn reasons(said: &Said) -> Vec<Reason> {
    let objection = |said: &Restriction| said.level > Level::Allow;
    let count = said
        .iter()
        .filter(|(_, said)| said.as_ref().is_some_and(objection))
        .count();
    let mut reasons = Vec::with_capacity(count);
    for (index, restriction) in said {
        let Some(said) = restriction.as_ref().filter(|said| objection(said)) else {
            continue;
        };
        reasons.push(Reason {
            rule: RULES[*index].id.clone(),
            level: said.level,
            ceiling: said.ceiling,
            observed: said.observed,
            threshold: said.threshold,
        });
    }
    reasons
}

#[cfg(test)]
mod tests;
