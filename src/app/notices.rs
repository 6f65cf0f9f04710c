//! `notify test`, and what `config check` says of notices and proxies: who would be told, by host alone.

use super::exit::{AppError, ExitCode};
use super::{Context, night};
use crate::config::{self, Proxy, Settings, When, place, read_proxy};
use crate::notify::{Ended, Notifier};
use secrecy::ExposeSecret;
use std::ffi::OsString;
use std::fmt::{self, Write as _};

/// Tells everybody that this is a test, and says who was reached. Must be called inside a tokio runtime.
///
/// # Errors
/// [`AppError::Configuration`] where there is nobody to be told.
pub async fn test(context: &Context<'_>) -> Result<(ExitCode, String), AppError> {
    let settings = config::load(&context.config)?;
    let nobody = || {
        let said = "nobody is to be told; write slack, webhook or ping under [notify]";
        AppError::Configuration(said.into())
    };
    let notifier = Notifier::new(&settings.notify, context.env).ok_or_else(nobody)?;
    let now = context.now();
    let told = notifier
        .test(&Ended {
            name: night::name(&settings, &context.config),
            run_id: context.run_id(),
            command: "notify test",
            exit_code: 0,
            meaning: "a test; no run was made",
            started_at: now,
            ended_at: now,
            error: None,
            todo: None,
            figures: None,
        })
        .await;
    if told.is_empty() {
        return Err(nobody());
    }
    let mut text = String::new();
    let mut code = ExitCode::Done;
    for one in told {
        let host = one.host.as_deref().map(|host| format!(" at {host}")).unwrap_or_default();
        let result = match one.result {
            Ok(()) => "told".to_owned(),
            Err(why) => {
                code = match (&one.host, code) {
                    // An address that is not there is no passing trouble.
                    (None, _) => ExitCode::Credentials,
                    (Some(_), ExitCode::Done) => ExitCode::Incomplete,
                    (Some(_), worse) => worse,
                };
                format!("NOT TOLD: {why}")
            }
        };
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{}{host}: {result}", one.who);
    }
    if let Some(why) = notifier.metrics_have_no_folder() {
        code = ExitCode::Configuration;
        let _ = writeln!(text, "metrics: NOT WRITTEN: {why}");
    }
    Ok((code, text))
}

/// The end of the page that `config check` prints; empty where nobody is told and no proxy is used.
pub fn describe(settings: &Settings, env: &dyn Fn(&str) -> Option<OsString>) -> Result<String, fmt::Error> {
    let mut text = String::new();
    let notify = &settings.notify;
    if let Some(notifier) = Notifier::new(notify, env) {
        writeln!(text, "\nTold how a run ended")?;
        for (who, address) in notifier.addresses() {
            match address {
                Ok(address) => writeln!(text, "  {who} at {}", address.host())?,
                Err(error) => writeln!(text, "  {who} NOT THERE: {error}")?,
            }
        }
        if let Some(path) = &notify.metrics {
            let there = if notifier.metrics_have_no_folder().is_some() { ", whose folder is NOT THERE" } else { "" };
            writeln!(text, "  metrics in {}{there}", path.display())?;
        }
        let when = match notify.when {
            When::Change => "what changed, and recovery",
            When::Problem => "every end that is not 0, and recovery",
            When::Always => "every end",
        };
        let codes: Vec<String> = notify.success.iter().map(u8::to_string).collect();
        writeln!(text, "  webhooks: {when}; success: exit codes {}", codes.join(", "))?;
        writeln!(text, "  `tether-recon notify test` tries them")?;
    }
    for (who, proxy) in [("Tether", &settings.tether.proxy), ("Notices", &notify.proxy)] {
        if let Some(proxy) = proxy {
            writeln!(text, "\n{who} through the proxy {}", shown(proxy, env))?;
        }
    }
    Ok(text)
}

/// Host and port of a proxy, or why it has none.
fn shown(proxy: &Proxy, env: &dyn Fn(&str) -> Option<OsString>) -> String {
    let source = match proxy {
        Proxy::Open(url) => return url.to_string(),
        Proxy::Secret(source) => source,
    };
    match read_proxy(proxy, env) {
        Ok(address) => {
            let url = url::Url::parse(address.expose_secret()).ok();
            let host = url.as_ref().and_then(|url| Some((url.host_str()?, url.port_or_known_default()?)));
            let host = host.map_or_else(|| "without a host".to_owned(), |(host, port)| format!("{host}:{port}"));
            format!("{host} ({})", place(source))
        }
        Err(error) => format!("NOT THERE: {}", error.of_an_address()),
    }
}
