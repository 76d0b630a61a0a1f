//! Columns, texts and splits against the plain way to do it.

use gaelp_attribution::{
    ChannelId, Channels, ColumnError, ConversionKind, Journey, Journeys, MarkovCounts, Model,
    Order, PathReader, PathTable, Span, Splitter, Times, Timestamp, Weigh, credit_channels,
    credit_channels_by,
};
use gaelp_core::{Micros, split};
use proptest::prelude::*;

use crate::chains::{Rows, rows};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn splits_are_those_of_the_core(
        total in prop_oneof![
            any::<i64>(), -1_000..1_000_i64, -400_000_000..400_000_000_i64,
            (1_i64 << 50) - 3..(1_i64 << 50) + 3, -(1_i64 << 50) - 3..-(1_i64 << 50) + 3,
        ],
        weights in prop_oneof![
            prop::collection::vec(prop_oneof![0..50_u64, any::<u64>()], 0..9),
            prop::collection::vec(prop_oneof![0..=1_u64 << 32, Just(1_u64 << 32)], 1..15),
            prop::collection::vec(0..=1_u64 << 61, 1..4),
            prop::collection::vec(prop_oneof![Just(1_u64 << 57), 0..=1_u64 << 57], 20..40),
        ],
    ) {
        let mut splitter = Splitter::default();
        let expected = split(Micros::new(total), &weights);
        prop_assert_eq!(splitter.split(Micros::new(total), &weights).map(<[_]>::to_vec), expected);
    }

    #[test]
    fn texts_are_read_as_they_look(
        paths in prop::collection::vec("[ab \\t\u{e9}\0]{0,3}(>[a-c>  ]{0,12}){0,4}", 1..20),
    ) {
        let (mut reader, mut channels) = (PathReader::default(), Channels::default());
        let mut expected = Vec::new();
        for path in &paths {
            reader.push(path).unwrap();
            let names = path.split('>').map(str::trim).filter(|name| !name.is_empty());
            let path: Vec<u16> = names.map(|name| channels.intern(name).unwrap().get()).collect();
            expected.push(path);
        }
        let journeys = reader.journeys();
        prop_assert_eq!(reader.channels(), &channels);
        let mut column = PathReader::default();
        column.read(&paths).unwrap();
        prop_assert!(column.journeys().iter().eq(journeys.iter()));
        prop_assert_eq!(journeys.iter().collect::<Vec<_>>(), expected);
    }
}

/// The credit by channel, one journey at a time with the splitter of the core.
fn plainly(rows: &Rows, moments: &[i64], ends: &[i64], model: &dyn Weigh) -> (Vec<i64>, i64) {
    let mut credits = vec![0; usize::from(rows.channels)];
    let (mut unattributed, mut begin) = (0, 0);
    for (row, path) in rows.paths().into_iter().enumerate() {
        let channels: Vec<ChannelId> = path.iter().copied().map(ChannelId::new).collect();
        let times = &moments[begin..begin + path.len()];
        let times: Vec<Timestamp> = times.iter().copied().map(Timestamp::from_micros).collect();
        begin += path.len();
        let end = Timestamp::from_micros(ends[row]);
        let value = Micros::new(rows.values[row]);
        let Some(journey) = Journey::new(&channels, &times, end, ConversionKind::default()) else {
            unattributed += value.get();
            continue;
        };
        let mut weights = Vec::new();
        model.weigh(&journey, &mut weights);
        for (code, part) in path.iter().zip(split(value, &weights).unwrap()) {
            credits[usize::from(*code)] += part.get();
        }
    }
    (credits, unattributed)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn credits_of_columns_are_those_of_journeys(
        rows in rows(6, false),
        gap in 0..200_000_000_000_i64,
        sign in prop_oneof![Just(1), Just(-1)],
    ) {
        let mut rows = rows;
        rows.values.iter_mut().for_each(|value| *value *= sign);
        let moments: Vec<i64> = (0..).map(|touch| touch * gap).take(rows.codes.len()).collect();
        let ends: Vec<i64> = rows.offsets[1..].iter().map(|&end| i64::from(end) * gap).collect();
        let times = Times::new(&moments, &ends);
        let direct = [ChannelId::new(0), ChannelId::new(3)].into_iter().collect();
        let markov = MarkovCounts::count(&rows.table(), Order::FIRST).unwrap().fit();
        let heuristics = [
            Model::Last,
            Model::First,
            Model::LastNonDirect { direct },
            Model::Linear,
            Model::POSITION,
            Model::TimeDecay { half_life: Span::hours(30) },
            Model::Custom { from_first: vec![3], from_last: vec![2, 9], other: 1 },
        ];
        let total: i64 = rows.values.iter().sum();
        for model in &heuristics {
            let got = credit_channels(&rows.table(), Some(times), model).unwrap();
            let got = (got.by_channel.iter().map(|c| c.get()).collect(), got.unattributed.get());
            prop_assert_eq!(&got, &plainly(&rows, &moments, &ends, model), "{:?}", model);
            prop_assert_eq!(got.0.iter().sum::<i64>() + got.1, total);
        }
        if let Ok(model) = markov {
            let got = credit_channels_by(&rows.table(), Some(times), &model).unwrap();
            let got = (got.by_channel.iter().map(|c| c.get()).collect(), got.unattributed.get());
            prop_assert_eq!(got, plainly(&rows, &moments, &ends, &model));
        }
    }

    #[test]
    fn columns_of_all_types_are_the_same(rows in rows(6, true)) {
        let table = rows.table();
        let expected = credit_channels(&table, None, &Model::Linear).unwrap();
        let narrow: Vec<u8> = rows.codes.iter().map(|&c| u8::try_from(c).unwrap()).collect();
        let signed: Vec<i32> = rows.codes.iter().map(|&c| i32::from(c)).collect();
        let offsets: Vec<i64> = rows.offsets.iter().map(|&o| i64::from(o)).collect();
        let small: Vec<i32> = rows.offsets.iter().map(|&o| i32::try_from(o).unwrap()).collect();
        let a = Journeys::new(&narrow, &offsets, 6).unwrap();
        let a = PathTable::new(a, &rows.conversions, &rows.values, &rows.nulls).unwrap();
        prop_assert_eq!(&credit_channels(&a, None, &Model::Linear).unwrap(), &expected);
        let b = Journeys::new(&signed, &small, 6).unwrap();
        let b = PathTable::new(b, &rows.conversions, &rows.values, &rows.nulls).unwrap();
        prop_assert_eq!(&credit_channels(&b, None, &Model::Linear).unwrap(), &expected);
        for order in Order::ALL {
            let counts = MarkovCounts::count(&table, order).unwrap();
            prop_assert_eq!(MarkovCounts::count(&a, order).unwrap(), counts);
        }
    }
}

#[test]
fn columns_that_are_no_journeys_are_refused() {
    let journeys = |codes: &[i32], offsets: &[i32], count| {
        Journeys::new(codes, offsets, count).map(|journeys| journeys.len())
    };
    assert_eq!(journeys(&[], &[0], 0), Ok(0));
    assert_eq!(journeys(&[], &[], 1), Err(ColumnError::NoOffsets));
    assert_eq!(journeys(&[0, 1], &[0, 2], 2), Ok(1));
    let falling = ColumnError::FallingOffsets { row: 1 };
    assert_eq!(journeys(&[0, 1], &[0, 2, 1], 2), Err(falling));
    let unknown = |channel| ColumnError::UnknownChannel { channel, count: 2 };
    assert_eq!(journeys(&[0, 2], &[0, 2], 2), Err(unknown(2)));
    // What no journey uses may be anything.
    assert_eq!(journeys(&[0, 2], &[0, 1], 2), Ok(1));
    for (codes, offsets) in [
        (&[0, -1][..], &[0, 2][..]),
        (&[0], &[0, 2]),
        (&[0], &[-1, 1]),
        (&[0], &[-1]),
        (&[0], &[2, 2]),
    ] {
        assert!(
            journeys(codes, offsets, 2).is_err(),
            "{codes:?} {offsets:?}"
        );
    }
    assert!(journeys(&[0], &[0, 1], (1 << 16) + 1).is_err());
}

#[test]
fn tables_that_do_not_add_up_are_refused() {
    let journeys = Journeys::new(&[0_u8, 0], &[0_u32, 1, 2], 1).unwrap();
    let table = |c: &[i64], v: &[i64], n: &[i64]| PathTable::new(journeys, c, v, n).map(|_| ());
    assert_eq!(table(&[1, 2], &[3, 4], &[5, 6]), Ok(()));
    let negative = ColumnError::Negative {
        column: "nulls",
        row: 1,
        count: -6,
    };
    assert_eq!(table(&[1, 2], &[3, 4], &[5, -6]), Err(negative));
    let length = ColumnError::Length {
        column: "values",
        found: 1,
        expected: 2,
    };
    assert_eq!(table(&[1, 2], &[3], &[5, 6]), Err(length));
    for (c, v, n) in [
        ([i64::MAX, 1], [0, 0], [0, 0]),
        ([i64::MAX, 0], [0, 0], [1, 0]),
        ([0, 0], [i64::MAX, 1], [0, 0]),
        ([0, 0], [i64::MAX, i64::MIN], [0, 0]),
        ([0, 0], [i64::MIN, 0], [0, 0]),
        ([-1, 2], [0, 0], [0, 0]),
    ] {
        assert!(table(&c, &v, &n).is_err(), "{c:?} {v:?} {n:?}");
    }
    assert_eq!(table(&[i64::MAX, 0], &[-i64::MAX, 0], &[0, 0]), Ok(()));
}

#[test]
fn counts_that_could_wrap_are_refused() {
    let codes = [0_u8; 40];
    let journeys = Journeys::new(&codes, &[0_u32, 40], 1).unwrap();
    let table = PathTable::new(journeys, &[i64::MAX / 2], &[1], &[1]).unwrap();
    assert!(MarkovCounts::count(&table, Order::FIRST).is_err());
    let once = Journeys::new(&codes, &[0_u32, 2], 1).unwrap();
    let table = PathTable::new(once, &[i64::MAX / 2], &[1], &[1]).unwrap();
    let model = MarkovCounts::count(&table, Order::FIRST)
        .unwrap()
        .fit()
        .unwrap();
    assert!((model.removal_effects()[0] - 1.0).abs() < 1e-15);
}
