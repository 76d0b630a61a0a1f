//! Tables that a column map does not fit.

use super::{Case, case, mapped};

pub(super) fn cases() -> Vec<Case> {
    let daily = "platform = 'x'\ngranularity = 'day'\nad_set = ['a']\nspend = 's'\n";
    let with = |more: &str| mapped(&[daily, more].concat());
    vec![
        case(
            "a mapped column that is not there",
            "a,d,cost\n",
            "file.csv, line 1: there is no column `s`; correct the column map or the file",
        )
        .with(with("date = { column = 'd' }")),
        case(
            "not in the map's format",
            "a,d,s\nA,2026-09-01,1\n",
            "file.csv, line 2, column `d`: \"2026-09-01\" is not in the date format of the \
             column map; correct its `format`",
        )
        .with(with("date = { column = 'd', format = '%d.%m.%Y' }")),
        case(
            "no such day in the map's format",
            "a,d,s\nA,31.02.2026,1\n",
            "file.csv, line 2, column `d`: \"31.02.2026\" is a date that no calendar has; \
             correct it, or check `date_order`",
        )
        .with(with("date = { column = 'd', format = '%d.%m.%Y' }")),
        case(
            "no month",
            "a,m,d,s\nA,Brumaire,18,1\n",
            "file.csv, line 2, column `m`: \"Brumaire\" is not a month, neither 1 to 12 nor \
             an English name; correct it",
        )
        .with(with("date = { year = 2020, month = 'm', day = 'd' }")),
        case(
            "a missing value",
            "a,d,s\nA,2026-09-01,#N/A\n",
            "file.csv, line 2, column `s`: \"#N/A\" is no value, and one is needed here; \
             export again with this column filled",
        )
        .with(with("date = { column = 'd' }\nmissing = ['#N/A']")),
        case(
            "a missing name",
            "a,d,s\n#N/A,2026-09-01,1\n",
            "file.csv, line 2, column `a`: \"#N/A\" is no value, and one is needed here; \
             export again with this column filled",
        )
        .with(with("date = { column = 'd' }\nmissing = ['#N/A']")),
        case(
            "binary floats",
            "a,d,s\nA,2026-09-01,1.429999948\n",
            "file.csv, line 2, column `s`: \"1.429999948\" has more than six decimals; \
             export fewer, or read the file by a column map with `decimals = \"round\"`",
        )
        .with(with("date = { column = 'd' }")),
        case(
            "no offset",
            "a,d,s\nA,2026-09-01T08:00:00,1\n",
            "file.csv, line 2, column `d`: \"2026-09-01T08:00:00\" is not in the date \
             format of the column map; correct its `format`",
        )
        .with(with("date = { column = 'd', format = 'rfc3339' }")),
    ]
}
