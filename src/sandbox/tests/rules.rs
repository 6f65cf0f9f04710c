//! Every rule of the vendor's page.

use super::{KEY, NOW, call, customer, exchange, export, settings, start, upsert};
use serde_json::{Value, json};

#[tokio::test]
async fn a_creation_shows_every_documented_member_and_null_where_nothing_is_known() {
    let sandbox = start(settings(true, ""), vec![]).await;
    let headers = [("Authorization", KEY), ("X-Customer-Id-Type", "external")];
    let body = r#"{"email":" Jane@Example.COM","external_id":"u1","mrr":99,"subscription_status":"active"}"#;
    let (status, _, text) = call(&sandbox, "POST /api/v1/customers", &headers, body).await.unwrap();
    let id = export(&sandbox)[0]["tether_id"].as_str().unwrap().to_owned();
    assert!(uuid::Uuid::parse_str(&id).is_ok());
    let expected = format!(
        r#"{{"action":"created","customer":{{"tether_id":"{id}","external_id":"u1","email":"jane@example.com","name":null,"company_name":null,"stripe_customer_id":null,"mrr":99,"subscription_status":"active","auto_renew":null,"period_end":null,"last_activity":null,"created_at":"{NOW}","updated_at":"{NOW}"}},"health_score":74}}"#
    );
    assert_eq!((status, text), (201, expected));
}

#[tokio::test]
async fn an_update_leaves_absent_null_and_read_only_members_alone() {
    let sandbox = start(settings(false, ""), vec![customer(Some("u1"), "jane@example.com")]).await;
    let first = r#"{"external_id":"u1","name":"Jane","period_end":"2026-12-31","mrr":12.30}"#;
    assert_eq!(upsert(&sandbox, "external", first).await.0, 200);
    let second = r#"{"external_id":"u1","name":null,"mrr":null,"stripe_customer_id":"cus_9","tether_id":"x",
        "created_at":"2000-01-01T00:00:00Z","updated_at":3,"mood":"good","auto_renew":true}"#;
    let (status, reply) = upsert(&sandbox, "external", second).await;
    assert_eq!((status, &reply["action"]), (200, &json!("updated")));
    let shown = &reply["customer"];
    for (member, expected) in [
        ("tether_id", json!("t-jane@example.com")),
        ("name", json!("Jane")),
        ("mrr", json!(12.30)),
        ("period_end", json!("2026-12-31T00:00:00Z")),
        ("stripe_customer_id", json!("cus_1")),
        ("created_at", json!("2025-01-15T10:00:00Z")),
        ("updated_at", json!(NOW)),
        ("auto_renew", json!(true)),
    ] {
        assert_eq!(shown[member], expected, "{member}");
    }
}

#[tokio::test]
async fn money_comes_back_digit_by_digit_as_it_was_sent() {
    let sandbox = start(settings(true, ""), vec![]).await;
    for number in ["0.1", "12.30", "90071992547409.93", "9007199254740993", "1e2", "-0.05"] {
        let headers = [("Authorization", KEY)];
        let body = format!(r#"{{"email":"a@example.com","mrr":{number}}}"#);
        let (_, _, text) = call(&sandbox, "POST /api/v1/customers", &headers, &body).await.unwrap();
        assert!(text.contains(&format!(r#""mrr":{number},"#)), "{number}: {text}");
    }
}

/// Seeds: A has external id `a` and a@example.com, B only b@example.com, C external id `c` and c@example.com.
#[tokio::test]
async fn lookup_creation_and_conflicts_follow_the_documented_order() {
    let created = (201, "created");
    let updated = (200, "updated");
    let disabled = (422, "CREATION_DISABLED");
    let taken = (409, "CONFLICT");
    let invalid = (400, "VALIDATION_ERROR");
    for (creation, id_type, body, expected, member, value) in [
        (false, "email", r#"{"email":"A@example.com"}"#, updated, "external_id", "a"),
        (false, "email", r#"{"email":"b@example.com","external_id":"new"}"#, updated, "external_id", "new"),
        (false, "email", r#"{"email":"a@example.com","external_id":"new"}"#, updated, "external_id", "new"),
        (false, "email", r#"{"email":"b@example.com","external_id":"a"}"#, taken, "field", "external_id"),
        (false, "email", r#"{"email":"z@example.com","external_id":"a"}"#, disabled, "", ""),
        (true, "email", r#"{"email":"z@example.com","external_id":"a"}"#, taken, "field", "external_id"),
        (true, "email", r#"{"external_id":"a"}"#, invalid, "field", "email"),
        (false, "email", r#"{"external_id":"a"}"#, disabled, "", ""),
        (false, "external", r#"{"external_id":"a"}"#, updated, "email", "a@example.com"),
        (false, "external", r#"{"external_id":"a","email":"z@example.com"}"#, updated, "email", "z@example.com"),
        (false, "external", r#"{"external_id":"a","email":"b@example.com"}"#, taken, "field", "email"),
        (false, "external", r#"{"external_id":"new","email":"b@example.com"}"#, updated, "external_id", "new"),
        (false, "external", r#"{"email":"c@example.com"}"#, updated, "external_id", "c"),
        (false, "external", r#"{"external_id":"new","email":"z@example.com"}"#, disabled, "", ""),
        (true, "external", r#"{"external_id":"new","email":"z@example.com"}"#, created, "external_id", "new"),
        (true, "external", r#"{"external_id":"new"}"#, invalid, "field", "email"),
    ] {
        let seed = [(Some("a"), "a@example.com"), (None, "b@example.com"), (Some("c"), "c@example.com")];
        let seed = seed.map(|(external_id, email)| customer(external_id, email)).to_vec();
        let sandbox = start(settings(creation, ""), seed).await;
        let before = export(&sandbox);
        let (status, reply) = upsert(&sandbox, id_type, body).await;
        let word = reply["action"].as_str().or(reply["code"].as_str()).unwrap();
        assert_eq!((status, word), expected, "{id_type} {body}");
        let shown = if status < 300 { &reply["customer"] } else { &reply };
        assert_eq!(shown[member].as_str().unwrap_or(""), value, "{id_type} {body}");
        if status >= 400 {
            assert_eq!(export(&sandbox), before, "a refusal changed something: {id_type} {body}");
        }
    }
}

#[tokio::test]
async fn an_address_given_up_can_be_taken_by_another_customer() {
    let seed = vec![customer(Some("a"), "a@example.com"), customer(Some("b"), "b@example.com")];
    let sandbox = start(settings(true, ""), seed).await;
    assert_eq!(upsert(&sandbox, "external", r#"{"external_id":"a","email":"z@example.com"}"#).await.0, 200);
    assert_eq!(upsert(&sandbox, "external", r#"{"external_id":"b","email":"a@example.com"}"#).await.0, 200);
    let (status, reply) = upsert(&sandbox, "email", r#"{"email":"b@example.com"}"#).await;
    assert_eq!((status, reply["action"].as_str()), (201, Some("created")));
}

#[tokio::test]
async fn the_refusal_of_a_creation_has_the_vendors_text() {
    let sandbox = start(settings(false, ""), vec![]).await;
    let expected = json!({
        "error": "Customer not found and customer creation via API is disabled for this product. Enable it in Settings → Products → [product] → API.",
        "code": "CREATION_DISABLED"
    });
    assert_eq!(upsert(&sandbox, "email", r#"{"email":"a@example.com"}"#).await, (422, expected));
}

#[tokio::test]
async fn a_body_that_cannot_be_meant_is_refused_and_the_field_named() {
    let sandbox = start(settings(true, ""), vec![]).await;
    for (body, code, field) in [
        ("", "INVALID_JSON", None),
        ("{", "INVALID_JSON", None),
        ("[\"a@example.com\"]", "INVALID_JSON", None),
        ("null", "INVALID_JSON", None),
        ("{}", "VALIDATION_ERROR", None),
        (r#"{"email":null}"#, "VALIDATION_ERROR", None),
        (r#"{"email":"jane"}"#, "VALIDATION_ERROR", Some("email")),
        (r#"{"email":""}"#, "VALIDATION_ERROR", Some("email")),
        (r#"{"email":7}"#, "VALIDATION_ERROR", Some("email")),
        (r#"{"email":"a@example.com","external_id":7}"#, "VALIDATION_ERROR", Some("external_id")),
        (r#"{"email":"a@example.com","name":["x"]}"#, "VALIDATION_ERROR", Some("name")),
        (r#"{"email":"a@example.com","company_name":true}"#, "VALIDATION_ERROR", Some("company_name")),
        (r#"{"email":"a@example.com","mrr":"99"}"#, "VALIDATION_ERROR", Some("mrr")),
        (r#"{"email":"a@example.com","mrr":1e400}"#, "VALIDATION_ERROR", Some("mrr")),
        (r#"{"email":"a@example.com","mrr":NaN}"#, "INVALID_JSON", None),
        (r#"{"email":"a@example.com","subscription_status":1}"#, "VALIDATION_ERROR", Some("subscription_status")),
        (r#"{"email":"a@example.com","auto_renew":"yes"}"#, "VALIDATION_ERROR", Some("auto_renew")),
        (r#"{"email":"a@example.com","period_end":"31/12/2026"}"#, "VALIDATION_ERROR", Some("period_end")),
        (r#"{"email":"a@example.com","last_activity":"2026-13-01"}"#, "VALIDATION_ERROR", Some("last_activity")),
        (r#"{"email":"a@example.com","last_activity":1767225600}"#, "VALIDATION_ERROR", Some("last_activity")),
    ] {
        let (status, reply) = upsert(&sandbox, "email", body).await;
        assert_eq!((status, reply["code"].as_str(), reply["field"].as_str()), (400, Some(code), field), "{body}");
    }
    assert_eq!(export(&sandbox), Vec::<Value>::new());
}

#[tokio::test]
async fn only_a_bearer_key_of_a_product_opens_it_and_products_cannot_see_one_another() {
    let sandbox = start(settings(false, ""), vec![customer(Some("u1"), "jane@example.com")]).await;
    let body = r#"{"email":"jane@example.com"}"#;
    let unauthorized = r#"{"error":"Unauthorized","code":"UNAUTHORIZED"}"#;
    for (key, expected) in [
        (None, 401),
        (Some("key-of-core"), 401),
        (Some("Bearer key-of-nobody"), 401),
        (Some("Bearer key-of-cor"), 401),
        (Some("Basic key-of-core"), 401),
        (Some("Bearer key-of-core"), 200),
        // The other product's gate is open and it does not know Jane.
        (Some("Bearer key-of-side"), 201),
    ] {
        let headers: Vec<_> = key.map(|key| ("Authorization", key)).into_iter().collect();
        let (status, _, text) = call(&sandbox, "POST /api/v1/customers", &headers, body).await.unwrap();
        assert_eq!(status, expected, "{key:?}");
        assert_eq!(status == 401, text == unauthorized, "{key:?}: {text}");
    }
    assert_eq!(export(&sandbox).len(), 1);
}

#[tokio::test]
async fn another_id_type_path_method_or_a_huge_body_is_refused() {
    let sandbox = start(settings(true, ""), vec![]).await;
    let huge = format!(r#"{{"email":"a@example.com","name":"{}"}}"#, "x".repeat(1 << 20));
    let small = r#"{"email":"a@example.com"}"#;
    for (line, id_type, body, expected, code) in [
        ("POST /api/v1/customers", "stripe", small, 400, "INVALID_ID_TYPE"),
        ("GET /api/v1/customers", "email", "", 405, "METHOD_NOT_ALLOWED"),
        ("DELETE /api/v1/customers", "email", "", 405, "METHOD_NOT_ALLOWED"),
        ("POST /api/v1/customer", "email", small, 404, "NOT_FOUND"),
        ("POST /api/v1/customers/", "email", small, 404, "NOT_FOUND"),
        ("GET /", "email", "", 404, "NOT_FOUND"),
        ("POST /api/v1/customers", "email", &huge, 413, "PAYLOAD_TOO_LARGE"),
    ] {
        let headers = [("Authorization", KEY), ("X-Customer-Id-Type", id_type)];
        let (status, _, text) = call(&sandbox, line, &headers, body).await.unwrap();
        assert_eq!(status, expected, "{line} {id_type}");
        assert!(text.contains(code), "{line}: {text}");
    }
    assert_eq!(export(&sandbox), Vec::<Value>::new());
}

#[tokio::test]
async fn one_connection_carries_many_calls() {
    let sandbox = start(settings(true, ""), vec![]).await;
    let body = r#"{"email":"a@example.com"}"#;
    let request = |connection: &str| {
        format!(
            "POST /api/v1/customers HTTP/1.1\r\nHost: a\r\nAuthorization: {KEY}\r\nConnection: {connection}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let both = request("keep-alive") + &request("close");
    let (first, _, rest) = exchange(sandbox.address(), both.as_bytes()).await.unwrap();
    assert_eq!((first, rest.contains("HTTP/1.1 200 OK")), (201, true));
}
