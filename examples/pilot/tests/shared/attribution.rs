//! `attribute` over real paths and the stream of events, whose answers were computed elsewhere.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::program::{int, pilot, run, strings};

fn data(name: &str) -> PathBuf {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/data/attribution"
    );
    Path::new(folder).join(name)
}

/// The rows of a table by column names.
fn rows(name: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(data(name)).expect("a file");
    reader
        .deserialize()
        .map(|row| row.expect("a row"))
        .collect()
}

/// The credits of a model by channel.
fn credits(json: &Value, model: &str) -> BTreeMap<String, i64> {
    let models = json["models"].as_array().expect("models");
    let found = models.iter().find(|found| found["name"] == model);
    let amounts = found.expect("the model")["credits"].as_array();
    let amounts = amounts.expect("credits").iter().filter_map(Value::as_i64);
    strings(json, "/channels")
        .into_iter()
        .zip(amounts)
        .collect()
}

pub(crate) fn paths() {
    let mut command = pilot();
    command.args(["attribute", "--json", "--paths"]);
    let json = run(command.arg(data("pathdata.csv"))).well().json();
    assert_eq!(int(&json, "/total"), 74_802_971_582);
    assert_eq!(int(&json, "/conversions"), 19_785);
    let expected = rows("expected/pathdata_heuristics_exact.csv");
    assert_eq!(expected.len(), 12);
    for model in ["first", "last", "linear", "position", "j_shape"] {
        let found = credits(&json, model);
        for row in &expected {
            let micros = row[&format!("{model}_value_micros")].parse::<i64>();
            assert_eq!(
                Ok(found[&row["channel"]]),
                micros,
                "{model} {}",
                row["channel"]
            );
        }
    }
    for order in [1, 2] {
        let found = credits(&json, &format!("markov{order}"));
        for row in rows(&format!("expected/pathdata_markov_order{order}_exact.csv")) {
            let value: f64 = row["attributed_value"].parse().expect("a number");
            #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
            let micros = found[&row["channel"]] as f64;
            assert!(
                (micros - value * 1e6).abs() <= 2.0,
                "{order} {}",
                row["channel"]
            );
        }
    }
}

pub(crate) fn events() {
    let mut command = pilot();
    command.args(["attribute", "--json", "--half-life", "7d", "--events"]);
    let json = run(command.arg(data("stream/events_dev.csv")))
        .well()
        .json();
    let mut expected: BTreeMap<(&str, String), i64> = BTreeMap::new();
    for row in rows("stream/expected_dev_default_credits.csv") {
        for model in [
            "last",
            "first",
            "linear",
            "position",
            "j_shape",
            "time_decay",
        ] {
            let credit: i64 = row[model].parse().expect("micros");
            *expected.entry((model, row["channel"].clone())).or_default() += credit;
        }
    }
    assert_eq!(expected.len(), 6 * 12);
    for ((model, channel), credit) in expected {
        assert_eq!(credits(&json, model)[&channel], credit, "{model} {channel}");
    }
}
