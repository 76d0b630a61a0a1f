//! What the machine should do, said as plainly as possible: lists, and everything computed anew.

use std::collections::BTreeMap;

use gaelp_attribution::delayed::{Limits, Rejection};
use gaelp_attribution::{
    Adjustment, Conversion, Event, Interaction, Merge, RulesConfig, Scope, Span, Timestamp, Touch,
    ViewPolicy,
};

use super::Credits;

/// A touch in the order of arrival.
#[derive(Clone, Debug)]
struct Waiting {
    touch: Touch,
    user: u64,
    bucket: i64,
    /// Given up, but still in its place until its time.
    dead: bool,
    serial: usize,
}

#[derive(Clone, Debug)]
struct Sale {
    conversion: Conversion,
    user: u64,
    bucket: i64,
    value: i64,
    adjusted: Option<(Timestamp, u64)>,
    /// Serial number and id of the touches, and their moments.
    path: Vec<(usize, u64, Timestamp)>,
    weights: Vec<Vec<u64>>,
}

/// What the naive machine says that a caller sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Ids and totals of the touches that have matured and that were evicted, in their order.
    pub(crate) matured: Vec<(u64, i128)>,
    pub(crate) evicted: Vec<(u64, i128)>,
}

pub(crate) struct Naive {
    rules: RulesConfig,
    limits: Limits,
    watermark: i128,
    touches: Vec<Waiting>,
    sales: Vec<Sale>,
    held: Vec<Adjustment>,
    aliases: BTreeMap<u64, u64>,
    /// Credits of conversions that cannot change any more.
    settled: Credits,
    serial: usize,
    pub(crate) attributed: i64,
    pub(crate) value: i128,
    pub(crate) unmatched: u64,
    pub(crate) conversions_evicted: u64,
    /// From first touch to conversion, of conversions that are gone.
    settled_lags: i128,
}

impl Naive {
    pub(crate) fn new(rules: RulesConfig, limits: Limits) -> Self {
        Self {
            rules,
            limits,
            watermark: i128::MIN / 2,
            touches: Vec::new(),
            sales: Vec::new(),
            held: Vec::new(),
            aliases: BTreeMap::new(),
            settled: Credits::new(),
            serial: 0,
            attributed: 0,
            value: 0,
            unmatched: 0,
            conversions_evicted: 0,
            settled_lags: 0,
        }
    }

    pub(crate) fn handle(&mut self, event: &Event, seen: &mut Seen) -> Result<(), Rejection> {
        match event {
            Event::Touch(touch) => self.touch(touch, seen),
            Event::Conversion(conversion) => self.convert(conversion),
            Event::Adjustment(adjustment) => self.adjust(adjustment),
            Event::Merge(merge) => self.merge(merge, seen),
            Event::Advance(at) => {
                self.advance(*at, seen);
                Ok(())
            }
            other => panic!("the model does not know this event: {other:?}"),
        }
    }

    pub(crate) fn pending(&self) -> usize {
        self.touches.iter().filter(|touch| !touch.dead).count()
    }

    pub(crate) fn adjustable(&self) -> usize {
        self.sales.len()
    }

    /// The sum of the lags of all attributed conversions.
    pub(crate) fn lags(&self) -> i128 {
        self.sales.iter().map(lag).sum::<i128>() + self.settled_lags
    }

    /// All credits that are not zero.
    pub(crate) fn credits(&self) -> Credits {
        let mut credits = self.settled.clone();
        for sale in &self.sales {
            add_credits(&mut credits, sale);
        }
        credits.retain(|_, credit| *credit != 0);
        credits
    }

    fn is_late(&self, at: Timestamp) -> bool {
        i128::from(at.micros()) < self.watermark - i128::from(self.rules.lateness.micros())
    }

    fn is_open(&self, at: Timestamp) -> bool {
        self.watermark <= i128::from(at.micros()) + i128::from(self.rules.lateness.micros())
    }

    fn user(&self, mut user: u64) -> u64 {
        while let Some(&next) = self.aliases.get(&user) {
            user = next;
        }
        user
    }

    fn longest(&self, touch: &Touch) -> Span {
        let kinds = self
            .rules
            .kinds
            .iter()
            .filter_map(|kind| kind.windows.as_ref());
        let tables = std::iter::once(&self.rules.windows).chain(kinds);
        let windows = tables.map(|table| table.window(touch.channel, touch.interaction));
        windows.max().unwrap()
    }

    fn step(&self) -> i64 {
        let kinds = self
            .rules
            .kinds
            .iter()
            .filter_map(|kind| kind.windows.as_ref());
        let tables = std::iter::once(&self.rules.windows).chain(kinds);
        let all =
            tables.flat_map(|table| std::iter::once(&table.usual).chain(table.by_channel.values()));
        let longest = all
            .map(|windows| windows.click.max(windows.view))
            .max()
            .unwrap();
        ((longest.micros() + self.rules.lateness.micros()) / 256).max(1)
    }

    fn touch(&mut self, touch: &Touch, seen: &mut Seen) -> Result<(), Rejection> {
        if self.is_late(touch.at) {
            return Err(Rejection::Late);
        }
        let user = self.user(touch.user.get());
        let mut own = self
            .touches
            .iter()
            .filter(|other| other.user == user && !other.dead);
        if own.any(|other| other.touch.id == touch.id) {
            return Err(Rejection::Duplicate);
        }
        let end = touch
            .at
            .micros()
            .saturating_add(self.longest(touch).micros());
        self.serial += 1;
        self.touches.push(Waiting {
            touch: *touch,
            user,
            bucket: end.div_euclid(self.step()),
            dead: false,
            serial: self.serial,
        });
        self.trim(user, seen);
        self.reconsider(user, touch.at);
        while self.touches.len() > self.limits.touches as usize {
            let soonest = self.soonest().unwrap();
            let gone = self.touches.remove(soonest);
            if !gone.dead {
                seen.evicted.push((gone.touch.id.get(), self.total(&gone)));
            }
        }
        Ok(())
    }

    fn soonest(&self) -> Option<usize> {
        (0..self.touches.len()).min_by_key(|&index| self.touches[index].bucket)
    }

    fn trim(&mut self, user: u64, seen: &mut Seen) {
        let own = (0..self.touches.len())
            .filter(|&index| self.touches[index].user == user && !self.touches[index].dead);
        if own.clone().count() > usize::from(self.limits.per_user) {
            let order = |index: &usize| {
                let touch = &self.touches[*index].touch;
                (touch.at, touch.id)
            };
            let oldest = own.min_by_key(order).unwrap();
            self.touches[oldest].dead = true;
            let gone = self.touches[oldest].clone();
            seen.evicted.push((gone.touch.id.get(), self.total(&gone)));
        }
    }

    fn total(&self, gone: &Waiting) -> i128 {
        let of = |sale: &Sale| {
            let place = sale.path.iter().position(|step| step.0 == gone.serial);
            place.map_or(0, |place| split(sale.value, &sale.weights[0])[place].into())
        };
        self.sales.iter().map(of).sum()
    }

    fn convert(&mut self, conversion: &Conversion) -> Result<(), Rejection> {
        self.check(conversion.value)?;
        if self.is_late(conversion.at) {
            return Err(Rejection::Late);
        }
        if self
            .sales
            .iter()
            .any(|sale| sale.conversion.id == conversion.id)
        {
            return Err(Rejection::Duplicate);
        }
        let user = self.user(conversion.user.get());
        let horizon = self.rules.refund_horizon.micros();
        let end = conversion.at.micros().saturating_add(horizon);
        let mut sale = Sale {
            conversion: *conversion,
            user,
            bucket: end.div_euclid((horizon / 256).max(1)),
            value: conversion.value.amount.get(),
            adjusted: None,
            path: Vec::new(),
            weights: Vec::new(),
        };
        self.held.sort_by_key(|held| (held.at, held.id));
        for held in &self.held {
            if held.conversion == conversion.id {
                sale.value = held.value.amount.get();
                sale.adjusted = Some((held.at, held.id.get()));
            }
        }
        self.held.retain(|held| held.conversion != conversion.id);
        self.sales.push(sale);
        let last = self.sales.len() - 1;
        self.attribute(last);
        if self.rules.scope == Scope::SincePrevious {
            let order = |sale: &Sale| (sale.conversion.at, sale.conversion.id);
            let next = (0..self.sales.len())
                .filter(|&index| {
                    let other = &self.sales[index];
                    other.user == user
                        && other.conversion.kind == conversion.kind
                        && order(other) > (conversion.at, conversion.id)
                })
                .min_by_key(|&index| order(&self.sales[index]));
            if let Some(next) = next {
                self.attribute(next);
            }
        }
        self.trim_sales(user);
        while self.sales.len() > self.limits.conversions as usize {
            let soonest = (0..self.sales.len()).min_by_key(|&index| self.sales[index].bucket);
            self.conversions_evicted += 1;
            self.retire(soonest.unwrap());
        }
        Ok(())
    }

    fn trim_sales(&mut self, user: u64) {
        loop {
            let own = (0..self.sales.len()).filter(|&index| self.sales[index].user == user);
            if own.clone().count() <= usize::from(self.limits.per_user) {
                return;
            }
            let order = |index: &usize| {
                let sale = &self.sales[*index].conversion;
                (sale.at, sale.id)
            };
            let oldest = own.min_by_key(order).unwrap();
            self.conversions_evicted += 1;
            self.retire(oldest);
        }
    }

    fn retire(&mut self, index: usize) {
        let sale = self.sales.remove(index);
        self.settled_lags += lag(&sale);
        add_credits(&mut self.settled, &sale);
    }

    fn check(&self, value: gaelp_core::Money) -> Result<(), Rejection> {
        if value.currency != self.rules.currency {
            Err(Rejection::Currency)
        } else if value.amount.get().unsigned_abs() > (1 << 62) - 1 {
            Err(Rejection::OutOfRange)
        } else {
            Ok(())
        }
    }

    fn adjust(&mut self, adjustment: &Adjustment) -> Result<(), Rejection> {
        self.check(adjustment.value)?;
        let found = self
            .sales
            .iter_mut()
            .find(|sale| sale.conversion.id == adjustment.conversion);
        let Some(sale) = found else {
            return self.hold(adjustment);
        };
        let end = i128::from(sale.conversion.at.micros())
            + i128::from(self.rules.refund_horizon.micros());
        if self.watermark > end {
            self.unmatched += 1;
            return Err(Rejection::Unmatched);
        }
        let order = (adjustment.at, adjustment.id.get());
        match sale.adjusted {
            Some(known) if known == order => return Err(Rejection::Duplicate),
            Some(known) if known > order => return Err(Rejection::Superseded),
            _ => {}
        }
        let value = adjustment.value.amount.get();
        if !sale.path.is_empty() {
            self.value += i128::from(value) - i128::from(sale.value);
        }
        (sale.value, sale.adjusted) = (value, Some(order));
        Ok(())
    }

    fn hold(&mut self, adjustment: &Adjustment) -> Result<(), Rejection> {
        if self.is_late(adjustment.at) {
            self.unmatched += 1;
            return Err(Rejection::Unmatched);
        }
        let same = |held: &Adjustment| {
            held.id == adjustment.id && held.conversion == adjustment.conversion
        };
        if self.held.iter().any(same) {
            return Err(Rejection::Duplicate);
        }
        self.held.push(*adjustment);
        if self.held.len() > self.limits.adjustments as usize {
            self.held
                .sort_by_key(|held| (held.at, held.id, held.conversion));
            self.held.remove(0);
            self.unmatched += 1;
        }
        Ok(())
    }

    fn merge(&mut self, merge: &Merge, seen: &mut Seen) -> Result<(), Rejection> {
        let (from, into) = (self.user(merge.from.get()), self.user(merge.into.get()));
        if from == into {
            return Ok(());
        }
        if self.aliases.len() >= self.limits.merges as usize {
            return Err(Rejection::Full);
        }
        self.aliases.insert(from, into);
        let mut moving: Vec<usize> = (0..self.touches.len())
            .filter(|&index| self.touches[index].user == from && !self.touches[index].dead)
            .collect();
        if moving.is_empty() && self.sales.iter().all(|sale| sale.user != from) {
            return Ok(());
        }
        moving.sort_by_key(|&index| (self.touches[index].touch.at, self.touches[index].touch.id));
        for index in moving {
            let id = self.touches[index].touch.id;
            let known = |other: &Waiting| other.user == into && !other.dead && other.touch.id == id;
            if self.touches.iter().any(known) {
                self.touches[index].dead = true;
            } else {
                self.touches[index].user = into;
                self.trim(into, seen);
            }
        }
        for sale in self.sales.iter_mut().filter(|sale| sale.user == from) {
            sale.user = into;
        }
        self.reconsider(into, Timestamp::MIN);
        self.trim_sales(into);
        Ok(())
    }

    fn advance(&mut self, at: Timestamp, seen: &mut Seen) {
        if i128::from(at.micros()) <= self.watermark {
            return;
        }
        self.watermark = i128::from(at.micros());
        let safe = self.watermark - i128::from(self.rules.lateness.micros());
        // Moments before the first that can be told are that one.
        let safe = safe.max(i128::from(i64::MIN));
        let step = i128::from(self.step());
        while let Some(soonest) = self.soonest() {
            if (i128::from(self.touches[soonest].bucket) + 1) * step > safe {
                break;
            }
            let gone = self.touches.remove(soonest);
            if !gone.dead {
                seen.matured.push((gone.touch.id.get(), self.total(&gone)));
            }
        }
        let step = i128::from((self.rules.refund_horizon.micros() / 256).max(1));
        while let Some(due) = self
            .sales
            .iter()
            .position(|sale| (i128::from(sale.bucket) + 1) * step <= self.watermark)
        {
            self.retire(due);
        }
        let held = self.held.len();
        let late: Vec<bool> = self.held.iter().map(|held| self.is_late(held.at)).collect();
        let mut late = late.into_iter();
        self.held.retain(|_| !late.next().unwrap());
        self.unmatched += (held - self.held.len()) as u64;
    }

    /// Looks at all open conversions of a user from a moment on. What memory has lost is only missed
    /// when a conversion is looked at.
    fn reconsider(&mut self, user: u64, from: Timestamp) {
        for index in 0..self.sales.len() {
            let sale = &self.sales[index];
            if sale.user == user && sale.conversion.at >= from && self.is_open(sale.conversion.at) {
                self.attribute(index);
            }
        }
    }

    fn attribute(&mut self, index: usize) {
        let sale = self.sales[index].clone();
        let end = sale.conversion;
        let window = |touch: &Touch| {
            let own = self.rules.kinds.iter().find(|kind| kind.kind == end.kind);
            let table = own.and_then(|kind| kind.windows.as_ref());
            let table = table.unwrap_or(&self.rules.windows);
            table.window(touch.channel, touch.interaction)
        };
        let before = self.sales.iter().filter(|other| {
            other.user == sale.user
                && other.conversion.kind == end.kind
                && (other.conversion.at, other.conversion.id) < (end.at, end.id)
        });
        let before = before
            .map(|other| (other.conversion.at, other.conversion.id))
            .max();
        let mut path: Vec<&Waiting> = self
            .touches
            .iter()
            .filter(|waiting| {
                let touch = &waiting.touch;
                let age = i128::from(end.at.micros()) - i128::from(touch.at.micros());
                let recent = match self.rules.scope {
                    Scope::Lookback => true,
                    Scope::SincePrevious => before.is_none_or(|it| (touch.at, touch.id) > it),
                };
                waiting.user == sale.user
                    && !waiting.dead
                    && age >= 0
                    && age <= i128::from(window(touch).micros())
                    && recent
            })
            .collect();
        if self.rules.views == ViewPolicy::ClickFirst {
            let click = |waiting: &&Waiting| waiting.touch.interaction == Interaction::Click;
            if path.iter().any(click) {
                path.retain(click);
            }
        }
        path.sort_by_key(|waiting| (waiting.touch.at, waiting.touch.id));
        let weights = (0..3).map(|model| weights(model, path.len())).collect();
        let path: Vec<_> = path
            .iter()
            .map(|waiting| (waiting.serial, waiting.touch.id.get(), waiting.touch.at))
            .collect();
        for (path, sign) in [(&sale.path, -1), (&path, 1)] {
            if !path.is_empty() {
                self.attributed += i64::from(sign);
                self.value += i128::from(sign) * i128::from(sale.value);
            }
        }
        (self.sales[index].path, self.sales[index].weights) = (path, weights);
    }
}

fn lag(sale: &Sale) -> i128 {
    let first = sale.path.first().map(|step| step.2.micros());
    // As `Span` has it: at most what 64 bits hold.
    first.map_or(0, |first| {
        (i128::from(sale.conversion.at.micros()) - i128::from(first)).min(i128::from(i64::MAX))
    })
}

fn add_credits(credits: &mut Credits, sale: &Sale) {
    if sale.path.is_empty() {
        return;
    }
    for (model, weights) in sale.weights.iter().enumerate() {
        for (step, part) in sale.path.iter().zip(split(sale.value, weights)) {
            let key = (
                sale.conversion.id.get(),
                step.1,
                u8::try_from(model).unwrap(),
            );
            *credits.entry(key).or_default() += i128::from(part);
        }
    }
}

/// Linear, last, and 40/20/40.
fn weights(model: usize, touches: usize) -> Vec<u64> {
    let last = touches.saturating_sub(1);
    (0..touches)
        .map(|index| match (model, touches) {
            (0, _) | (2, 1 | 2) => 1,
            (1, _) => u64::from(index == last),
            _ if index == 0 || index == last => 40 * (touches as u64 - 2),
            _ => 20,
        })
        .collect()
}

/// Largest remainders, ties to the earlier.
fn split(value: i64, weights: &[u64]) -> Vec<i64> {
    let whole = i128::from(value).abs();
    let sum: i128 = weights.iter().map(|&weight| i128::from(weight)).sum();
    let mut parts: Vec<i128> = weights
        .iter()
        .map(|&weight| whole * i128::from(weight) / sum)
        .collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(whole * i128::from(weights[index]) % sum));
    let left = whole - parts.iter().sum::<i128>();
    for &index in order.iter().take(usize::try_from(left).unwrap()) {
        parts[index] += 1;
    }
    let sign = i128::from(value.signum());
    parts
        .iter()
        .map(|part| i64::try_from(part * sign).unwrap())
        .collect()
}
