use rand_chacha::rand_core::Rng;

use super::*;

/// The first four numbers of some streams: computed by a separate implementation of the `ChaCha`
/// block function with 8 rounds, itself checked with 20 rounds against RFC 8439, A.1, vector 1.
#[test]
fn the_streams_are_pinned() {
    let table: [(u64, u64, u128, [u64; 4]); 6] = [
        (
            0,
            0,
            0,
            [
                0xd640_5f89_2fef_003e,
                0xa1a5_091f_e8b8_5b7f,
                0x3b7f_9ace_c30e_842c,
                0x1e1a_71ef_88e1_1b18,
            ],
        ),
        (
            7,
            3,
            0x0123_4567_89ab_cdef_0123_4567_89ab_cdef,
            [
                0x7d1c_3da0_f1c0_fd97,
                0x98ac_19fc_2dbd_992c,
                0x09c1_d63d_aa65_8688,
                0x6bb7_d9b9_edce_ccc4,
            ],
        ),
        (
            u64::MAX,
            u64::MAX,
            u128::MAX,
            [
                0x4556_7e4d_4921_a139,
                0x64f8_6795_7a60_3128,
                0xd739_22dd_0e85_3ef6,
                0xf6d2_e934_0349_a71d,
            ],
        ),
        (
            1,
            0,
            0,
            [
                0x61a9_4a49_a0e9_5ecf,
                0x4b80_5b72_edd5_053e,
                0xcc5a_63ee_65a4_f412,
                0xea89_0474_e81d_313a,
            ],
        ),
        (
            0,
            1,
            0,
            [
                0x3feb_e7d0_52d7_6565,
                0x519d_89fd_b939_a805,
                0x5eec_aa33_8221_96c6,
                0x9ad0_74f9_4e28_f793,
            ],
        ),
        (
            0,
            0,
            1,
            [
                0xb0a4_537b_7f25_5c1c,
                0xec6b_2ca0_c712_e7ef,
                0xc2e1_9038_2606_f6d6,
                0xb552_f3dc_b69f_4ac9,
            ],
        ),
    ];
    for (seed, policy, decision, stream) in table {
        let key = DecisionKey {
            seed: Seed::new(seed),
            policy: PolicyVersion::new(policy),
            decision: DecisionId::new(decision),
        };
        let mut generator = key.generator();
        assert_eq!(stream.map(|_| generator.next_u64()), stream, "{key:?}");
    }
}

#[test]
fn the_second_block_is_pinned_too() {
    let key = DecisionKey {
        seed: Seed::new(7),
        policy: PolicyVersion::new(3),
        decision: DecisionId::new(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef),
    };
    let mut generator = key.generator();
    let ninth = std::iter::repeat_with(|| generator.next_u64()).nth(8);
    assert_eq!(ninth, Some(0xd27a_2cdf_7b6b_8e19));
}

/// The digests were computed by a separate implementation of BLAKE3, checked against the
/// published digest of the empty input.
#[test]
fn derived_ids_are_pinned() {
    let long: Vec<u8> = (0..=255).chain(0..=255).collect();
    let hour: &[&[u8]] = &[b"run 7", b"meta/prospecting", b"2026-11-20T10Z"];
    let table: [(&[&[u8]], &str); 4] = [
        (&[], "af1349b9f5f9a1a6a0404dea36dcc949"),
        (&[b""], "71e0a99173564931c0b8acc52d2685a8"),
        (hour, "df8bd5dee58a8cc9d0610f59a2037415"),
        (&[&long], "d7d43ffc98fb74ba9307e54581bfa37a"),
    ];
    for (parts, hex) in table {
        assert_eq!(DecisionId::derive(parts).to_string(), hex);
    }
}

#[test]
fn parts_do_not_run_into_each_other() {
    let readings: [&[&[u8]]; 8] = [
        &[b"ab", b"c"],
        &[b"a", b"bc"],
        &[b"abc"],
        &[b"abc", b""],
        &[b"", b"abc"],
        &[b"a", b"b", b"c"],
        &[b"c", b"b", b"a"],
        // What would collide if lengths were not framed: a length written out as data.
        &[b"ab\x01\0\0\0\0\0\0\0c"],
    ];
    let ids: std::collections::BTreeSet<_> = readings
        .iter()
        .map(|parts| DecisionId::derive(parts))
        .collect();
    assert_eq!(ids.len(), readings.len());
}

#[test]
fn ids_are_32_hexadecimal_digits() {
    let id: DecisionId = "0123456789abcdefFEDCBA9876543210".parse().unwrap();
    assert_eq!(
        id,
        DecisionId::new(0x0123_4567_89ab_cdef_fedc_ba98_7654_3210)
    );
    assert_eq!(id.to_string(), "0123456789abcdeffedcba9876543210");
    assert_eq!(format!("{id:?}"), id.to_string());
    assert_eq!(
        DecisionId::new(1).to_string(),
        "00000000000000000000000000000001"
    );
    for text in [
        "",
        "1",
        "+123456789abcdefFEDCBA9876543210",
        "0123456789abcdeffedcba987654321g",
        "0123456789abcdeffedcba98765432100",
        "01234567-89ab-cdef-fedc-ba9876543210",
        // 32 bytes, but 16 characters.
        "éééééééééééééééé",
    ] {
        assert_eq!(
            text.parse::<DecisionId>(),
            Err(ParseDecisionIdError(text.to_owned()))
        );
    }
}

#[test]
fn json_holds_the_digits() {
    let id = DecisionId::new(255);
    let json = serde_json::to_string(&id).unwrap();
    assert_eq!(json, r#""000000000000000000000000000000ff""#);
    assert_eq!(serde_json::from_str::<DecisionId>(&json).unwrap(), id);
    assert!(serde_json::from_str::<DecisionId>(r#""ff""#).is_err());
    assert!(serde_json::from_str::<DecisionId>("255").is_err());
    let seed = Seed::new(u64::MAX);
    let json = serde_json::to_string(&seed).unwrap();
    assert_eq!(serde_json::from_str::<Seed>(&json).unwrap(), seed);
}
