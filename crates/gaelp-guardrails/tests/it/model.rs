//! The same rules written a second time, as plainly as possible, to compare with.
//!
//! It sums lists in 128 bits, divides nothing that it can multiply, and shares no code with the
//! crate.

use gaelp_core::{HourSpan, Level, Micros, Ratio, RuleId};
use gaelp_guardrails::{BreakerPhase, FreezeState, GuardrailConfig, OnFreeze, Verdict};

use crate::cases::{Asked, at_hand};
use crate::support::Case;

type Rows = [(HourSpan, i64, i64, u64)];
/// Name, level where it objects to the proposal, ceiling where it has one.
pub(crate) type Said = (&'static str, Level, Option<i128>);

const LIMIT: i128 = 1_000_000_000_000_000;
const ONE: i128 = 1_000_000;

pub(crate) struct Model<'a> {
    pub(crate) config: &'a GuardrailConfig,
    pub(crate) case: &'a Case,
    rows: &'a Rows,
    pub(crate) current: i128,
    sums: Sums,
}

/// What the rows of a window add up to.
#[derive(Clone, Copy, Default)]
struct Sums {
    spend: i128,
    revenue: i128,
    conversions: i128,
    covered: i128,
}

pub(crate) fn big(amount: Micros) -> i128 {
    i128::from(amount.get())
}

fn ppm(ratio: Ratio) -> i128 {
    i128::from(ratio.ppm())
}

impl<'a> Model<'a> {
    pub(crate) fn new(asked: &'a Asked) -> Self {
        let (config, case, rows) = (asked.config(), &asked.case, &asked.rows);
        let current = big(case.current).max(0);
        let mut model = Self {
            config,
            case,
            rows,
            current,
            sums: Sums::default(),
        };
        model.sums = model.window();
        model
    }

    fn hours(&self) -> i128 {
        i128::from(self.case.span.len()).max(1)
    }

    fn over(&self) -> impl Iterator<Item = &(HourSpan, i64, i64, u64)> {
        self.rows.iter().filter(|row| row.0.to <= self.case.now)
    }

    fn window(&self) -> Sums {
        let asked = i64::from(self.config.roas_window_hours);
        let mut sums = Sums::default();
        for &(span, spend, revenue, conversions) in self.over() {
            // Hours back from now: the first one past the span's beginning, the last at its end.
            let (first, last) = (self.case.now.since(span.from), self.case.now.since(span.to));
            let inside = (last + 1..=first).filter(|&back| back <= asked).count();
            if inside > 0 {
                sums.spend += i128::from(spend);
                sums.revenue += i128::from(revenue);
                sums.conversions += i128::from(conversions);
                sums.covered += inside as i128;
            }
        }
        sums
    }

    pub(crate) fn thin(&self) -> bool {
        let asked = i128::from(self.config.roas_window_hours);
        self.sums.covered * 1_000_000 < asked * i128::from(self.config.min_coverage.ppm())
    }

    pub(crate) fn stale(&self) -> bool {
        let Some(newest) = self.over().max_by_key(|row| row.0.to) else {
            return true;
        };
        let limit = i64::from(self.config.max_data_age_hours) * i64::from(newest.0.len());
        self.case.now.since(newest.0.to) > limit
    }

    /// Whether a measure is bad, whether it would let a freeze end, and whether it says anything.
    fn roas(&self) -> Option<(bool, bool, bool)> {
        let bound = i128::from(self.config.freeze_roas_below?.ppm());
        let exit = self
            .config
            .unfreeze_roas_at
            .map_or(bound + bound / 10, |r| i128::from(r.ppm()));
        let sums = self.sums;
        if self.thin() {
            return Some((false, false, false));
        }
        if sums.spend == 0 || sums.spend < big(self.config.minimum_window_spend) {
            return Some((false, true, false));
        }
        let earned = sums.revenue * 1_000_000;
        Some((
            earned < bound * sums.spend,
            earned >= exit * sums.spend,
            true,
        ))
    }

    fn cpa(&self) -> Option<(bool, bool, bool)> {
        let bound = big(self.config.freeze_cpa_above?);
        let exit = self.config.unfreeze_cpa_at.map_or(bound - bound / 10, big);
        let sums = self.sums;
        if self.thin() {
            return Some((false, false, false));
        }
        if sums.spend == 0 || sums.spend < big(self.config.minimum_window_spend) {
            return Some((false, true, false));
        }
        if sums.conversions == 0 {
            let bad = sums.spend > bound;
            return Some((bad, false, bad));
        }
        let paid = sums.spend * 1_000_000;
        Some((
            paid > bound * sums.conversions,
            paid <= exit * sums.conversions,
            true,
        ))
    }

    /// N such that N times the expected rate is enough, by trying each.
    fn dry_limit(&self) -> Option<i128> {
        let asked = i128::from(self.config.freeze_without_conversion_hours?);
        let expected = self.case.expected.conversions_per_hour;
        let Some(rate) = expected.or(self.config.expected_conversions_per_hour) else {
            return Some(asked);
        };
        let needed = i128::from(self.config.min_expected_conversions.millionths());
        let enough = |hours: i128| hours * i128::from(rate.millionths()) >= needed;
        // There are never more than 480 hours of reports.
        Some(
            (asked..1_000)
                .find(|&hours| enough(hours))
                .unwrap_or(i128::MAX),
        )
    }

    fn conversions(&self) -> Option<(bool, bool, bool)> {
        let limit = self.dry_limit()?;
        let (mut hours, mut spend) = (0, 0);
        // The rows come newest first.
        for &(span, paid, _, conversions) in self.over() {
            if hours >= limit {
                break;
            }
            if conversions > 0 {
                return Some((false, true, true));
            }
            hours += i128::from(span.len());
            spend += i128::from(paid);
        }
        if hours < limit {
            return Some((false, false, false));
        }
        let idle = spend == 0 || spend < big(self.config.minimum_window_spend);
        Some((!idle, idle, !idle))
    }

    fn spike(&self) -> Option<(bool, bool, bool)> {
        let most = ppm(self.config.max_spike?);
        let Some(usual) = self
            .case
            .usual
            .filter(|usual| usual.weeks >= self.config.spike_min_weeks)
        else {
            return Some((false, false, false));
        };
        let large = usual.last_hour >= self.config.spike_minimum_spend;
        // In whole micros, rounded down: the bound is an amount of money.
        let bad = large && big(usual.last_hour) > big(usual.usual) * most / ONE;
        Some((bad, !bad, true))
    }

    /// Whether CPA is above what it is meant to be, so many times; `None` where nobody said.
    fn expensive(&self) -> Option<bool> {
        let meant = big(self.case.expected.cpa?);
        let bound = (meant * ppm(self.config.max_cpa_multiplier?)).div_euclid(ONE);
        let bound = if bound > i128::from(i64::MAX) || bound < i128::from(i64::MIN) {
            i128::from(i64::MAX)
        } else {
            bound
        };
        let sums = self.sums;
        let idle = sums.spend == 0 || sums.spend < big(self.config.minimum_window_spend);
        if self.thin() || idle {
            return Some(false);
        }
        // Without a conversion, the first one has cost at least what was spent.
        Some(if sums.conversions == 0 {
            sums.spend > bound
        } else {
            sums.spend * ONE > bound * sums.conversions
        })
    }

    fn after(
        &self,
        before: FreezeState,
        seen: Option<(bool, bool, bool)>,
        need: u32,
    ) -> FreezeState {
        let Some((bad, may_end, judged)) = seen else {
            return FreezeState::default();
        };
        if let Some(since) = before.since {
            let ends = may_end && self.case.now.since(since) >= i64::from(self.config.dwell_hours);
            let since = if ends { None } else { before.since };
            return FreezeState { bad: 0, since };
        }
        if !judged {
            return before;
        }
        if !bad {
            return FreezeState::default();
        }
        let counted = self
            .case
            .memory
            .evaluated
            .is_some_and(|last| last >= self.case.now);
        let count = if counted {
            before.bad.max(1)
        } else {
            before.bad + 1
        };
        if count >= need {
            FreezeState {
                bad: 0,
                since: Some(self.case.now),
            }
        } else {
            FreezeState {
                bad: count,
                since: None,
            }
        }
    }

    pub(crate) fn states(&self) -> [FreezeState; 4] {
        let (memory, need) = (&self.case.memory, self.config.freeze_after_evaluations);
        [
            self.after(memory.roas, self.roas(), need),
            self.after(memory.cpa, self.cpa(), need),
            self.after(memory.conversions, self.conversions(), 1),
            self.after(memory.spike, self.spike(), 1),
        ]
    }

    fn day_ago(&self) -> i128 {
        self.case.day_ago.map_or(self.current, big).clamp(0, LIMIT)
    }

    /// What nothing may start with; what runs is kept from falling below it, but not raised to it.
    fn floor(&self) -> i128 {
        match big(self.config.hourly_floor) {
            floor if self.current > 0 => floor.min(self.current),
            floor => floor,
        }
    }

    pub(crate) fn hourly(&self) -> bool {
        self.case.span.len() <= 1
    }

    /// A rate at other traffic, times a factor: `None` where its share has no meaning.
    fn moved(rate: i128, from: Ratio, to: Ratio, factor: i128) -> Option<i128> {
        if from <= Ratio::ZERO || to < Ratio::ZERO {
            return None;
        }
        let most = i128::from(i64::MAX);
        Some((rate * ppm(to) * factor / (ppm(from) * ONE)).min(most))
    }

    /// The bounds on normalised changes: their names, the rate, both shares, the delta.
    fn normalised_deltas(&self) -> Vec<(&'static str, i128, Option<(Ratio, Ratio)>, Ratio)> {
        let traffic = self.case.traffic;
        let mut deltas = Vec::new();
        if let Some(delta) = self.config.delta_max_normalised.filter(|_| self.hourly()) {
            let shares = traffic.map(|traffic| (traffic.before, traffic.next));
            deltas.push(("delta_normalised", self.current, shares, delta));
        }
        if let Some(delta) = self.config.delta_max_24h_normalised {
            let shares = traffic.map(|t| (t.day_ago.unwrap_or(t.next), t.next));
            deltas.push(("delta_normalised_24h", self.day_ago(), shares, delta));
        }
        deltas
    }

    /// What a proposal is raised to.
    pub(crate) fn lower_bound(&self) -> i128 {
        let keep = |rate: i128, delta: Ratio| rate - rate * ppm(delta) / ONE;
        let mut bounds = vec![self.floor()];
        if self.hourly() {
            bounds.push(keep(self.current, self.config.delta_max));
        }
        bounds.push(keep(self.day_ago(), self.config.delta_max_24h).min(self.current));
        for (_, rate, shares, delta) in self.normalised_deltas() {
            let kept = |(from, to)| Self::moved(rate, from, to, ONE - ppm(delta));
            let kept = shares.and_then(kept).unwrap_or(0);
            bounds.push(kept.min(self.current));
        }
        bounds.into_iter().max().unwrap()
    }

    fn frozen(&self, on_freeze: OnFreeze) -> i128 {
        match on_freeze {
            OnFreeze::Hold => self.current,
            OnFreeze::StepDown(by) => {
                let stepped = self.current - self.current * ppm(by) / ONE;
                stepped.max(self.lower_bound()).min(self.current)
            }
            OnFreeze::Pause => 0,
        }
    }

    /// Whether an amount, a share or the span cannot be.
    pub(crate) fn impossible(&self, proposed: i128) -> bool {
        let case = self.case;
        let positive = [
            Some(case.current),
            case.day_ago,
            case.operator.kill.map(|good| good.rate),
            case.target_today,
            case.raised.account,
            case.raised.platform,
            case.raised.campaign,
            case.raised.ad_set,
            case.writes.unresolved,
            case.expected.cpa,
            case.usual.map(|usual| usual.usual),
            case.usual.map(|usual| usual.last_hour),
            case.bid.map(|bid| bid.current),
            case.bid.map(|bid| bid.proposed),
        ];
        let signed = [
            case.spent.account,
            case.spent.platform,
            case.spent.campaign,
            case.spent.ad_set,
            case.share,
            case.writes.headroom,
            case.exploration
                .map(|exploration| exploration.at_risk_today),
        ];
        let traffic = case
            .traffic
            .map(|t| [Some(t.before), Some(t.next), t.day_ago]);
        let shares = traffic.into_iter().flatten().flatten();
        !(0..=LIMIT).contains(&proposed)
            || positive
                .into_iter()
                .flatten()
                .any(|amount| !(0..=LIMIT).contains(&big(amount)))
            || signed
                .into_iter()
                .flatten()
                .any(|amount| big(amount).abs() > LIMIT)
            || shares
                .into_iter()
                .any(|share| !(0..=1_000_000).contains(&share.ppm()))
            || case.span.to <= case.span.from
    }

    /// Whether an hour is in a range, by going through the range.
    fn within(&self, range: gaelp_guardrails::HourRange) -> bool {
        let (hour, end) = (self.case.local.hour, range.end() % 24);
        let mut inside = range.start();
        while inside != hour && (inside + 1) % 24 != end {
            inside = (inside + 1) % 24;
        }
        inside == hour
    }

    /// What each rule says, by name.
    pub(crate) fn said(&self, proposed: i128, normalised: i128) -> Vec<Said> {
        let (config, case, current) = (self.config, self.case, self.current);
        let mut said: Vec<Said> = Vec::new();
        let mut says = |name, level, ceiling| said.push((name, level, Some(ceiling)));
        let missing = |name: &str, fact: bool| {
            !fact && config.require.iter().any(|rule| rule.as_str() == name)
        };
        let freeze = Level::Freeze;
        let held = self.frozen(config.on_freeze);
        if let Some(good) = case.operator.kill {
            says(
                "kill_switch",
                Level::Kill,
                big(good.rate).max(0).min(current),
            );
        }
        if case.operator.emergency.is_some() {
            says("emergency", freeze, held);
        }
        if case.operator.paused {
            says("paused", freeze, held);
        }
        if self.impossible(proposed) {
            says("arithmetic", Level::Deny, current);
        }
        if config
            .canary
            .as_ref()
            .is_some_and(|list| !list.contains("23851"))
        {
            says("canary", Level::Deny, current);
        }
        if config.blocked.contains("23851") {
            says("blocked", Level::Deny, current);
        }
        if let Some(list) = &config.canary_audiences {
            match &case.audience {
                None => says("canary_audience", freeze, current),
                Some(audience) if !list.contains(audience) => {
                    says("canary_audience", Level::Deny, current);
                }
                Some(_) => {}
            }
        }
        if !config.blocked_audiences.is_empty() {
            match &case.audience {
                None => says("blocked_audience", freeze, current),
                Some(audience) if config.blocked_audiences.contains(audience) => {
                    says("blocked_audience", Level::Deny, current);
                }
                Some(_) => {}
            }
        }
        if case.writes.reconciled == Some(false)
            || missing("unreconciled", case.writes.reconciled.is_some())
        {
            says("unreconciled", freeze, current);
        }
        if let Some(sent) = case.writes.unresolved {
            says("unresolved_write", freeze, big(sent).max(0).min(current));
        }
        let since_edit = case.writes.external_edit.map(|edit| case.now.since(edit));
        if since_edit.is_some_and(|hours| hours < i64::from(config.external_edit_freeze_hours)) {
            says("external_edit", freeze, current);
        }
        if let Some(most) = config.max_edits_per_hour {
            match case.writes.edits_last_hour {
                Some(edits) if edits >= most => says("edits", Level::Deny, current),
                Some(edits) if edits + 1 < most => {}
                _ => says("edits", freeze, current),
            }
        }
        if case.health.clock_trouble {
            says("clock", freeze, current);
        }
        let breaker = case.health.breaker;
        let stopped = matches!(breaker, Some(BreakerPhase::Open | BreakerPhase::HalfOpen));
        if stopped || missing("breaker", breaker.is_some()) {
            says("breaker", freeze, current);
        }

        // Caps per day: with whose spend, which cap.
        let cap = |ceiling: i128| {
            (
                if normalised > ceiling {
                    Level::Clamp
                } else {
                    Level::Allow
                },
                ceiling,
            )
        };
        let per_hour = |money: i128| money.max(0) / self.hours();
        let day = |limit: Micros, spent: Option<Micros>| match spent {
            None => (freeze, current),
            Some(spent) => cap(per_hour(big(limit) - big(spent).max(0))),
        };
        let (level, ceiling) = day(config.daily_cap, case.spent.account);
        says("daily_cap", level, ceiling);
        if missing("account_share", case.share.is_some()) {
            says("account_share", freeze, current);
        } else if let Some(share) = case.share {
            let (level, ceiling) = cap(per_hour(big(share)));
            says("account_share", level, ceiling);
        }
        let platform = config.platform_daily_caps.get(&case.key.platform).copied();
        let optional = [
            ("platform_daily_cap", platform, case.spent.platform),
            (
                "campaign_daily_cap",
                config.campaign_daily_cap,
                case.spent.campaign,
            ),
            (
                "ad_set_daily_cap",
                config.ad_set_daily_cap,
                case.spent.ad_set,
            ),
        ];
        for (name, limit, spent) in optional {
            if let Some(limit) = limit {
                let (level, ceiling) = day(limit, spent);
                says(name, level, ceiling);
            }
        }
        let (level, ceiling) = cap(big(config.hourly_ceiling));
        says("hourly_ceiling", level, ceiling);
        if let Some(taper) = config.taper {
            match (case.spent.account, case.target_today) {
                (Some(spent), Some(target)) => {
                    let (from, least) = (ppm(taper.from), ppm(taper.least));
                    let target = big(target).max(0);
                    let past = big(spent) * ONE - from * target;
                    let way = (ONE - from) * target;
                    let left = if target == 0 || past >= way {
                        least
                    } else if past <= 0 {
                        ONE
                    } else {
                        // What is lost, rounded up.
                        ONE - ((ONE - least) * past + way - 1) / way
                    };
                    let (level, ceiling) = cap(big(config.hourly_ceiling) * left / ONE);
                    says("taper", level, ceiling);
                }
                _ => says("taper", freeze, current),
            }
        }
        if missing("ledger_headroom", case.writes.headroom.is_some()) {
            says("ledger_headroom", freeze, current);
        } else if let Some(headroom) = case.writes.headroom {
            let (level, ceiling) = cap(big(headroom).max(current));
            says("ledger_headroom", level, ceiling);
        }
        let more = |raise: i128| {
            let raised = current + raise.max(0);
            cap(if raised > i128::from(i64::MAX) {
                current
            } else {
                raised
            })
        };
        let raises = &config.hourly_raise_caps;
        let raises = [
            ("account_raises", raises.account, case.raised.account),
            ("platform_raises", raises.platform, case.raised.platform),
            ("campaign_raises", raises.campaign, case.raised.campaign),
            ("ad_set_raises", raises.ad_set, case.raised.ad_set),
        ];
        for (name, limit, raised) in raises {
            let Some(limit) = limit else { continue };
            let (level, ceiling) = match raised {
                None => (freeze, current),
                Some(raised) => more(big(limit) - big(raised).max(0)),
            };
            says(name, level, ceiling);
        }
        if let Some((limit, exploration)) = config.exploration_daily_cap.zip(case.exploration) {
            let left = big(limit) - big(exploration.at_risk_today).max(0);
            let (level, ceiling) = more(per_hour(left));
            says("exploration_risk", level, ceiling);
        }
        if missing("bid_bounds", case.bid.is_some()) {
            says("bid_bounds", freeze, current);
        } else if let Some(bid) = case.bid
            && self.bounded(big(bid.proposed)) != big(bid.proposed)
        {
            said.push(("bid_bounds", Level::Clamp, None));
        }
        let mut says = |name, level, ceiling| said.push((name, level, Some(ceiling)));

        let rise = |most: i128| cap(most.max(self.floor()).max(current));
        let grow = |rate: i128, delta: Ratio| {
            let grown = rate + rate * ppm(delta) / ONE;
            // Past 64 bits there is no such rate, and the denial is there already.
            rise(if grown > i128::from(i64::MAX) {
                rate
            } else {
                grown
            })
        };
        if self.hourly() {
            let (level, ceiling) = grow(current, config.delta_max);
            says("delta_max", level, ceiling);
        }
        let (level, ceiling) = grow(self.day_ago(), config.delta_max_24h);
        says("delta_max_24h", level, ceiling);
        for (name, rate, shares, delta) in self.normalised_deltas() {
            let most = |(from, to)| Self::moved(rate, from, to, ONE + ppm(delta));
            let (level, ceiling) = shares.and_then(most).map_or((freeze, current), rise);
            says(name, level, ceiling);
        }
        if self.hourly() && config.peak_hours.is_some_and(|peak| !self.within(peak)) {
            says("peak_hours", freeze, current);
        }
        if self.hourly()
            && config
                .restricted_hours
                .is_some_and(|hours| self.within(hours))
        {
            let ceiling = config.restricted_ceiling.map_or(current, big);
            says("restricted_hours", freeze, ceiling.min(current));
        }
        let without = self.frozen(config.on_missing_data);
        if self.stale() {
            says("stale_data", freeze, without);
        }
        if self.thin() {
            says("thin_data", freeze, without);
        }
        let frozen = self.states().map(|state| state.since.is_some());
        for (name, frozen) in ["freeze_roas", "freeze_cpa", "freeze_conversions"]
            .into_iter()
            .zip(frozen)
        {
            if frozen {
                says(name, freeze, held);
            }
        }
        if config.max_cpa_multiplier.is_some() {
            match self.expensive() {
                None => says("cpa_multiplier", freeze, current),
                Some(true) => says("cpa_multiplier", freeze, held),
                Some(false) => {}
            }
        }
        if missing("spend_spike", case.usual.is_some()) {
            says("spend_spike", freeze, current);
        } else if frozen[3] {
            says("spend_spike", freeze, self.frozen(config.on_spike));
        }
        said
    }

    /// A bid within its bounds; the ceiling beats the floor.
    fn bounded(&self, bid: i128) -> i128 {
        let floor = self.config.bid_floor.map_or(bid, big);
        let ceiling = self.config.bid_ceiling.map_or(i128::MAX, big);
        bid.max(floor).min(ceiling)
    }

    fn bid(&self, level: Level) -> Option<i128> {
        let bid = self.case.bid?;
        let observed = self.observes("bid_bounds");
        let bounded = |bid: i128| if observed { bid } else { self.bounded(bid) };
        let (current, proposed) = (big(bid.current).max(0), big(bid.proposed));
        Some(if level >= Level::Deny {
            bounded(current).min(current)
        } else if level == Level::Freeze {
            bounded(proposed).min(current)
        } else {
            bounded(proposed)
        })
    }

    fn observes(&self, name: &str) -> bool {
        self.config.observe.iter().any(|rule| rule.as_str() == name)
    }

    /// Compares a verdict with everything that the model says.
    pub(crate) fn agrees(&self, asked: &Asked, verdict: &Verdict) {
        let proposed = big(asked.proposed);
        let normalised = proposed.max(self.lower_bound());
        let everything = self.said(proposed, normalised);
        let counted = |said: &&Said| !self.observes(said.0);
        let harshest = everything.iter().filter(counted).map(|said| said.1).max();
        let level = harshest.unwrap_or(Level::Allow);
        let wanted = if level >= Level::Deny {
            self.current
        } else {
            normalised
        };
        let ceilings = everything.iter().filter(counted).filter_map(|said| said.2);
        let allowed = ceilings.fold(wanted, i128::min);

        assert_eq!(big(verdict.normalised), normalised, "{}", at_hand());
        assert_eq!(big(verdict.allowed), allowed, "{}", at_hand());
        assert_eq!(verdict.level, level, "{}", at_hand());
        let memory = &verdict.memory;
        let states = [memory.roas, memory.cpa, memory.conversions, memory.spike];
        assert_eq!(states, self.states(), "{}", at_hand());
        let binding = everything.iter().filter(counted);
        let binding = binding
            .clone()
            .find(|said| allowed != normalised && said.2 == Some(allowed));
        let bound = verdict.binding.as_ref().map(RuleId::as_str);
        assert_eq!(bound, binding.map(|said| said.0), "{}", at_hand());
        // What is said aloud: objections, and caps below what a denial would keep.
        let aloud = |said: &&Said| said.1 > Level::Allow || said.2.is_some_and(|c| c < wanted);
        let spoken = |said: &Said| {
            let level = if said.2.is_some_and(|ceiling| ceiling < wanted) {
                said.1.max(Level::Clamp)
            } else {
                said.1
            };
            (said.0, level, said.2)
        };
        let mut expected = everything.iter().filter(aloud).filter(counted).map(spoken);
        for reason in &verdict.reasons {
            let found = (reason.rule.as_str(), reason.level, reason.ceiling.map(big));
            assert_eq!(Some(found), expected.next(), "{}", at_hand());
        }
        assert_eq!(expected.next(), None, "{}", at_hand());
        let watched = |said: &&Said| self.observes(said.0);
        let mut expected = everything.iter().filter(aloud).filter(watched).map(spoken);
        for reason in &verdict.observed {
            let found = (reason.rule.as_str(), reason.level, reason.ceiling.map(big));
            assert_eq!(Some(found), expected.next(), "{}", at_hand());
        }
        assert_eq!(expected.next(), None, "{}", at_hand());
        let overruled = verdict.overruled.map(|bound| big(bound.rate));
        let lower = Some(self.lower_bound()).filter(|&bound| allowed < bound);
        assert_eq!(overruled, lower, "{}", at_hand());
        assert_eq!(verdict.bid.map(big), self.bid(level), "{}", at_hand());
    }
}
