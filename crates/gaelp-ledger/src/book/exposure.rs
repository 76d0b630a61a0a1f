//! What the account could still be made to pay.

use chrono::{DateTime, Utc};
use gaelp_core::{AdSetKey, Micros, Ratio, Rounding};

use super::Book;
use super::calendar::Turn;
use super::line::{Day, Line};
use crate::{MAX_AMOUNT, seeded};

impl Book {
    /// The most that the account can be made to pay in its day at a time, by all that stands, stood
    /// or may yet come to stand. Just after midnight, the larger of the two days for each ad set.
    ///
    /// [`Micros::MAX`] where 64 bits do not hold it.
    pub fn exposure(&self, at: DateTime<Utc>) -> Micros {
        self.account_exposure(self.turn(at))
    }

    pub(super) fn account_exposure(&self, turn: Turn) -> Micros {
        let each = self.lines.iter();
        let sum = Micros::checked_sum(each.map(|(key, line)| self.exposure_in(key, line, turn)));
        sum.unwrap_or(Micros::MAX)
    }

    /// The share of an ad set in [`exposure`](Self::exposure):
    /// max(spent, ω · max(high, open intents)), rounded up.
    pub fn exposure_of(&self, key: &AdSetKey, at: DateTime<Utc>) -> Micros {
        let line = self.lines.get(key);
        line.map_or(Micros::ZERO, |line| {
            self.exposure_in(key, line, self.turn(at))
        })
    }

    pub(super) fn exposure_in(&self, key: &AdSetKey, line: &Line, turn: Turn) -> Micros {
        self.exposure_with(key, line, Micros::ZERO, turn)
    }

    /// The exposure of an ad set if one more budget might come to stand.
    fn exposure_with(&self, key: &AdSetKey, line: &Line, another: Micros, turn: Turn) -> Micros {
        let overdelivery = self.limits.overdelivery(&key.platform);
        let open = line.open_most().max(another);
        let [one, other] = line.days(turn);
        one.exposure(open, overdelivery)
            .max(other.exposure(open, overdelivery))
    }

    /// The exposure of the account if one more budget of an ad set might come to stand.
    pub(super) fn exposure_if(&self, key: &AdSetKey, to: Micros, at: DateTime<Utc>) -> Micros {
        let turn = self.turn(at);
        let each = self.lines.iter().map(|(other, line)| {
            let another = if other == key { to } else { Micros::ZERO };
            self.exposure_with(other, line, another, turn)
        });
        Micros::checked_sum(each).unwrap_or(Micros::MAX)
    }

    /// The highest daily budget of an ad set that the cap leaves room for; `None` where there is no
    /// room for what it costs already.
    pub(super) fn most(&self, key: &AdSetKey, at: DateTime<Utc>) -> Option<Micros> {
        let turn = self.turn(at);
        self.most_of(key, turn, self.account_exposure(turn))
    }

    /// The same where the exposure of the account is known.
    pub(super) fn most_of(&self, key: &AdSetKey, turn: Turn, all: Micros) -> Option<Micros> {
        let cap = self.limits.config().daily_cap;
        if all > cap {
            return None;
        }
        let own = self.lines.get(key);
        let own = own.map_or(Micros::ZERO, |line| self.exposure_in(key, line, turn));
        let others = all.checked_sub(own)?;
        let room = cap.checked_sub(others)?;
        let overdelivery = self.limits.overdelivery(&key.platform);
        let most =
            i128::from(room.get()) * i128::from(Ratio::ONE.ppm()) / i128::from(overdelivery.ppm());
        let most = i64::try_from(most).ok().map(Micros::new)?;
        Some(most.min(MAX_AMOUNT))
    }
}

impl Day {
    fn exposure(self, open: Micros, overdelivery: Ratio) -> Micros {
        let budgets = seeded::budgets(self.high, open, overdelivery);
        budgets.max(seeded::spent(self.spent))
    }
}

/// What a platform may spend in a day whose highest budget it is.
pub(crate) fn worst(budget: Micros, overdelivery: Ratio) -> Micros {
    let worst = budget.checked_scale(overdelivery, Rounding::Up);
    worst.expect("ten times the largest amount fits into 64 bits")
}
