//! Lag models against maximum likelihood computed elsewhere.

use gaelp_attribution::lag::{
    Ever, LagCounts, LagError, LagFamily, LagModel, LagTable, Observation,
};
use gaelp_attribution::{ChannelId, Span, Windows};

use crate::delayed::Random;

fn hours(hours: f64) -> Span {
    #[expect(clippy::cast_possible_truncation, reason = "a span of a test")]
    Span::from_micros((hours * 3.6e9).round() as i64).unwrap()
}

fn seen(span: f64, converted: bool) -> Observation {
    Observation {
        span: hours(span),
        count: 1,
        converted,
    }
}

#[track_caller]
fn near(found: f64, expected: f64, relative: f64) {
    let error = (found / expected - 1.0).abs();
    assert!(error <= relative, "{found}, expected {expected}");
}

/// The remission times of the 6-MP arm in Freireich and others (1963), in weeks: the standard
/// example of censoring.
fn remissions() -> Vec<Observation> {
    let ends = [
        6, 6, 6, 7, 10, 13, 16, 22, 23, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35, 6, 9,
    ];
    let relapsed = |index| index < 9;
    // One more relapse, so that there are the ten that a fit asks for.
    let mut all: Vec<Observation> = ends
        .iter()
        .enumerate()
        .map(|(index, &weeks)| seen(f64::from(weeks), relapsed(index)))
        .collect();
    all.push(seen(26.0, true));
    all
}

/// Twenty conversions, and touches that have waited for different times.
fn mixture() -> Vec<Observation> {
    let converted = [
        0.3, 0.7, 1.1, 1.6, 2.2, 2.9, 3.7, 4.8, 6.0, 7.5, 9.1, 11.4, 14.0, 17.7, 22.0, 28.5, 37.0,
        49.0, 66.0, 95.0,
    ];
    let mut all: Vec<Observation> = converted.iter().map(|&span| seen(span, true)).collect();
    for (age, count) in [(5.0, 3), (20.0, 4), (60.0, 10), (168.0, 40)] {
        all.push(Observation {
            count,
            ..seen(age, false)
        });
    }
    all
}

// The references are roots of the gradient, found with 40 digits by another program.

#[test]
fn survival_models_with_censoring_are_the_maximum() {
    let weibull = LagModel::fit(LagFamily::Weibull, Ever::All, &remissions()).unwrap();
    near(weibull.location(), 3.468_724_839_911_054, 1e-9);
    near(weibull.spread(), 0.683_629_427_351_817_2, 1e-9);
    let normal = LagModel::fit(LagFamily::LogNormal, Ever::All, &remissions()).unwrap();
    near(normal.location(), 3.176_770_332_889_536, 1e-9);
    near(normal.spread(), 0.923_130_054_967_924_8, 1e-9);
    for model in [weibull, normal] {
        near(model.ever(), 1.0, 0.0);
        near(model.still_to_come(Span::hours(9)), 1.0, 1e-15);
    }
}

#[test]
fn models_of_touches_that_may_never_convert_are_the_maximum() {
    let cases = [
        (
            LagFamily::Weibull,
            [
                2.896_057_656_595_087,
                1.362_351_691_682_428,
                0.279_480_031_172_467_5,
            ],
            [
                0.887_505_952_755_101_3,
                0.292_300_476_152_717_5,
                0.005_909_493_339_083_1,
            ],
            [
                0.256_091_672_507_359,
                0.101_833_598_194_188_4,
                0.002_286_970_973_852_315,
            ],
        ),
        (
            LagFamily::LogNormal,
            [
                2.335_066_416_845_465,
                1.739_091_379_213_705,
                0.294_259_884_713_913_7,
            ],
            [
                0.910_314_354_336_808_8,
                0.313_934_420_983_994,
                0.054_395_378_588_615_22,
            ],
            [
                0.275_129_919_791_394_6,
                0.115_745_112_506_855_2,
                0.022_177_285_217_274_41,
            ],
        ),
    ];
    for (family, [location, spread, ever], outstanding, still) in cases {
        let model = LagModel::fit(family, Ever::Estimated, &mixture()).unwrap();
        near(model.location(), location, 1e-8);
        near(model.spread(), spread, 1e-8);
        near(model.ever(), ever, 1e-8);
        for (index, age) in [1, 24, 168].into_iter().enumerate() {
            near(
                model.outstanding(Span::hours(age)),
                outstanding[index],
                1e-7,
            );
            near(model.still_to_come(Span::hours(age)), still[index], 1e-7);
        }
    }
}

#[test]
fn quantiles_are_the_inverse_of_what_has_arrived() {
    for family in [LagFamily::Weibull, LagFamily::LogNormal] {
        let model = LagModel::new(family, 3.0, 1.3, 0.2).unwrap();
        for share in [0.01, 0.3, 0.5, 0.9, 0.99] {
            let age = model.quantile(share).unwrap();
            // Ages are whole microseconds.
            near(model.arrived(age), share, 1e-8);
        }
        assert!(model.quantile(1.0).is_err());
        let mut last = 1.0;
        for hours in 0..2_000 {
            let still = model.still_to_come(Span::hours(hours));
            assert!(still <= last);
            last = still;
        }
        near(model.still_to_come(Span::ZERO), 0.2, 1e-12);
    }
}

#[test]
fn a_fit_finds_the_parameters_that_lags_were_drawn_with() {
    // 60,000 touches of which three in ten convert, watched for at most seven days.
    let mut random = Random(11);
    let mut uniform =
        || f64::from(u32::try_from(random.next() >> 33).unwrap()) / f64::from(1_u32 << 31);
    let (scale, shape) = (30.0_f64, 0.7_f64);
    let mut table = LagTable::default();
    let channel = ChannelId::new(2);
    let mut naive = (0, 0);
    for _ in 0..60_000 {
        let age = 168.0 * uniform();
        let converts = uniform() < 0.3;
        let lag = scale * (-uniform().max(1e-12).ln()).powf(1.0 / shape);
        if converts && lag <= age {
            table.converted(channel, hours(lag));
            naive.0 += 1;
        } else {
            table.waiting(channel, hours(age));
        }
        naive.1 += 1;
    }
    let counts = table.channel(channel).unwrap();
    let model = counts.fit(LagFamily::Weibull, Ever::Estimated).unwrap();
    // Standard errors are near 2 per cent; the seed is fixed.
    near(model.ever(), 0.3, 0.06);
    near(model.location().exp(), scale, 0.10);
    near(1.0 / model.spread(), shape, 0.04);
    // Counting young touches as failures is far off, which is what the model is for.
    assert!(f64::from(naive.0) / f64::from(naive.1) < 0.24);
}

#[test]
fn windows_follow_the_lags_within_bounds() {
    let model = LagModel::new(LagFamily::LogNormal, 24.0_f64.ln(), 1.0, 0.1).unwrap();
    let (least, most) = (Span::hours(1), Span::days(90));
    // The 95th percentile of the normal distribution is 1.6448536.
    let exact = 24.0 * 1.644_853_627_f64.exp();
    let window = model.window(0.95, least, most).unwrap();
    assert_eq!(window, hours(exact.ceil()));
    assert_eq!(
        model.window(0.95, least, Span::days(3)).unwrap(),
        Span::days(3)
    );
    assert_eq!(
        model.window(0.01, Span::days(1), most).unwrap(),
        Span::days(1)
    );
    assert!(model.window(0.5, most, least).is_err());
    let windows = model.windows(0.95, Windows::default()).unwrap();
    assert_eq!(windows.click, window);
    assert_eq!(windows.view.micros(), window.micros() / 7);
}

#[test]
fn what_cannot_be_fitted_is_an_error() {
    let few: Vec<Observation> = mixture().into_iter().skip(11).collect();
    let error = LagModel::fit(LagFamily::Weibull, Ever::Estimated, &few).unwrap_err();
    let expected = LagError::TooFew {
        found: 9,
        least: 10,
    };
    assert_eq!(error, expected);
    let same = [Observation {
        count: 100,
        ..seen(5.0, true)
    }];
    for family in [LagFamily::Weibull, LagFamily::LogNormal] {
        for ever in [Ever::All, Ever::Estimated] {
            let error = LagModel::fit(family, ever, &same).unwrap_err();
            assert_eq!(error, LagError::NoMaximum);
        }
    }
    assert!(LagModel::new(LagFamily::Weibull, f64::NAN, 1.0, 0.5).is_err());
    let stored = r#"{"family":"weibull","location":1.0,"spread":-1.0,"ever":0.5}"#;
    assert!(serde_json::from_str::<LagModel>(stored).is_err());
}

#[test]
fn no_counts_make_a_fit_panic() {
    let mut random = Random(12);
    let mut fitted = 0;
    for _ in 0..400 {
        let mut counts = LagCounts::default();
        for _ in 0..random.below(60) {
            let micros = (random.next() >> 1 >> random.below(63)).cast_signed();
            let span = Span::from_micros(micros).unwrap();
            if random.one_in(2) {
                counts.converted.add(span);
            } else {
                counts.waiting.add(span);
            }
        }
        for family in [LagFamily::Weibull, LagFamily::LogNormal] {
            for ever in [Ever::All, Ever::Estimated] {
                fitted += usize::from(counts.fit(family, ever).is_ok());
            }
        }
    }
    assert!(fitted > 200, "{fitted}");
}

#[test]
fn tables_of_parts_merge_into_the_table_of_the_whole() {
    let mut random = Random(13);
    let mut whole = LagTable::default();
    let mut parts = [
        LagTable::default(),
        LagTable::default(),
        LagTable::default(),
    ];
    for _ in 0..500 {
        let channel = ChannelId::new(u16::try_from(random.below(5)).unwrap());
        let span = Span::from_micros(random.signed_below(1 << 40)).unwrap();
        let part = &mut parts[usize::try_from(random.below(3)).unwrap()];
        if random.one_in(2) {
            part.converted(channel, span);
            whole.converted(channel, span);
        } else {
            part.waiting(channel, span);
            whole.waiting(channel, span);
        }
    }
    let [first, second, third] = parts;
    let mut forwards = first.clone();
    forwards.merge(&second);
    forwards.merge(&third);
    let mut backwards = third;
    backwards.merge(&second);
    backwards.merge(&first);
    assert_eq!(forwards, whole);
    assert_eq!(backwards, whole);
    let pooled = whole.pooled();
    assert_eq!(pooled.converted.count() + pooled.waiting.count(), 500);
}
