//! Files that are no table, or not all of one.

use super::{Case, META, case, under, utf16};

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn cases() -> Vec<Case> {
    let mut odd = utf16(&[META, "A,2026-09-01,1,1,1\n"].concat());
    odd.pop();
    let ad_set = |index: u32| format!("{index},2026-09-01,1,1,1");
    let ad_sets: Vec<String> = (0..=100_000).map(ad_set).collect();
    vec![
        case("empty", "", "file.csv: the file is empty; export it again"),
        case(
            "only a byte order mark",
            "\u{feff}",
            "file.csv: the file is empty; export it again",
        ),
        case(
            "only blank lines",
            "\n\n \n",
            "file.csv: the file is empty; export it again",
        ),
        case(
            "header only",
            META,
            "file.csv, line 1: there is no row below the header; export a period that has \
             data",
        ),
        case(
            "unknown kind",
            "a,b,c\n1,2,3\n",
            "file.csv: this is no known export; looked in the first 10 lines for the \
             columns of Meta Ads Manager (Ad set name, Amount spent, Reporting starts), the \
             Meta API (date_start, adset_id, spend), Google Ads (Campaign, Impr., Cost), \
             the Google Ads API (segments.date, metrics.cost_micros), the TikTok API \
             (stat_time_hour, adgroup_id, spend) and Shopify orders (Financial Status, \
             Created at); export in English, or describe the table by a column map",
        ),
        case(
            "a header that names the kind twice over, but no ad set",
            "Reporting starts,Reporting ends,Amount spent (USD)\n",
            "file.csv, line 1: there is no column `Ad set ID`; add it to the report and \
             export again",
        ),
        case(
            "no spend",
            "Ad set name,Day,Reporting starts\n",
            "file.csv, line 1: there is no column `Amount spent`; add it to the report and \
             export again",
        ),
        case(
            "no cost in Google's API",
            "segments.date,segments.hour,campaign.id\n",
            "file.csv, line 1: there is no column `metrics.cost_micros`; add it to the \
             report and export again",
        ),
        case(
            "two columns of a name",
            "Ad set name,Day,Amount spent (USD),day\n",
            "file.csv, line 1, column `day`: the columns 2 and 4 have the same name; remove \
             or rename one",
        ),
        case(
            "too few fields",
            under(
                META,
                "A,2026-09-01,1,1,1\nA,2026-09-02,1,1\nB,2026-09-02,1,1,1\n",
            ),
            "file.csv, line 3: 4 fields where the header has 5; a separator is missing or \
             not quoted, export again instead of editing by hand",
        ),
        case(
            "too many fields",
            under(META, "A,2026-09-01,1,1,1,250.50\n"),
            "file.csv, line 2: 6 fields where the header has 5; a separator is missing or \
             not quoted, export again instead of editing by hand",
        ),
        case(
            "cut in a field",
            under(META, "A,2026-09-01,1,1,1\nA,2026-09-"),
            "file.csv, line 3: the file ends after 2 of 5 fields; it was cut, download it \
             again",
        ),
        case(
            "cut in a quote",
            under(META, "A,2026-09-01,1,1,1\n\"A\nB,2026-09-02,1,1,1\n"),
            "file.csv, line 3, column `Ad set name`: the quote that opens here is not \
             closed by the end of the file; it was cut or a quote was lost, download it \
             again",
        ),
        case(
            "text after a quote",
            under(META, "\"A\"B,2026-09-01,1,1,1\n"),
            "file.csv, line 2, column `Ad set name`: there is text between a closing quote \
             and the next separator; a quote inside of a value is written twice, export \
             again instead of editing by hand",
        ),
        case(
            "not UTF-8",
            [META.as_bytes(), b"Caf\xE9,2026-09-01,1,1,1\n"].concat(),
            "file.csv, line 2, column `Ad set name`: the text is not UTF-8; save it as CSV \
             UTF-8",
        ),
        case(
            "not UTF-8 across two fields",
            [META.as_bytes(), b"Caf\xC3,\xA92026-09-01,1,1,1\n"].concat(),
            "file.csv, line 2, column `Ad set name`: the text is not UTF-8; save it as CSV \
             UTF-8",
        ),
        case(
            "NUL",
            under(META, "A,2026-09-01,1,1,\0\n"),
            "file.csv, line 2, column `Amount spent (USD)`: there is a NUL character; the \
             file is damaged, or UTF-16 without a byte order mark: save it as CSV UTF-8",
        ),
        case(
            "UTF-16 without its mark",
            &utf16(META)[2..],
            "file.csv, line 1: there is a NUL character; the file is damaged, or UTF-16 \
             without a byte order mark: save it as CSV UTF-8",
        ),
        case(
            "half a character of UTF-16",
            odd,
            "file.csv, line 2, column `Amount spent (USD)`: the UTF-16 text is broken here; \
             it was cut or damaged, download it again",
        ),
        case(
            "a lone surrogate",
            [utf16(META), vec![b'A', 0, 0, 0xD8, b'B', 0]].concat(),
            "file.csv, line 2, column `Ad set name`: the UTF-16 text is broken here; it was \
             cut or damaged, download it again",
        ),
        case(
            "a very long field",
            under(META, &format!("{},2026-09-01,1,1,1\n", "A".repeat(70_000))),
            "file.csv, line 2, column `Ad set name`: a field is longer than 65536 bytes; a \
             quote is probably lost, export again",
        ),
        case(
            "a very long quote",
            under(META, &format!("\"{}\n", "A,\n".repeat(70_000))),
            "file.csv, line 21847, column `Ad set name`: a field is longer than 65536 \
             bytes; a quote is probably lost, export again",
        ),
        case(
            "a very long row",
            under(
                META,
                &format!("{}\n", ["A"; 20].map(|a| a.repeat(60_000)).join(",")),
            ),
            "file.csv, line 2: the row is longer than 1048576 bytes; this is no export, or \
             it is damaged",
        ),
        case(
            "very many fields",
            under(META, &",".repeat(20_000)),
            "file.csv, line 2: the row has more than 10000 fields; this is no export, or it \
             is damaged",
        ),
        case(
            "very many ad sets",
            under(META, &ad_sets.join("\n")),
            "file.csv, line 100002, column `Ad set name`: there are more than 100000 ad sets; \
             check that the column names an ad set, or split the file",
        ),
    ]
}
