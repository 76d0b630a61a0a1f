//! A conversion that comes days after the decision: its correction reaches the experience and the
//! bandit, and a refund takes both back to the bit.

use std::collections::{BTreeMap, BTreeSet};

use gaelp::attribution::delayed::{
    Arrival, DelayedRewards, Effect, EpisodeId, Limits, ModelIndex, Origin, rewards, touchpoint,
};
use gaelp::attribution::{
    Adjustment, ChannelId, Conversion, ConversionKind, Event, EventId, Interaction, Model,
    RulesConfig, Span, Timestamp, Touch, UserId,
};
use gaelp::bandits::{
    Bandit, BetaBernoulli, Delayed, LagDistribution, Outcome, Policy, Receipt, Report, Selection,
    Stage, UnitReward,
};
use gaelp::core::{
    AdSetKey, ArmId, Choice, Currency, DecisionId, EndKind, Experience, HourSpan, Micros, Money,
    Platform, RewardCorrection, Seed, TouchpointId, UtcHour,
};

const DAY: u32 = 86_400;
const USER: UserId = UserId::new(9);
const SALE: EventId = EventId::new(100);
/// What is worth a reward of one.
const WHOLE: i64 = 100_000_000;
const HOUR: UtcHour = UtcHour::new(500_000);

fn at(days: u32) -> Timestamp {
    let start = i64::from(HOUR.get()) * 3_600_000_000;
    Timestamp::from_micros(start).plus(Span::seconds(days * DAY))
}

fn dollars(amount: i64) -> Money {
    Money::new(Micros::from_major(amount).unwrap(), Currency::USD)
}

/// What was decided, and what has become known of it: the replay buffer's side and the bandit's.
struct Learner {
    policy: Delayed<Bandit<BetaBernoulli>>,
    chosen: BTreeMap<DecisionId, Selection>,
    experiences: BTreeMap<DecisionId, Experience<u32, ArmId>>,
    /// By touchpoint and number, as a store keys them: what comes twice is there once.
    corrections: BTreeMap<(TouchpointId, u32), RewardCorrection>,
    revision: u32,
}

impl Learner {
    /// Decides three times; nothing has come of it yet.
    fn new() -> Self {
        let bandit = Bandit::new(BetaBernoulli::default(), (0..2).map(ArmId::new)).unwrap();
        // Half of the orders come within the hour, so waiting is not failing.
        let lag = LagDistribution::new(&[0.5, 0.75]).unwrap();
        let mut learner = Self {
            policy: Delayed::new(bandit, lag),
            chosen: BTreeMap::new(),
            experiences: BTreeMap::new(),
            corrections: BTreeMap::new(),
            revision: 0,
        };
        for number in 1..=3_u64 {
            let decision = DecisionId::new(u128::from(number));
            let policy = learner.policy.policy();
            let chosen = policy
                .select(&policy.all(), Seed::new(7), decision)
                .unwrap();
            let experience = Experience {
                decision,
                key: AdSetKey::new(Platform::Meta, "prospecting"),
                span: HourSpan::hour(HOUR),
                choice: Choice::from(chosen),
                state: 0,
                action: Choice::from(chosen).arm,
                reward: Micros::ZERO,
                cost: Micros::new(1_000_000),
                next_state: None,
                end: EndKind::Truncated,
                schema: 1,
                touchpoints: vec![touchpoint(EventId::new(number))],
            };
            learner.chosen.insert(decision, chosen);
            learner.experiences.insert(decision, experience);
        }
        learner.policy.advance(UtcHour::new(HOUR.get() + 72));
        learner.report();
        learner
    }

    /// Takes corrections in; each belongs to a touch of its decision's experience.
    fn learn(&mut self, corrections: impl Iterator<Item = RewardCorrection>) -> Vec<Receipt> {
        for correction in corrections {
            let experience = &self.experiences[&correction.decision];
            assert!(experience.touchpoints.contains(&correction.touchpoint));
            let key = (correction.touchpoint.clone(), correction.number);
            self.corrections.insert(key, correction);
        }
        self.revision += 1;
        self.report()
    }

    /// What a decision has earned as known now.
    fn reward(&self, decision: DecisionId) -> Micros {
        let of_it = self.corrections.values();
        let of_it = of_it.filter(|correction| correction.decision == decision);
        let first = self.experiences[&decision].reward;
        let parts = of_it.map(|correction| correction.delta).chain([first]);
        Micros::checked_sum(parts).unwrap()
    }

    /// Tells the bandit all rewards as known now.
    fn report(&mut self) -> Vec<Receipt> {
        let reports: Vec<_> = self
            .chosen
            .iter()
            .map(|(&decision, chosen)| Report {
                decision,
                revision: self.revision,
                stage: Stage::Final,
                outcome: Outcome::of(chosen, HOUR, unit(self.reward(decision))),
            })
            .collect();
        self.policy.receive(&reports).unwrap()
    }

    fn bandit(&self) -> &Bandit<BetaBernoulli> {
        self.policy.policy()
    }

    /// A bandit that was told these rewards at once, with no delay in between.
    fn told(&self, amounts: [i64; 3]) -> Bandit<BetaBernoulli> {
        let mut bandit = Bandit::new(BetaBernoulli::default(), (0..2).map(ArmId::new)).unwrap();
        let outcomes: Vec<_> = self
            .chosen
            .values()
            .zip(amounts)
            .map(|(chosen, amount)| Outcome::of(chosen, HOUR, unit(Micros::new(amount))))
            .collect();
        bandit.update(&outcomes).unwrap();
        bandit
    }
}

fn unit(reward: Micros) -> UnitReward {
    let millionths = reward.get() * 1_000_000 / WHOLE;
    UnitReward::from_millionths(u32::try_from(millionths).unwrap()).unwrap()
}

/// The evidence that a bandit holds, without the number of its version.
fn evidence(bandit: &Bandit<BetaBernoulli>) -> String {
    format!(
        "{:?} {:?}",
        bandit.evidence(),
        bandit.arms().collect::<Vec<_>>()
    )
}

struct Scene {
    machine: DelayedRewards<Model>,
    effects: Vec<Effect>,
}

impl Scene {
    /// Three decisions led to a touch each, in an episode that has ended.
    fn new(models: Vec<Model>) -> Self {
        let rules = RulesConfig::default().validate().unwrap();
        let mut scene = Self {
            machine: DelayedRewards::new(rules, models, Limits::default()).unwrap(),
            effects: Vec::new(),
        };
        for number in 1..=3_u64 {
            let touch = Touch {
                id: EventId::new(number),
                user: USER,
                at: at(0).plus(Span::seconds(u32::try_from(number).unwrap())),
                channel: ChannelId::new(0),
                interaction: Interaction::Click,
            };
            let origin = Origin {
                decision: DecisionId::new(u128::from(number)),
                episode: EpisodeId::new(1),
                ..Origin::default()
            };
            let arrival = Arrival::of(touch.at, Event::Touch(touch), origin);
            scene.machine.handle(&arrival, &mut scene.effects).unwrap();
        }
        scene
    }

    fn tell(&mut self, days: u32, event: Event) -> Vec<Effect> {
        let arrival = Arrival::new(at(days), event);
        self.machine.handle(&arrival, &mut self.effects).unwrap();
        std::mem::take(&mut self.effects)
    }

    /// Ninety dollars and a cent of a cent, five days later.
    fn sell(&mut self) -> Vec<Effect> {
        let mut value = dollars(90);
        value.amount = Micros::new(value.amount.get() + 100);
        let sale = Conversion {
            id: SALE,
            user: USER,
            at: at(5),
            value,
            kind: ConversionKind::Purchase,
        };
        self.tell(5, Event::Conversion(sale))
    }

    fn restate(&mut self, id: u64, days: u32, value: Money) -> Vec<Effect> {
        let adjustment = Adjustment {
            id: EventId::new(id),
            conversion: SALE,
            at: at(days),
            value,
        };
        self.tell(days, Event::Adjustment(adjustment))
    }
}

fn side_by_side() -> Vec<Model> {
    vec![Model::Linear, Model::Last, Model::First, Model::POSITION]
}

#[test]
fn a_late_conversion_reaches_experience_and_bandit_and_a_refund_undoes_it() {
    let mut scene = Scene::new(side_by_side());
    let mut learner = Learner::new();
    let before = evidence(learner.bandit());
    assert_eq!(before, evidence(&learner.told([0; 3])));

    // 90.0001 over three touches: the micro that is left goes to the first.
    let sold = scene.sell();
    let receipts = learner.learn(rewards(&sold));
    assert_eq!(receipts, [Receipt::Corrected; 3]);
    let parts = [30_000_034, 30_000_033, 30_000_033];
    let earned = [1, 2, 3].map(|number| learner.reward(DecisionId::new(number)).get());
    assert_eq!(earned, parts);
    assert_eq!(evidence(learner.bandit()), evidence(&learner.told(parts)));
    assert_ne!(evidence(learner.bandit()), before);
    let of_sale = evidence(learner.bandit());

    // Delivered again, as after a restart: the numbers are the same, and nothing counts twice.
    learner.learn(rewards(&sold));
    assert_eq!(evidence(learner.bandit()), of_sale);

    // Half of it comes back, then all, and then the customer pays after all.
    learner.learn(rewards(&scene.restate(201, 20, dollars(45))));
    let half = [15_000_000; 3];
    assert_eq!(evidence(learner.bandit()), evidence(&learner.told(half)));
    learner.learn(rewards(&scene.restate(202, 21, dollars(0))));
    assert_eq!(evidence(learner.bandit()), before);
    for number in 1..=3 {
        assert_eq!(learner.reward(DecisionId::new(number)), Micros::ZERO);
    }
    let mut again = dollars(90);
    again.amount = Micros::new(again.amount.get() + 100);
    learner.learn(rewards(&scene.restate(203, 22, again)));
    assert_eq!(evidence(learner.bandit()), of_sale);
    assert_eq!(learner.corrections.len(), 12, "each of four changes once");
}

#[test]
fn of_many_models_one_alone_is_learnt() {
    let mut scene = Scene::new(side_by_side());
    let mut alone = Scene::new(vec![Model::Linear]);
    let sold = scene.sell();
    let value = 90_000_100;

    // All models together say the value once each.
    let said: Vec<_> = sold
        .iter()
        .filter_map(|effect| match effect {
            Effect::Correction(correction) => Some(correction),
            _ => None,
        })
        .collect();
    let all: i64 = said.iter().map(|correction| correction.delta.get()).sum();
    assert_eq!(all, 4 * value);

    // What is handed on is the first model's, as if it were alone.
    let changes = |effects: &[Effect]| -> Vec<(u128, i64)> {
        let learnt = rewards(effects);
        learnt
            .map(|it| (it.decision.get(), it.delta.get()))
            .collect()
    };
    assert_eq!(changes(&sold), changes(&alone.sell()));
    let total: i64 = changes(&sold).iter().map(|change| change.1).sum();
    assert_eq!(total, value);
    let naive = said.iter().filter_map(|correction| correction.reward());
    assert_eq!(naive.map(|it| it.delta.get()).sum::<i64>(), value);

    // Another learner may follow another model, and gets that one alone.
    for (model, expected) in [
        (ModelIndex::new(1), vec![(3, value)]),
        (ModelIndex::new(2), vec![(1, value)]),
    ] {
        let followed = said.iter().filter_map(|it| it.reward_under(model));
        let followed: Vec<_> = followed
            .map(|it| (it.decision.get(), it.delta.get()))
            .collect();
        assert_eq!(followed, expected);
    }
    let numbers: BTreeSet<u64> = said.iter().map(|correction| correction.number).collect();
    assert_eq!(numbers.len(), said.len());
}
