//! Figures that are none, or not clearly one.

use super::{API, Case, GOOGLE, GOOGLE_API, META, TIKTOK, case, under};

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn cases() -> Vec<Case> {
    let spend = |text: &str| under(API, &format!("2026-09-01,2026-09-01,7,USD,{text}\n"));
    vec![
        case(
            "NaN",
            spend("NaN"),
            "file.csv, line 2, column `spend`: \"NaN\" is not a finite number; correct it \
             at its source",
        ),
        case(
            "infinity",
            spend("-inf"),
            "file.csv, line 2, column `spend`: \"-inf\" is not a finite number; correct it \
             at its source",
        ),
        case(
            "negative spend",
            spend("-0.01"),
            "file.csv, line 2, column `spend`: \"-0.01\" is below zero; correct it at its \
             source",
        ),
        case(
            "an exponent",
            spend("1e-05"),
            "file.csv, line 2, column `spend`: \"1e-05\" is in exponent notation; export \
             plain decimal numbers",
        ),
        case(
            "a currency sign",
            spend("$4.18"),
            "file.csv, line 2, column `spend`: \"$4.18\" is not a number in the format \
             plain: unexpected '$' at character 1; export plain numbers or set `numbers` to \
             the format of the file",
        ),
        case(
            "seven decimals",
            spend("1.4299999"),
            "file.csv, line 2, column `spend`: \"1.4299999\" has more than six decimals; \
             export fewer, or read the file by a column map with `decimals = \"round\"`",
        ),
        case(
            "more than fits",
            spend("9300000000000"),
            "file.csv, line 2, column `spend`: \"9300000000000\" is out of range: the \
             largest amount is about 9.2 trillion; correct it at its source",
        ),
        case(
            "an empty spend",
            spend(""),
            "file.csv, line 2, column `spend`: the empty field is no value, and one is \
             needed here; export again with this column filled",
        ),
        case(
            "a dash for spend",
            under(META, "A,2026-09-01,1,1,—\n"),
            "file.csv, line 2, column `Amount spent (USD)`: \"—\" is no value, and one is \
             needed here; export again with this column filled",
        ),
        case(
            "thousands in the API",
            spend("\"1,250.50\""),
            "file.csv, line 2, column `spend`: \"1,250.50\" is not a number in the format \
             plain: unexpected ',' at character 2; export plain numbers or set `numbers` to \
             the format of the file",
        ),
        case(
            "thousands or decimals",
            under(META, "A,2026-09-01,1,1,\"1,234\"\n"),
            "file.csv, line 2, column `Amount spent (USD)`: \"1,234\" can be read in two \
             ways; set `numbers` to comma_dot if the comma separates thousands, to \
             dot_comma if it is the decimal sign",
        ),
        case(
            "German numbers in an English file",
            under(META, "A,2026-09-01,1,1,\"1.234,56\"\n"),
            "file.csv, line 2, column `Amount spent (USD)`: \"1.234,56\" is not a number in \
             the format comma_dot: unexpected ',' at character 6; export plain numbers or \
             set `numbers` to the format of the file",
        ),
        case(
            "English numbers in a German file",
            "Tag,Kampagne,Währungscode,Kosten\n2026-09-01,A,EUR,\"1,234.56\"\n",
            "file.csv, line 2, column `Kosten`: \"1,234.56\" is not a number in the format \
             dot_comma: unexpected '.' at character 6; export plain numbers or set \
             `numbers` to the format of the file",
        ),
        case(
            "negative impressions",
            under(META, "A,2026-09-01,-1,1,1\n"),
            "file.csv, line 2, column `Impressions`: \"-1\" is below zero; correct it at \
             its source",
        ),
        case(
            "a part of a click",
            under(META, "A,2026-09-01,1,0.5,1\n"),
            "file.csv, line 2, column `Link clicks`: \"0.5\" is not a whole number; check \
             that the column holds a count",
        ),
        case(
            "negative conversions",
            under(TIKTOK, "2026-09-01 18:00:00,7,1,-1\n"),
            "file.csv, line 2, column `complete_payment`: \"-1\" is below zero; correct it \
             at its source",
        ),
        case(
            "a part of a micro",
            under(GOOGLE_API, "2026-09-01,1,7,0.5\n"),
            "file.csv, line 2, column `metrics.cost_micros`: \"0.5\" is not a whole number; \
             check that the column holds a count",
        ),
        case(
            "no figure in Google",
            under(GOOGLE, "2026-09-01,A,USD, --,5\n"),
            "file.csv, line 4, column `Cost`: \"--\" is no value, and one is needed here; \
             export again with this column filled",
        ),
        case(
            "a sum past the largest amount",
            under(
                API,
                &"2026-09-01,2026-09-01,7,USD,9000000000000\n".repeat(2),
            ),
            "file.csv, line 3: the sum of spend passes the largest amount, about 9.2 \
             trillion; check that the column holds what its name says",
        ),
    ]
}
