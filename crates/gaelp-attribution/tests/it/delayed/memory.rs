//! What a pending touch costs.

use gaelp_attribution::delayed::{Arrival, DelayedRewards, Limits};
use gaelp_attribution::{
    ChannelId, Event, EventId, Interaction, Model, RulesConfig, Timestamp, Touch, UserId,
};

use super::Random;

#[test]
fn a_pending_touch_takes_at_most_48_bytes() {
    let rules = RulesConfig::default().validate().unwrap();
    let limits = Limits {
        touches: u32::MAX >> 1,
        ..Limits::default()
    };
    let mut machine = DelayedRewards::new(rules, vec![Model::Linear], limits).unwrap();
    let mut random = Random(1);
    let mut effects = Vec::new();
    let mut worst: f64 = 0.0;
    // At every size, for the table of users is emptiest after it has grown.
    for size in 1..=40_u64 {
        let arrivals: Vec<Arrival> = (0..100_000)
            .map(|step| {
                let id = size * 100_000 + step;
                let at = Timestamp::from_micros(1_800_000_000_000_000 + id.cast_signed() * 1_000);
                Arrival::new(
                    at,
                    Event::Touch(Touch {
                        id: EventId::new(id),
                        user: UserId::new(random.below(size * 25_000)),
                        at,
                        channel: ChannelId::new(1),
                        interaction: Interaction::Click,
                    }),
                )
            })
            .collect();
        machine.handle_batch(&arrivals, &mut effects);
        let memory = machine.memory();
        assert_eq!(memory.total(), memory.touches + memory.users);
        #[expect(clippy::cast_precision_loss, reason = "a ratio of two counts")]
        let each = memory.total() as f64 / machine.pending() as f64;
        if machine.pending() >= 1_000_000 {
            worst = worst.max(each);
        }
    }
    assert_eq!(machine.pending(), 4_000_000);
    assert!(worst <= 48.0, "{worst}");
}
