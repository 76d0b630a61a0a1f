//! The program, run as a person runs it.

use std::time::Duration;

use assert_cmd::Command;
use serde_json::Value;

/// Far longer than any run here takes, so that a program that hangs fails instead.
const PATIENCE: Duration = Duration::from_mins(2);

/// The program, without the caller's environment: a variable there that is called like a setting
/// would be one.
pub(crate) fn pilot() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gaelp-pilot"));
    command.env_clear().timeout(PATIENCE);
    command
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs it to its end.
pub(crate) fn run(command: &mut Command) -> Ran {
    let output = command.output().expect("the program starts");
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
    }
}

impl Ran {
    /// That it went well.
    #[track_caller]
    pub(crate) fn well(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self
    }

    /// That it was refused with this exit code and these words, and gave no result.
    #[track_caller]
    pub(crate) fn refused(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        for word in words {
            assert!(
                self.stderr.contains(word),
                "{word:?} is not in: {}",
                self.stderr
            );
        }
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        assert_eq!(self.stdout, "", "a refused run has no result");
    }

    /// Its JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).expect("standard output is one JSON document")
    }
}

/// An integer of the JSON, such as an amount in micros.
#[track_caller]
pub(crate) fn int(json: &Value, pointer: &str) -> i64 {
    let found = json.pointer(pointer).and_then(Value::as_i64);
    found.unwrap_or_else(|| panic!("{pointer} is not an integer in {json}"))
}

/// The strings of a list of the JSON.
#[track_caller]
pub(crate) fn strings(json: &Value, pointer: &str) -> Vec<String> {
    let list = json.pointer(pointer).and_then(Value::as_array);
    let list = list.unwrap_or_else(|| panic!("{pointer} is not a list"));
    list.iter()
        .map(|v| v.as_str().expect("a string").to_owned())
        .collect()
}
