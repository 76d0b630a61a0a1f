//! Rows that do not say when they were.

use gaelp_exports::ReadOptions;

use super::{API, Case, GOOGLE_API, HOURLY, META, RANGED, RANGED_HOURLY, TIKTOK, case, under};
use crate::support::zone;

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn cases() -> Vec<Case> {
    let day_first = ReadOptions {
        date_order: Some("day_first".parse().unwrap()),
        ..ReadOptions::default()
    };
    vec![
        case(
            "hours summed over days",
            under(
                RANGED_HOURLY,
                "A,07:00:00 - 07:59:59,1,2026-09-01,2026-09-28\n",
            ),
            "file.csv, line 2, column `Reporting starts`: the row sums an hour of the day \
             from 2026-09-01 to 2026-09-28; add the \"Day\" breakdown (time_increment=1 in \
             the API) and export again",
        ),
        case(
            "days summed",
            under(RANGED, "A,1,2026-09-01,2026-09-28\n"),
            "file.csv, line 2, column `Reporting starts`: the row sums the days from \
             2026-09-01 to 2026-09-28; add the \"Day\" breakdown (time_increment=1 in the \
             API) and export again",
        ),
        case(
            "days summed by the API",
            under(API, "2026-09-01,2026-09-07,7,USD,1\n"),
            "file.csv, line 2, column `date_start`: the row sums the days from 2026-09-01 \
             to 2026-09-07; add the \"Day\" breakdown (time_increment=1 in the API) and \
             export again",
        ),
        case(
            "the viewer's clock",
            "Ad set name,Day,Time of day (viewer's time zone),Amount spent (USD)\n",
            "file.csv, line 1, column `Time of day (viewer's time zone)`: these hours are \
             on each viewer's own clock; export with the breakdown \"Time of day (ad \
             account time zone)\"",
        ),
        case(
            "the viewer's clock, with another apostrophe",
            "Ad set name,Day,Time of day (viewer’s time zone),Amount spent (USD)\n",
            "file.csv, line 1, column `Time of day (viewer’s time zone)`: these hours are \
             on each viewer's own clock; export with the breakdown \"Time of day (ad \
             account time zone)\"",
        ),
        case(
            "the audience's clock",
            "date_start,date_stop,adset_id,hourly_stats_aggregated_by_audience_time_zone,spend\n",
            "file.csv, line 1, column `hourly_stats_aggregated_by_audience_time_zone`: \
             these hours are on each viewer's own clock; export with the breakdown \"Time \
             of day (ad account time zone)\"",
        ),
        case(
            "no day in Meta",
            "Campaign name,Ad set name,Amount spent (USD)\n",
            "file.csv, line 1: no column says on which day a row was, so each row sums the \
             whole period; add the \"Day\" breakdown and export again",
        ),
        case(
            "no day in Google",
            "Campaign report\nAll time\nCampaign,Currency code,Cost,Impr.\n",
            "file.csv, line 3: no column says on which day a row was, so each row sums the \
             whole period; add the segment \"Day\" and export again",
        ),
        case(
            "no time in TikTok",
            "adgroup_id,spend,complete_payment\n",
            "file.csv, line 1: no column says on which day a row was, so each row sums the \
             whole period; add the dimension stat_time_hour or stat_time_day and export \
             again",
        ),
        case(
            "30 February",
            under(META, "A,2026-02-30,1,1,1\n"),
            "file.csv, line 2, column `Day`: \"2026-02-30\" is a date that no calendar has; \
             correct it, or check `date_order`",
        ),
        case(
            "a date in words",
            under(META, "A,1 September 2026,1,1,1\n"),
            "file.csv, line 2, column `Day`: \"1 September 2026\" is not a date such as \
             2026-09-01; export dates in that form or use a column map",
        ),
        case(
            "no date",
            under(META, "A,,1,1,1\n"),
            "file.csv, line 2, column `Day`: the empty field is no value, and one is needed \
             here; export again with this column filled",
        ),
        case(
            "a date with two readings",
            under(META, "A,01/09/2026,1,1,1\n"),
            "file.csv, line 2, column `Day`: \"01/09/2026\" can be read as two dates; set \
             `date_order` to day_first or month_first, or export dates such as 2026-09-01",
        ),
        case(
            "a date in the other order",
            under(META, "A,09/25/2026,1,1,1\n"),
            "file.csv, line 2, column `Day`: \"09/25/2026\" is a date that no calendar has; \
             correct it, or check `date_order`",
        )
        .with(day_first),
        case(
            "hour 24",
            under(HOURLY, "A,2026-09-01,24:00:00 - 24:59:59,1\n"),
            "file.csv, line 2, column `Time of day (ad account time zone)`: \"24:00:00 - \
             24:59:59\" is not an hour of the day from 0 to 23; correct it",
        ),
        case(
            "two hours",
            under(HOURLY, "A,2026-09-01,10:00:00 - 11:59:59,1\n"),
            "file.csv, line 2, column `Time of day (ad account time zone)`: \"10:00:00 - \
             11:59:59\" is not one whole hour, written as 18:00:00 or 18:00:00 - 18:59:59; \
             export the hourly breakdown",
        ),
        case(
            "hour 24 in Google's API",
            under(GOOGLE_API, "2026-09-01,24,7,1\n"),
            "file.csv, line 2, column `segments.hour`: \"24\" is not an hour of the day \
             from 0 to 23; correct it",
        ),
        case(
            "half an hour in TikTok",
            under(TIKTOK, "2026-09-01 18:30:00,7,1,0\n"),
            "file.csv, line 2, column `stat_time_hour`: \"2026-09-01 18:30:00\" is not one \
             whole hour, written as 18:00:00 or 18:00:00 - 18:59:59; export the hourly \
             breakdown",
        ),
        case(
            "an hour that the clock skipped",
            under(HOURLY, "A,2026-03-08,02:00:00 - 02:59:59,1\n"),
            "file.csv, line 2, column `Time of day (ad account time zone)`: the clock in \
             America/New_York skipped 2026-03-08 02:00; set the zone of the ad account",
        )
        .with(zone("America/New_York")),
        case(
            "a day that the calendar skipped",
            under(META, "A,2011-12-30,1,1,1\n"),
            "file.csv, line 2, column `Day`: the calendar in Pacific/Apia skipped \
             2011-12-30; set the zone of the ad account",
        )
        .with(zone("Pacific/Apia")),
    ]
}
