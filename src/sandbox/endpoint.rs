//! What happens to one request: key, header, fault, body, upsert, log, reply.

use super::SandboxProduct;
use super::calls::{Call, CallLog};
use super::connection::Line;
use super::faults::{Fault, FaultCounter, Faults, WaitIn};
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
    let email = shared.faults.name_customers().then(|| email_of(&body)).flatten();
    let (fault, slow) = shared.faults.next(&mut lock(&served.data).counter, shared.started.elapsed(), email.as_deref());
    if let Some(slow) = slow {
        tokio::time::sleep(slow).await;
    }
    let fault_word = fault.map(Fault::as_str).or(slow.map(|_| "slow"));
    let id_type = IdType::parse(parts.headers.get("x-customer-id-type").map(HeaderValue::as_bytes));
    let mut call = shared.call(Some(served), body);
    call.id_type = id_type.as_ref().ok().map(|id_type| id_type.as_str());
    call.fault = fault_word;

    // Decided by the fault before anything is done.
    let refusal = match fault {
        Some(Fault::Unauthorized) => Some(Refusal::Unauthorized),
        Some(Fault::Limited { wait_seconds }) => Some(Refusal::RateLimited { wait_seconds, in_body: true }),
        Some(Fault::RateLimit(fault)) => {
            Some(Refusal::RateLimited { wait_seconds: fault.wait_seconds, in_body: fault.place == WaitIn::Body })
        }
        Some(Fault::Rejected) => Some(Refusal::Rejected),
        Some(Fault::ServerError(fault)) if !fault.applied => Some(Refusal::ServerError { status: fault.status.get() }),
        _ => None,
    };
    if let Some(refusal) = refusal {
        return shared.answer(call, refusal.into());
    }
    if fault == Some(Fault::Reset) {
        line.reset();
        return shared.cut(call);
    }

    let hidden = match fault {
        Some(Fault::NotApplied(field)) => Some(field),
        _ => None,
    };
    let done = |call: &mut Call, data: &mut Data| {
        let context = Context {
            product: &served.product.name,
            creation: served.product.creation,
            id_type: id_type?,
            hidden,
            now: call.at,
        };
        let (created, customer) = data.store.upsert(&context, Upsert::parse(&call.body)?)?;
        call.action = Some(if created { "created" } else { "updated" });
        let reply = Reply::accepted(created, customer);
        data.unsaved += 1;
        Ok::<_, Refusal>(reply)
    };
    // The product stays locked until the call is in the log, so that the log's order is the order of effects.
    let mut data = lock(&served.data);
    let reply = done(&mut call, &mut data).unwrap_or_else(Reply::from);
    match fault {
        Some(Fault::ServerError(fault)) => {
            shared.answer(call, Refusal::ServerError { status: fault.status.get() }.into())
        }
        Some(Fault::Garbage) => shared.answer(call, Reply::garbage()),
        Some(Fault::LostReply) => {
            line.close();
            shared.cut(call)
        }
        _ => shared.answer(call, reply),
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
    if let Some(seconds) = reply.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// How long the server waits for requests under way when it is stopped.
pub(super) const STOP_PATIENCE: Duration = Duration::from_secs(5);
