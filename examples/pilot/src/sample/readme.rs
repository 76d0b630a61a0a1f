//! The text beside the samples: that they are simulated, and what is in them.

use std::fmt::Write;

use chrono::{Days, NaiveDate};
use gaelp::core::{Micros, Platform};

use super::insights::conversions;
use super::month::{Earned, Outcomes};
use super::truth::{AD_SETS, AdSet, EVENING, OUTAGE, SPIKE, Spike};
use super::{Plan, SampleConfig, market};

/// The file's name.
pub(crate) const FILE: &str = "README.md";
/// Its first line, by which a folder of samples is known.
pub(crate) const TITLE: &str = "# Sample exports, simulated by gaelp-pilot";

/// What every folder of samples says first.
const NOTICE: &str = "\
These files are **generated**. A small program of this project simulated a shop and wrote down
what happened in the formats in which the platforms export it. They are nobody's data: there is
no such shop, no such account, and no such person. Names, addresses and telephone numbers are
artificial on purpose (`sample17@example.com`, 555-01xx). They show formats and give the pilot
something to read; they prove nothing about how advertising works.
";

const FILES: &str = "\
## The files

| file | as exported by |
|---|---|
| `meta_hourly.csv` | Meta Ads Manager, broken down by day and by time of day |
| `google_hourly.csv` | the Google Ads API, campaigns by date and hour |
| `tiktok_hourly.csv` | the TikTok reporting API, ad groups by hour |
| `shopify_orders.csv` | Shopify, orders with all 79 columns, the newest first |

TikTok would not run an ad group for so little: the minimum that it publishes is $20 a day. The
file is there to show the format.
";

/// How the bundled samples came to be these.
const CHOSEN: &str = "\
The seed was chosen: of four that were tried it is the one whose month lies closest to the rates
above. With another one the same ad sets may look quite different.
";

/// The text beside the small shop.
pub(crate) fn month(plan: &Plan, days: u32, outcomes: &Outcomes) -> String {
    let mut text = String::new();
    let mut write = |part: std::fmt::Arguments<'_>| {
        text.write_fmt(part).expect("a String takes any text");
    };
    write(format_args!(
        "{TITLE}\n\n{NOTICE}\n{FILES}\n{}",
        again(plan)
    ));
    write(format_args!(
        "{days} days from {}, seed {}, on the clock of {}. The same program writes the same\n\
         bytes every time; a test compares them.\n",
        plan.first, plan.seed, plan.zone
    ));
    write(format_args!("\n## What was put in\n\n{}", put_in()));
    for line in events(plan, days) {
        write(format_args!("{line}"));
    }
    write(format_args!("{}", lasting()));
    write(format_args!(
        "\n## What came of it\n\n{}",
        came_of(outcomes)
    ));
    if plan.is_default() {
        text.push('\n');
        text.push_str(CHOSEN);
    }
    text
}

/// The text beside many rows.
pub(crate) fn scale(plan: &Plan, rows: u64, ad_sets: u32) -> String {
    format!(
        "{TITLE}\n\n{NOTICE}\n\
         {rows} hourly rows of {ad_sets} ad sets from {}, seed {}, on the clock of {}, for\n\
         measuring: `meta_hourly.csv`, and the orders that came of it in `shopify_orders.csv`.\n\
         Both are in the order of time, which real exports are not.\n",
        plan.first, plan.seed, plan.zone
    )
}

/// How to write the samples again.
fn again(plan: &Plan) -> String {
    let how = if plan.is_default() {
        "To write them again:"
    } else {
        "The samples that come with the project are written by"
    };
    let seed = SampleConfig::default().seed;
    format!(
        "{how}\n\n```sh\ncargo run --release -p gaelp-pilot -- \
         sample --seed {seed} --out examples/pilot/samples\n```\n\n"
    )
}

/// The ad sets as they really are.
fn put_in() -> String {
    let evening = format!("{}–{} h", EVENING.start, EVENING.end);
    let mut text = format!(
        "About $10 a day, spread over four ad sets. What a dollar brings the shop, as the rates\n\
         of the simulation have it, before refunds:\n\n\
         | platform | ad set | a day | {evening} | other hours | |\n|---|---|---|---|---|---|\n"
    );
    for ad_set in &AD_SETS {
        let AdSet {
            platform,
            name,
            daily,
            role,
            ..
        } = ad_set;
        let at = ad_set.expected_roas(EVENING.start);
        let other = ad_set.expected_roas(0);
        writeln!(
            text,
            "| {platform} | {name} | ${daily} | {at:.1} | {other:.1} | {role} |"
        )
        .expect("a String takes any text");
    }
    text.push('\n');
    text
}

/// What happened once, as far as it lies within the days.
fn events(plan: &Plan, days: u32) -> Vec<String> {
    let date = |day: u32| {
        (day < days)
            .then(|| plan.first.checked_add_days(Days::new(u64::from(day))))
            .flatten()
    };
    let Spike {
        ad_set, day, hour, ..
    } = SPIKE;
    let spike = date(day).map(|date| {
        let name = AD_SETS[ad_set].name;
        format!(
            "- **A spend spike**: on {date} at {hour} h, \"{name}\" spends some twenty times what\n  \
             that hour usually costs.\n"
        )
    });
    let (day, hour) = OUTAGE;
    let outage = date(day).map(|date| {
        format!(
            "- **An hour without data**: on {date} at {hour} h the Meta export has no rows, though\n  \
             money was spent. All other hours are there, also those in which nothing happened.\n"
        )
    });
    let changes = (0..days)
        .zip(plan.first.iter_days())
        .filter_map(|(_, date)| change(plan, date));
    spike.into_iter().chain(outage).chain(changes).collect()
}

/// A day that has not 24 hours.
fn change(plan: &Plan, date: NaiveDate) -> Option<String> {
    let hours = plan.zone.hours_of_day(date).len();
    let consequence = match hours {
        24 => return None,
        25.. => "The hour that the clock\n  showed twice is one row, as in the platforms' reports.",
        _ => "The hour that the clock\n  skipped has no row.",
    };
    Some(format!(
        "- **A change of the clock**: {date} has {hours} hours. {consequence}\n"
    ))
}

/// What holds on all days.
fn lasting() -> String {
    format!(
        "- **Orders come later than clicks**: {} of a hundred within the hour, the others 14 hours\n  \
         later on average, none after 48. What would have come after the export is not in it, so\n  \
         that the last two days look worse than they were.\n\
         - **Platforms claim what they like**: Meta's hourly report has no purchases; Google shares\n  \
         conversions out and claims parts of others'; TikTok counts people who only saw a video.\n\
         - **Orders end in all ways**: refunded, refunded in part, cancelled, pending, voided. Some\n  \
         show in `Note Attributes` where they came from, some that were earned do not, and more\n  \
         than half come by themselves.\n",
        market::AT_ONCE_PERCENT
    )
}

/// What the draws made of it.
fn came_of(outcomes: &Outcomes) -> String {
    let mut text = String::from(
        "What the shop really got, by the click that earned it. No export tells this. So few\n\
         orders say little: that is what ten dollars a day are like.\n\n\
         | ad set | clicks at | spent | clicks | orders | kept | kept / spent | claimed |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    let evening = format!("{}–{} h", EVENING.start, EVENING.end);
    for (ad_set, outcome) in AD_SETS.iter().zip(&outcomes.ad_sets) {
        let parts = [
            (evening.as_str(), outcome.evening),
            ("other hours", outcome.other),
        ];
        for (hours, earned) in parts {
            let Earned {
                spend,
                clicks,
                orders,
                kept,
                claimed,
            } = earned;
            let roas = ratio(kept, spend);
            let claimed = if ad_set.platform == Platform::Meta {
                "–".to_owned()
            } else {
                conversions(claimed).to_string()
            };
            writeln!(
                text,
                "| {} | {hours} | ${spend} | {clicks} | {orders} | ${kept} | {roas} | {claimed} |",
                ad_set.name
            )
            .expect("a String takes any text");
        }
    }
    let Earned { orders, kept, .. } = outcomes.organic;
    writeln!(text, "| none | – | – | – | {orders} | ${kept} | – | – |")
        .expect("a String takes any text");
    text
}

/// A quotient for people.
fn ratio(kept: Micros, spend: Micros) -> String {
    if spend.is_zero() {
        return "–".to_owned();
    }
    format!("{:.1}", kept.to_major_f64() / spend.to_major_f64())
}
