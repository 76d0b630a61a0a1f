//! Published examples with exact answers.

use std::path::Path;

use gaelp_attribution::{
    Channels, ConversionKind, Journey, Journeys, LeaveOneOut, Markov, MarkovCounts, Model, Order,
    PathReader, PathTable, SetCounts, ShapleySetValue, Span, Splitter, Timestamp, Weigh, shapley,
};
use gaelp_core::Micros;
use serde_json::Value;

use crate::shared;

/// The example of a name.
fn example(id: &str) -> Value {
    let text = std::fs::read_to_string(shared::path(Path::new("worked_examples.json"))).unwrap();
    let all: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(all.len(), 10);
    all.into_iter().find(|one| one["id"] == id).unwrap()
}

fn integers(value: &Value) -> Vec<i64> {
    let all = value.as_array().unwrap().iter();
    all.map(|one| one.as_i64().unwrap()).collect()
}

fn close(got: f64, expected: &Value) {
    let expected = expected.as_f64().unwrap();
    assert!((got - expected).abs() < 1e-12, "{got} is not {expected}");
}

/// A table of `[path, conversions, nulls]`, in which a conversion is worth a million micros.
struct Table {
    reader: PathReader,
    conversions: Vec<i64>,
    values: Vec<i64>,
    nulls: Vec<i64>,
}

impl Table {
    fn of(rows: &Value) -> Self {
        let mut reader = PathReader::default();
        let (mut conversions, mut nulls) = (Vec::new(), Vec::new());
        for row in rows.as_array().unwrap() {
            reader.push(row[0].as_str().unwrap()).unwrap();
            conversions.push(row[1].as_i64().unwrap());
            nulls.push(row[2].as_i64().unwrap());
        }
        Self {
            values: conversions.iter().map(|count| count * 1_000_000).collect(),
            reader,
            conversions,
            nulls,
        }
    }

    fn table(&self) -> PathTable<'_, u16, u64> {
        let journeys: Journeys<'_, u16, u64> = self.reader.journeys();
        PathTable::new(journeys, &self.conversions, &self.values, &self.nulls).unwrap()
    }

    fn channels(&self) -> &Channels {
        self.reader.channels()
    }

    fn markov(&self, order: Order) -> Markov {
        let counts = MarkovCounts::count(&self.table(), order).unwrap();
        counts.fit().unwrap()
    }

    /// Compares figures by channel with an object by name.
    fn compare(&self, got: &[f64], expected: &Value) {
        let expected = expected.as_object().unwrap();
        assert_eq!(expected.len(), self.channels().len());
        for (name, expected) in expected {
            close(got[self.channels().id(name).unwrap().index()], expected);
        }
    }
}

/// The credit of every touch of one conversion.
fn credits(example: &Value, model: &Model) -> Vec<i64> {
    let moments: Vec<Timestamp> = integers(&example["touch_ts_ms"])
        .into_iter()
        .map(|millis| Timestamp::from_millis(millis).unwrap())
        .collect();
    let mut channels = Channels::default();
    let ids: Vec<_> = match example["channels"].as_array() {
        Some(names) => names.iter().map(|n| n.as_str().unwrap()).collect(),
        None => vec!["any"; moments.len()],
    };
    let ids: Vec<_> = ids.iter().map(|n| channels.intern(n).unwrap()).collect();
    let end = Timestamp::from_millis(example["conversion_ts_ms"].as_i64().unwrap()).unwrap();
    let journey = Journey::new(&ids, &moments, end, ConversionKind::default()).unwrap();
    let (mut weights, mut splitter) = (Vec::new(), Splitter::default());
    model.weigh(&journey, &mut weights);
    let value = Micros::new(example["value_micros"].as_i64().unwrap());
    let parts = splitter.split(value, &weights).unwrap();
    parts.iter().map(|part| part.get()).collect()
}

#[test]
fn heuristics_of_adobe_google_and_snowplow() {
    let mut compared = 0;
    for id in [
        "adobe-50-dollars",
        "google-time-decay",
        "direct-organic-direct-140",
    ] {
        let example = example(id);
        for (name, expected) in example["expected_micros"].as_object().unwrap() {
            let model = match &**name {
                "first" => Model::First,
                "last" => Model::Last,
                "linear" => Model::Linear,
                "position" => Model::POSITION,
                "j_shape" => Model::J_SHAPE,
                "time_decay" => Model::TimeDecay {
                    half_life: Span::days(7),
                },
                other => panic!("{other}"),
            };
            assert_eq!(credits(&example, &model), integers(expected), "{id} {name}");
            compared += 1;
        }
    }
    assert_eq!(compared, 11);
}

#[test]
fn last_non_direct_skips_direct() {
    let example = example("direct-organic-direct-140");
    let direct = [gaelp_attribution::ChannelId::new(0)].into_iter().collect();
    let model = Model::LastNonDirect { direct };
    assert_eq!(credits(&example, &model), [0, 140_000_000, 0]);
    let direct = (0..2).map(gaelp_attribution::ChannelId::new).collect();
    let model = Model::LastNonDirect { direct };
    assert_eq!(credits(&example, &model), [0, 0, 140_000_000]);
}

#[test]
fn positions_of_one_two_and_more_touches() {
    let example = example("position-edge-cases");
    let cases = example["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 20);
    for case in cases {
        let touches = usize::try_from(case["n"].as_i64().unwrap()).unwrap();
        let share = |place: usize| {
            let share = case["first_middle_last_pct"][place].as_i64().unwrap();
            u32::try_from(share).unwrap()
        };
        let model = Model::Position {
            first: share(0),
            middle: share(1),
            last: share(2),
        };
        let channels = vec![gaelp_attribution::ChannelId::new(0); touches];
        let journey = Journey::of_channels(&channels).unwrap();
        let (mut weights, mut splitter) = (Vec::new(), Splitter::default());
        model.weigh(&journey, &mut weights);
        let parts = splitter.split(Micros::new(1_000_000), &weights).unwrap();
        let parts: Vec<i64> = parts.iter().map(|part| part.get()).collect();
        assert_eq!(parts, integers(&case["micros_of_1_000_000"]), "{case}");
    }
}

#[test]
fn largest_remainders() {
    let example = example("largest-remainder");
    let cases = example["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 11);
    let mut splitter = Splitter::default();
    for case in cases {
        let weights: Vec<u64> = integers(&case["weights"])
            .into_iter()
            .map(|weight| u64::try_from(weight).unwrap())
            .collect();
        let total = Micros::new(case["value_micros"].as_i64().unwrap());
        let parts = splitter.split(total, &weights).unwrap();
        let parts: Vec<i64> = parts.iter().map(|part| part.get()).collect();
        assert_eq!(parts, integers(&case["credit"]), "{case}");
    }
}

#[test]
fn chains_of_the_vignette_and_of_three_channels() {
    for id in ["markov-vignette", "markov-three-channels"] {
        let example = example(id);
        let table = Table::of(&example["rows"]);
        let model = table.markov(Order::FIRST);
        let expected = &example["expected"];
        close(model.probability_of_conversion(), &expected["p_conversion"]);
        table.compare(model.removal_effects(), &expected["removal_effect"]);
        table.compare(&model.conversions(), &expected["conversions"]);
    }
}

#[test]
fn loops_repetitions_and_the_empty_path() {
    let example = example("markov-loops-empty-path");
    let table = Table::of(&example["rows"]);
    for order in [Order::FIRST, Order::SECOND, Order::THIRD] {
        let model = table.markov(order);
        let expected = &example["expected"][format!("order{}", order.get())];
        close(model.probability_of_conversion(), &expected["p_conversion"]);
        table.compare(model.removal_effects(), &expected["removal_effect"]);
    }
}

#[test]
fn shapley_values_of_three_players() {
    let example = example("shapley-three-players");
    let worth = |set: u32| {
        let names = ["A", "B", "C"].iter().enumerate();
        let members = names.filter(|(place, _)| set >> place & 1 == 1);
        let name: String = members.map(|(_, name)| *name).collect();
        example["v"][&name].as_f64().unwrap()
    };
    let values = shapley(3, worth).unwrap();
    for (name, value) in ["A", "B", "C"].iter().zip(values) {
        close(value, &example["expected_float"][name]);
    }
}

#[test]
fn shapley_values_and_leave_one_out_of_a_small_table() {
    let example = example("shapley-and-leave-one-out-small");
    let table = Table::of(&example["rows"]);
    let expected = &example["expected"];
    let earned = ShapleySetValue::earned(&table.table());
    table.compare(&earned.conversions, &expected["shapley_set_value"]);
    let game = SetCounts::count(&table.table()).rate_game().unwrap();
    table.compare(&game, &expected["shapley_rate"]);
    let model = LeaveOneOut::fit(&table.table());
    table.compare(&model.conversions(), &expected["leave_one_out"]);
}
