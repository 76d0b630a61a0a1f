use gaelp_core::{AccountZone, Currency, Micros, Platform, Ratio};
use proptest::prelude::*;

use super::{
    BudgetError, Capabilities, CapabilitiesConfig, CapabilitiesError, CapabilitiesViolation,
    HourlyConversions, MAX_OVERDELIVERY,
};

fn zone() -> AccountZone {
    "Europe/Berlin".parse().unwrap()
}

fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

#[test]
fn presets_are_valid_in_every_currency() {
    for code in ["USD", "EUR", "JPY", "KWD", "VND", "XYZ"] {
        let currency = currency(code);
        for config in [
            CapabilitiesConfig::meta(currency, zone()),
            CapabilitiesConfig::google(currency, zone()),
            CapabilitiesConfig::tiktok(currency, zone()),
            CapabilitiesConfig::other(Platform::new("exchange"), currency, zone()),
        ] {
            assert_eq!(config.violations(), []);
        }
    }
}

/// The figures of the research notes, written out once more by hand.
#[test]
fn presets_have_the_documented_figures() {
    let figures = |c: &Capabilities| {
        (
            c.overdelivery.ppm(),
            c.minimum_daily_budget.get(),
            c.edits_per_hour.map(u32::from),
            c.reporting_delay_hours,
            c.hourly_conversions,
        )
    };
    let omitted = HourlyConversions::Omitted;
    let meta = Capabilities::meta(Currency::USD, zone());
    assert_eq!(figures(&meta), (1_750_000, 1_000_000, Some(4), 1, omitted));
    let google = Capabilities::google(Currency::USD, zone());
    let reported = HourlyConversions::Reported;
    assert_eq!(figures(&google), (2_000_000, 10_000, None, 3, reported));
    let tiktok = Capabilities::tiktok(Currency::USD, zone());
    assert_eq!(figures(&tiktok), (1_250_000, 20_000_000, None, 12, omitted));
}

#[test]
fn an_unknown_platform_gets_the_most_careful_figures() {
    let other = Capabilities::other(Platform::new("exchange"), Currency::USD, zone());
    for known in [
        Capabilities::meta(Currency::USD, zone()),
        Capabilities::google(Currency::USD, zone()),
        Capabilities::tiktok(Currency::USD, zone()),
    ] {
        assert!(other.overdelivery >= known.overdelivery);
        assert!(other.reporting_delay_hours >= known.reporting_delay_hours);
        let edits = |c: &Capabilities| c.edits_per_hour.map_or(u32::MAX, u32::from);
        assert!(edits(&other) <= edits(&known));
    }
    assert_eq!(other.hourly_conversions, HourlyConversions::Omitted);
}

#[test]
fn currencies_without_hundredths_have_whole_budgets() {
    let yen = Capabilities::meta(currency("JPY"), zone());
    assert_eq!(
        yen.accept(Micros::new(1_234_567_890)),
        Ok(Micros::new(1_234_000_000))
    );
    assert_eq!(yen.minimum_daily_budget, Micros::new(1_000_000));
}

#[test]
fn every_violation_is_reported() {
    let wrong = Capabilities::meta(Currency::USD, zone()).with(|config| {
        config.overdelivery = Ratio::from_ppm(999_999);
        config.budget_quantum = Micros::new(-1);
        config.minimum_daily_budget = Micros::ZERO;
        config.reporting_delay_hours = 673;
    });
    let Err(CapabilitiesError { violations }) = wrong else {
        panic!("accepted");
    };
    assert_eq!(
        violations,
        [
            CapabilitiesViolation::Overdelivery {
                value: Ratio::from_ppm(999_999)
            },
            CapabilitiesViolation::Quantum {
                value: Micros::new(-1)
            },
            CapabilitiesViolation::Minimum {
                value: Micros::ZERO
            },
            CapabilitiesViolation::ReportingDelay { value: 673 },
        ]
    );
    let text = CapabilitiesError { violations }.to_string();
    assert_eq!(text.matches(';').count(), 3, "{text}");

    let (minimum, quantum) = (Micros::new(1_000_001), Micros::new(10_000));
    let wrong = Capabilities::meta(Currency::USD, zone())
        .with(|config| config.minimum_daily_budget = minimum);
    let violation = CapabilitiesViolation::MinimumOffQuantum { minimum, quantum };
    assert_eq!(wrong.unwrap_err().violations, [violation]);
}

#[test]
fn limits_of_the_range_are_valid() {
    for ratio in [Ratio::ONE, MAX_OVERDELIVERY] {
        let changed = Capabilities::meta(Currency::USD, zone()).with(|c| c.overdelivery = ratio);
        assert!(changed.is_ok());
    }
    let above = Ratio::from_ppm(MAX_OVERDELIVERY.ppm() + 1);
    let changed = Capabilities::meta(Currency::USD, zone()).with(|c| c.overdelivery = above);
    assert!(changed.is_err());
}

#[test]
fn configuration_is_read_checked() {
    let google = Capabilities::google(Currency::EUR, zone());
    let text = serde_json::to_string(&google).unwrap();
    assert!(text.contains(r#""overdelivery":2.0"#), "{text}");
    assert_eq!(serde_json::from_str::<Capabilities>(&text).unwrap(), google);

    let careless = text.replace(r#""overdelivery":2.0"#, r#""overdelivery":0.5"#);
    let error = serde_json::from_str::<Capabilities>(&careless).unwrap_err();
    assert!(error.to_string().contains("overdelivery is 0.5"), "{error}");

    let misspelt = text.replace("overdelivery", "over_delivery");
    assert!(serde_json::from_str::<Capabilities>(&misspelt).is_err());
}

#[test]
fn worst_case_rounds_up() {
    let meta = Capabilities::meta(Currency::USD, zone());
    assert_eq!(
        meta.worst_case_day_spend(Micros::new(1)),
        Some(Micros::new(2))
    );
    assert_eq!(meta.worst_case_day_spend(Micros::ZERO), Some(Micros::ZERO));
    assert_eq!(meta.worst_case_day_spend(Micros::new(-1)), None);
}

fn any_capabilities() -> impl Strategy<Value = Capabilities> {
    let quantum = prop_oneof![1..=100_i64, 1..=100_000_000_i64];
    (quantum, 1..=1_000_i64, 1_000_000..=10_000_000_i64).prop_map(|(quantum, times, omega)| {
        Capabilities::meta(Currency::USD, AccountZone::UTC)
            .with(|config| {
                config.budget_quantum = Micros::new(quantum);
                config.minimum_daily_budget = Micros::new(quantum * times);
                config.overdelivery = Ratio::from_ppm(omega);
            })
            .unwrap()
    })
}

fn any_amount() -> impl Strategy<Value = i64> {
    prop_oneof![any::<i64>(), 0..=100_000_000_000_i64, -10..=10_i64]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn accept_gives_the_largest_budget_that_is_taken(
        capabilities in any_capabilities(),
        amount in any_amount(),
    ) {
        let asked = Micros::new(amount);
        let (quantum, minimum) = (capabilities.budget_quantum, capabilities.minimum_daily_budget);
        match capabilities.accept(asked) {
            Ok(budget) => {
                prop_assert!(budget <= asked);
                prop_assert_eq!(capabilities.check(budget), Ok(()));
                prop_assert_eq!(capabilities.accept(budget), Ok(budget));
                let next = budget.checked_add(quantum);
                prop_assert!(next.is_none_or(|next| next > asked));
                prop_assert_eq!(capabilities.check(asked).is_ok(), asked == budget);
            }
            Err(error) => {
                // The minimum is itself a budget, so nothing at or above it is refused.
                prop_assert_eq!(error, BudgetError::BelowMinimum { asked, minimum });
                prop_assert!(asked < minimum);
                prop_assert_eq!(capabilities.check(asked), Err(error));
            }
        }
    }

    #[test]
    fn worst_case_is_never_below_the_exact_product(
        capabilities in any_capabilities(),
        amount in any_amount(),
    ) {
        let exact = i128::from(amount) * i128::from(capabilities.overdelivery.ppm());
        match capabilities.worst_case_day_spend(Micros::new(amount)) {
            Some(worst) => {
                let worst = i128::from(worst.get()) * 1_000_000;
                prop_assert!((exact..exact + 1_000_000).contains(&worst));
            }
            None => prop_assert!(amount < 0 || exact > i128::from(i64::MAX) * 1_000_000 - 1_000_000),
        }
    }
}
