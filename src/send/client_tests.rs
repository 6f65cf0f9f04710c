//! The real client against a server of a few lines: what is ambiguous, what is not, what is never done.

use super::{ApiKey, Client, ClientError, IdType, MAX_REPLY_BYTES, Reply, SystemClock, Transport, TransportError};
use secrecy::SecretString;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const BODY: &[u8] = br#"{"email":"a@example.com"}"#;

fn client(url: &str) -> Result<Client, ClientError> {
    let key = ApiKey::new(&SecretString::from("tk_live_0123456789")).unwrap();
    Client::new(&url.parse().unwrap(), &[key], Duration::from_millis(600), 4, Arc::new(SystemClock))
}

/// A server that reads each request whole and answers it with the next of `answers` (`None`: it hangs up; an empty one:
/// it says nothing), closing the connection after each. Returns its address and the requests.
async fn server(answers: Vec<Option<Vec<u8>>>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&requests);
    tokio::spawn(async move {
        let mut silent = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = vec![0; 4096];
            let mut length = 0;
            while !bytes[..length].ends_with(BODY) {
                length += stream.read(&mut bytes[length..]).await.unwrap();
            }
            seen.lock().unwrap().push(String::from_utf8_lossy(&bytes[..length]).into_owned());
            match answer {
                Some(answer) if answer.is_empty() => silent.push(stream),
                // A client that has read enough may hang up first.
                Some(answer) => drop(stream.write_all(&answer).await),
                None => drop(stream),
            }
        }
        std::future::pending::<()>().await;
    });
    (url, requests)
}

async fn answered(answer: Option<Vec<u8>>) -> (Result<Reply, TransportError>, Vec<String>) {
    // Were the client to try again or to follow, the second answer would tell.
    let second = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_vec();
    let (url, requests) = server(vec![answer, Some(second)]).await;
    let result = client(&url).unwrap().attempt(0, IdType::External, BODY).await;
    let requests = requests.lock().unwrap().clone();
    (result, requests)
}

#[tokio::test]
async fn a_reply_that_did_not_come_whole_is_ambiguous_and_nothing_is_sent_twice() {
    let long = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", MAX_REPLY_BYTES + 1);
    let long = [long.as_bytes(), &vec![b' '; MAX_REPLY_BYTES + 1]].concat();
    for (what, answer, status) in [
        ("hung up", None, None),
        ("no reply in time", Some(Vec::new()), None),
        ("half a head", Some(b"HTTP/1.1 200 O".to_vec()), None),
        ("no HTTP", Some(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()), None),
        ("half a body", Some(b"HTTP/1.1 201 Created\r\ncontent-length: 90\r\n\r\n{\"act".to_vec()), Some(201)),
        ("half a chunk", Some(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\n{\"a".to_vec()), Some(200)),
        ("too long a body", Some(long), Some(200)),
    ] {
        let (result, requests) = answered(answer).await;
        let error = result.unwrap_err();
        assert_eq!((error.left, error.status), (true, status), "{what}: {error:?}");
        assert_eq!(requests.len(), 1, "{what}");
        assert!(!error.text.contains("tk_live"), "{what}: {error:?}");
    }
}

#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = client(&format!("http://{address}")).unwrap().attempt(0, IdType::Email, BODY).await.unwrap_err();
    assert!(!error.left && error.status.is_none(), "{error:?}");
    // A listener that speaks no TLS: the handshake fails before the request leaves.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    });
    let error = client(&format!("https://{address}")).unwrap().attempt(0, IdType::Email, BODY).await.unwrap_err();
    assert!(!error.left, "{error:?}");
}

#[tokio::test]
async fn a_redirect_is_returned_and_never_followed() {
    let answer = b"HTTP/1.1 307 Temporary Redirect\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n".to_vec();
    let (result, requests) = answered(Some(answer)).await;
    assert_eq!(result.unwrap().status, 307);
    assert_eq!(requests.len(), 1);
}

#[tokio::test]
async fn the_request_is_the_documented_one_and_the_reply_brings_its_wait() {
    let answer = b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\nx-ratelimit-reset: 9\r\n\
        date: Sun, 01 Nov 2026 06:00:00 GMT\r\ncontent-length: 2\r\n\r\n{}"
        .to_vec();
    let (result, requests) = answered(Some(answer)).await;
    let reply = result.unwrap();
    assert_eq!(
        (reply.status, reply.wait, reply.body.as_slice()),
        (429, Some(Duration::from_secs(9)), b"{}".as_slice())
    );
    let request = requests[0].to_lowercase();
    for part in [
        "post /api/v1/customers http/1.1\r\n",
        "authorization: bearer tk_live_0123456789\r\n",
        "x-customer-id-type: external\r\n",
        "content-type: application/json\r\n",
    ] {
        assert!(request.contains(part), "{part} in {request}");
    }
}

#[test]
fn a_key_is_never_sent_in_the_clear_over_a_network() {
    for (url, allowed) in [
        ("https://tether.example.com", true),
        ("http://127.0.0.1:8080", true),
        ("http://[::1]:8080", true),
        ("http://localhost:8080", true),
        ("http://tether.example.com", false),
        ("http://10.0.0.1", false),
        ("http://localhost.example.com", false),
        ("file:///etc/passwd", false),
    ] {
        assert_eq!(client(url).is_ok(), allowed, "{url}");
    }
}

#[tokio::test]
async fn connections_are_used_again_until_a_reply_of_another_request_came() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let accepted = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&accepted);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            *counted.lock().unwrap() += 1;
            tokio::spawn(async move {
                let mut bytes = vec![0; 4096];
                while stream.read(&mut bytes).await.unwrap_or(0) > 0 {
                    if bytes.windows(BODY.len()).any(|part| part == BODY) {
                        bytes.fill(0);
                        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
                    }
                }
            });
        }
    });
    let client = client(&url).unwrap();
    for (afresh, connections) in [(false, 1), (false, 1), (true, 2), (false, 2)] {
        if afresh {
            client.start_afresh();
        }
        assert_eq!(client.attempt(0, IdType::External, BODY).await.unwrap().status, 200);
        assert_eq!(*accepted.lock().unwrap(), connections);
    }
}
