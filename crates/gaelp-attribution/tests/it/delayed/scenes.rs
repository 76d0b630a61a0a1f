//! Single rules, each in a small scene.

use gaelp_attribution::delayed::{
    Arrival, DelayedRewards, Effect, EpisodeId, Limits, ModelIndex, Origin, Rejection, SetupError,
};
use gaelp_attribution::{
    Adjustment, ChannelId, Conversion, ConversionKind, Event, EventId, Interaction, Merge, Model,
    RulesConfig, Span, Timestamp, Touch, UserId,
};
use gaelp_core::{ArmId, Currency, DecisionId, Micros, Money};

const START: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

fn hours(hours: u32) -> Timestamp {
    START.plus(Span::hours(hours))
}

fn dollars(amount: i64) -> Money {
    Money::new(Micros::from_major(amount).unwrap(), Currency::USD)
}

fn touch(id: u64, user: u64, at: Timestamp) -> Touch {
    Touch {
        id: EventId::new(id),
        user: UserId::new(user),
        at,
        channel: ChannelId::new(0),
        interaction: Interaction::Click,
    }
}

fn sale(id: u64, user: u64, at: Timestamp, value: i64) -> Event {
    Event::Conversion(Conversion {
        id: EventId::new(id),
        user: UserId::new(user),
        at,
        value: dollars(value),
        kind: ConversionKind::Purchase,
    })
}

fn restate(id: u64, conversion: u64, at: Timestamp, value: i64) -> Event {
    Event::Adjustment(Adjustment {
        id: EventId::new(id),
        conversion: EventId::new(conversion),
        at,
        value: dollars(value),
    })
}

struct Scene {
    machine: DelayedRewards<Model>,
    effects: Vec<Effect>,
}

impl Scene {
    fn new(limits: Limits) -> Self {
        let rules = RulesConfig::default().validate().unwrap();
        Self {
            machine: DelayedRewards::new(rules, vec![Model::Linear, Model::Last], limits).unwrap(),
            effects: Vec::new(),
        }
    }

    fn tell(&mut self, at: Timestamp, event: Event) -> Result<(), Rejection> {
        self.machine
            .handle(&Arrival::new(at, event), &mut self.effects)
    }

    /// What has been said of rewards since the last look, by touch.
    fn rewards(&mut self) -> Vec<(u64, i64)> {
        let said = self.effects.drain(..).filter_map(|effect| match effect {
            Effect::Correction(it) if it.model == ModelIndex::REWARD => {
                Some((it.touch.get(), it.delta.get()))
            }
            _ => None,
        });
        said.collect()
    }
}

#[test]
fn a_conversion_days_later_corrects_the_rewards_of_an_ended_episode() {
    let mut scene = Scene::new(Limits::default());
    let origin = |decision, episode| Origin {
        decision: DecisionId::new(decision),
        episode: EpisodeId::new(episode),
        action: ArmId::new(3),
        reward: Micros::new(250_000),
        ..Origin::default()
    };
    for (id, at, decision, episode) in [(1, 0, 71, 5), (2, 1, 72, 5), (3, 30, 73, 6)] {
        let event = Event::Touch(touch(id, 9, hours(at)));
        let arrival = Arrival::of(hours(at), event, origin(decision, episode));
        scene.machine.handle(&arrival, &mut scene.effects).unwrap();
    }
    assert_eq!(scene.machine.corrections_for(EpisodeId::new(5)), []);
    scene.tell(hours(120), sale(10, 9, hours(119), 30)).unwrap();

    let rewards: Vec<_> = scene
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Correction(it) if it.model == ModelIndex::REWARD => it.reward(),
            _ => None,
        })
        .collect();
    let decisions: Vec<_> = rewards.iter().map(|reward| reward.decision.get()).collect();
    assert_eq!(decisions, [71, 72, 73]);
    assert!(rewards.iter().all(|it| it.delta == Micros::new(10_000_000)));
    assert!(
        rewards
            .iter()
            .all(|it| it.observed_at == hours(120).micros())
    );
    assert_eq!(rewards[2].touchpoint.as_str(), "3");

    let earned = scene.machine.corrections_for(EpisodeId::new(5));
    let earned: Vec<_> = earned
        .iter()
        .map(|it| (it.touch.get(), it.model.get(), it.credit.get()))
        .collect();
    assert_eq!(earned, [(1, 0, 10_000_000), (2, 0, 10_000_000)]);
    let earned = scene.machine.corrections_for(EpisodeId::new(6));
    assert_eq!(earned.len(), 2, "linear and last");
}

#[test]
fn a_refund_and_its_undoing_mirror_the_sale_exactly() {
    let mut scene = Scene::new(Limits::default());
    for (id, at) in [(1, 0), (2, 1), (3, 2)] {
        scene
            .tell(hours(at), Event::Touch(touch(id, 9, hours(at))))
            .unwrap();
    }
    scene.tell(hours(3), sale(10, 9, hours(3), 100)).unwrap();
    let sold = scene.rewards();
    assert_eq!(sold, [(1, 33_333_334), (2, 33_333_333), (3, 33_333_333)]);
    let before = scene.machine.attribution(EventId::new(10)).unwrap();
    let statistics = scene.machine.statistics().clone();

    scene.tell(hours(4), restate(11, 10, hours(4), 0)).unwrap();
    let refunded = scene.rewards();
    assert_eq!(
        refunded,
        [(1, -33_333_334), (2, -33_333_333), (3, -33_333_333)]
    );
    scene
        .tell(hours(5), restate(12, 10, hours(5), 100))
        .unwrap();
    assert_eq!(scene.rewards(), sold);
    assert_eq!(scene.machine.attribution(EventId::new(10)).unwrap(), before);
    let counts = scene.machine.statistics();
    assert_eq!(counts.value, statistics.value);
    assert_eq!(counts.time_to_conversion, statistics.time_to_conversion);

    // An older adjustment comes last and changes nothing.
    let late = scene.tell(hours(6), restate(13, 10, hours(4), 7));
    assert_eq!(late, Err(Rejection::Superseded));
    let again = scene.tell(hours(6), restate(12, 10, hours(5), 7));
    assert_eq!(again, Err(Rejection::Duplicate));
    assert_eq!(scene.rewards(), []);
}

#[test]
fn a_refund_reaches_touches_that_have_long_matured() {
    let mut scene = Scene::new(Limits::default());
    scene
        .tell(hours(0), Event::Touch(touch(1, 9, hours(0))))
        .unwrap();
    scene.tell(hours(1), sale(10, 9, hours(1), 8)).unwrap();
    assert_eq!(scene.rewards(), [(1, 8_000_000)]);
    let later = hours(24 * 20);
    scene.tell(later, Event::Advance(later)).unwrap();
    let matured = scene.effects.iter().find_map(|effect| match effect {
        Effect::Matured(it) => Some((it.touch.get(), it.total)),
        _ => None,
    });
    assert_eq!(matured, Some((1, Some(Micros::new(8_000_000)))));
    assert_eq!(scene.machine.pending(), 0);
    scene.effects.clear();
    scene.tell(later, restate(11, 10, later, 3)).unwrap();
    assert_eq!(scene.rewards(), [(1, -5_000_000)]);

    // 55 days and a step after the conversion it is too late, and nothing is held any more.
    let end = hours(24 * 57);
    scene.tell(end, Event::Advance(end)).unwrap();
    assert_eq!(scene.machine.adjustable(), 0);
    let refused = scene.tell(end, restate(12, 10, later, 0));
    assert_eq!(refused, Err(Rejection::Unmatched));
}

#[test]
fn touches_that_earn_nothing_mature_with_zero() {
    let mut scene = Scene::new(Limits::default());
    scene
        .tell(hours(0), Event::Touch(touch(1, 9, hours(0))))
        .unwrap();
    // A window of 7 days and a lateness of 3: at ten days a conversion may still come.
    scene.tell(hours(240), Event::Advance(hours(240))).unwrap();
    assert_eq!(scene.effects, []);
    // A step is a 256th of ten days, less than an hour.
    scene.tell(hours(241), Event::Advance(hours(241))).unwrap();
    let [Effect::Matured(it)] = scene.effects[..] else {
        panic!("{:?}", scene.effects)
    };
    assert_eq!((it.touch.get(), it.total), (1, Some(Micros::ZERO)));
    assert_eq!(scene.machine.statistics().conversion_rate(), Some(0.0));
}

#[test]
fn users_that_become_one_have_their_open_conversions_split_anew() {
    let mut scene = Scene::new(Limits::default());
    scene
        .tell(hours(0), Event::Touch(touch(1, 100, hours(0))))
        .unwrap();
    scene
        .tell(hours(1), Event::Touch(touch(2, 200, hours(1))))
        .unwrap();
    scene.tell(hours(2), sale(10, 200, hours(2), 6)).unwrap();
    assert_eq!(scene.rewards(), [(2, 6_000_000)]);
    let merge = Merge {
        from: UserId::new(100),
        into: UserId::new(200),
    };
    scene.tell(hours(3), Event::Merge(merge)).unwrap();
    assert_eq!(scene.rewards(), [(1, 3_000_000), (2, -3_000_000)]);
    // What comes under the old id later counts for the new one.
    scene
        .tell(hours(4), Event::Touch(touch(3, 100, hours(2))))
        .unwrap();
    assert_eq!(
        scene.rewards(),
        [(1, -1_000_000), (2, -1_000_000), (3, 2_000_000)]
    );
}

#[test]
fn memory_stays_within_its_limit_and_the_soonest_to_expire_goes() {
    let limits = Limits {
        touches: 3,
        ..Limits::default()
    };
    let mut scene = Scene::new(limits);
    // The view at hour 50 expires two days before the click at hour 0.
    for (id, at, interaction) in [
        (1, 30, Interaction::Click),
        (2, 0, Interaction::Click),
        (3, 50, Interaction::View),
        (4, 60, Interaction::Click),
        (5, 70, Interaction::Click),
    ] {
        let touch = Touch {
            interaction,
            ..touch(id, id, hours(at))
        };
        scene.tell(hours(at), Event::Touch(touch)).unwrap();
    }
    let evicted: Vec<u64> = scene
        .effects
        .iter()
        .map(|effect| match effect {
            Effect::Evicted(it) => it.touch.get(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(evicted, [3, 2]);
    assert_eq!(scene.machine.pending(), 3);
    assert_eq!(scene.machine.statistics().evicted, 2);
}

#[test]
fn clocks_that_run_wild_cost_no_memory_and_their_touches_still_mature_in_time() {
    let mut scene = Scene::new(Limits::default());
    // Each in a bucket of its own, were there no end to buckets.
    let touches = 20_000_u32;
    let mut random = super::Random(8);
    for id in 0..touches {
        let at = hours(u32::try_from(random.below(400_000)).unwrap());
        let event = Event::Touch(touch(id.into(), u64::from(id) % 7_000, at));
        scene.tell(START, event).unwrap();
    }
    assert!(scene.machine.memory().touches < 40 << 20);
    let mut matured = 0;
    for step in 0..=100 {
        let watermark = hours(step * 4_000);
        scene.tell(watermark, Event::Advance(watermark)).unwrap();
        for effect in scene.effects.drain(..) {
            let Effect::Matured(it) = effect else {
                panic!("{effect:?}")
            };
            // In time: after its window and lateness, and by the first look an hour after them.
            let end = it.at.plus(Span::days(10));
            assert!(end < watermark);
            assert!(end.plus(Span::hours(4_001)) > watermark);
            matured += 1;
        }
    }
    assert!(matured > touches - 100, "{matured}");
}

#[test]
fn currencies_are_not_mixed_and_values_beyond_the_range_not_taken() {
    let mut scene = Scene::new(Limits::default());
    let Event::Conversion(usual) = sale(10, 1, hours(0), 1) else {
        panic!("not a sale")
    };
    let euros = Money::new(Micros::new(1), Currency::EUR);
    let foreign = Event::Conversion(Conversion {
        value: euros,
        ..usual
    });
    assert_eq!(scene.tell(hours(0), foreign), Err(Rejection::Currency));
    let huge = Event::Conversion(Conversion {
        value: Money::new(Micros::MAX, Currency::USD),
        ..usual
    });
    assert_eq!(scene.tell(hours(0), huge), Err(Rejection::OutOfRange));
    scene.tell(hours(0), sale(10, 1, hours(0), 1)).unwrap();
    assert_eq!(scene.machine.statistics().refused, 2);
}

#[test]
fn machines_that_cannot_be_are_not_made() {
    let rules = || RulesConfig::default().validate().unwrap();
    let none = DelayedRewards::<Model>::new(rules(), Vec::new(), Limits::default());
    assert_eq!(none.unwrap_err(), SetupError::Models { found: 0 });
    let limits = Limits {
        touches: 0,
        per_user: u16::MAX,
        ..Limits::default()
    };
    let error = DelayedRewards::new(rules(), vec![Model::Linear], limits).unwrap_err();
    assert_eq!(
        error.to_string(),
        "limits: touches is 0: from 1 to 4000000000 is allowed; \
         per_user is 65535: from 1 to 65534 is allowed"
    );
}

#[test]
fn lags_tell_converted_from_waiting_touches() {
    let mut scene = Scene::new(Limits::default());
    for user in 0..40 {
        scene
            .tell(hours(0), Event::Touch(touch(user, user, hours(0))))
            .unwrap();
    }
    for user in 0..10 {
        let at = hours(1 + u32::try_from(user).unwrap());
        scene.tell(at, sale(100 + user, user, at, 5)).unwrap();
    }
    let pending = scene.machine.lags(hours(48));
    let counts = pending.channel(ChannelId::new(0)).unwrap();
    assert_eq!(counts.converted.count(), 10);
    assert_eq!(counts.converted.mean(), Some(Span::seconds(19_800)));
    assert_eq!(counts.waiting.mean(), Some(Span::hours(48)));
    // When they have matured, the others have been watched for their window.
    scene.tell(hours(300), Event::Advance(hours(300))).unwrap();
    let matured = scene.machine.lags(hours(300));
    let counts = matured.channel(ChannelId::new(0)).unwrap();
    assert_eq!(counts.converted.count(), 10);
    assert_eq!(counts.waiting.count(), 30);
    assert_eq!(counts.waiting.mean(), Some(Span::days(7)));
    assert_eq!(scene.machine.statistics().conversion_rate(), Some(0.25));
}
