//! What the network and the server do to single requests, and how often.

use rand::Rng;
use rand::rngs::SmallRng;

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    /// No connection.
    Refused,
    /// Lost on its way there.
    LostBefore,
    /// Taken, and its reply lost.
    LostAfter,
    /// Taken, and then silence for most of a minute.
    Silence,
    /// 429, naming a wait or not.
    TooMany,
    /// 503.
    Busy,
    /// 500, whether it was taken or not.
    Broken,
    /// Taken, and the reply cannot be read.
    Garbled,
    /// Taken, and the reply is about another customer.
    MixedUp,
    /// 202.
    Accepted,
    /// 501.
    Never,
    /// 400 for this request; it echoes the key.
    Bad,
    /// 404.
    NotFound,
    /// 401: by chance never, only while a key is refused.
    KeyRefused,
    /// 429, by the server's own limit: by chance never.
    OverLimit,
}

impl Fault {
    pub(super) const ALL: [Self; 15] = [
        Self::Refused,
        Self::LostBefore,
        Self::LostAfter,
        Self::Silence,
        Self::TooMany,
        Self::Busy,
        Self::Broken,
        Self::Garbled,
        Self::MixedUp,
        Self::Accepted,
        Self::Never,
        Self::Bad,
        Self::NotFound,
        Self::KeyRefused,
        Self::OverLimit,
    ];

    /// Not counted as a try by the sender, nor against its budget.
    pub(super) fn costs_nothing(self) -> bool {
        matches!(self, Self::TooMany | Self::OverLimit)
    }
}

/// How the world treats one life: chances in a thousand requests.
#[derive(Debug, Clone)]
pub(super) struct Temper {
    chances: Vec<(Fault, u32)>,
    pub(super) gate_closed: bool,
    /// Seconds that a 429 may name.
    pub(super) longest_wait: u64,
    /// Calls that the server takes of a key in each second of its own, if it has a limit.
    pub(super) limit: Option<u32>,
}

/// How the world treats one start.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Weather {
    /// At 1 nothing goes wrong by chance any more.
    pub(super) calm: f64,
    /// The service is dying: so many in a thousand requests fail.
    pub(super) dying: Option<u32>,
    /// A key that is refused from its so manyth request of this start on.
    pub(super) refused: Option<(usize, usize)>,
}

impl Temper {
    pub(super) fn of(chance: &mut SmallRng) -> Self {
        let trouble = if chance.random_bool(0.2) { 0 } else { chance.random_range(1..110) };
        let by_chance = |fault: &&Fault| !matches!(fault, Fault::KeyRefused | Fault::OverLimit);
        let chances = Fault::ALL.iter().filter(by_chance).map(|fault| {
            let most = if *fault == Fault::NotFound { trouble / 3 } else { trouble };
            (*fault, if most == 0 { 0 } else { chance.random_range(0..most) })
        });
        let chances = chances.collect();
        Self {
            chances,
            gate_closed: chance.random_bool(0.3),
            longest_wait: chance.random_range(1..20),
            limit: chance.random_bool(0.4).then(|| chance.random_range(1..40)),
        }
    }

    /// A server that only has a limit.
    pub(super) fn limited(limit: u32) -> Self {
        Self { chances: Vec::new(), gate_closed: false, longest_wait: 1, limit: Some(limit) }
    }

    pub(super) fn draw(&self, weather: Weather, chance: &mut SmallRng) -> Option<Fault> {
        if let Some(share) = weather.dying {
            let kind = [Fault::Refused, Fault::Busy, Fault::Broken, Fault::LostBefore][chance.random_range(0..4)];
            return (chance.random_range(0..1000) < share).then_some(kind);
        }
        let draw = f64::from(chance.random_range(0..1000_u32));
        let mut upto = 0.0;
        let hit = self.chances.iter().find(|(_, chances)| {
            upto += f64::from(*chances) * (1.0 - weather.calm);
            draw < upto
        });
        hit.map(|(fault, _)| *fault)
    }
}
