//! An ad set to put before the rules.

use gaelp_core::{
    AccountZone, AdSetKey, AudienceId, HourSpan, LocalHour, MetricRow, Metrics, Micros, Platform,
    Quantity, Revision, RuleId, UtcHour,
};
use gaelp_guardrails::{
    Bid, Context, Expected, Exploration, GuardrailConfig, Guardrails, Health, Memory, Operator,
    Raised, SpentToday, Traffic, Trailing, UsualSpend, Verdict, Writes,
};

/// 2026-11-20, a Friday, at 18:00 in UTC and on the account's clock: the peak begins.
pub(crate) const EVENING: UtcHour = UtcHour::new(498_666);

pub(crate) fn money(text: &str) -> Micros {
    text.parse().unwrap()
}

/// A context that owns what it lends.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub key: AdSetKey,
    pub span: HourSpan,
    pub local: LocalHour,
    pub current: Micros,
    pub day_ago: Option<Micros>,
    pub spent: SpentToday,
    pub share: Option<Micros>,
    pub target_today: Option<Micros>,
    pub raised: Raised,
    pub writes: Writes,
    pub traffic: Option<Traffic>,
    pub expected: Expected,
    pub usual: Option<UsualSpend>,
    pub bid: Option<Bid>,
    pub exploration: Option<Exploration>,
    pub audience: Option<AudienceId>,
    pub operator: Operator,
    pub health: Health,
    pub trailing: Trailing,
    pub now: UtcHour,
    pub memory: Memory,
}

impl Case {
    /// An ad set at 1.00 in the first hour of the peak, with plenty left and twelve good hours.
    pub(crate) fn healthy() -> Self {
        let mut case = Self::without_data();
        case.report(12, "0.50", "1.00", 1);
        case
    }

    pub(crate) fn without_data() -> Self {
        Self {
            key: AdSetKey::new(Platform::Meta, "23851"),
            span: HourSpan::hour(EVENING),
            local: AccountZone::UTC.local(EVENING),
            current: money("1.00"),
            day_ago: Some(money("1.00")),
            spent: SpentToday {
                account: Some(money("2.00")),
                ad_set: Some(money("2.00")),
                ..SpentToday::default()
            },
            share: Some(money("8.00")),
            target_today: None,
            raised: Raised::default(),
            writes: Writes::default(),
            traffic: None,
            expected: Expected::default(),
            usual: None,
            bid: None,
            exploration: None,
            audience: None,
            operator: Operator::default(),
            health: Health::default(),
            trailing: Trailing::new(600),
            now: EVENING,
            memory: Memory::default(),
        }
    }

    /// Reports the hours before now, the same figures in each.
    pub(crate) fn report(&mut self, hours: i32, spend: &str, revenue: &str, conversions: u64) {
        for hour in HourSpan::new(self.now.plus(-hours), self.now).iter() {
            self.report_span(HourSpan::hour(hour), spend, revenue, conversions);
        }
    }

    pub(crate) fn report_span(
        &mut self,
        span: HourSpan,
        spend: &str,
        revenue: &str,
        conversions: u64,
    ) {
        let conversions = Quantity::from_whole(conversions).unwrap().millionths();
        self.report_figures(span, money(spend).get(), money(revenue).get(), conversions);
    }

    /// Reports micros and millionths of conversions.
    pub(crate) fn report_figures(
        &mut self,
        span: HourSpan,
        spend: i64,
        revenue: i64,
        conversions: u64,
    ) {
        let row = MetricRow {
            key: self.key.clone(),
            span,
            revision: Revision::default(),
            metrics: Metrics {
                spend: Micros::new(spend),
                revenue: Micros::new(revenue),
                conversions: Quantity::from_millionths(conversions),
                ..Metrics::default()
            },
        };
        self.trailing.record(&row).unwrap();
    }

    /// Goes to the hour `hours` later, on the account's clock as well.
    pub(crate) fn advance(&mut self, hours: i32) {
        self.now = self.now.plus(hours);
        self.span = HourSpan::hour(self.now);
        self.local = AccountZone::UTC.local(self.now);
    }

    pub(crate) fn context(&self) -> Context<'_> {
        Context {
            day_ago: self.day_ago,
            memory: self.memory,
            spent: self.spent,
            share: self.share,
            target_today: self.target_today,
            raised: self.raised,
            writes: self.writes,
            traffic: self.traffic,
            expected: self.expected,
            usual: self.usual,
            bid: self.bid,
            exploration: self.exploration,
            audience: self.audience.as_ref(),
            operator: self.operator,
            health: self.health,
            ..Context::new(
                &self.key,
                self.span,
                self.local,
                self.current,
                &self.trailing,
                self.now,
            )
        }
    }

    pub(crate) fn evaluate(&self, guardrails: &Guardrails, proposed: Micros) -> Verdict {
        guardrails.evaluate(&self.context(), proposed)
    }

    /// The verdict in one text: what is allowed, the level, the binding rule, the reasons.
    pub(crate) fn verdict(&self, config: &GuardrailConfig, proposed: &str) -> String {
        let guardrails = config.clone().validate().unwrap();
        show(&self.evaluate(&guardrails, money(proposed)))
    }
}

pub(crate) fn show(verdict: &Verdict) -> String {
    let binding = verdict.binding.as_ref().map_or("nothing", RuleId::as_str);
    let mut parts = vec![format!(
        "{} {} by {binding}",
        verdict.allowed, verdict.level
    )];
    parts.extend(verdict.reasons.iter().map(ToString::to_string));
    let observed = verdict.observed.iter();
    parts.extend(observed.map(|reason| format!("observed {reason}")));
    if let Some(bound) = verdict.overruled {
        parts.push(format!("overrules {:?} {}", bound.kind, bound.rate));
    }
    parts.join("; ")
}
