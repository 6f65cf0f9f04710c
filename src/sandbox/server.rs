//! The running sandbox: start, export, save, stop.

use super::calls::{Call, CallLog};
use super::connection::{CuttableListener, Door, Line};
use super::customer::Customer;
use super::endpoint::{Data, STOP_PATIENCE, Served, Shared, lock, router};
use super::state::{self, StateWriter};
use super::{SandboxError, SandboxSettings};
use crate::model::TetherCustomer;
use secrecy::ExposeSecret;
use std::io::{BufWriter, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use url::Url;

/// How often the log is handed to the system and a save is considered.
const TICK: Duration = Duration::from_secs(1);
/// Upserts after which a save does not wait for its turn.
const MANY_UNSAVED: u64 = 50_000;
/// The longest that an upsert waits to be saved, in ticks.
const SAVE_EVERY: u32 = 10;

/// A running local Tether. Dropping it ends the server without saving; [`Sandbox::stop`] saves.
pub struct Sandbox {
    address: SocketAddr,
    url: Url,
    shared: Arc<Shared>,
    state_file: Option<PathBuf>,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<Result<(), String>>,
    keeper: JoinHandle<()>,
}

impl Sandbox {
    /// Listens on `listen` (port 0: any free one) and serves. The state file is read when there is one; only when there
    /// is none yet, `seed` gives each product its first customers.
    ///
    /// # Errors
    /// Contradictory products, an address that is taken, files that cannot be read or written, a damaged state file.
    pub async fn start<C>(
        listen: SocketAddr,
        settings: SandboxSettings,
        seed: impl IntoIterator<Item = (String, C)>,
    ) -> Result<Self, SandboxError>
    where
        C: IntoIterator<Item = TetherCustomer>,
    {
        let shared = Arc::new(prepare(&settings, seed)?);
        if let Some(path) = settings.state_file.clone().filter(|path| !path.exists()) {
            // What it begins with is kept at once: killed before its first save, it goes on with the same customers.
            let shared = shared.clone();
            blocking(move || save(&shared, &path)).await?;
        }
        let refuse = |source| SandboxError::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(refuse)?;
        let address = listener.local_addr().map_err(refuse)?;
        let url = Url::parse(&format!("http://{address}")).map_err(|error| SandboxError::Server(error.to_string()))?;
        let (stop, stopped) = oneshot::channel::<()>();
        let listener = CuttableListener::new(listener, address, &shared.door);
        let service = router(shared.clone()).into_make_service_with_connect_info::<Line>();
        let server = tokio::spawn(async move {
            axum::serve(listener, service)
                .with_graceful_shutdown(async {
                    // A sender that is gone means the same as one that spoke.
                    let _ = stopped.await;
                })
                .await
                .map_err(|error| error.to_string())
        });
        let keeper = tokio::spawn(keep(shared.clone(), settings.state_file.clone()));
        Ok(Self { address, url, shared, state_file: settings.state_file, stop: Some(stop), server, keeper })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as the configuration's `[tether] url` takes it.
    pub fn url(&self) -> Url {
        self.url.clone()
    }

    /// Writes the customers of `product` as an export that `[existing]` reads: one customer object per line, the oldest
    /// first. Returns how many.
    ///
    /// # Errors
    /// No such product, or `out` cannot be written.
    pub fn export(&self, product: &str, out: &mut dyn Write) -> Result<u64, SandboxError> {
        let served = self
            .shared
            .products
            .iter()
            .find(|served| served.product.name == product)
            .ok_or_else(|| SandboxError::Products(format!("there is no product `{product}`")))?;
        let data = lock(&served.data);
        let mut out = BufWriter::with_capacity(1 << 18, out);
        for customer in data.store.customers() {
            serde_json::to_writer(&mut out, customer)
                .map_err(std::io::Error::from)
                .and_then(|()| out.write_all(b"\n"))
                .map_err(SandboxError::Export)?;
        }
        out.flush().map_err(SandboxError::Export)?;
        Ok(data.store.customers().len() as u64)
    }

    /// The last calls (at most 100,000), the earliest first.
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.shared.log).last()
    }

    /// How many calls came in all, refused ones included.
    pub fn calls_total(&self) -> u64 {
        lock(&self.shared.log).total()
    }

    /// Lets the requests under way end, saves the state and the log.
    ///
    /// # Errors
    /// The server had ended by itself, or a file cannot be written.
    pub async fn stop(mut self) -> Result<(), SandboxError> {
        if let Some(stop) = self.stop.take() {
            // A server that is gone is told below.
            let _ = stop.send(());
        }
        self.keeper.abort();
        let ended = match tokio::time::timeout(STOP_PATIENCE, &mut self.server).await {
            // A client that keeps its connection busy does not keep the sandbox from stopping.
            Err(_) => {
                self.server.abort();
                Ok(())
            }
            Ok(Ok(ended)) => ended.map_err(SandboxError::Server),
            Ok(Err(error)) => Err(SandboxError::Server(error.to_string())),
        };
        let (shared, state_file) = (self.shared.clone(), self.state_file.clone());
        blocking(move || {
            let saved = state_file.map_or(Ok(()), |path| save(&shared, &path));
            saved.and(lock(&shared.log).flush())
        })
        .await?;
        ended
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.server.abort();
        self.keeper.abort();
    }
}

/// Checks the products and fills their stores.
fn prepare<C: IntoIterator<Item = TetherCustomer>>(
    settings: &SandboxSettings,
    seed: impl IntoIterator<Item = (String, C)>,
) -> Result<Shared, SandboxError> {
    let mut data: Vec<Data> = settings.products.iter().map(|_| Data::default()).collect();
    for (index, product) in settings.products.iter().enumerate() {
        let before = &settings.products[..index];
        if before.iter().any(|other| other.name == product.name) {
            return Err(SandboxError::Products(format!("two are named `{}`", product.name)));
        }
        if let Some(other) = before.iter().find(|other| other.key.expose_secret() == product.key.expose_secret()) {
            return Err(SandboxError::Products(format!("`{}` and `{}` have one key", other.name, product.name)));
        }
    }
    let names: Vec<&str> = settings.products.iter().map(|product| product.name.as_str()).collect();
    if let Some((line, stranger)) = settings.faults.stranger(&names) {
        let names = names.join(", ");
        return Err(SandboxError::Products(format!(
            "line {line} of the faults is about `{stranger}`, and there is only {names}"
        )));
    }
    let place = |name: &str| {
        let index = settings.products.iter().position(|product| product.name == name);
        index.ok_or_else(|| format!("there is no product `{name}`"))
    };
    let known = match &settings.state_file {
        None => false,
        Some(path) => state::load(path, |product, customer| {
            data[place(product)?].store.insert(customer);
            Ok(())
        })?,
    };
    if !known {
        let now = (settings.now)();
        for (product, customers) in seed {
            let data = &mut data[place(&product).map_err(SandboxError::Products)?];
            for customer in customers {
                let key = customer.tether_id.as_ref().or(customer.external_id.as_ref()).or(customer.email.as_ref());
                let key = key.cloned().unwrap_or_default();
                let customer = Customer::from_export(customer, || data.store.next_tether_id(&product), now)
                    .map_err(|detail| SandboxError::Seed { product: product.clone(), key, detail })?;
                data.store.insert(customer);
                data.unsaved += 1;
            }
        }
    }
    let serve = |(product, data): (&super::SandboxProduct, Data)| Served {
        product: product.clone(),
        name: product.name.as_str().into(),
        data: Mutex::new(data),
    };
    Ok(Shared {
        products: settings.products.iter().zip(data).map(serve).collect(),
        log: Mutex::new(CallLog::open(settings.log_file.as_deref())?),
        asks_for_email: settings.faults.ask_for_email(),
        faults: settings.faults.clone(),
        door: Door::new(),
        now: settings.now.clone(),
        saving: Mutex::new(()),
        started: tokio::time::Instant::now(),
    })
}

/// Hands the log to the system and saves what changed, again and again. What fails here fails again, and is told, when
/// the sandbox stops.
async fn keep(shared: Arc<Shared>, state_file: Option<PathBuf>) {
    let mut idle = 0;
    loop {
        tokio::time::sleep(TICK).await;
        let (shared, path) = (shared.clone(), state_file.clone());
        let unsaved = shared.unsaved();
        idle += 1;
        let save_now = unsaved > 0 && (idle >= SAVE_EVERY || unsaved >= MANY_UNSAVED);
        let began = tokio::time::Instant::now();
        let _ = blocking(move || {
            lock(&shared.log).flush()?;
            path.filter(|_| save_now).map_or(Ok(()), |path| save(&shared, &path))
        })
        .await;
        if save_now {
            idle = 0;
            // A large state is saved less often: a twentieth of the time at most goes into saving.
            tokio::time::sleep(began.elapsed() * 20).await;
        }
    }
}

/// Writes every product's customers to the state file. Each product is locked only while its customers are written out.
fn save(shared: &Shared, path: &std::path::Path) -> Result<(), SandboxError> {
    // One at a time, so that an earlier state never replaces a later one.
    let _saving = lock(&shared.saving);
    if shared.unsaved() == 0 && path.exists() {
        return Ok(());
    }
    let mut writer = StateWriter::begin(path)?;
    let mut seen = Vec::new();
    for served in &shared.products {
        let data = lock(&served.data);
        writer.write(&served.product.name, data.store.customers())?;
        seen.push(data.unsaved);
    }
    writer.finish()?;
    for (served, seen) in shared.products.iter().zip(seen) {
        lock(&served.data).unsaved -= seen;
    }
    Ok(())
}

/// Runs file work off the threads that serve.
async fn blocking(work: impl FnOnce() -> Result<(), SandboxError> + Send + 'static) -> Result<(), SandboxError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(SandboxError::Server(error.to_string())))
}
