//! Rows that could mean two things, and orders.

use super::{API, Case, META, SHOPIFY, case, expecting, under};

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn cases() -> Vec<Case> {
    let named = "Campaign name,Ad set name,Day,Amount spent (USD)\n";
    vec![
        case(
            "two currencies",
            under(
                API,
                "2026-09-01,2026-09-01,7,USD,1\n2026-09-02,2026-09-02,7,EUR,1\n",
            ),
            "file.csv, line 3, column `account_currency`: the amount is in EUR, not in USD; \
             amounts are not converted, export one currency at a time or set the currency \
             that you expect",
        ),
        case(
            "two currencies in the header",
            "Ad set name,Day,Amount spent (USD),Amount spent (EUR)\n",
            "file.csv, line 1, column `Amount spent (EUR)`: the amount is in EUR, not in \
             USD; amounts are not converted, export one currency at a time or set the \
             currency that you expect",
        ),
        case(
            "not the expected currency",
            META,
            "file.csv, line 1, column `Amount spent (USD)`: the amount is in USD, not in \
             EUR; amounts are not converted, export one currency at a time or set the \
             currency that you expect",
        )
        .with(expecting("EUR")),
        case(
            "not the expected currency in a row",
            under(API, "2026-09-01,2026-09-01,7,USD,1\n"),
            "file.csv, line 2, column `account_currency`: the amount is in USD, not in EUR; \
             amounts are not converted, export one currency at a time or set the currency \
             that you expect",
        )
        .with(expecting("EUR")),
        case(
            "no currency that exists",
            "Ad set name,Day,Amount spent (Dollars)\n",
            "file.csv, line 1, column `Amount spent (Dollars)`: \"Dollars\" is not a \
             currency code of three capital letters such as USD; correct it",
        ),
        case(
            "no currency in a row",
            under(API, "2026-09-01,2026-09-01,7,,1\n"),
            "file.csv, line 2, column `account_currency`: the empty field is no value, and \
             one is needed here; export again with this column filled",
        ),
        case(
            "no ad set",
            under(META, ",2026-09-01,1,1,1\n"),
            "file.csv, line 2, column `Ad set name`: the row names no ad set; remove it if \
             it is a total, or export again",
        ),
        case(
            "a total in the middle",
            under(META, "A,2026-09-01,1,1,1\n,,2,2,2\nB,2026-09-01,1,1,1\n"),
            "file.csv, line 3, column `Ad set name`: the row names no ad set; remove it if \
             it is a total, or export again",
        ),
        case(
            "one name in two campaigns",
            under(named, "Sale,A,2026-09-01,1\nBrand,A,2026-09-01,1\n"),
            "file.csv, line 3, column `Ad set name`: the ad set \"A\" is in two campaigns, \
             and its name alone does not tell which; add the column `Ad set ID` and export \
             again",
        ),
        case(
            "an unknown status",
            under(
                SHOPIFY,
                "#1,a@example.com,bezahlt,EUR,1.00,2026-09-01 08:00:00 +0200,,\n",
            ),
            "file.csv, line 2, column `Financial Status`: a value of 7 characters (hidden) \
             is none of paid, partially_refunded, refunded, pending, authorized, \
             partially_paid, voided, expired; export again in English",
        ),
        case(
            "an address where a price should be",
            under(
                SHOPIFY,
                "#1,1.00,paid,EUR,a@example.com,2026-09-01 08:00:00 +0200,,\n",
            ),
            "file.csv, line 2, column `Total`: a value of 13 characters (hidden) is not a \
             number in the format plain; export plain numbers or set `numbers`",
        ),
        case(
            "an order without its time",
            under(SHOPIFY, "#1,a@example.com,paid,EUR,1.00,,,\n"),
            "file.csv, line 2, column `Created at`: the empty field is no value, and one is \
             needed here; export again with this column filled",
        ),
        case(
            "an order's time without an offset",
            under(
                SHOPIFY,
                "#1,a@example.com,paid,EUR,1.00,2026-09-01 08:00:00,,\n",
            ),
            "file.csv, line 2, column `Created at`: a value of 19 characters (hidden) is \
             not a time with its offset such as 2026-05-14 11:23:45 +0100; export again",
        ),
        case(
            "a line item without its order",
            under(SHOPIFY, "#1,a@example.com,,,,2026-09-01 08:00:00 +0200,,\n"),
            "file.csv, line 2, column `Financial Status`: the row has no financial status \
             and does not continue the order above it; export again, sorted as Shopify does",
        ),
        case(
            "an order twice",
            under(
                SHOPIFY,
                &"#1,a@example.com,paid,EUR,1.00,2026-09-01 08:00:00 +0200,,\n".repeat(2),
            ),
            "file.csv, line 3, column `Name`: the order of the row above is here a second \
             time; remove one of them",
        ),
        case(
            "orders in two currencies",
            under(
                SHOPIFY,
                "#2,a@example.com,paid,EUR,1.00,2026-09-01 08:00:00 +0200,,\n#1,a@example.com,paid,USD,1.00,2026-09-01 08:00:00 +0200,,\n",
            ),
            "file.csv, line 3, column `Currency`: the amount is in USD, not in EUR; amounts \
             are not converted, export one currency at a time or set the currency that you \
             expect",
        ),
        case(
            "a negative refund",
            under(
                SHOPIFY,
                "#1,a@example.com,paid,EUR,1.00,2026-09-01 08:00:00 +0200,,-1.00\n",
            ),
            "file.csv, line 2, column `Refunded Amount`: a value of 5 characters (hidden) \
             is below zero; correct it at its source",
        ),
    ]
}
