//! The engine: from what is wanted and what was seen to the next requests.
//!
//! Pure: no client, no clock, no task; time comes in with each event. Always holds: the same events
//! give the same commands; an engine that is lost at any point is rebuilt from the desired state, the
//! inventory and a LIST, and goes on without a wrong deletion; an empty dirty set asks for nothing.
//!
//! | module | what it holds |
//! |---|---|
//! | [`io`] | events and commands |
//! | [`fields`] | how a live object is read |

pub mod fields;
pub mod io;

use starform_contract::ClusterId;

use self::io::{Command, Event, Millis};

/// What an engine is told once.
#[derive(Debug, Clone)]
pub struct Config {
    /// Of this cluster; a desired state for another one is refused.
    pub cluster: ClusterId,
}

#[derive(Debug, Clone)]
pub struct Engine {
    config: Config,
    now: Millis,
}

impl Engine {
    pub fn new(config: Config) -> Self {
        Self {
            config,
            now: Millis::default(),
        }
    }

    /// When the next [`io::Input::Tick`] is due at the latest; `None`: nothing waits for time.
    pub fn wake_at(&self) -> Option<Millis> {
        None
    }

    /// Nothing in flight or due: every environment is finished and reported, the inventory is stored.
    pub fn settled(&self) -> bool {
        false
    }
}

/// Takes one event; gives the engine after it and what to do now, in this order.
pub fn step(mut engine: Engine, event: Event) -> (Engine, Vec<Command>) {
    let Event { now, input } = event;
    engine.now = engine.now.max(now);
    let _ = (&engine.config.cluster, input);
    (engine, Vec::new())
}
