//! The colours of the style sheet, measured.

#[test]
fn text_and_shades_can_be_told_apart() {
    let css = include_str!("../../../templates/report.css");
    let (light, dark) = css.split_once("prefers-color-scheme").unwrap();
    for theme in [light, dark] {
        let colour = |name: &str| luminance(theme, name);
        for text in ["ink", "quiet", "link", "better", "worse"] {
            for back in ["paper", "card"] {
                assert!(
                    contrast(colour(text), colour(back)) >= 4.5,
                    "{text} on {back}"
                );
            }
        }
        assert!(contrast(colour("warn"), colour("warn-back")) >= 4.5);
        for line in [
            "actual",
            "suggested",
            "lambda",
            "target",
            "revenue",
            "on",
            "over",
            "freeze",
        ] {
            assert!(contrast(colour(line), colour("paper")) >= 3.0, "{line}");
        }
        for shade in ["h0", "h1", "h2", "h3"] {
            assert!(
                contrast(colour("on-light"), colour(shade)) >= 4.5,
                "on {shade}"
            );
        }
        for shade in ["h4", "h5"] {
            assert!(
                contrast(colour("on-dark"), colour(shade)) >= 3.0,
                "on {shade}"
            );
        }
        // The shades are told apart by lightness alone, so that hue does not matter.
        for scale in [
            ["h0", "h1", "h2", "h3", "h4", "h5"].as_slice(),
            &["s1", "s2", "s3", "s4"],
        ] {
            for pair in scale.windows(2) {
                let ratio = contrast(colour(pair[0]), colour(pair[1]));
                assert!(ratio >= 1.15, "{pair:?}: {ratio}");
            }
        }
    }
}

/// The relative luminance of a colour of the style sheet, as WCAG 2.2 defines it.
fn luminance(theme: &str, name: &str) -> f64 {
    let value = theme.split(&format!("--{name}: #")).nth(1).expect(name);
    let channel = |at: usize| {
        let eight_bit = u8::from_str_radix(&value[at..at + 2], 16).unwrap();
        let share = f64::from(eight_bit) / 255.0;
        if share <= 0.04045 {
            share / 12.92
        } else {
            ((share + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
}

fn contrast(one: f64, other: f64) -> f64 {
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}
