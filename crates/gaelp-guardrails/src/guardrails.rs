//! The meet of all rules.

use gaelp_core::{Level, Micros, Operand, Reason, RuleId};

use crate::rules::{self, COUNT, Facts, RULES, Restriction, RuleSet, bids};
use crate::{Context, GuardrailConfig, Trailing, Verdict, seeded};

/// Hours kept beyond what the rules ask for: the longest local day, so that a daily row which
/// touches a window is there entirely.
const WHOLE_DAY: u32 = 25;

/// The rules with valid settings; made by [`GuardrailConfig::validate`].
///
/// It holds no state: the same context and proposal give the same verdict, always.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guardrails {
    config: GuardrailConfig,
    /// Those that only report.
    observed: RuleSet,
    /// Those whose fact must be supplied.
    required: RuleSet,
}

impl Guardrails {
    pub(crate) fn new(config: GuardrailConfig) -> Self {
        let observed = RuleSet::of(&config.observe);
        let required = RuleSet::of(&config.require);
        Self {
            config,
            observed,
            required,
        }
    }

    /// The settings.
    pub const fn config(&self) -> &GuardrailConfig {
        &self.config
    }

    /// An empty record of the last hours of an ad set, with as many hours kept as the rules and
    /// their delays ask for.
    pub fn trailing(&self) -> Trailing {
        let config = &self.config;
        let dry = config.dry_hours(None).unwrap_or(0);
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
    /// Rules that are only [observed](GuardrailConfig::observe) say what they would say, in
    /// [`Verdict::observed`], and take no part in the answer.
    ///
    /// **Cost.** Below a microsecond; one allocation for the reasons, where there are any, and one
    /// for those only observed.
    ///
    /// The crate's first page has an example.
    pub fn evaluate(&self, context: &Context<'_>, proposed: Micros) -> Verdict {
        let facts = Facts::new(&self.config, context, proposed);
        let said = self.ask_all(&facts);
        self.conclude(&facts, said)
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
    /// # let (span, local) = (HourSpan::hour(now), AccountZone::UTC.local(now));
    /// let context = Context::new(&key, span, local, "1.00".parse()?, &trailing, now);
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
        let (ceiling, _) = self.meet(&self.ask_all(&facts));
        ceiling.is_none_or(|ceiling| ceiling > facts.current)
    }

    /// The first cap per day that is exceeded already: more is spent than may be. It counts as a
    /// violation of safety, see [`Emergency`](crate::Emergency).
    pub fn exceeded(&self, context: &Context<'_>) -> Option<RuleId> {
        let (config, spent) = (&self.config, &context.spent);
        let platform = config.platform_daily_caps.get(&context.key.platform);
        let caps = [
            (rules::DAILY_CAP, spent.account, Some(config.daily_cap)),
            (rules::PLATFORM_DAILY_CAP, spent.platform, platform.copied()),
            (
                rules::CAMPAIGN_DAILY_CAP,
                spent.campaign,
                config.campaign_daily_cap,
            ),
            (
                rules::AD_SET_DAILY_CAP,
                spent.ad_set,
                config.ad_set_daily_cap,
            ),
        ];
        let over = |spent: Option<Micros>, cap| spent.zip(cap).is_some_and(|(s, cap)| s > cap);
        let mut caps = caps.into_iter();
        caps.find(|&(_, spent, cap)| over(spent, cap))
            .map(|(rule, ..)| rule)
    }

    fn ask_all(&self, facts: &Facts<'_>) -> Said {
        std::array::from_fn(|place| (place, self.ask(place, facts)))
    }

    fn ask(&self, place: usize, facts: &Facts<'_>) -> Option<Restriction> {
        let rule = &RULES[place];
        if self.required.holds(place)
            && rule
                .supplied
                .is_some_and(|supplied| !supplied(facts.context))
        {
            return Some(facts.missing(Operand::None));
        }
        (rule.check)(facts)
    }

    /// The lowest ceiling and the harshest level of the rules that count.
    fn meet(&self, said: &Said) -> (Option<Micros>, Level) {
        let counted = said
            .iter()
            .filter(|(place, _)| !self.observed.holds(*place));
        let restrictions = counted.filter_map(|(_, restriction)| restriction.as_ref());
        restrictions.fold((None, Level::Allow), |(ceiling, level), said| {
            let lowest = match (ceiling, said.ceiling) {
                (Some(one), Some(other)) => Some(Ord::min(one, other)),
                (one, other) => one.or(other),
            };
            (lowest, level.max(said.level))
        })
    }

    /// The verdict, whatever the order of what was said.
    fn conclude(&self, facts: &Facts<'_>, mut said: Said) -> Verdict {
        let (ceiling, level) = self.meet(&said);
        let wanted = if level >= Level::Deny {
            let kill = facts.context.operator.kill.map(|good| good.rate);
            seeded::held_rate(facts.current, kill)
        } else {
            facts.normalised
        };
        let allowed = ceiling.map_or(wanted, |ceiling| ceiling.min(wanted));
        let allowed = seeded::after_ceilings(allowed, facts.lower_bound.rate);
        // A cap that the proposal keeps may still be below the current rate that a denial holds.
        for restriction in said.iter_mut().filter_map(|(_, said)| said.as_mut()) {
            if restriction.ceiling.is_some_and(|ceiling| ceiling < wanted) {
                restriction.level = restriction.level.max(Level::Clamp);
            }
        }
        said.sort_unstable_by_key(|&(place, _)| place);
        let bids = rules::place(&rules::BID_BOUNDS);
        let bids_enforced = bids.is_none_or(|place| !self.observed.holds(place));
        Verdict {
            proposed: facts.proposed,
            normalised: facts.normalised,
            allowed,
            level,
            binding: self.binding(facts, &said, allowed),
            reasons: reasons(&said, |place| !self.observed.holds(place)),
            observed: reasons(&said, |place| self.observed.holds(place)),
            overruled: Some(facts.lower_bound).filter(|bound| allowed < bound.rate),
            bid: bids::allowed(facts, level, bids_enforced),
            revisions: facts.window.revisions,
            memory: facts.memory,
        }
    }

    /// The first rule whose ceiling is the result, where that is not what was proposed.
    ///
    /// There always is one: a denial, too, has the current rate as its ceiling.
    fn binding(&self, facts: &Facts<'_>, said: &Said, allowed: Micros) -> Option<RuleId> {
        if allowed == facts.normalised {
            return None;
        }
        let bound = |restriction: &Restriction| restriction.ceiling == Some(allowed);
        let mut counted = said
            .iter()
            .filter(|(place, _)| !self.observed.holds(*place));
        let (place, _) = counted.find(|(_, said)| said.as_ref().is_some_and(bound))?;
        Some(RULES[*place].id.clone())
    }
}

/// What each rule says, in the order of the rules.
type Said = [(usize, Option<Restriction>); COUNT];

/// What the rules with an objection said, of those at the places asked for.
fn reasons(said: &Said, asked: impl Fn(usize) -> bool) -> Vec<Reason> {
    let objections = || {
        let said = said.iter().filter(|&&(place, _)| asked(place));
        let said = said.filter_map(|(place, said)| Some((place, said.as_ref()?)));
        said.filter(|(_, said)| said.level > Level::Allow)
    };
    let mut reasons = Vec::with_capacity(objections().count());
    reasons.extend(objections().map(|(place, said)| Reason {
        rule: RULES[*place].id.clone(),
        level: said.level,
        ceiling: said.ceiling,
        observed: said.observed,
        threshold: said.threshold,
    }));
    reasons
}

#[cfg(test)]
mod tests;
