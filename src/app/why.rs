//! Why a run whose report is written is trouble all the same: one sentence, enough for a pager, and what to do about it.

use super::exit::{AppError, ExitCode};
use super::prepare::Prepared;
use super::{Context, finish};
use crate::config::{Settings, TetherUrl};
use crate::journal::ProductStop;
use crate::model::Reason;
use crate::redact::{Quoted, Redactor};
use crate::report::refusal;
use crate::runs::GuardFinding;
use std::collections::BTreeMap;

/// Products that stopped before their end, by name, with why.
pub type Stops = BTreeMap<String, ProductStop>;

/// Why a run ended as it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// For standard error; without names where it must be.
    pub said: String,
    /// For notices: without what a server answered, which may name somebody.
    pub told: String,
    /// What to do, where the cause says more than the exit code.
    pub todo: Option<&'static str>,
}

/// What to do, by why a product stopped.
const TODO: &[(Reason, &str)] = &[
    (Reason::Auth, "put a key there that Tether takes, then `resume`, or `run`"),
    (Reason::Configuration, "correct `url` under [tether], then `run`"),
    (Reason::Unavailable, "when Tether answers again, `resume`, or let the next `run` plan anew"),
    (
        Reason::Deadline,
        "`resume` goes on where it stopped; if it happens again, see `deadline` and `rate` under [tether]",
    ),
    (Reason::Interrupted, "`resume`, or let the next `run` plan anew"),
];

impl Context<'_> {
    /// Ends a run as [`finish::finish`] does, and keeps why for whoever is told. `stopped`: products that did not come to
    /// their end.
    pub(super) fn finish(
        &self,
        settings: &Settings,
        prepared: Prepared,
        stopped: &Stops,
    ) -> Result<(ExitCode, String), AppError> {
        let guards = prepared.manifest.guards.clone();
        let (code, summary) = finish::finish(prepared, self.now())?;
        let redactor = self.redaction.redactor();
        let why = match code {
            ExitCode::Internal => Some(fault()),
            ExitCode::GuardRefused => of_guards(&guards, redactor),
            ExitCode::Configuration | ExitCode::Incomplete | ExitCode::Credentials => {
                of_stops(settings, stopped, redactor)
            }
            _ => None,
        };
        if let Some(why) = why {
            self.night.because(why);
        }
        Ok((code, summary))
    }
}

fn fault() -> Why {
    let said = "a total does not tie: trust no figure of this run, keep its folder and report it".to_owned();
    Why { told: said.clone(), said, todo: None }
}

fn of_guards(guards: &[GuardFinding], redactor: Option<&Redactor>) -> Option<Why> {
    let said = refusal(guards)?;
    let said = redactor.map_or_else(|| said.clone(), |redactor| redactor.sentence(&said, Quoted::Words));
    Some(Why { told: said.clone(), said, todo: None })
}

fn of_stops(settings: &Settings, stopped: &Stops, redactor: Option<&Redactor>) -> Option<Why> {
    // What a person must mend comes before what passes, as in the choice of the exit code.
    let rank = |reason: Reason| TODO.iter().position(|(known, _)| *known == reason).unwrap_or(TODO.len());
    let (_, worst) = stopped.iter().min_by_key(|(_, stop)| rank(stop.reason))?;
    let sentences = |redactor: Option<&Redactor>| {
        // Products that stopped for the same are named together.
        let mut by: BTreeMap<(usize, String), Vec<&str>> = BTreeMap::new();
        for (product, stop) in stopped {
            let sentence = sentence(settings, product, stop, redactor);
            by.entry((rank(stop.reason), sentence)).or_default().push(product);
        }
        let each = by.into_iter().map(|((_, sentence), products)| format!("{}: {sentence}", products.join(", ")));
        each.collect::<Vec<_>>().join("; ")
    };
    let todo = TODO.iter().find(|(reason, _)| *reason == worst.reason).map(|(_, todo)| *todo);
    Some(Why { said: sentences(redactor), told: sentences(Some(&Redactor::cutting())), todo })
}

/// Why `product` stopped.
fn sentence(settings: &Settings, product: &str, stop: &ProductStop, redactor: Option<&Redactor>) -> String {
    let answered = |detail: &str| {
        let (ours, theirs) = detail.split_at(detail.find("HTTP ").unwrap_or(detail.len()));
        redactor.map_or_else(|| detail.to_owned(), |redactor| format!("{ours}{}", redactor.reply(theirs)))
    };
    match stop.reason {
        Reason::Auth => {
            let key = settings.products.iter().find(|known| known.name == product).map(|known| &known.key);
            let place = key.map_or_else(String::new, |key| format!(" that {key} holds"));
            // Where the key stands is said already.
            let detail = stop.detail.split("; the key is that of ").next().unwrap_or_default();
            format!("Tether refused the key{place} ({})", answered(detail))
        }
        Reason::Configuration => {
            let place = match &settings.tether.url {
                TetherUrl::Remote(url) => format!(" at {url}"),
                TetherUrl::Sandbox => String::new(),
            };
            format!("{}{place}", answered(&stop.detail))
        }
        reason => format!("{reason}: {}", answered(&stop.detail)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Stops, Why, of_guards, of_stops};
    use crate::app::tests::{context, site};
    use crate::config;
    use crate::journal::ProductStop;
    use crate::model::Reason;
    use crate::redact::Redactor;
    use crate::runs::GuardFinding;

    fn stops(stops: &[(&str, Reason, &str)]) -> Stops {
        let stop = |(product, reason, detail): &(&str, Reason, &str)| {
            ((*product).to_owned(), ProductStop { reason: *reason, detail: (*detail).to_owned() })
        };
        stops.iter().map(stop).collect()
    }

    #[test]
    fn the_worst_comes_first_and_nobody_is_named_to_others() {
        let site = site();
        let settings = config::load(&context(site.path()).config).unwrap();
        let (deadline, gone) = ("the run's deadline came", "9 calls in a row failed, at last: HTTP 503");
        let refused = "HTTP 401 UNAUTHORIZED: the key of Jane Roe; the key is that of environment variable ELSEWHERE";
        for (stopped, said, told, todo) in [
            (
                stops(&[("a", Reason::Deadline, deadline), ("b", Reason::Deadline, deadline)]),
                "a, b: deadline: the run's deadline came",
                "a, b: deadline: the run's deadline came",
                "`resume` goes on",
            ),
            (
                stops(&[("a", Reason::Unavailable, gone), ("b", Reason::Auth, refused)]),
                "b: Tether refused the key (HTTP 401 UNAUTHORIZED: the key of Jane Roe); \
                 a: unavailable: 9 calls in a row failed, at last: HTTP 503",
                "b: Tether refused the key (HTTP 401 UNAUTHORIZED: the key of ***); \
                 a: unavailable: 9 calls in a row failed, at last: HTTP 503",
                "put a key there",
            ),
        ] {
            let why = of_stops(&settings, &stopped, None).unwrap();
            assert_eq!((why.said.as_str(), why.told.as_str()), (said, told));
            assert!(why.todo.unwrap().starts_with(todo), "{why:?}");
        }
        assert_eq!(of_stops(&settings, &Stops::new(), None), None);
    }

    #[test]
    fn a_refusal_names_the_guard_and_the_others() {
        let finding = |guard: &str, refused| GuardFinding {
            guard: guard.into(),
            scope: None,
            figure: Some("512".into()),
            limit: "500".into(),
            unit: "customers".into(),
            refused,
            overridden: false,
            detail: "512 customers, jane@example.com too".into(),
        };
        let guards = [finding("min_rows", false), finding("max_created", true), finding("max_changed", true)];
        let Why { said, .. } = of_guards(&guards, None).unwrap();
        assert_eq!(said, "refused by max_created: 512 customers, jane@example.com too; also refused by max_changed");
        let Why { said, .. } = of_guards(&guards, Some(&Redactor::cutting())).unwrap();
        assert!(!said.contains("jane") && said.contains("max_created: 512"), "{said}");
    }
}
