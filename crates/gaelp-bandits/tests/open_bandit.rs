//! Off-policy evaluation of the Open Bandit sample: real logs of two policies of a fashion shop.
//!
//! The sample is part of the Python package `obp`; `bash benches/obp.sh` fetches it and prints where
//! it lies, which the environment variable `GAELP_OBP` says. Without it the trials are reported as
//! ignored, by name; where `CI=true`, they fail.
#![expect(clippy::unwrap_used, reason = "what cannot be read is a failed trial")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use gaelp_bandits::evaluation::{
    Columns, ConfidenceLevel, ConfidenceSequence, Diagnostics, Estimator, EvaluationError, Log,
    RankPropensities, Requirements, RewardRange,
};
use gaelp_bandits::{BetaPrior, BetaThompson};
use gaelp_core::{ArmId, Choice, PolicyVersion, Propensity, PropensityMethod};
use libtest_mimic::{Arguments, Failed, Trial};

/// What a trial is called, and what it does with the sample.
type Named = (&'static str, fn(&Path));

const TRIALS: [Named; 4] = [
    (
        "random_logs_are_evaluated_for_thompson_sampling",
        random_to_bts,
    ),
    (
        "thompson_logs_are_evaluated_for_even_choices",
        bts_to_uniform,
    ),
    ("the_women_s_thompson_log_is_refused", women_is_refused),
    (
        "the_women_s_thompson_log_is_no_news_to_a_sequence",
        women_in_a_sequence,
    ),
];

fn main() -> ExitCode {
    let sample = std::env::var_os("GAELP_OBP").map(PathBuf::from);
    let required = std::env::var("CI").is_ok_and(|value| value == "true");
    let trial = |(name, test): Named| {
        let sample = sample.clone();
        let ignored = sample.is_none() && !required;
        let body = move || match &sample {
            Some(sample) => {
                test(sample);
                Ok(())
            }
            None => Err(Failed::from(
                "GAELP_OBP does not say where the Open Bandit sample lies: bash benches/obp.sh",
            )),
        };
        Trial::test(name, body).with_ignored_flag(ignored)
    };
    let trials = TRIALS.into_iter().map(trial).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// What exact rank probabilities (Gauss-Legendre, 4000 nodes) and plain numpy 1.23.5 say, without
/// Monte Carlo; `clipped` is the mean of min(w, 10) r.
struct Golden {
    campaign: &'static str,
    ips: f64,
    error: f64,
    snips: f64,
    mean: f64,
    effective: f64,
    most: f64,
    clipped: f64,
}

/// Logged evenly, evaluated for the shop's Thompson sampling.
const RANDOM_TO_BTS: [Golden; 3] = [
    Golden {
        campaign: "all",
        ips: 0.004_562_740_851_173_804,
        error: 0.002_091_878_430_355_309,
        snips: 0.004_786_025_347_094_659,
        mean: 0.953_346_570_540_751_8,
        effective: 1_643.239_126_586_011_7,
        most: 19.605_877_028_714_897,
        clipped: 0.003_602_153_148_302_314,
    },
    Golden {
        campaign: "men",
        ips: 0.004_540_055_783_159_069,
        error: 0.001_182_074_820_724_285_6,
        snips: 0.004_610_212_965_437_448_6,
        mean: 0.984_782_225_288_865_3,
        effective: 2_474.270_859_383_949_3,
        most: 10.666_070_173_213_004,
        clipped: 0.004_540_055_783_159_069,
    },
    Golden {
        campaign: "women",
        ips: 0.006_804_111_128_966_989,
        error: 0.001_876_385_891_597_155_4,
        snips: 0.006_799_738_468_213_882,
        mean: 1.000_643_063_078_609_2,
        effective: 1_958.551_291_164_933_2,
        most: 12.566_539_524_932_76,
        clipped: 0.006_804_111_128_966_989,
    },
];

/// Logged by Thompson sampling, evaluated for even choices.
const BTS_TO_UNIFORM: [Golden; 3] = [
    Golden {
        campaign: "all",
        ips: 0.002_359_639_516_846_006_7,
        error: 0.000_871_022_072_353_945_3,
        snips: 0.002_333_713_893_161_734,
        mean: 1.011_109_169_705_952_4,
        effective: 340.378_341_132_594_64,
        most: 277.777_777_777_777_77,
        clipped: 0.002_359_639_516_846_006_7,
    },
    Golden {
        campaign: "men",
        ips: 0.003_008_626_327_256_483_6,
        error: 0.000_773_935_462_886_502_9,
        snips: 0.003_189_423_162_277_392,
        mean: 0.943_313_625_749_236_9,
        effective: 655.709_849_587_315_4,
        most: 178.253_119_429_590_01,
        clipped: 0.003_008_626_327_256_483_6,
    },
    Golden {
        campaign: "women",
        ips: 0.007_437_577_541_923_159,
        error: 0.004_118_361_144_254_772,
        snips: 0.002_373_046_143_447_756,
        mean: 3.134_190_020_897_46,
        effective: 2.077_822_692_483_707,
        most: 21_739.130_434_782_608,
        clipped: 0.004_383_669_186_128_011,
    },
];

fn random_to_bts(sample: &Path) {
    for golden in &RANDOM_TO_BTS {
        let rows = read_log(sample, "random", golden.campaign);
        let policy = prior(sample, golden.campaign);
        let ranks = RankPropensities::of(&policy, &policy.all(), 3).unwrap();
        assert!(ranks.error() < 1e-11, "{:e}", ranks.error());
        let columns = columns(&rows, |row| ranks.get(row.item, row.position));
        check(golden, &columns.log().unwrap(), &Requirements::default());
    }
}

fn bts_to_uniform(sample: &Path) {
    for golden in &BTS_TO_UNIFORM {
        let rows = read_log(sample, "bts", golden.campaign);
        let even = even_choice(sample, golden.campaign);
        let columns = columns(&rows, |_| Some(even));
        let requirements = match golden.campaign {
            "women" => Requirements::NONE,
            _ => Requirements::default(),
        };
        check(golden, &columns.log().unwrap(), &requirements);
    }
}

fn women_is_refused(sample: &Path) {
    let rows = read_log(sample, "bts", "women");
    let even = even_choice(sample, "women");
    let columns = columns(&rows, |_| Some(even));
    let log = columns.log().unwrap();
    for estimator in [
        Estimator::Ips,
        Estimator::Snips,
        Estimator::ClippedIps { most: 10.0 },
    ] {
        let error = log
            .evaluate(estimator, &Requirements::default())
            .unwrap_err();
        let message = error.to_string();
        let EvaluationError::Refused(refusal) = error else {
            panic!("{message}");
        };
        assert!((refusal.raw.effective_rows - 2.077_822_692_483_707).abs() < 1e-9);
        assert!(message.contains("mean weight 3.1342"), "{message}");
        if !estimator.is_shrunk() {
            assert!(
                message.contains("effective sample size 2.08 of 10000 rows"),
                "{message}"
            );
            assert!(message.contains("largest weight 21739.13"), "{message}");
        }
    }
}

/// Where a mean refuses, a sequence that clips still has something to say, and says it with care: the
/// even policy's own log earned 0.0046 per row.
fn women_in_a_sequence(sample: &Path) {
    let rows = read_log(sample, "bts", "women");
    let even = even_choice(sample, "women");
    let columns = columns(&rows, |_| Some(even));
    let log = columns.log().unwrap();
    let level = ConfidenceLevel::default();
    let sequence = ConfidenceSequence::over(&log, RewardRange::UNIT, Some(100.0), level).unwrap();
    let interval = sequence.interval().unwrap();
    let on_policy = read_log(sample, "random", "women");
    let clicks = on_policy.iter().map(|row| row.click).sum::<f64>();
    assert!((clicks - 46.0).abs() < 1e-12);
    assert!(interval.contains(clicks / 10_000.0), "{interval:?}");
}

/// All figures to 1e-9 relative.
fn check(golden: &Golden, log: &Log<'_>, requirements: &Requirements) {
    let same = |name: &str, found: f64, expected: f64| {
        let off = (found / expected - 1.0).abs();
        assert!(
            off < 1e-9,
            "{}, {name}: {found} for {expected}",
            golden.campaign
        );
    };
    let ips = log.evaluate(Estimator::Ips, requirements).unwrap();
    let Diagnostics {
        rows,
        effective_rows,
        largest_weight,
        mean_weight,
        ..
    } = *ips.diagnostics();
    assert_eq!(rows, 10_000);
    same("IPS", ips.value(), golden.ips);
    same("its error", ips.standard_error(), golden.error);
    let snips = log.evaluate(Estimator::Snips, requirements).unwrap();
    same("SNIPS", snips.value(), golden.snips);
    let clipped = Estimator::ClippedIps { most: 10.0 };
    let clipped = log.evaluate(clipped, &Requirements::NONE).unwrap();
    same("clipped", clipped.value(), golden.clipped);
    same("mean weight", mean_weight, golden.mean);
    same("effective sample size", effective_rows, golden.effective);
    same("largest weight", largest_weight, golden.most);
}

struct Row {
    item: ArmId,
    position: usize,
    click: f64,
    propensity: f64,
}

fn read_log(sample: &Path, policy: &str, campaign: &str) -> Vec<Row> {
    let path = sample.join(format!("dataset/obd/{policy}/{campaign}/{campaign}.csv"));
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut lines = text.lines();
    let header = ",timestamp,item_id,position,click,propensity_score,";
    assert!(lines.next().unwrap().starts_with(header));
    let row = |line: &str| {
        let fields: Vec<&str> = line.split(',').take(6).collect();
        let [_, _, item, position, click, propensity] = fields[..] else {
            panic!("{line}");
        };
        let position: usize = position.parse().unwrap();
        Row {
            item: ArmId::new(item.parse().unwrap()),
            position: position - 1,
            click: click.parse().unwrap(),
            propensity: propensity.parse().unwrap(),
        }
    };
    lines.map(row).collect()
}

fn columns(rows: &[Row], target: impl Fn(&Row) -> Option<Propensity>) -> Columns {
    let mut columns = Columns::default();
    for row in rows {
        let choice = Choice {
            arm: row.item,
            propensity: Propensity::new(row.propensity).unwrap(),
            method: PropensityMethod::Exact,
            policy: PolicyVersion::default(),
        };
        columns.push(&choice, target(row), row.click);
    }
    columns
}

/// Thompson sampling with the shop's posteriors, from `policy/conf/prior_bts.yaml`.
fn prior(sample: &Path, campaign: &str) -> BetaThompson {
    let text = fs::read_to_string(sample.join("policy/conf/prior_bts.yaml")).unwrap();
    let (mut alpha, mut beta) = (Vec::new(), Vec::new());
    let (mut section, mut list) = ("", "");
    for line in text.lines() {
        if let Some(number) = line.trim().strip_prefix("- ") {
            let number: f64 = number.parse().unwrap();
            match (section == campaign, list) {
                (true, "alpha") => alpha.push(number),
                (true, "beta") => beta.push(number),
                _ => {}
            }
        } else if line.starts_with(' ') {
            list = line.trim().trim_end_matches(':');
        } else {
            section = line.trim_end_matches(':');
        }
    }
    assert!(
        alpha.len() > 30 && alpha.len() == beta.len(),
        "{campaign}: {}",
        alpha.len()
    );
    let priors = alpha.into_iter().zip(beta);
    let arms = (0..).zip(priors).map(|(arm, (successes, failures))| {
        (
            ArmId::new(arm),
            BetaPrior {
                successes,
                failures,
            },
        )
    });
    BetaThompson::new(arms).unwrap()
}

/// One over the number of a campaign's items.
fn even_choice(sample: &Path, campaign: &str) -> Propensity {
    let items = u32::try_from(prior(sample, campaign).all().len()).unwrap();
    Propensity::new(1.0 / f64::from(items)).unwrap()
}
