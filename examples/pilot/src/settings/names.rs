//! What settings there are.

use crate::settings::SettingError;

/// The word that switches an optional rule off.
pub(super) const NONE: &str = "none";

/// Every setting: its name, its default and what it means.
///
/// The name is that of the environment variable and of the key in the configuration file.
pub(crate) const SETTINGS: &[(&str, &str, &str)] = &[
    (
        "MODE",
        "shadow",
        "shadow: read and log only; pilot: rehearse writes on the in-memory platform",
    ),
    (
        "INSIGHTS",
        "",
        "exported reports of ad platforms; FILE or FILE@MAP.toml, several by commas",
    ),
    (
        "ORDERS",
        "",
        "exported orders of the shop; then revenue comes from them alone",
    ),
    (
        "MAP",
        "",
        "column map for the reports that name none themselves",
    ),
    ("TIMEZONE", "UTC", "the account's IANA time zone"),
    (
        "CURRENCY",
        "",
        "the account's currency; needed where no file states one",
    ),
    (
        "DATE_ORDER",
        "",
        "how 01/09/2026 is read: day_first or month_first",
    ),
    (
        "NUMBERS",
        "",
        "how numbers are written: plain, comma_dot, dot_comma, space_comma, …",
    ),
    ("SEED", "0", "the seed of every draw"),
    (
        "STORE",
        "gaelp-pilot.db",
        "the SQLite file that keeps everything; :memory: keeps nothing",
    ),
    (
        "REPORT",
        "gaelp-report.html",
        "where the HTML report goes; none: nowhere",
    ),
    (
        "DAILY_CAP_TOTAL",
        "10",
        "the most that the account may spend in a local day",
    ),
    (
        "ADSET_DAILY_CAP",
        NONE,
        "the most that one ad set may spend in a local day",
    ),
    (
        "ADSET_MIN_HOURLY",
        "0.50",
        "the least an ad set runs with per hour, where no cap is lower",
    ),
    (
        "ADSET_MAX_HOURLY",
        "2.00",
        "the most an ad set may spend per hour",
    ),
    (
        "BUDGET_DELTA_MAX",
        "0.10",
        "the largest change per hour, as a share",
    ),
    (
        "BUDGET_DELTA_MAX_24H",
        "0.30",
        "the largest change per 24 hours, as a share",
    ),
    (
        "PEAK_HOURS",
        "18-22",
        "local hours in which raises are allowed, end excluded; none: all",
    ),
    (
        "FREEZE_IF_ROAS_LT",
        "1.5",
        "no raise while trailing ROAS is below this; none: off",
    ),
    (
        "UNFREEZE_IF_ROAS_GE",
        NONE,
        "the freeze ends at this ROAS; none: a tenth above its start",
    ),
    (
        "ROAS_WINDOW_HOURS",
        "12",
        "over how many hours ROAS and CPA are taken",
    ),
    (
        "FREEZE_IF_CPA_GT",
        NONE,
        "no raise while trailing CPA is above this amount; none: off",
    ),
    (
        "UNFREEZE_IF_CPA_LE",
        NONE,
        "the freeze ends at this CPA; none: a tenth below its start",
    ),
    (
        "FREEZE_IF_NO_CONVERSION_HOURS",
        NONE,
        "no raise after so many hours without one",
    ),
    (
        "FREEZE_MIN_SPEND",
        "2.00",
        "ROAS and CPA are not judged below this spend",
    ),
    (
        "FREEZE_AFTER",
        "2",
        "how many evaluations in a row start a freeze",
    ),
    (
        "FREEZE_DWELL_HOURS",
        "6",
        "how long a freeze lasts at least",
    ),
    ("MAX_DATA_AGE_HOURS", "3", "no raise on older data"),
    (
        "MIN_COVERAGE",
        "0.75",
        "no raise where less of the window was reported",
    ),
    (
        "CANARY_LIST",
        NONE,
        "the only ad sets that may be changed, by commas; none: all (shadow)",
    ),
    (
        "RULES",
        NONE,
        "a TOML file with all other rules, by their names in gaelp-guardrails",
    ),
    (
        "CANDIDATE",
        NONE,
        "a TOML file with rules to try out beside those in force; they change nothing",
    ),
    (
        "MULTIPLIERS",
        "0.5,0.75,1,1.25",
        "the choices: what the rate in force is multiplied by",
    ),
    (
        "MARGIN",
        "1",
        "the share of revenue left after the cost of what was sold",
    ),
    (
        "RESPONSE_ELASTICITY",
        "0.7",
        "spend × m is taken to bring revenue × m^this",
    ),
    (
        "LAMBDA_SPEND",
        "0.2",
        "λ at the start: a spent unit counts as 1 + λ",
    ),
    (
        "LAGRANGE_STEP",
        "0.05",
        "how fast λ follows the spend: once a day, or hourly with PACING_RULE=guide",
    ),
    ("LAMBDA_MAX", "10", "the most λ may become"),
    (
        "DAILY_BUDGET_TARGET",
        "10",
        "what the account is to spend in a local day",
    ),
    (
        "BUDGETING",
        "classic",
        "classic: each ad set by itself; paced: the account's hour is planned as a whole",
    ),
    (
        "PACING_RULE",
        "entropic_mirror",
        "paced: what sets λ every hour: entropic_mirror, dual_subgradient, guide, pi, pid, fixed",
    ),
    (
        "SETTLE_HOURS",
        "0",
        "hours after midnight until a day counts as fully reported",
    ),
    (
        "SEND_WITHIN_SECS",
        "300",
        "how long after it was decided a write may be sent",
    ),
    (
        "REQUEST_LIFETIME_SECS",
        "900",
        "how long after it was sent a write may still take effect",
    ),
    (
        "CLOCK_SKEW_SECS",
        "30",
        "by how much clocks may differ or run back",
    ),
    (
        "READ_BACKS",
        "2",
        "how many equal readings settle a write whose outcome is unknown",
    ),
    (
        "GONE_AFTER_SECS",
        "259200",
        "for how long an ad set that no list names any more still counts at what it had",
    ),
];

/// The setting of a name, in any case.
pub(super) fn known(name: &str, place: &str) -> Result<&'static str, SettingError> {
    let found = SETTINGS
        .iter()
        .find(|(known, ..)| known.eq_ignore_ascii_case(name));
    found.map(|&(known, ..)| known).ok_or_else(|| {
        let wanted = name.to_ascii_uppercase();
        let words = |name: &str| name.split('_').map(str::to_owned).collect::<Vec<_>>();
        let shared = |known: &str| {
            let known = words(known);
            words(&wanted)
                .iter()
                .filter(|word| known.contains(word))
                .count()
        };
        // Of names with as many words in common, one that begins alike is nearest.
        let near = SETTINGS
            .iter()
            .map(|&(known, ..)| known)
            .max_by_key(|known| (shared(known), known.starts_with(&wanted)));
        let hint = near
            .filter(|known| shared(known) > 0)
            .map(|n| format!(" (did you mean {n}?)"))
            .unwrap_or_default();
        SettingError::Unknown {
            name: name.to_owned(),
            place: place.to_owned(),
            hint,
        }
    })
}
