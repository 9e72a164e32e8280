//! Answers without Nova: from the descriptions of instances that `neutrino instance` writes.

use crate::serve::{Body, content, status};
use bytes::Bytes;
use http::{Response, StatusCode};
use intent::MetadataClient;
use metadata::describe::Instance;
use metadata::tree::{Node, Tree};
use std::path::Path;
use uuid::Uuid;

/// What is at a path for this client.
pub(crate) fn answer(directory: &Path, client: &MetadataClient, path: &str) -> Response<Body> {
    let Some(instance) = instance(directory, client) else {
        return status(StatusCode::NOT_FOUND, "nothing is known of this instance");
    };
    match Tree::of(&instance).get(path) {
        Some(Node::File(bytes)) if path.ends_with(".json") => content(Bytes::copy_from_slice(bytes), "application/json"),
        Some(Node::File(bytes)) => content(Bytes::copy_from_slice(bytes), "text/plain; charset=UTF-8"),
        Some(Node::Listing(text)) => content(Bytes::from(text), "text/plain; charset=UTF-8"),
        None => status(StatusCode::NOT_FOUND, "there is no such path"),
    }
}

/// The description of a client's instance. Whoever owns a port may say that it is anybody's device: the project must be the same.
fn instance(directory: &Path, client: &MetadataClient) -> Option<Instance> {
    let id: Uuid = client.instance_id.parse().ok()?;
    let text = std::fs::read_to_string(directory.join(format!("{id}.json"))).ok()?;
    match serde_json::from_str::<Instance>(&text) {
        Ok(instance) => (instance.project_id == client.project_id).then_some(instance),
        Err(error) => {
            tracing::error!(instance = %id, %error, "its description makes no sense");
            None
        }
    }
}
