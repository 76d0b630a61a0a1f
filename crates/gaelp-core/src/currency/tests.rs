use super::*;

#[test]
fn a_code_is_three_capitals() {
    for code in ["USD", "EUR", "JPY", "XXX"] {
        let currency: Currency = code.parse().unwrap();
        assert_eq!(currency.as_str(), code);
        assert_eq!(
            format!("{currency:?} {currency:>5}"),
            format!("{code}   {code}")
        );
    }
    for text in ["", "US", "USDT", "usd", "US1", " USD", "U D", "ÜS", "€"] {
        assert_eq!(
            text.parse::<Currency>(),
            Err(ParseCurrencyError(text.to_owned())),
            "{text:?}"
        );
    }
}

#[test]
fn json_holds_the_code_and_checks_it() {
    assert_eq!(serde_json::to_string(&Currency::EUR).unwrap(), r#""EUR""#);
    assert_eq!(
        serde_json::from_str::<Currency>(r#""EUR""#).unwrap(),
        Currency::EUR
    );
    let error = serde_json::from_str::<Currency>(r#""euro""#)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("\"euro\" is not a currency code"),
        "{error}"
    );
    let money = Money::new(Micros::new(5), Currency::USD);
    let json = serde_json::to_string(&money).unwrap();
    assert_eq!(json, r#"{"amount":5,"currency":"USD"}"#);
    assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money);
}

#[test]
fn sums_keep_to_one_currency_and_to_the_range() {
    let usd = |micros| Money::new(Micros::new(micros), Currency::USD);
    assert_eq!(usd(1).checked_add(usd(2)), Ok(usd(3)));
    assert_eq!(usd(i64::MAX).checked_add(usd(1)), Err(MoneyError::Overflow));
    // Two currencies are the graver mistake, and named first.
    assert_eq!(
        usd(i64::MAX).checked_add(Money::new(Micros::new(1), Currency::EUR)),
        Err(MoneyError::CurrencyMismatch {
            expected: Currency::USD,
            found: Currency::EUR,
        })
    );
}
