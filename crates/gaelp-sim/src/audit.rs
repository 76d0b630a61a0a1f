//! Who compares what was promised with what is true.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, NaiveDate, Utc};
use gaelp_core::{AdSetKey, DecisionId, Micros, Ratio, Rounding, UtcHour};
use gaelp_ledger::{Answer, Book, Change, Epoch, Sealed};
use serde::Deserialize;

use crate::outcome::{Counters, Violation};
use crate::{Author, World};

/// Hours of standing budgets that are remembered: days on which a cap cut one after the other, and
/// the next.
const REMEMBERED: usize = 99;
/// Those that the bound per day looks at.
const DAY: usize = 27;

/// What the steps of the last hours leave open is nobody's fault.
const LAST_STEPS: Duration = Duration::seconds(3 * 3_600 + 100);

/// The auditor: it sees the world as it is and the log as it was written, and believes nobody.
#[derive(Clone, Debug, Default)]
pub(crate) struct Audit {
    /// Changes and days of the world that were looked at.
    changes_seen: usize,
    days_seen: usize,
    ad_sets: Vec<Line>,
    epoch: Epoch,
    intents: BTreeMap<DecisionId, Fate>,
    /// The last entry by which an ad set's open intents ended without being named.
    swept: BTreeMap<AdSetKey, u64>,
    entries: u64,
    /// Days on which a clock showed another.
    excused: BTreeSet<NaiveDate>,
    /// The entry up to which a book was compared with the world.
    compared: u64,
}

/// An ad set as the auditor sees it.
#[derive(Clone, Debug, Default)]
struct Line {
    /// The part of the standing budget that a person's raise explains.
    external: Micros,
    /// The largest such part today.
    most_external: Micros,
    /// Whether a person's raise may not have been seen yet.
    unseen: bool,
    /// The highest that stood in each of the last hours, and in this one before it was changed.
    standing: Vec<Micros>,
    this_hour: Micros,
}

#[derive(Clone, Debug)]
struct Fate {
    key: AdSetKey,
    admitted: u64,
    ends: u32,
}

impl Audit {
    /// Reads what was appended to the log.
    pub(crate) fn read(
        &mut self,
        appended: &[Sealed],
        counters: &mut Counters,
        found: &mut Vec<Violation>,
    ) {
        for sealed in appended {
            self.entries = sealed.seq;
            // Most entries are readings that changed nothing.
            let payload = sealed.payload.as_str();
            if payload.starts_with("{\"entry\":\"observed\"") && !payload.contains("\"change\":") {
                counters.branch("entry/observed");
                continue;
            }
            if let Err(error) = self.entry(sealed, counters, found) {
                found.push(error);
            }
        }
    }

    fn entry(
        &mut self,
        sealed: &Sealed,
        counters: &mut Counters,
        found: &mut Vec<Violation>,
    ) -> Result<(), Violation> {
        let payload = sealed.payload.as_str();
        let is = |name: &str| {
            let rest = payload.strip_prefix("{\"entry\":\"");
            rest.is_some_and(|rest| rest.starts_with(name))
        };
        if is("admitted") {
            counters.branch("entry/admitted");
            let Admitted { intent } = part(payload)?;
            if intent.epoch != self.epoch {
                found.push(Violation::OldEpoch {
                    decision: intent.id,
                });
            }
            let fate = Fate {
                key: intent.key,
                admitted: sealed.seq,
                ends: 0,
            };
            if self.intents.insert(intent.id, fate).is_some() {
                let decision = intent.id;
                found.push(Violation::Ends { decision, ends: 2 });
            }
        } else if is("answered") {
            let Answered { intent, answer } = part(payload)?;
            counters.branch(match answer {
                Answer::Applied { .. } => "entry/answered/applied",
                Answer::Rejected => "entry/answered/rejected",
                _ => "entry/answered/unknown",
            });
            if answer == Answer::Rejected {
                self.end(intent, found);
            }
        } else if is("observed") {
            counters.branch("entry/observed");
            let Observed { changes } = part(payload)?;
            for change in changes {
                self.change(sealed.seq, &change, counters, found);
            }
        } else if is("taken") {
            counters.branch("entry/taken");
            let Taken { epoch } = part(payload)?;
            self.epoch = epoch;
        } else if is("ordered") {
            counters.branch("entry/ordered");
        } else {
            return Err(Violation::Replay { what: "an entry" });
        }
        Ok(())
    }

    fn change(
        &mut self,
        seq: u64,
        change: &Change,
        counters: &mut Counters,
        found: &mut Vec<Violation>,
    ) {
        match change {
            Change::Confirmed { intent, .. } => {
                counters.branch("change/confirmed");
                self.end(*intent, found);
            }
            Change::Expired { intent, .. } => {
                counters.branch("change/expired");
                self.end(*intent, found);
            }
            Change::External { key, .. } => {
                counters.branch("change/external");
                self.swept.insert(key.clone(), seq);
            }
            Change::Gone { key, .. } => {
                counters.branch("change/gone");
                self.swept.insert(key.clone(), seq);
            }
            Change::New { .. } => counters.branch("change/new"),
            _ => {}
        }
    }

    fn end(&mut self, intent: DecisionId, found: &mut Vec<Violation>) {
        let Some(fate) = self.intents.get_mut(&intent) else {
            found.push(Violation::Ends {
                decision: intent,
                ends: 0,
            });
            return;
        };
        fate.ends += 1;
        if fate.ends > 1 {
            let ends = fate.ends;
            found.push(Violation::Ends {
                decision: intent,
                ends,
            });
        }
    }

    /// Looks at what changed in the world. `book` is the latest there is; `cap` the account's.
    pub(crate) fn look(
        &mut self,
        world: &World,
        cap: Micros,
        book: Option<&Book>,
        found: &mut Vec<Violation>,
    ) {
        let truth = world.truth();
        let fresh_day = self.days_seen != truth.days().len();
        if fresh_day {
            self.days_seen = truth.days().len();
            for line in &mut self.ad_sets {
                line.most_external = line.external;
            }
        }
        let changes = truth.changes();
        for key in world.keys().skip(self.ad_sets.len()) {
            // What it came with stood too, if for no whole hour.
            self.ad_sets.push(Line {
                standing: world.standing(key).into_iter().collect(),
                ..Line::default()
            });
        }
        let fresh = changes.get(self.changes_seen..).unwrap_or_default();
        self.changes_seen = changes.len();
        for change in fresh {
            let line = &mut self.ad_sets[change.slot];
            let moved = change.to.get() - change.from.get();
            line.this_hour = line.this_hour.max(change.from);
            match change.by {
                Author::Human if moved > 0 => {
                    line.external = Micros::new(line.external.get() + moved);
                    line.most_external = line.most_external.max(line.external);
                    line.unseen = true;
                }
                _ if moved < 0 => {
                    line.external = Micros::new((line.external.get() + moved).max(0));
                }
                _ => {}
            }
        }
        if fresh_day || !fresh.is_empty() {
            self.check_day(world, cap, found);
        }
        let book = book.filter(|book| !fresh.is_empty() || book.seq() != self.compared);
        if let Some(book) = book {
            self.compared = book.seq();
            self.check_live(world, book, found);
        }
    }

    /// Judges days no more.
    pub(crate) fn excuse(&mut self, days: impl IntoIterator<Item = NaiveDate>) {
        self.excused.extend(days);
    }

    /// I1, on the truth.
    fn check_day(&self, world: &World, cap: Micros, found: &mut Vec<Violation>) {
        let day = world.truth().today();
        let most = day.account_most();
        if most <= cap || self.excused.contains(&day.date) {
            return;
        }
        let mut allowed = cap;
        for (line, key) in self.ad_sets.iter().zip(world.keys()) {
            let mut platforms = world.platforms().iter();
            let platform = platforms.find(|p| p.platform == key.platform);
            let part = platform.and_then(|p| p.worst_case_day_spend(line.most_external));
            allowed = part
                .and_then(|part| allowed.checked_add(part))
                .unwrap_or(Micros::MAX);
        }
        let date = day.date;
        if most > allowed {
            found.push(Violation::Cap {
                date,
                most,
                allowed,
            });
        }
        let spent = day.account_spent();
        if spent > allowed {
            found.push(Violation::Spend {
                date,
                spent,
                allowed,
            });
        }
    }

    /// I2: what stands is what the ledger knows of, but for people's raises since it last looked.
    fn check_live(&mut self, world: &World, book: &Book, found: &mut Vec<Violation>) {
        for (line, key) in self.ad_sets.iter_mut().zip(world.keys()) {
            let Some(live) = world.standing(key) else {
                continue;
            };
            let open = book.open(key);
            let tos = open.iter().map(|intent| intent.to);
            let known = tos.chain(book.confirmed(key)).max();
            match known {
                Some(known) if live <= known => line.unseen = false,
                // Before its first reading the ledger knows nothing.
                None => {}
                Some(_) if line.unseen => {}
                Some(known) => found.push(Violation::Live {
                    key: key.clone(),
                    live,
                    known,
                    at: world.hour(),
                }),
            }
        }
    }

    /// An hour is over.
    pub(crate) fn end_hour(&mut self, world: &World, cap: Micros, found: &mut Vec<Violation>) {
        self.check_day(world, cap, found);
        for (line, key) in self.ad_sets.iter_mut().zip(world.keys()) {
            if line.standing.len() == REMEMBERED {
                line.standing.remove(0);
            }
            let before = std::mem::take(&mut line.this_hour);
            line.standing
                .push(world.standing(key).unwrap_or_default().max(before));
        }
    }

    /// I11: the most that the bound per 24 hours lets an ad set go to, from what really stood. What
    /// goes back to where it was before a cap cut may count from the day of the cut.
    pub(crate) fn bound(
        &self,
        world: &World,
        key: &AdSetKey,
        per_day: Ratio,
        returns: bool,
    ) -> Option<Micros> {
        let slot = world.keys().position(|other| other == key)?;
        let line = self.ad_sets.get(slot)?;
        let hours = if returns { REMEMBERED } else { DAY };
        let recent = line.standing.iter().rev().take(hours).copied();
        let now = world.standing(key).max(Some(line.this_hour));
        let highest = recent.chain(now).max()?;
        let factor = Ratio::ONE.checked_add(per_day)?;
        highest.checked_scale(factor, Rounding::Up)
    }

    /// The highest that stood in the last hour.
    pub(crate) fn last_hour(&self, world: &World, key: &AdSetKey) -> Option<Micros> {
        let slot = world.keys().position(|other| other == key)?;
        self.ad_sets.get(slot)?.standing.last().copied()
    }

    /// I3, at the end, when everything had time to come to rest.
    pub(crate) fn finish(
        &self,
        book: &Book,
        acknowledged: u64,
        end: DateTime<Utc>,
        found: &mut Vec<Violation>,
    ) {
        if self.entries < acknowledged || book.seq() < acknowledged {
            found.push(Violation::LostEntry {
                acknowledged,
                found: book.seq(),
            });
        }
        for (decision, fate) in &self.intents {
            let swept = self
                .swept
                .get(&fate.key)
                .is_some_and(|&seq| seq > fate.admitted);
            let all = book.open(&fate.key);
            let open = all.iter().any(|intent| intent.id == *decision);
            // What was written in the last steps is read back in the next, and overlapping
            // decreases come to rest together. Until then they are counted.
            let waits = open && all.iter().any(|intent| end - intent.at < LAST_STEPS);
            if !waits && (open || (fate.ends == 0 && !swept)) {
                found.push(Violation::Ends {
                    decision: *decision,
                    ends: 0,
                });
            }
        }
    }

    /// Whether a book is as new as the log.
    pub(crate) fn is_latest(&self, book: &Book) -> bool {
        book.seq() == self.entries
    }

    /// How many entries the log has.
    pub(crate) fn entries(&self) -> u64 {
        self.entries
    }

    /// How many intents were admitted.
    pub(crate) fn admitted(&self) -> usize {
        self.intents.len()
    }

    /// Whether an intent is in the log.
    pub(crate) fn knows(&self, decision: DecisionId) -> bool {
        self.intents.contains_key(&decision)
    }

    /// Whether an ad set was raised by a person, and nobody may have noticed.
    pub(crate) fn unseen(&self, world: &World, key: &AdSetKey) -> bool {
        let slot = world.keys().position(|other| other == key);
        slot.and_then(|slot| self.ad_sets.get(slot))
            .is_some_and(|line| line.unseen)
    }
}

/// The parts of an entry that the auditor looks at; reading them alone takes half the time.
#[derive(Deserialize)]
struct Admitted {
    intent: AdmittedIntent,
}

#[derive(Deserialize)]
struct AdmittedIntent {
    id: DecisionId,
    key: AdSetKey,
    epoch: Epoch,
}

#[derive(Deserialize)]
struct Answered {
    intent: DecisionId,
    answer: Answer,
}

#[derive(Deserialize)]
struct Observed {
    changes: Vec<Change>,
}

#[derive(Deserialize)]
struct Taken {
    epoch: Epoch,
}

fn part<'a, T: Deserialize<'a>>(payload: &'a str) -> Result<T, Violation> {
    serde_json::from_str(payload).map_err(|_| Violation::Replay { what: "an entry" })
}

/// Which hours of an ad set were ever reported in a believable row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delivered {
    /// The hour after the newest.
    end: UtcHour,
    /// The newest hour in the lowest bit, the hours before it above.
    hours: u64,
}

impl Delivered {
    pub(crate) const NONE: Self = Self {
        end: UtcHour::new(i32::MIN),
        hours: 0,
    };

    /// An hour was reported.
    pub(crate) fn note(&mut self, hour: UtcHour) {
        let later = hour.plus(1).since(self.end);
        if later > 0 {
            let by = u32::try_from(later).unwrap_or(u32::MAX);
            self.hours = self.hours.checked_shl(by).unwrap_or(0);
            self.end = hour.plus(1);
        }
        let back = u32::try_from(self.end.since(hour) - 1).unwrap_or(u32::MAX);
        self.hours |= 1_u64.checked_shl(back).unwrap_or(0);
    }

    /// How old the newest is.
    pub(crate) fn age(&self, now: UtcHour) -> i64 {
        now.since(self.end)
    }

    /// How many of the last hours before `now` were reported.
    pub(crate) fn covered(&self, now: UtcHour, hours: u32) -> u32 {
        let unknown = u32::try_from(self.age(now).max(0)).unwrap_or(u32::MAX);
        let asked = hours.saturating_sub(unknown);
        let mask = 1_u64.checked_shl(asked).map_or(u64::MAX, |bit| bit - 1);
        (self.hours & mask).count_ones()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delivered_hours_are_counted_once_wherever_they_come() {
        let hour = |number| UtcHour::new(490_000 + number);
        let mut delivered = Delivered::NONE;
        for number in [5, 3, 5, 9, 4] {
            delivered.note(hour(number));
        }
        assert_eq!(delivered.age(hour(12)), 2);
        assert_eq!(delivered.covered(hour(10), 12), 4);
        assert_eq!(delivered.covered(hour(12), 6), 1);
        assert_eq!(delivered.covered(hour(12), 8), 3);
        assert_eq!(delivered.covered(hour(40), 12), 0);
        assert_eq!(Delivered::NONE.covered(hour(0), 12), 0);
        // What lies further back than can be remembered is forgotten.
        delivered.note(hour(200));
        delivered.note(hour(1));
        assert_eq!(delivered.covered(hour(201), 64), 1);
    }
}
