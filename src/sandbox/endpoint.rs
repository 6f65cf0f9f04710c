//! What happens to one request: key, header, fault, body, upsert, log, reply.

use super::SandboxProduct;
use super::calls::{Call, CallLog};
use super::connection::{Door, Line};
use super::faults::{Asked, Due, End, Fault, FaultCounter, Faults};
use super::reply::{Refusal, Reply};
use super::request::{IdType, Upsert};
use super::store::{Context, Store};
use super::{CUSTOMERS_PATH, Clock};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::post;
use secrecy::ExposeSecret;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The largest body that is read, in bytes.
const MAX_BODY: usize = 1 << 20;

/// Everything that handlers share.
pub(super) struct Shared {
    pub(super) products: Vec<Served>,
    pub(super) log: Mutex<CallLog>,
    /// Held while the state is saved.
    pub(super) saving: Mutex<()>,
    pub(super) faults: Faults,
    /// Whether the faults must know whom a request is about.
    pub(super) asks_for_email: bool,
    pub(super) door: Door,
    pub(super) now: Clock,
    /// When the sandbox started: the runtime's monotonic clock, which tests can pause, for the log and the limit.
    pub(super) started: tokio::time::Instant,
}

/// One product as it is served.
pub(super) struct Served {
    pub(super) product: SandboxProduct,
    pub(super) name: Arc<str>,
    pub(super) data: Mutex<Data>,
}

/// What a product's requests change.
#[derive(Default)]
pub(super) struct Data {
    pub(super) store: Store,
    pub(super) counter: FaultCounter,
    /// Upserts carried out since the last save.
    pub(super) unsaved: u64,
}

/// A panic while a lock is held leaves no half-done upsert: each is checked before it is applied.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The routes: one.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route(CUSTOMERS_PATH, post(upsert).fallback(method_not_allowed))
        .fallback(not_found)
        .with_state(shared)
}

async fn not_found(State(shared): State<Arc<Shared>>) -> Response {
    shared.refuse(None, Refusal::NotFound)
}

async fn method_not_allowed(State(shared): State<Arc<Shared>>) -> Response {
    let mut response = shared.refuse(None, Refusal::MethodNotAllowed);
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    response
}

async fn upsert(State(shared): State<Arc<Shared>>, ConnectInfo(line): ConnectInfo<Line>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Some(served) = shared.authenticate(&parts.headers) else {
        return shared.refuse(None, Refusal::Unauthorized);
    };
    let Ok(body) = axum::body::to_bytes(body, MAX_BODY).await else {
        return shared.refuse(Some(served), Refusal::TooLarge);
    };
    let email = shared.asks_for_email.then(|| email_of(&body)).flatten();
    let asked = Asked { product: &served.name, email: email.as_deref(), elapsed: shared.started.elapsed() };
    let Due { slow, fault, word } = shared.faults.next(&mut lock(&served.data).counter, asked);
    if let Some(slow) = slow {
        tokio::time::sleep(slow).await;
    }
    let id_type = IdType::parse(parts.headers.get("x-customer-id-type").map(HeaderValue::as_bytes));
    let mut call = shared.call(Some(served), body);
    call.id_type = id_type.as_ref().ok().map(|id_type| id_type.as_str());
    call.fault = word;
    if let Some(Fault::Refused(wait)) = fault {
        shared.door.shut(wait);
    }
    let fault = if shared.door.is_shut() {
        // By an older connection: what comes while nobody can connect is turned away as well.
        call.fault = Some("refused");
        Some(Fault::NoReply { end: End::Reset, applied: false })
    } else {
        fault
    };

    let echoed = parts.headers.get(header::AUTHORIZATION).and_then(|key| key.to_str().ok());
    let (response, end) = shared.settle(served, call, id_type, fault.as_ref(), echoed);
    match end {
        None => {}
        Some(Ending::Half) => line.halve(),
        Some(Ending::Without(End::Closed)) => line.close(),
        Some(Ending::Without(End::Reset)) => line.reset(),
        Some(Ending::Without(End::Never)) => std::future::pending().await,
    }
    response
}

/// How a connection ends before its reply is whole.
enum Ending {
    Half,
    Without(End),
}

impl Shared {
    /// Carries the request out, as far as the fault lets it, logs it, and says what the client gets to see of it.
    fn settle(
        &self,
        served: &Served,
        mut call: Call,
        id_type: Result<IdType, Refusal>,
        fault: Option<&Fault>,
        key: Option<&str>,
    ) -> (Response, Option<Ending>) {
        // The product stays locked until the call is in the log, so that the log's order is the order of effects.
        let mut data = lock(&served.data);
        let done = match (fault.is_none_or(Fault::is_carried_out), id_type) {
            (false, _) => None,
            (true, Err(refusal)) => Some(refusal.into()),
            (true, Ok(id_type)) => {
                Some(served.carry_out(&mut call, &mut data, id_type, fault).unwrap_or_else(Reply::from))
            }
        };
        let reply = match fault {
            Some(Fault::Status { status, code, location, echo_key, .. }) => {
                Some(Reply::status(*status, code.as_deref(), location.as_deref(), key.filter(|_| *echo_key)))
            }
            Some(Fault::TooMany(too_many)) => Some(Reply::too_many(too_many, call.at)),
            Some(Fault::Body { body, .. }) => Some(Reply::unreadable(*body)),
            Some(Fault::NoReply { end, .. }) => return (self.cut(call), Some(Ending::Without(*end))),
            _ => done,
        };
        match reply {
            // A door that was shut for no time at all: this connection alone.
            None => (self.cut(call), Some(Ending::Without(End::Reset))),
            Some(reply) => (self.answer(call, reply), matches!(fault, Some(Fault::HalfReply)).then_some(Ending::Half)),
        }
    }
}

impl Served {
    /// Does what the request says, as far as the fault lets it.
    fn carry_out(
        &self,
        call: &mut Call,
        data: &mut Data,
        id_type: IdType,
        fault: Option<&Fault>,
    ) -> Result<Reply, Refusal> {
        let hidden = match fault {
            Some(Fault::NotApplied(field)) => Some(*field),
            _ => None,
        };
        let context =
            Context { product: &self.product.name, creation: self.product.creation, id_type, hidden, now: call.at };
        let upsert = Upsert::parse(&call.body)?;
        if let Some(Fault::SecondWriter(field)) = fault {
            data.store.second_writer(&context, &upsert, *field);
        }
        let (created, customer) = data.store.upsert(&context, upsert)?;
        call.action = Some(if created { "created" } else { "updated" });
        let reply = match fault {
            Some(Fault::Altered(alteration)) => Reply::altered(created, customer, *alteration),
            _ => Reply::accepted(created, customer),
        };
        data.unsaved += 1;
        Ok(reply)
    }
}

impl Shared {
    /// The product whose key the request carries: `Authorization: Bearer <key>`, nothing less.
    fn authenticate(&self, headers: &HeaderMap) -> Option<&Served> {
        let key = headers.get(header::AUTHORIZATION)?.as_bytes().strip_prefix(b"Bearer ")?;
        self.products.iter().find(|served| served.product.key.expose_secret().as_bytes() == key)
    }

    /// A call that has just come.
    fn call(&self, served: Option<&Served>, body: Bytes) -> Call {
        Call {
            number: 0,
            at: (self.now)(),
            elapsed: self.started.elapsed(),
            product: served.map(|served| served.name.clone()),
            id_type: None,
            body,
            status: None,
            action: None,
            fault: None,
        }
    }

    /// Logs a call whose body does not matter, and refuses it.
    fn refuse(&self, served: Option<&Served>, refusal: Refusal) -> Response {
        self.answer(self.call(served, Bytes::new()), refusal.into())
    }

    /// Logs a call with its reply.
    fn answer(&self, mut call: Call, reply: Reply) -> Response {
        call.status = Some(reply.status);
        lock(&self.log).push(call);
        respond(reply)
    }

    /// Logs a call that gets no reply; what is returned never reaches the client, whose line is cut.
    fn cut(&self, call: Call) -> Response {
        lock(&self.log).push(call);
        Response::new(Body::empty())
    }

    /// How many upserts no save has seen yet.
    pub(super) fn unsaved(&self) -> u64 {
        self.products.iter().map(|served| lock(&served.data).unsaved).sum()
    }
}

/// The e-mail that a body carries, lower-case.
fn email_of(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    body.get("email")?.as_str().map(str::to_lowercase)
}

fn respond(reply: Reply) -> Response {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().extend(reply.headers);
    response
}

/// How long the server waits for requests under way when it is stopped.
pub(super) const STOP_PATIENCE: Duration = Duration::from_secs(5);
