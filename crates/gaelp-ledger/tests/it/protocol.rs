//! The protocol as a model: runners that crash and go on, writes that are late or lost, answers
//! that come twice, and the real book that everybody must ask.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use gaelp_core::Platform;
use gaelp_core::{AdSetKey, DecisionId, Micros};
use gaelp_ledger::{
    Answer, Book, BudgetsRead, Change, Entry, Epoch, Limits, Observation, Order, PolicyHash,
    Proposal, Refusal, Reply, Request,
};
use stateright::{Model, Property};

use crate::support::{at, at_milli, id, key, money, plain};

/// The cap, and the highest budget that is tried.
pub(crate) const CAP: i64 = 2;

/// Every budget for every ad set.
pub(crate) const ALL: &[(usize, i64)] = &[(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)];

/// A rule that is left out, outside of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weakness {
    None,
    /// Intents are never told to the book: it knows what is confirmed only.
    ConfirmedOnly,
    /// A runner reports what it asked for as if it had read it.
    AssumeApplied,
    /// The book believes that no write arrives late.
    NoLifetime,
    /// Each runner asks the book that it saw when it took over.
    CachedView,
    /// Of overlapping writes, a runner reports as rejected those that were not the last answered.
    OverlapByAnswer,
}

/// The bounds of the world.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// The budgets that stand at first.
    pub(crate) live: [i64; 2],
    /// First and last second, counted from midnight.
    pub(crate) time: (i64, i64),
    /// How long a write may be under way, and how long it may wait to be sent.
    pub(crate) lifetime: i64,
    pub(crate) send_within: i64,
    pub(crate) read_backs: u32,
    /// What is proposed: ad sets and budgets.
    pub(crate) proposals: &'static [(usize, i64)],
    pub(crate) intents: usize,
    /// Takeovers after the first.
    pub(crate) takes: u8,
    pub(crate) crashes: u8,
    pub(crate) orders: u8,
    /// Whether time may pass between reading and telling.
    pub(crate) stale_reads: bool,
    /// Whether the platform rejects writes, and whether runners give up waiting and say so.
    pub(crate) rejections: bool,
    pub(crate) timeouts: bool,
    pub(crate) weakness: Weakness,
}

#[derive(Clone, Debug)]
pub(crate) struct Protocol {
    pub(crate) bounds: Bounds,
    limits: Limits,
    seen: Arc<Mutex<BTreeMap<&'static str, u64>>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) book: Book,
    pub(crate) time: i64,
    /// The budgets on the platform, and the highest of each in the platform's day.
    pub(crate) live: [i64; 2],
    pub(crate) highs: [i64; 2],
    pub(crate) runners: [Runner; 2],
    pub(crate) flights: Vec<Write>,
    /// What the platform said; each may be heard late, never, or many times.
    answers: Vec<(DecisionId, usize, Option<i64>)>,
    intents: usize,
    takes: u8,
    crashes: u8,
    orders: u8,
    /// An intent was admitted under an epoch that was not the current one.
    fenced_admitted: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Runner {
    epoch: Option<Epoch>,
    unsent: Vec<Write>,
    /// A list of budgets that it read and has not told, and when it began to read.
    held: Option<(i64, [i64; 2])>,
    cache: Option<Box<Book>>,
}

/// A write, until the last second at which it may be sent, or arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Write {
    id: DecisionId,
    ad_set: usize,
    to: i64,
    until: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Tick,
    Take(usize),
    Crash(usize),
    Propose(usize, usize, i64),
    Send(usize, usize),
    /// It was not sent in time.
    Drop(usize, usize),
    Arrive(usize),
    Reject(usize),
    TimeOut(usize),
    Hear(usize),
    Read(usize),
    Tell(usize),
    /// Reads and tells.
    Look(usize),
    Order(Order),
}

impl Protocol {
    pub(crate) fn new(bounds: Bounds) -> Self {
        let mut config = plain(CAP);
        let lifetime = match bounds.weakness {
            Weakness::NoLifetime => 0,
            _ => bounds.lifetime,
        };
        config.request_lifetime_secs = u32::try_from(lifetime).unwrap();
        config.clock_skew_secs = 0;
        config.read_backs = bounds.read_backs;
        Self {
            bounds,
            limits: config.validate().unwrap(),
            seen: Arc::default(),
        }
    }

    /// How often each kind of transition and refusal occurred.
    pub(crate) fn seen(&self) -> BTreeMap<&'static str, u64> {
        self.seen.lock().unwrap().clone()
    }

    fn count(&self, name: &'static str) {
        *self.seen.lock().unwrap().entry(name).or_default() += 1;
    }

    /// Puts a request to the book, as the weakness has it; the book's own transition functions.
    fn ask(&self, state: &mut State, runner: usize, request: &Request) -> Option<Reply> {
        let weakness = self.bounds.weakness;
        if weakness == Weakness::CachedView
            && let Some(cache) = &mut state.runners[runner].cache
            && !matches!(request, Request::Take { .. })
        {
            let reply = execute(cache, request);
            if let Ok((entries, _)) = state.book.decide(request) {
                apply(&mut state.book, &entries);
            }
            return reply.map_err(|refusal| self.count(name_of(&refusal))).ok();
        }
        let decided = state.book.decide(request);
        let (entries, reply) = decided
            .map_err(|refusal| self.count(name_of(&refusal)))
            .ok()?;
        if let [Entry::Admitted { intent }] = &*entries
            && intent.epoch != state.book.epoch()
        {
            state.fenced_admitted = true;
        }
        let untold = weakness == Weakness::ConfirmedOnly && matches!(reply, Reply::Admitted(_));
        if !untold {
            apply(&mut state.book, &entries);
        }
        Some(reply)
    }

    fn propose(&self, state: &mut State, runner: usize, ad_set: usize, to: i64) -> Option<()> {
        let epoch = state.runners[runner].epoch?;
        let (now, until) = (state.time, state.time + self.bounds.send_within);
        let id = id(state.intents);
        let raise = state
            .book
            .confirmed(&key(ad_set))
            .is_none_or(|c| money(to) > c);
        let overlaps = !state.book.open(&key(ad_set)).is_empty();
        let request = Request::Admit(Proposal {
            epoch,
            id,
            key: key(ad_set),
            to: money(to),
            policy: PolicyHash::default(),
            at: at(now),
            not_after: at(until),
        });
        self.ask(state, runner, &request)?;
        self.count(match (raise, overlaps) {
            (true, false) => "raise admitted",
            (true, true) => "raise over an open intent",
            (false, false) => "decrease admitted",
            (false, true) => "overlapping decrease admitted",
        });
        if state.book.operator().killed {
            self.count("decrease admitted when killed");
        }
        state.intents += 1;
        state.runners[runner].unsent.push(Write {
            id,
            ad_set,
            to,
            until,
        });
        if self.bounds.weakness == Weakness::AssumeApplied {
            self.pretend(state, runner, epoch, ad_set, to, id);
        }
        Some(())
    }

    /// The runner says that its write was applied, and that it read so.
    fn pretend(
        &self,
        state: &mut State,
        runner: usize,
        epoch: Epoch,
        ad_set: usize,
        to: i64,
        intent: DecisionId,
    ) {
        let answer = Answer::Applied {
            daily_budget: money(to),
        };
        let millis = |n: i64| at_milli(state.time, n * 10 + i64::try_from(state.intents).unwrap());
        let (heard, read) = (millis(1), millis(2));
        let mut lines = [0, 1].map(|n| (key(n), state.book.confirmed(&key(n)).unwrap()));
        lines[ad_set].1 = money(to);
        let answered = Request::Answer {
            intent,
            answer,
            at: heard,
        };
        self.ask(state, runner, &answered);
        let observation = observation(epoch, read, read, &lines);
        self.ask(state, runner, &Request::Observe(observation));
    }

    fn tell(&self, state: &mut State, runner: usize) -> Option<()> {
        let (began, budgets) = state.runners[runner].held.take()?;
        let epoch = state.runners[runner].epoch?;
        let budgets = [0, 1].map(|n| (key(n), money(budgets[n])));
        let observation = observation(epoch, at(state.time), at(began), &budgets);
        let reply = self.ask(state, runner, &Request::Observe(observation));
        let Some(Reply::Observed { changes }) = reply else {
            return Some(()); // refused, and no longer held
        };
        for change in changes {
            self.count(match change {
                Change::Confirmed { .. } => "confirmed",
                Change::Expired {
                    may_have_stood: false,
                    ..
                } => "expired",
                Change::Expired { .. } => "expired, and may have stood",
                Change::External { .. } => "external",
                Change::Gone { .. } => "gone",
                Change::New { .. } => "new",
                _ => "another change",
            });
        }
        Some(())
    }

    fn hear(&self, state: &mut State, which: usize) -> Option<()> {
        let (intent, ad_set, applied) = state.answers[which];
        let answer = match applied {
            Some(budget) => Answer::Applied {
                daily_budget: money(budget),
            },
            None => Answer::Rejected,
        };
        let now = at(state.time);
        let request = Request::Answer {
            intent,
            answer,
            at: now,
        };
        self.ask(state, 0, &request)?;
        if self.bounds.weakness == Weakness::OverlapByAnswer && applied.is_some() {
            let others: Vec<DecisionId> =
                state.book.open(&key(ad_set)).iter().map(|i| i.id).collect();
            for other in others.into_iter().filter(|other| *other != intent) {
                let request = Request::Answer {
                    intent: other,
                    answer: Answer::Rejected,
                    at: now,
                };
                self.ask(state, 0, &request)?;
            }
        }
        Some(())
    }

    fn step(&self, state: &mut State, action: Action) -> Option<()> {
        match action {
            Action::Tick => {
                state.time += 1;
                if state.time == 0 {
                    state.highs = state.live; // the platform's day begins
                }
                let now = state.time;
                state.flights.retain(|write| write.until >= now);
            }
            Action::Take(runner) => {
                let request = Request::Take {
                    runner: runner.to_string(),
                    at: at(state.time),
                };
                let Reply::Taken { epoch } = self.ask(state, runner, &request)? else {
                    unreachable!("a takeover is answered by an epoch");
                };
                state.takes += 1;
                let cached = self.bounds.weakness == Weakness::CachedView;
                let cache = cached.then(|| Box::new(state.book.clone()));
                let taken = &mut state.runners[runner];
                taken.epoch = Some(epoch);
                taken.cache = cache;
            }
            Action::Crash(runner) => {
                state.crashes += 1;
                state.runners[runner] = Runner::default();
            }
            Action::Propose(runner, ad_set, to) => self.propose(state, runner, ad_set, to)?,
            Action::Send(runner, which) => {
                let mut write = state.runners[runner].unsent.remove(which);
                write.until = state.time + self.bounds.lifetime;
                state.flights.push(write);
                state.flights.sort_unstable();
            }
            Action::Drop(runner, which) => {
                let write = state.runners[runner].unsent.remove(which);
                state.answers.push((write.id, write.ad_set, None));
                state.answers.sort_unstable();
            }
            Action::Arrive(which) => {
                let write = state.flights.remove(which);
                state.live[write.ad_set] = write.to;
                let high = &mut state.highs[write.ad_set];
                *high = write.to.max(*high);
                state.answers.push((write.id, write.ad_set, Some(write.to)));
                state.answers.sort_unstable();
            }
            Action::Reject(which) => {
                let write = state.flights.remove(which);
                state.answers.push((write.id, write.ad_set, None));
                state.answers.sort_unstable();
            }
            Action::TimeOut(which) => {
                let request = Request::Answer {
                    intent: state.flights[which].id,
                    answer: Answer::Unknown,
                    at: at(state.time),
                };
                self.ask(state, 0, &request)?;
            }
            Action::Hear(which) => self.hear(state, which)?,
            Action::Read(runner) => state.runners[runner].held = Some((state.time, state.live)),
            Action::Tell(runner) => self.tell(state, runner)?,
            Action::Look(runner) => {
                state.runners[runner].held = Some((state.time, state.live));
                self.tell(state, runner)?;
            }
            Action::Order(order) => {
                let request = Request::Order {
                    order,
                    by: "model".into(),
                    at: at(state.time),
                };
                self.ask(state, 0, &request)?;
                state.orders += 1;
            }
        }
        Some(())
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    /// The first runner took over and read; nothing is under way.
    fn init_states(&self) -> Vec<State> {
        let start = self.bounds.time.0;
        let mut state = State {
            book: Book::new(self.limits.clone()),
            time: start,
            live: self.bounds.live,
            highs: self.bounds.live,
            runners: Default::default(),
            flights: Vec::new(),
            answers: Vec::new(),
            intents: 0,
            takes: 0,
            crashes: 0,
            orders: 0,
            fenced_admitted: false,
        };
        for action in [Action::Take(0), Action::Read(0), Action::Tell(0)] {
            self.step(&mut state, action).unwrap();
        }
        if self.bounds.weakness == Weakness::CachedView {
            state.runners[0].cache = Some(Box::new(state.book.clone()));
        }
        vec![state]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let bounds = &self.bounds;
        if state.time < bounds.time.1 {
            actions.push(Action::Tick);
        }
        for (number, runner) in state.runners.iter().enumerate() {
            if state.takes <= bounds.takes && runner.epoch.is_none_or(|e| e != state.book.epoch()) {
                actions.push(Action::Take(number));
            }
            for (which, write) in runner.unsent.iter().enumerate() {
                actions.push(if state.time <= write.until {
                    Action::Send(number, which)
                } else {
                    Action::Drop(number, which)
                });
            }
            if runner.epoch.is_none() {
                continue;
            }
            if state.crashes < bounds.crashes {
                actions.push(Action::Crash(number));
            }
            if runner.held.is_some() {
                actions.push(Action::Tell(number));
            }
            // Whoever is fenced may read, but what it reads is refused and changes nothing.
            let current = runner.epoch == Some(state.book.epoch());
            if current && !bounds.stale_reads {
                actions.push(Action::Look(number));
            } else if current && runner.held != Some((state.time, state.live)) {
                actions.push(Action::Read(number));
            }
            if state.intents < bounds.intents {
                let all = bounds.proposals.iter();
                actions.extend(all.map(|&(ad_set, to)| Action::Propose(number, ad_set, to)));
            }
        }
        for which in 0..state.flights.len() {
            actions.push(Action::Arrive(which));
            if bounds.rejections {
                actions.push(Action::Reject(which));
            }
            if bounds.timeouts {
                actions.push(Action::TimeOut(which));
            }
        }
        actions.extend((0..state.answers.len()).map(Action::Hear));
        if state.orders < bounds.orders {
            let orders = [Order::Kill, Order::Rearm, Order::Pause, Order::Resume];
            actions.extend(orders.map(Action::Order));
        }
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = before.clone();
        self.step(&mut state, action)?;
        if state == *before {
            return None;
        }
        self.count(match action {
            Action::Tick => "tick",
            Action::Take(_) => "take",
            Action::Crash(_) => "crash",
            Action::Propose(..) => "propose",
            Action::Send(..) => "send",
            Action::Drop(..) => "drop",
            Action::Arrive(_) => "arrive",
            Action::Reject(_) => "reject",
            Action::TimeOut(_) => "time out",
            Action::Hear(_) => "hear",
            Action::Read(_) => "read",
            Action::Tell(_) => "tell",
            Action::Look(_) => "look",
            Action::Order(_) => "order",
        });
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(I1_TRUTH, |_, state: &State| {
                state.highs.iter().sum::<i64>() <= CAP
            }),
            Property::always(I1_BOOK, |_, state: &State| {
                state.book.exposure(at(state.time)) <= money(CAP)
            }),
            Property::always(I2, |_, state: &State| {
                (0..2).all(|n| {
                    let open = state.book.open(&key(n));
                    let most = open.iter().map(|intent| intent.to).max();
                    Some(money(state.live[n])) <= state.book.confirmed(&key(n)).max(most)
                })
            }),
            Property::always(I5, |_, state: &State| !state.fenced_admitted),
        ]
    }
}

pub(crate) const I1_TRUTH: &str = "I1: the day's highest budgets are within the cap";
pub(crate) const I1_BOOK: &str = "I1: exposure is within the cap";
pub(crate) const I2: &str = "I2: what stands is confirmed or open";
pub(crate) const I5: &str = "I5: no intent is admitted below the current epoch";

fn observation(
    epoch: Epoch,
    at: chrono::DateTime<chrono::Utc>,
    began: chrono::DateTime<chrono::Utc>,
    budgets: &[(AdSetKey, Micros)],
) -> Observation {
    let budgets = budgets
        .iter()
        .map(|(key, budget)| (key.ad_set.clone(), *budget));
    Observation {
        epoch,
        at,
        reads: vec![BudgetsRead {
            platform: Platform::Meta,
            began,
            budgets: budgets.collect(),
        }],
        spent: Vec::new(),
        known_good: Vec::new(),
    }
}

fn execute(book: &mut Book, request: &Request) -> Result<Reply, Refusal> {
    let (entries, reply) = book.decide(request)?;
    apply(book, &entries);
    Ok(reply)
}

fn apply(book: &mut Book, entries: &[Entry]) {
    for entry in entries {
        book.apply(entry).unwrap();
    }
}

fn name_of(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Fenced { .. } => "refused: fenced",
        Refusal::Killed => "refused: killed",
        Refusal::Paused => "refused: paused",
        Refusal::Unreconciled => "refused: unreconciled",
        Refusal::Open { .. } => "refused: open",
        Refusal::Headroom { .. } => "refused: headroom",
        _ => "refused otherwise",
    }
}
