//! The real path data, with exact answers computed elsewhere.

use std::path::Path;

use gaelp_attribution::{
    Channels, LeaveOneOut, MarkovCounts, Model, Order, PathReader, PathTable, SetCounts,
    ShapleySetValue, Step, count_channels, credit_channels, credit_channels_by,
};
use gaelp_core::Micros;

use crate::shared;

/// The table in columns, with the values also as they were before rounding to micros.
pub(crate) struct PathData {
    reader: PathReader,
    conversions: Vec<i64>,
    values: Vec<i64>,
    nulls: Vec<i64>,
}

impl PathData {
    /// With values in micros, as money is.
    pub(crate) fn load() -> Self {
        Self::in_units(1e6)
    }

    /// With values in millionths of micros: the data have values of up to eighteen decimals, and
    /// the references of credited values were computed without rounding them to micros.
    pub(crate) fn fine() -> Self {
        Self::in_units(1e12)
    }

    fn in_units(units: f64) -> Self {
        let mut data = Self {
            reader: PathReader::default(),
            conversions: Vec::new(),
            values: Vec::new(),
            nulls: Vec::new(),
        };
        for row in shared::rows(Path::new("pathdata.csv")) {
            data.reader.push(&row["path"]).unwrap();
            data.conversions
                .push(row["total_conversions"].parse().unwrap());
            // The rule of the golden files: the float nearest to the text, times a million.
            let value: f64 = row["total_conversion_value"].parse().unwrap();
            #[expect(clippy::cast_possible_truncation, reason = "the rule of the files")]
            data.values.push((value * units).round_ties_even() as i64);
            data.nulls.push(row["total_null"].parse().unwrap());
        }
        data
    }

    pub(crate) fn table(&self) -> PathTable<'_, u16, u64> {
        let journeys = self.reader.journeys();
        PathTable::new(journeys, &self.conversions, &self.values, &self.nulls).unwrap()
    }

    pub(crate) fn channels(&self) -> &Channels {
        self.reader.channels()
    }
}

/// Compares a figure of every channel with a column, relative to its size.
pub(crate) fn compare(channels: &Channels, got: &[f64], file: &str, column: &str, tolerance: f64) {
    let rows = shared::rows(&Path::new("expected").join(file));
    assert_eq!(rows.len(), channels.len());
    for row in &rows {
        let channel = channels.id(&row["channel"]).unwrap();
        let expected: f64 = row[column].parse().unwrap();
        let error = (got[channel.index()] / expected - 1.0).abs();
        assert!(
            error <= tolerance,
            "{} {column}: {} is off {expected} by {error:e}",
            row["channel"],
            got[channel.index()]
        );
    }
}

#[test]
fn heuristics_are_exact_to_the_micro() {
    let data = PathData::load();
    let table = data.table();
    assert_eq!(table.conversions(), 19_785);
    assert_eq!(table.nulls(), 68_602);
    assert_eq!(table.value(), Micros::new(74_802_971_582));
    let file = "pathdata_heuristics_exact.csv";
    let rows = shared::rows(&Path::new("expected").join(file));
    let models = [
        ("first", Model::First),
        ("last", Model::Last),
        ("linear", Model::Linear),
        ("position", Model::POSITION),
        ("j_shape", Model::J_SHAPE),
    ];
    for (name, model) in models {
        let credits = credit_channels(&table, None, &model).unwrap();
        assert_eq!(credits.unattributed, Micros::ZERO);
        for row in &rows {
            let channel = data.channels().id(&row["channel"]).unwrap();
            let expected: i64 = row[&format!("{name}_value_micros")].parse().unwrap();
            let got = credits.by_channel[channel.index()];
            assert_eq!(got, Micros::new(expected), "{name} {}", row["channel"]);
        }
        let counts = count_channels(&table, &model).unwrap();
        compare(
            data.channels(),
            &counts,
            file,
            &format!("{name}_conversions"),
            1e-11,
        );
    }
}

#[test]
fn removal_effects_and_credits_of_orders_one_and_two() {
    let data = PathData::load();
    for (order, states) in [(Order::FIRST, 12), (Order::SECOND, 120)] {
        let model = MarkovCounts::count(&data.table(), order)
            .unwrap()
            .fit()
            .unwrap();
        assert_eq!(model.states(), states);
        let file = format!("pathdata_markov_order{}_exact.csv", order.get());
        let check = |got: &[f64], column: &str| compare(data.channels(), got, &file, column, 1e-9);
        check(model.removal_effects(), "removal_effect_conversions");
        check(&model.conversions(), "attributed_conversions");
        check(model.value_removal_effects(), "removal_effect_value");
        let major: Vec<f64> = model.values().iter().map(|value| value / 1e6).collect();
        check(&major, "attributed_value");
        let credit = model.credit().unwrap();
        let total = Micros::checked_sum(credit.iter().copied());
        assert_eq!(total, Some(Micros::new(74_802_971_582)));
    }
}

#[test]
fn the_probability_of_a_conversion_is_the_same_for_every_order() {
    let data = PathData::load();
    let states = [12, 120, 933, 3_975];
    for (order, states) in Order::ALL.into_iter().zip(states) {
        let model = MarkovCounts::count(&data.table(), order)
            .unwrap()
            .fit()
            .unwrap();
        assert_eq!(model.states(), states);
        let expected = 19_785.0 / 88_387.0;
        let error = (model.probability_of_conversion() / expected - 1.0).abs();
        assert!(error < 1e-12, "order {order:?} is off by {error:e}");
    }
}

#[test]
fn the_transition_matrix_of_order_one() {
    let data = PathData::load();
    let counts = MarkovCounts::count(&data.table(), Order::FIRST).unwrap();
    let transitions = counts.transitions();
    let file = Path::new("expected/pathdata_transition_matrix_order1_exact.csv");
    let rows = shared::rows(file);
    assert_eq!(transitions.len(), rows.len());
    let step = |name: &str| match name {
        "(start)" => Step::Start,
        "(conversion)" => Step::Conversion,
        "(null)" => Step::Null,
        channel => Step::State(vec![data.channels().id(channel).unwrap()]),
    };
    for row in &rows {
        let (from, to) = (step(&row["from"]), step(&row["to"]));
        let found = transitions.iter().find(|t| t.from == from && t.to == to);
        let found = found.unwrap();
        assert_eq!(found.count.to_string(), row["count"]);
        let expected: f64 = row["probability"].parse().unwrap();
        assert!((found.probability - expected).abs() < 1e-12, "{row:?}");
    }
}

#[test]
fn shapley_values_of_both_games() {
    let data = PathData::fine();
    let table = data.table();
    let earned = ShapleySetValue::earned(&table);
    let file = "pathdata_shapley_set_value_exact.csv";
    let channels = data.channels().clone();
    let channels = &channels;
    compare(channels, &earned.conversions, file, "conversions", 1e-9);
    let major: Vec<f64> = earned.values.iter().map(|value| value / 1e12).collect();
    compare(channels, &major, file, "value", 1e-9);
    let data = PathData::load();
    let table = data.table();
    let credits = credit_channels_by(&table, None, &ShapleySetValue).unwrap();
    for (credit, value) in credits.by_channel.iter().zip(&major) {
        // Each of at most ten thousand rows is rounded by less than a micro.
        assert!((credit.to_major_f64() - value).abs() < 1e-2);
    }
    let sum = Micros::checked_sum(credits.by_channel);
    assert_eq!(sum, Some(table.value()));
    let game = SetCounts::count(&table).rate_game().unwrap();
    let file = "pathdata_shapley_rate_exact.csv";
    compare(channels, &game, file, "phi", 1e-9);
}

#[test]
fn leave_one_out() {
    let data = PathData::fine();
    let model = LeaveOneOut::fit(&data.table());
    let file = "pathdata_data_driven_leave_one_out.csv";
    compare(
        data.channels(),
        &model.conversions(),
        file,
        "conversions",
        1e-9,
    );
    let major: Vec<f64> = model.values().iter().map(|value| value / 1e12).collect();
    compare(data.channels(), &major, file, "value", 1e-9);
}
