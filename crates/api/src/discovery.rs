//! What clients ask first: versions, resources, extensions.

use crate::answer::Answering;
use crate::{Answer, Collection, Extension, Fault, Request, Route, json, schema};

/// The answer at `/`: the one version there is. `base` is how the client reached this server, without a slash at the end.
pub(crate) fn versions(base: &str) -> Answer {
    let mut out = br#"{"versions": [{"id": "v2.0", "status": "CURRENT", "links": [{"rel": "self", "href": "#.to_vec();
    json::string(&mut out, &format!("{base}/v2.0/"));
    out.extend_from_slice(b"}]}]}");
    Answer::json(200, out)
}

/// The answer at `/v2.0/`: the core resources, as name and collection.
pub(crate) fn resources(base: &str, core: &[(&str, String)]) -> Answer {
    let mut out = b"{\"resources\": [".to_vec();
    for (i, (name, collection)) in core.iter().enumerate() {
        out.extend_from_slice(if i > 0 { b", {\"name\": " } else { b"{\"name\": " });
        json::string(&mut out, name);
        out.extend_from_slice(b", \"collection\": ");
        json::string(&mut out, collection);
        out.extend_from_slice(b", \"links\": [{\"rel\": \"self\", \"href\": ");
        json::string(&mut out, &format!("{base}/v2.0/{collection}"));
        out.extend_from_slice(b"}]}");
    }
    out.extend_from_slice(b"]}");
    Answer::json(200, out)
}

/// What the frame itself does for every resource.
pub(crate) fn own() -> impl Iterator<Item = Extension> {
    OWN.into_iter().map(|[alias, name, description, updated]| Extension { alias, name, description, updated })
}

/// Alias, name, description, time.
const OWN: [[&str; 4]; 13] = [
    ["empty-string-filtering", "Empty String Filtering Extension", "An empty filter value finds empty texts.", "2018-05-01T10:00:00-00:00"],
    ["filter-validation", "Filter parameters validation", "Filters that mean nothing are refused.", "2018-07-04T10:00:00-00:00"],
    ["pagination", "Pagination support", "Lists can be read page by page.", "2016-06-12T00:00:00-00:00"],
    ["project-id", "project_id field enabled", "Owners are shown and taken as project_id too.", "2016-09-09T09:09:09-09:09"],
    ["quota-check-limit", "Quota engine limit check", "A limit below what is in use is refused.", "2021-09-08T16:00:00-00:00"],
    [
        "quota-check-limit-default",
        "Quota engine limit check by default",
        "A limit below what is in use is refused unless forced.",
        "2024-08-21T16:00:00-00:00",
    ],
    ["quota_details", "Quota details management support", "Shows what of a quota is in use.", "2017-02-10T10:00:00-00:00"],
    ["quotas", "Quota management support", "Limits the resources of each project.", "2012-07-29T10:00:00-00:00"],
    [
        "revision-if-match",
        "If-Match constraints based on revision_number",
        "Changes can be made to depend on a revision.",
        "2016-12-11T00:00:00-00:00",
    ],
    ["sorting", "Sorting support", "Lists can be sorted.", "2016-06-12T00:00:00-00:00"],
    ["standard-attr-description", "standard-attr-description", "Resources have a description.", "2016-02-10T10:00:00-00:00"],
    ["standard-attr-revisions", "Resource revision numbers", "Resources tell their revision.", "2016-04-11T10:00:00-00:00"],
    ["standard-attr-timestamp", "Resource timestamps", "Resources tell when they were made and changed.", "2016-09-12T10:00:00-00:00"],
];

/// `/v2.0/extensions`.
pub(crate) struct Extensions(Vec<Extension>);

impl Collection for Extensions {
    fn routes(&self) -> Vec<Route> {
        let text = || schema::text(usize::MAX);
        let members = ["name", "alias", "description", "updated"].map(|name| (name, text()));
        let form = schema::titled("Extension", schema::object(members.into_iter().chain([("links", schema::list(schema::any()))])));
        let one = Route::get("/{alias}", schema::wrapped("extension", form.clone()));
        vec![Route::get("", schema::wrapped("extensions", schema::list(form))), Route { has_plain_404: true, ..one }]
    }

    fn handle<'a>(&'a self, request: &'a Request<'a>) -> Answering<'a> {
        Box::pin(std::future::ready(self.answer(request)))
    }
}

impl Extensions {
    /// These, by alias.
    pub(crate) fn new(mut extensions: Vec<Extension>) -> Extensions {
        extensions.sort_unstable_by_key(|extension| extension.alias);
        extensions.dedup_by_key(|extension| extension.alias);
        Extensions(extensions)
    }

    fn answer(&self, request: &Request<'_>) -> Result<Answer, Fault> {
        match (request.method.as_str(), request.path.as_slice()) {
            ("GET", []) => {
                let mut out = b"{\"extensions\": [".to_vec();
                for (i, extension) in self.0.iter().enumerate() {
                    if i > 0 {
                        out.extend_from_slice(b", ");
                    }
                    write(extension, &mut out);
                }
                out.extend_from_slice(b"]}");
                Ok(Answer::json(200, out))
            }
            ("GET", [alias]) => match self.0.iter().find(|extension| extension.alias == alias) {
                Some(extension) => {
                    let mut out = b"{\"extension\": ".to_vec();
                    write(extension, &mut out);
                    out.push(b'}');
                    Ok(Answer::json(200, out))
                }
                None => Ok(not_found(&format!("Extension with alias {alias} does not exist"))),
            },
            (_, [] | [_]) => Ok(not_found("")),
            _ => Err(Fault::no_such_path()),
        }
    }
}

fn write(extension: &Extension, out: &mut Vec<u8>) {
    let members =
        [("name", extension.name), ("alias", extension.alias), ("description", extension.description), ("updated", extension.updated)];
    out.push(b'{');
    for (name, value) in members {
        json::string(out, name);
        out.extend_from_slice(b": ");
        json::string(out, value);
        out.extend_from_slice(b", ");
    }
    out.extend_from_slice(b"\"links\": []}");
}

/// 404 in plain text: what is not below `/v2.0/`, and unknown extensions.
pub(crate) fn not_found(detail: &str) -> Answer {
    Answer::text(404, format!("404 Not Found\n\nThe resource could not be found.\n\n {detail}  "))
}

/// 405 at `/`, in plain text.
pub(crate) fn root_not_allowed() -> Answer {
    Answer::text(405, "405 Method Not Allowed\n\nThe method is not allowed for this resource.\n\n")
}
