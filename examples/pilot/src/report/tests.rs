mod colours;
mod sample;
mod told;

use std::fmt::Write as _;

use gaelp::core::{AdSetKey, Metrics, Micros, Platform, Quantity, RuleId};
use gaelp::rollout::Mode;

use self::sample::{Shape, cents, kpi, summary, totals_only};
use super::render;
use crate::summary::{Day, Effect, Granularity, Guardrails, Kpi, Kpis, Learning, Summary};

/// The most that a report may weigh.
const MEGABYTE: usize = 1_000_000;

/// The report, after checks that hold for every one.
fn page(summary: &Summary) -> String {
    let html = render(summary).unwrap();
    check_balanced(&html);
    for broken in [
        "NaN", "inf\"", ">inf", "http://", "https://", "<script", "<link", "<img", "url(",
    ] {
        assert!(!html.contains(broken), "{broken} in the page");
    }
    assert!(html.len() < MEGABYTE, "{} bytes", html.len());
    assert_eq!(
        html,
        render(summary).unwrap(),
        "the same summary gives the same bytes"
    );
    // For eyes: the pages of all tests, as files in a folder.
    if let Some(folder) = std::env::var_os("GAELP_REPORT_PAGES") {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("page").replace("::", "-");
        let path = std::path::Path::new(&folder)
            .join(name)
            .with_extension("html");
        std::fs::write(path, &html).unwrap();
    }
    html
}

/// Every element that is opened is closed, in order, and attributes stay within their quotes.
fn check_balanced(html: &str) {
    const VOID: [&str; 2] = ["meta", "!DOCTYPE"];
    let mut open = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        let tag = &rest[start + 1..];
        let mut quoted = false;
        let end = tag
            .find(|c: char| {
                quoted ^= c == '"';
                c == '>' && !quoted
            })
            .expect("a tag ends");
        let (tag, after) = (&tag[..end], &tag[end + 1..]);
        assert!(!tag.contains('<'), "a tag within a tag: {tag}");
        let name = tag
            .trim_start_matches('/')
            .split([' ', '/'])
            .next()
            .unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "closed in order");
        } else if !tag.ends_with('/') && !VOID.contains(&name) {
            open.push(name);
        }
        rest = after;
    }
    assert_eq!(open, Vec::<&str>::new(), "all closed");
}

#[test]
fn the_answer_comes_first_with_its_caveat() {
    let mut summary = summary(Shape::default());
    summary.effect = Effect {
        actual_spend: cents(28_015),
        suggested_spend: cents(24_320),
        actual_revenue: cents(50_000),
        suggested_revenue: cents(47_000),
        actual_profit: cents(21_985),
        suggested_profit: cents(22_680),
        decisions: 2_688,
        compared: 2_640,
        raised: 1,
        ..summary.effect
    };
    let html = page(&summary);
    let headline = "Over 28 days, gaelp would have spent 243.20\u{a0}USD instead of \
                    280.15\u{a0}USD (−13.2%), and made 6.95\u{a0}USD more profit: an estimated \
                    226.80\u{a0}USD instead of 219.85\u{a0}USD.";
    assert!(
        html.contains(&format!("<h1>{headline}</h1>")),
        "{}",
        excerpt(&html, "<h1>")
    );
    assert!(html.contains("spend × m is taken to bring revenue × m^0.70"));
    assert!(html.contains("Nothing was tried, and no budget was changed."));
    assert!(html.contains("Counted are the 2,640 of 2,688 decisions in whose hours"));
    assert!(html.contains("of these decisions a rule forbade any raise"));
    assert!(html.contains("gaelp raised the rate once, "));
    assert!(html.contains("“Raises only in peak hours” ("));
    let order = [
        "<h1>",
        "id=\"kpis\"",
        "id=\"suggested\"",
        "id=\"pacing\"",
        "id=\"hours\"",
    ];
    let order = order
        .into_iter()
        .chain(["id=\"guardrails\"", "id=\"tables\"", "id=\"glossary\""]);
    let places: Vec<_> = order.map(|mark| html.find(mark).unwrap()).collect();
    assert!(places.is_sorted());
}

#[test]
fn less_and_equal_profit_are_said_as_they_are() {
    let mut worse = summary(Shape::default());
    worse.effect.actual_profit = cents(-500);
    worse.effect.suggested_profit = cents(-1_234_567);
    assert!(
        page(&worse).contains("and made 12,340.67\u{a0}USD less profit: an estimated −12,345.67")
    );
    let mut same = summary(Shape::default());
    same.effect.suggested_profit = same.effect.actual_profit;
    same.effect.suggested_spend = same.effect.actual_spend;
    let html = page(&same);
    assert!(html.contains("gaelp would have spent as much as was spent, "));
    assert!(html.contains("and made the same profit"));
}

#[test]
fn changes_are_called_better_or_worse_by_what_is_wanted() {
    let mut both = summary(Shape::default());
    let metrics = |spend, revenue, conversions| Metrics {
        spend: cents(spend),
        revenue: cents(revenue),
        conversions: Quantity::from_millionths(conversions),
        ..Metrics::default()
    };
    both.trailing.truncate(1);
    both.trailing[0].current = kpi(metrics(1_000, 900, 4_000_000));
    both.trailing[0].previous = Some(kpi(metrics(1_000, 2_000, 2_000_000)));
    let html = page(&both);
    let row = |name: &str| {
        let row = excerpt(
            &html,
            &format!("<tr><th scope=\"row\">{name}</th><td class=\"n strong"),
        );
        row.split("</tr>").next().unwrap().to_owned()
    };
    assert!(
        row("Spend").contains("<td class=\"n \">0.0%</td>"),
        "{}",
        row("Spend")
    );
    assert!(row("Revenue").contains("<td class=\"n worse\">−55.0%<span class=\"unseen\"> worse"));
    assert!(
        row("Profit").contains("<td class=\"n worse\">−110.0%"),
        "{}",
        row("Profit")
    );
    assert!(
        row("Conversions").contains(">4</td><td class=\"n\">2</td><td class=\"n better\">+100.0%")
    );
    assert!(row("CPA").contains("<td class=\"n better\">−50.0%"));
}

#[test]
fn an_example_says_what_happened_in_plain_words() {
    let mut slow = summary(Shape::default());
    let example = &mut slow.guardrails.examples[0];
    (example.proposed, example.allowed) = (Micros::new(51_250), Micros::new(92_700));
    let html = page(&slow);
    assert!(html.contains(
        "2026-10-18 19:00, Prospecting – Lookalike 1% – US on Meta: 0.0512\u{a0}USD an hour was \
         proposed, 0.0927\u{a0}USD was allowed. A rate falls only so far at once, and not below the floor."
    ));
    assert!(html.contains("<code>peak_hours freeze at 0.42/h (9 h against 18 h)</code>"));
    assert!(html.contains("0.52\u{a0}USD an hour was proposed, 0.46\u{a0}USD was allowed.</bdi>"));
}

#[test]
fn a_target_that_does_not_fit_is_pointed_out() {
    let mut large = summary(Shape::default());
    assert!(!page(&large).contains("Check the settings."));
    for day in &mut large.days {
        day.actual = cents(201_050);
    }
    large.days[0].actual = Micros::ZERO;
    let html = page(&large);
    assert!(html.contains("On days with spend, 2,010.50 USD was spent on average; the target"));
}

#[test]
fn pilot_mode_says_where_budgets_were_changed() {
    let mut pilot = summary(Shape::default());
    pilot.mode = Mode::Pilot;
    pilot.effect.statuses = [("applied", 812), ("unknown", 3), ("shadow", 1_200)].into();
    let html = page(&pilot);
    assert!(html.contains("only on a platform simulated in memory"));
    assert!(!html.contains("no budget was changed"));
    assert!(
        html.contains(
            "<th scope=\"row\">unknown</th><td class=\"n\">3</td><td>the answer was lost"
        )
    );
}

#[test]
fn totals_without_dates() {
    let html = page(&totals_only());
    assert!(
        html.contains("These files hold totals without dates, so gaelp could suggest nothing.")
    );
    assert!(html.contains("only totals can be shown."));
    assert!(html.contains("Without dates there are no last days."));
    assert!(html.contains("No decision was made, so no rule was asked."));
    assert!(!html.contains("href=\"#suggested\"") && !html.contains("<svg"));
    assert!(html.contains("Brand Search"), "the tables stay");
}

#[test]
fn decisions_that_nothing_was_reported_for() {
    let mut blind = summary(Shape::default());
    blind.effect = Effect {
        decisions: 1,
        held: 1,
        ..Effect::default()
    };
    let html = page(&blind);
    assert!(html.contains("gaelp decided once, but for none of these hours is there a report"));
    assert!(!html.contains("class=\"tiles\""));
}

#[test]
fn one_day_is_drawn_as_points() {
    let html = page(&summary(Shape {
        days: 1,
        ..Shape::default()
    }));
    assert!(html.contains("Over 1 day, gaelp"));
    assert!(html.contains("<circle class=\"suggested\""));
    assert!(html.contains("no days before to compare with"));
    assert!(html.contains("Only 1 of 14 days have data"));
}

#[test]
fn daily_data_have_no_hours_to_show() {
    let mut daily = summary(Shape::default());
    daily.granularity = Granularity::Daily;
    daily.heatmap.clear();
    let html = page(&daily);
    assert!(html.contains("The data are daily, so no hour of the day can be told from another."));
    assert!(!html.contains("fill-h0\""));
}

#[test]
fn nothing_spent_is_not_divided_by() {
    let mut idle = summary(Shape::default());
    let nothing = || kpi(Metrics::default());
    idle.kpis.account = nothing();
    idle.kpis
        .platforms
        .iter_mut()
        .for_each(|(_, kpi)| *kpi = nothing());
    idle.kpis
        .ad_sets
        .iter_mut()
        .for_each(|(_, kpi)| *kpi = nothing());
    for trailing in &mut idle.trailing {
        trailing.current = nothing();
        trailing.previous = trailing.previous.take().map(|_| nothing());
    }
    for day in &mut idle.days {
        *day = Day {
            date: day.date.clone(),
            ..Day::default()
        };
    }
    for story in &mut idle.ad_sets {
        story.suggested_spend = Micros::ZERO;
        for point in &mut story.series {
            (point.actual, point.suggested, point.revenue) = Default::default();
        }
    }
    for cell in idle.heatmap.iter_mut().flatten() {
        (cell.spend, cell.revenue, cell.conversions) = (Micros::ZERO, Micros::ZERO, 0.0);
    }
    idle.effect = Effect {
        decisions: 2_688,
        compared: 2_688,
        held: 2_688,
        ..Effect::default()
    };
    let html = page(&idle);
    assert!(html.contains("spent as much as was spent, 0.00\u{a0}USD, and made the same profit"));
    assert!(html.contains("Nothing was spent."));
    assert!(html.contains("<td>undefined</td>"));
    assert!(html.contains("undefined of it was spent"));
}

#[test]
fn four_hundred_days_and_five_hundred_ad_sets_stay_below_a_megabyte() {
    let html = page(&summary(Shape {
        days: 400,
        ad_sets: 500,
        ..Shape::default()
    }));
    assert!(html.contains("The 20 ad sets with the most spend; 480 more are not shown here."));
    assert!(html.contains("400 more ad sets with less spend are not shown here"));
    assert_eq!(html.matches("<article class=\"multiple\">").count(), 20);
}

#[test]
fn more_days_than_fit_are_drawn_by_the_week() {
    let html = page(&summary(Shape {
        days: 1_000,
        ..Shape::default()
    }));
    assert!(
        html.contains("There are too many days to draw each one: the charts show sums a week.")
    );
    assert!(html.contains("The days as a table (the last 400)"));
    assert!(html.contains("Over 1,000 days, gaelp"));
    assert!(html.contains("Spend a week, USD") && html.contains("Decisions a week, by level"));
    assert!(html.contains("7 days from 2026-10-19: actual "));
}

#[test]
fn losses_are_drawn_below_zero() {
    let mut refunds = summary(Shape::default());
    for day in &mut refunds.days {
        day.revenue = cents(-1_250);
    }
    refunds.kpis.account.metrics.revenue = cents(-35_000);
    refunds.kpis.account = kpi(refunds.kpis.account.metrics);
    for cell in refunds.heatmap.iter_mut().flatten() {
        cell.revenue = cents(-10);
    }
    let html = page(&refunds);
    assert!(html.contains("revenue −12.50\u{a0}USD"));
    assert!(html.contains("<td>−350.00</td>"));
    assert!(!html.contains("The best return is between"));
    assert!(
        !html.contains("height=\"-") && !html.contains("v-"),
        "no box is upside down"
    );
}

#[test]
fn gaps_between_days_stay_gaps() {
    let mut gap = summary(Shape::default());
    gap.days.drain(10..13);
    gap.ad_sets.clear();
    let html = page(&gap);
    let line = excerpt(&html, "<path class=\"actual\"");
    let path = line
        .split("d=\"")
        .nth(1)
        .and_then(|d| d.split('"').next())
        .unwrap();
    assert_eq!(path.matches('M').count(), 2, "{path}");
    assert_eq!(path.matches('L').count(), 23, "{path}");
}

#[test]
fn what_is_missing_everywhere_is_said_to_be_undefined() {
    let mut bare = summary(Shape::default());
    let unknown = Kpi::default();
    bare.kpis = Kpis {
        account: unknown.clone(),
        platforms: vec![(Platform::Meta, unknown.clone())],
        ad_sets: vec![(AdSetKey::new(Platform::Meta, "a"), unknown.clone())],
    };
    for trailing in &mut bare.trailing {
        (trailing.covered, trailing.current, trailing.previous) = (0, unknown.clone(), None);
    }
    for day in &mut bare.days {
        (day.lambda, day.binding, day.target) = (None, Vec::new(), Micros::ZERO);
    }
    for story in &mut bare.ad_sets {
        (story.main_rule, story.series) = (None, Vec::new());
        for arm in &mut story.arms {
            arm.mean_propensity = None;
        }
    }
    bare.period = None;
    bare.guardrails = Guardrails::default();
    bare.learning = Learning::default();
    bare.heatmap = vec![Vec::new(), vec![crate::summary::Cell::default()]];
    bare.inputs.clear();
    bare.settings.clear();
    bare.alerts.clear();
    let html = page(&bare);
    assert!(html.contains("Only 0 of 7 days have data"));
    assert!(html.contains("<th scope=\"row\">CPA</th><td class=\"n strong\">undefined</td>"));
    assert!(html.contains("No hour was reported, so there is nothing to show."));
    assert!(html.contains("<p>0.00 actual, no suggestion to compare</p>"));
    assert!(html.contains("No file was read.") && html.contains("No rule bound it."));
}

#[test]
fn amounts_at_the_ends_of_their_range_are_printed() {
    let mut extreme = summary(Shape::default());
    for (day, amount) in extreme
        .days
        .iter_mut()
        .zip([Micros::MAX, LEAST].into_iter().cycle())
    {
        (day.actual, day.suggested, day.revenue, day.target) =
            (amount, Micros::ZERO, amount, amount);
        day.levels = [u64::MAX; 5];
        day.binding = vec![(RuleId::new("daily_cap"), u64::MAX)];
    }
    for story in &mut extreme.ad_sets {
        for point in &mut story.series {
            (point.actual, point.suggested) = (Micros::MAX, LEAST);
        }
    }
    extreme.effect.actual_profit = LEAST;
    extreme.effect.suggested_profit = Micros::MAX;
    let html = page(&extreme);
    assert!(html.contains("made 18,446,744,073,709.56\u{a0}USD more profit"));
}

/// The most negative amount.
const LEAST: Micros = Micros::new(i64::MIN);
/// Texts that would break out of an element, of an attribute, or of the direction of writing.
const HOSTILE: &str =
    "</style><script>alert(\"1\")</script>'><img src=x> & 🎯\u{202e}\u{0}\n{{ 7 }}";

#[test]
fn names_from_files_cannot_break_out() {
    let mut hostile = summary(Shape::default());
    let name = format!("{HOSTILE}{}", "<\"&'>".repeat(60));
    let key = AdSetKey::new(Platform::new(HOSTILE), name);
    for (story, (own, _)) in hostile.ad_sets.iter_mut().zip(&mut hostile.kpis.ad_sets) {
        (story.key, *own) = (key.clone(), key.clone());
        story.main_rule = Some((RuleId::from(HOSTILE.to_owned()), 1));
    }
    for (platform, _) in &mut hostile.kpis.platforms {
        *platform = key.platform.clone();
    }
    for day in &mut hostile.days {
        day.binding = vec![(RuleId::from(HOSTILE.to_owned()), 1)];
        HOSTILE.clone_into(&mut day.date);
    }
    hostile.days.extend(summary(Shape::default()).days);
    hostile.guardrails.binding = vec![(RuleId::from(HOSTILE.to_owned()), 1)];
    hostile.guardrails.examples[0].rule = RuleId::from(HOSTILE.to_owned());
    hostile.guardrails.examples[0].ad_set = key;
    let (example, input) = (&mut hostile.guardrails.examples[0], &mut hostile.inputs[0]);
    let alert = &mut hostile.alerts[0];
    for text in [
        &mut example.reason,
        &mut example.at,
        &mut input.name,
        &mut input.kind,
        &mut input.reason,
        &mut input.notes[0],
        &mut alert.example,
        &mut alert.first_at,
        &mut hostile.run,
    ] {
        HOSTILE.clone_into(text);
    }
    hostile.limits.push(HOSTILE.to_owned());
    hostile.settings.insert("peak_hours", HOSTILE.to_owned());
    let html = page(&hostile);
    assert_eq!(html.matches("</style>").count(), 1);
    assert!(!html.contains("alert(\""));
    assert!(html.contains("🎯"));
    assert!(!html.contains('\u{0}') && !html.contains('\u{202e}'));
}

#[test]
fn long_names_are_cut_in_text_and_whole_in_the_title() {
    let mut long = summary(Shape {
        ad_sets: 1,
        ..Shape::default()
    });
    let name = "Q4 – Prospecting – ".repeat(16);
    let key = AdSetKey::new(Platform::Meta, name.as_str());
    long.ad_sets[0].key = key.clone();
    long.kpis.ad_sets[0].0 = key;
    let html = page(&long);
    assert!(html.contains(&format!("<bdi title=\"{name}\">Q4 – ")));
    assert!(html.contains("…</bdi>"));
}

#[test]
fn the_largest_names_everywhere_stay_below_a_megabyte() {
    let mut long = summary(Shape {
        days: 400,
        ad_sets: 500,
        ..Shape::default()
    });
    let key = |index: usize| {
        let mut name = "<".repeat(294);
        write!(name, "{index:06}").unwrap();
        AdSetKey::new(Platform::Meta, name)
    };
    for (index, (story, (own, _))) in long
        .ad_sets
        .iter_mut()
        .zip(&mut long.kpis.ad_sets)
        .enumerate()
    {
        (story.key, *own) = (key(index), key(index));
    }
    page(&long);
}

#[test]
fn any_small_shape_gives_a_sound_page() {
    for days in 0..40 {
        for ad_sets in [0, 1, 3] {
            page(&summary(Shape {
                days,
                ad_sets,
                ..Shape::default()
            }));
        }
    }
}

/// What begins with a mark, for messages.
fn excerpt<'a>(html: &'a str, mark: &str) -> &'a str {
    let from = html.find(mark).map_or("", |at| &html[at..]);
    let to = from
        .char_indices()
        .nth(4_000)
        .map_or(from.len(), |(at, _)| at);
    &from[..to]
}
