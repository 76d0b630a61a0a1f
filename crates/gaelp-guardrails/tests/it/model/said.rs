//! What each rule says.

use gaelp_core::{Level, Micros, Ratio};
use gaelp_guardrails::BreakerPhase;

use super::{LIMIT, Model, ONE, Said, big, ppm};

impl Model<'_> {
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
}
