//! Properties that hold for every input, each against an oracle that works another way.

mod metrics;
mod money;
mod ratio;
mod split;
mod zones;
