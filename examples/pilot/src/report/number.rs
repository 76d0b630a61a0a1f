//! Numbers as people read them.

use std::cmp::Ordering;

use gaelp::core::{Currency, Micros, Quantity, Ratio};

/// What stands where a quotient has no value.
pub(super) const UNDEFINED: &str = "undefined";
/// What stands where there is nothing to say.
pub(super) const NOTHING: &str = "–";
/// The typographic minus: as wide as a digit, and never taken for a hyphen.
const MINUS: char = '−';

/// Two decimals, thousands separated, half to even: `1,234.50`.
pub(super) fn money(amount: Micros) -> String {
    amount_of(i128::from(amount.get()))
}

/// As [`money`], with the currency behind it.
pub(super) fn money_in(amount: Micros, currency: Currency) -> String {
    format!("{}\u{a0}{currency}", money(amount))
}

/// What was added from one amount to another as they are printed, always with its sign: `+2.00`,
/// `−0.50`, `±0.00`.
///
/// A reader who takes one printed amount from the other gets the same.
pub(super) fn difference(from: Micros, to: Micros) -> String {
    let cents = cents(i128::from(to.get())) - cents(i128::from(from.get()));
    match cents {
        0 => "±0.00".to_owned(),
        1.. => format!("+{}", amount_of(cents * CENT)),
        _ => amount_of(cents * CENT),
    }
}

/// Which of two amounts is larger, as they are printed.
pub(super) fn compare(one: Micros, other: Micros) -> Ordering {
    cents(i128::from(one.get())).cmp(&cents(i128::from(other.get())))
}

/// An hourly rate, with the currency: on a small budget it is a matter of fractions of a cent.
pub(super) fn rate(rate: Micros, currency: Currency) -> String {
    let number = if rate.get().unsigned_abs() >= 1_000_000 {
        money(rate)
    } else {
        let text = decimal(rate.to_major_f64(), 4);
        let kept = text.trim_end_matches('0').len().max(text.len() - 2);
        text.get(..kept).unwrap_or(&text).to_owned()
    };
    format!("{number}\u{a0}{currency}")
}

/// As [`money`], where there may be no amount.
pub(super) fn optional_money(amount: Option<Micros>) -> String {
    amount.map_or_else(|| UNDEFINED.to_owned(), money)
}

/// A statistic with two decimals, or that it is undefined.
pub(super) fn statistic(value: Option<f64>) -> String {
    match value {
        Some(value) if value.is_finite() => decimal(value, 2),
        _ => UNDEFINED.to_owned(),
    }
}

/// A share as a percentage with two decimals, or that it is undefined.
pub(super) fn percentage(share: Option<f64>) -> String {
    match share {
        Some(share) if share.is_finite() => format!("{}%", decimal(share * 100.0, 2)),
        _ => UNDEFINED.to_owned(),
    }
}

/// By how much something changed: `+12.5%`; nothing where it did not start above zero.
pub(super) fn relative(from: f64, to: f64) -> Option<String> {
    let change = (to - from) / from * 100.0;
    (from > 0.0 && change.is_finite()).then(|| {
        let sign = if change >= 0.05 { "+" } else { "" };
        format!("{sign}{}%", decimal(change, 1))
    })
}

/// A ratio with two decimals.
pub(super) fn ratio(ratio: Ratio) -> String {
    decimal(ratio.to_f64(), 2)
}

/// λ with three decimals: it moves by thousandths a day.
pub(super) fn lambda(ratio: Ratio) -> String {
    decimal(ratio.to_f64(), 3)
}

/// A probability with two decimals, and two digits below that, because zero would be a lie.
pub(super) fn probability(probability: f64) -> String {
    if !probability.is_finite() {
        UNDEFINED.to_owned()
    } else if probability <= 0.0 || probability >= 0.095 {
        decimal(probability, 2)
    } else if probability >= 0.000_1 {
        decimal(probability, 4)
    } else {
        format!("{probability:.1e}")
    }
}

/// A count, thousands separated.
pub(super) fn count(count: u64) -> String {
    grouped(&count.to_string())
}

/// `1 day`, `2 days`.
pub(super) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// A count that may be fractional: `12`, `12.50`.
pub(super) fn quantity(quantity: Quantity) -> String {
    let millionths = quantity.millionths();
    if millionths.is_multiple_of(1_000_000) {
        count(millionths / 1_000_000)
    } else {
        amount_of(i128::from(millionths))
    }
}

/// As [`quantity`], for a sum that is kept as a float.
pub(super) fn fractional(quantity: f64) -> String {
    if !quantity.is_finite() {
        return UNDEFINED.to_owned();
    }
    let whole = (quantity - quantity.round()).abs() < 1e-9;
    decimal(quantity, if whole { 0 } else { 2 })
}

/// A label of an axis: no more decimals than the step needs, and large numbers cut short.
pub(super) fn tick(value: f64, step: f64) -> String {
    let (value, step, unit) = match value.abs() {
        1e9.. => (value / 1e9, step / 1e9, "bn"),
        1e6.. => (value / 1e6, step / 1e6, "m"),
        1e4.. => (value / 1e3, step / 1e3, "k"),
        _ => (value, step, ""),
    };
    let places = match step {
        s if s >= 1.0 && (s - s.round()).abs() < 1e-9 => 0,
        s if s >= 0.1 && (s * 10.0 - (s * 10.0).round()).abs() < 1e-9 => 1,
        s if s >= 0.01 => 2,
        s if s >= 0.001 => 3,
        _ => 5,
    };
    format!("{}{unit}", decimal(value, places))
}

/// A hundredth in millionths.
const CENT: i128 = 10_000;

/// Millionths as hundredths, half to even.
fn cents(micros: i128) -> i128 {
    let (whole, rest) = (micros.div_euclid(CENT), micros.rem_euclid(CENT));
    let up = rest * 2 > CENT || (rest * 2 == CENT && whole % 2 != 0);
    whole + i128::from(up)
}

/// An amount of millionths; what is not zero is not printed as if it were.
fn amount_of(micros: i128) -> String {
    let cents = cents(micros);
    let size = cents.abs();
    let text = format!("{}.{:02}", grouped(&(size / 100).to_string()), size % 100);
    match (cents, micros) {
        (0, 1..) => "<0.01".to_owned(),
        (0, ..=-1) => format!(">{MINUS}0.01"),
        (..=-1, _) => format!("{MINUS}{text}"),
        _ => text,
    }
}

/// A finite number with so many decimals, thousands separated, and without a negative zero.
fn decimal(value: f64, places: usize) -> String {
    let text = format!("{:.places$}", value.abs());
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let is_zero = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    let sign = if value < 0.0 && !is_zero {
        MINUS.to_string()
    } else {
        String::new()
    };
    format!("{sign}{}{fraction}", grouped(whole))
}

/// Puts a comma before every third digit from the right.
fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_two_decimals_and_separated_thousands() {
        let printed = |micros| money(Micros::new(micros));
        assert_eq!(printed(0), "0.00");
        assert_eq!(printed(1_234_567_890_000), "1,234,567.89");
        assert_eq!(printed(-999_999_999), "−1,000.00");
        assert_eq!(printed(5_000), "<0.01");
        assert_eq!(printed(-1), ">−0.01");
        assert_eq!(printed(15_000), "0.02");
        assert_eq!(printed(25_000), "0.02");
        assert_eq!(printed(-15_000), "−0.02");
        assert_eq!(printed(-25_000), "−0.02");
        assert_eq!(printed(i64::MIN), "−9,223,372,036,854.78");
        let euros = money_in(Micros::new(2_500_000), Currency::EUR);
        assert_eq!(euros, "2.50\u{a0}EUR");
    }

    #[test]
    fn a_difference_has_its_sign_and_cannot_overflow() {
        let change = |from, to| difference(Micros::new(from), Micros::new(to));
        assert_eq!(change(1_000_000, 3_500_000), "+2.50");
        assert_eq!(change(3_500_000, 1_000_000), "−2.50");
        assert_eq!(change(7, 7), "±0.00");
        assert_eq!(change(226_684_000, 228_445_007), "+1.77"); // 226.68 and 228.45
        assert_eq!(change(0, 4_999), "±0.00");
        assert_eq!(compare(Micros::new(4_999), Micros::ZERO), Ordering::Equal);
        assert_eq!(change(i64::MIN, i64::MAX), "+18,446,744,073,709.56");
    }

    #[test]
    fn rates_have_as_many_decimals_as_they_need() {
        let printed = |micros| rate(Micros::new(micros), Currency::USD);
        assert_eq!(printed(500_000), "0.50\u{a0}USD");
        assert_eq!(printed(131_943), "0.1319\u{a0}USD");
        assert_eq!(printed(120_000), "0.12\u{a0}USD");
        assert_eq!(printed(0), "0.00\u{a0}USD");
        assert_eq!(printed(2_131_943), "2.13\u{a0}USD");
    }

    #[test]
    fn what_has_no_value_is_said_to_be_undefined() {
        assert_eq!(statistic(None), UNDEFINED);
        assert_eq!(statistic(Some(f64::NAN)), UNDEFINED);
        assert_eq!(statistic(Some(-0.001)), "0.00");
        assert_eq!(percentage(Some(0.0213)), "2.13%");
        assert_eq!(percentage(None), UNDEFINED);
        assert_eq!(relative(0.0, 2.0), None);
        assert_eq!(relative(2.0, 3.0).as_deref(), Some("+50.0%"));
        assert_eq!(relative(2.0, 1.0).as_deref(), Some("−50.0%"));
        assert_eq!(relative(1000.0, 1000.1).as_deref(), Some("0.0%"));
    }

    #[test]
    fn small_probabilities_are_not_printed_as_zero() {
        assert_eq!(probability(0.25), "0.25");
        assert_eq!(probability(0.0042), "0.0042");
        assert_eq!(probability(0.000_001_2), "1.2e-6");
        assert_eq!(probability(1.0), "1.00");
    }

    #[test]
    fn counts_may_be_fractional() {
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(counted(1, "day", "days"), "1 day");
        assert_eq!(counted(1_200, "day", "days"), "1,200 days");
        assert_eq!(quantity(Quantity::from_millionths(3_000_000)), "3");
        assert_eq!(quantity(Quantity::from_millionths(3_250_000)), "3.25");
        assert_eq!(fractional(7.0), "7");
        assert_eq!(fractional(7.126), "7.13");
    }

    #[test]
    fn axes_are_labelled_shortly() {
        assert_eq!(tick(7.5, 2.5), "7.5");
        assert_eq!(tick(0.25, 0.05), "0.25");
        assert_eq!(tick(10.0, 5.0), "10");
        assert_eq!(tick(12_500.0, 2_500.0), "12.5k");
        assert_eq!(tick(-2_000_000.0, 1_000_000.0), "−2m");
        assert_eq!(tick(0.215, 0.005), "0.215");
    }
}
