//! Drawn records: both journals agree on them.

use super::*;

fn operand() -> impl Strategy<Value = Operand> {
    prop_oneof![
        any::<i64>().prop_map(|n| Operand::Money(Micros::new(n))),
        (-1_i64 << 40..1 << 40).prop_map(|n| Operand::Ratio(Ratio::from_ppm(n))),
        any::<i64>().prop_map(Operand::Hours),
        any::<i64>().prop_map(Operand::Count),
        Just(Operand::Undefined),
        Just(Operand::None),
    ]
}

fn level() -> impl Strategy<Value = Level> {
    use Level::{Allow, Clamp, Deny, Freeze, Kill};
    prop_oneof![
        Just(Allow),
        Just(Clamp),
        Just(Freeze),
        Just(Deny),
        Just(Kill)
    ]
}

fn reason() -> impl Strategy<Value = Reason> {
    (
        ".{0,9}",
        level(),
        any::<Option<i64>>(),
        operand(),
        operand(),
    )
        .prop_map(|(rule, level, ceiling, observed, threshold)| Reason {
            rule: RuleId::from(rule),
            level,
            ceiling: ceiling.map(Micros::new),
            observed,
            threshold,
        })
}

fn choice() -> impl Strategy<Value = Choice> {
    let method = prop_oneof![
        Just(PropensityMethod::Exact),
        (0.0..1.0_f64).prop_map(|error| PropensityMethod::Quadrature { error }),
        any::<u32>().prop_map(|draws| PropensityMethod::MonteCarlo { draws }),
    ];
    (
        any::<u32>(),
        f64::MIN_POSITIVE..=1.0,
        method,
        0..1_u64 << 63,
    )
        .prop_map(|(arm, propensity, method, policy)| Choice {
            arm: ArmId::new(arm),
            propensity: Propensity::new(propensity).expect("in (0, 1]"),
            method,
            policy: PolicyVersion::new(policy),
        })
}

fn span() -> impl Strategy<Value = HourSpan> {
    (any::<i32>(), 1..30_i32).prop_map(|(from, hours)| {
        let from = UtcHour::new(from.min(i32::MAX - 30));
        HourSpan::new(from, from.plus(hours))
    })
}

/// Any record, but with a decision id that follows from its content, as ids do.
fn record() -> impl Strategy<Value = Record> {
    let decided = || {
        (
            0..1_000_u32,
            key_strategy(),
            span(),
            choice(),
            any::<[i64; 6]>(),
        )
    };
    let acted = (
        level(),
        proptest::collection::vec(reason(), 0..4),
        0..6_usize,
    );
    prop_oneof![
        (decided(), acted).prop_map(|((n, key, span, choice, m), (level, reasons, s))| {
            let mut action = action(n, STATUSES[s]);
            let seed = format!("{key}{span}{choice:?}{m:?}{level}{reasons:?}");
            action.decision.id = DecisionId::derive(&[seed.as_bytes()]);
            action.decision.key = key;
            action.decision.span = span;
            action.decision.choice = choice;
            action.decision.current = Micros::new(m[0]);
            action.decision.proposed = Micros::new(m[1]);
            action.decision.normalised = Micros::new(m[2]);
            action.decision.allowed = Micros::new(m[3]);
            action.decision.level = level;
            action.decision.binding = reasons.first().map(|reason| reason.rule.clone());
            action.decision.reasons = reasons;
            action.sent = (m[4] > 0).then_some(Micros::new(m[4]));
            action.read_back = (m[5] > 0).then_some(Micros::new(m[5]));
            Record::Action(Box::new(action))
        }),
        decided().prop_map(|(n, key, span, choice, m)| {
            let mut experience = experience(n);
            let seed = format!("{key}{span}{choice:?}{m:?}{n}");
            experience.decision = DecisionId::derive(&[seed.as_bytes()]);
            experience.key = key;
            experience.span = span;
            experience.choice = choice;
            experience.reward = Micros::new(m[0]);
            experience.cost = Micros::new(m[1]);
            experience.state.spend_24h = Micros::new(m[2]);
            experience.state.lambda = Ratio::from_ppm(m[3] >> 24);
            Record::Experience(Box::new(experience))
        }),
        (0..9_u32).prop_map(|n| Record::Correction(correction(n))),
        (0..9_u32).prop_map(|n| Record::BudgetState(budget_state(n))),
        (0..9_u32).prop_map(|n| Record::Alert(alert(n))),
        (0..9_u32).prop_map(|n| Record::Credit(credit(n))),
        (0..9_u32).prop_map(|n| Record::Plan(Box::new(plan(n)))),
        (key_strategy(), -5..5_i32, 0..3_u32).prop_map(|(key, from, revision)| {
            // The same revision has the same figures.
            let metrics = gaelp_core::Metrics {
                impressions: u64::from(revision),
                ..gaelp_core::Metrics::default()
            };
            let span = HourSpan::hour(NOON.plus(from));
            let revision = Revision::new(revision);
            Record::Metrics(MetricRow {
                key,
                span,
                revision,
                metrics,
            })
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Whatever is appended, in whatever batches, twice: both journals hold the same.
    #[test]
    fn both_journals_agree(
        batches in proptest::collection::vec(proptest::collection::vec(record(), 0..12), 0..6),
    ) {
        let store = Store::open_in_memory()?;
        let mut memory = MemoryJournal::new();
        for _ in 0..2 {
            let mut journal = store.journal(RUN);
            for batch in &batches {
                block_on(memory.append(batch.clone()))?;
                commit(&mut journal, batch.clone())?;
            }
            agrees(&store, RUN, &memory)?;
        }
    }
}
