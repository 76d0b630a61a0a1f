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
    /// Where the rule about bids stands.
    bids: usize,
}

impl Guardrails {
    pub(crate) fn new(config: GuardrailConfig) -> Self {
        let observed = RuleSet::of(&config.observe);
        let required = RuleSet::of(&config.require);
        Self {
            config,
            observed,
            required,
            bids: rules::place(&rules::BID_BOUNDS).unwrap_or(COUNT),
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
        self.conclude(&facts, &mut self.ask_all(&facts))
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
        let said = self.ask_all(&facts);
        let (ceiling, _) = meet(self.counted(&said));
        ceiling > facts.current
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

    /// What each rule says, by its place.
    fn ask_all(&self, facts: &Facts<'_>) -> Said {
        let mut all = [None; COUNT];
        for (place, said) in all.iter_mut().enumerate() {
            self.ask(place, facts, said);
        }
        all
    }

    fn ask(&self, place: usize, facts: &Facts<'_>, said: &mut Option<Restriction>) {
        let rule = &RULES[place];
        if self.required.holds(place)
            && rule
                .supplied
                .is_some_and(|supplied| !supplied(facts.context))
        {
            *said = Some(facts.missing(Operand::None));
        } else {
            (rule.check)(facts, said);
        }
    }

    /// What the rules said that count.
    fn counted<'a>(&self, said: &'a Said) -> impl Iterator<Item = &'a Restriction> {
        let places = said.iter().enumerate();
        let counted = places.filter(|&(place, _)| !self.observed.holds(place));
        counted.filter_map(|(_, said)| said.as_ref())
    }

    fn conclude(&self, facts: &Facts<'_>, said: &mut Said) -> Verdict {
        let (ceiling, level) = meet(self.counted(said));
        let wanted = if level >= Level::Deny {
            let kill = facts.context.operator.kill.map(|good| good.rate);
            seeded::held_rate(facts.current, kill)
        } else {
            facts.normalised
        };
        let allowed = ceiling.min(wanted);
        let allowed = seeded::after_ceilings(allowed, facts.lower_bound.rate);
        let mut objections = RuleSet::default();
        let mut bounds = RuleSet::default();
        for (place, said) in said.iter_mut().enumerate() {
            let Some(said) = said else { continue };
            // A cap that the proposal keeps may still be below the current rate that a denial
            // holds.
            if said.ceiling.is_some_and(|ceiling| ceiling < wanted) {
                said.level = said.level.max(Level::Clamp);
            }
            if said.level > Level::Allow {
                objections.insert(place);
            }
            if said.ceiling == Some(allowed) {
                bounds.insert(place);
            }
        }
        // The first rule whose ceiling is the result, where that is not what was proposed. There
        // always is one: a denial, too, has the current rate as its ceiling.
        let differs = allowed != facts.normalised;
        let mut binding = bounds.without(self.observed).places().filter(|_| differs);
        let bids_count = !self.observed.holds(self.bids);
        Verdict {
            proposed: facts.proposed,
            normalised: facts.normalised,
            allowed,
            level,
            binding: binding.next().map(|place| RULES[place].id.clone()),
            reasons: reasons(said, objections.without(self.observed)),
            observed: reasons(said, objections.and(self.observed)),
            overruled: Some(facts.lower_bound).filter(|bound| allowed < bound.rate),
            bid: bids::allowed(facts, level, bids_count),
            revisions: facts.window.revisions,
            memory: facts.memory,
        }
    }
}

/// What each rule says, in the order of the rules.
type Said = [Option<Restriction>; COUNT];

/// The lowest ceiling and the harshest level, in whatever order they come; without any ceiling, the
/// largest amount there is.
fn meet<'a>(said: impl Iterator<Item = &'a Restriction>) -> (Micros, Level) {
    let (mut lowest, mut harshest) = (Micros::MAX, Level::Allow);
    for said in said {
        if let Some(ceiling) = said.ceiling {
            lowest = lowest.min(ceiling);
        }
        harshest = harshest.max(said.level);
    }
    (lowest, harshest)
}

/// What the rules of a set said.
fn reasons(said: &Said, rules: RuleSet) -> Vec<Reason> {
    let mut reasons = Vec::with_capacity(rules.len());
    for place in rules.places() {
        let Some(said) = &said[place] else { continue };
        reasons.push(Reason {
            rule: RULES[place].id.clone(),
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
