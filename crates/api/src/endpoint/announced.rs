//! Telling the audience what clients do with a resource.

use super::Resolved;
use crate::{Announcer, Answer, Fault, Notice, Phase, Request};
use serde_json::{Map, Value, json};
use world::Record;

impl<R: Record> Resolved<R> {
    /// Does it and tells the audience, if there is one.
    pub(super) async fn announced(
        &self,
        request: &Request<'_>,
        action: &str,
        id: Option<&str>,
        doing: impl Future<Output = Result<Answer, Fault>>,
    ) -> Result<Answer, Fault> {
        let Some(Announcer(audience)) = request.frame.settings.find::<Announcer>() else { return doing.await };
        let tell = |phase, payload| audience.hear(&request.caller, Notice { resource: self.resource.name, action, phase, payload });
        let named = format!("{}_id", self.resource.name);
        let asked: Option<Map<String, Value>> = serde_json::from_slice(request.body).ok();
        match (action, asked) {
            ("delete", _) => tell(Phase::Start, json!({ named.as_str(): id })),
            ("create", Some(body)) if !body.is_empty() => tell(Phase::Start, body.into()),
            ("update", Some(mut body)) if !body.is_empty() => {
                body.insert("id".to_owned(), id.into());
                tell(Phase::Start, body.into());
            }
            _ => {}
        }
        let removed = if action == "delete" { id.and_then(|id| self.shown(request, id)) } else { None };
        let answer = doing.await?;
        let mut payload = removed.unwrap_or_else(|| serde_json::from_slice(&answer.body).unwrap_or_else(|_| json!({})));
        if action == "delete" {
            payload[named] = id.into();
        }
        tell(Phase::End, payload);
        Ok(answer)
    }

    /// The record as it is now, as the caller sees it.
    fn shown(&self, request: &Request<'_>, id: &str) -> Option<Value> {
        let world = request.frame.store.world();
        let view = self.view(request.frame, &world, &request.caller, self.find(&world, id)?);
        serde_json::from_slice(&self.one(request, 200, &view).body).ok()
    }
}
