//! What several operations have in common is said once, among the document's components, and referred to.

use serde_json::{Map, Value, json};
use std::collections::{BTreeSet, HashMap};

/// A reference to a component.
pub(super) fn reference(section: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{section}/{name}") })
}

/// The parameters that several operations take.
pub(super) struct Parameters {
    /// The name of each among the components, by what it is.
    names: HashMap<String, String>,
}

impl Parameters {
    /// Of these operations: what each is about, and its parameters.
    pub(super) fn of(operations: impl IntoIterator<Item = (String, Vec<Value>)>) -> Parameters {
        let (mut uses, mut forms): (HashMap<String, usize>, HashMap<String, usize>) = Default::default();
        let mut several: Vec<(String, String, String)> = Vec::new();
        for (about, parameters) in operations {
            for parameter in parameters {
                let (text, name) = (parameter.to_string(), plain(&parameter));
                let count = uses.entry(text.clone()).or_default();
                *count += 1;
                if *count == 2 {
                    *forms.entry(name.clone()).or_default() += 1;
                    several.push((text, name, about.replace('/', ".")));
                }
            }
        }
        // `limit` is the same everywhere; what `fields` may say is each collection's own.
        let mut taken = BTreeSet::new();
        let named = several.into_iter().filter_map(|(text, name, about)| {
            let name = if forms[&name] == 1 { name } else { format!("{about}.{name}") };
            taken.insert(name.clone()).then_some((text, name))
        });
        Parameters { names: named.collect() }
    }

    /// A parameter of an operation, by reference where others have it.
    pub(super) fn referred(&self, parameter: Value, components: &mut Map<String, Value>) -> Value {
        let Some(name) = self.names.get(&parameter.to_string()) else { return parameter };
        components.entry(name.clone()).or_insert(parameter);
        reference("parameters", name)
    }
}

/// A parameter's name in letters that names of components may have.
fn plain(parameter: &Value) -> String {
    let name = parameter["name"].as_str().unwrap_or_default();
    let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' }).collect();
    if parameter["in"] == "path" { format!("path.{name}") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_several_take_is_said_once() {
        let limit = json!({"name": "limit", "in": "query"});
        let fields = |word: &str| json!({"name": "fields", "in": "query", "schema": {"enum": [word]}});
        let own = json!({"name": "router:external", "in": "query"});
        let id = json!({"name": "id", "in": "path"});
        let operations = [
            ("a", vec![limit.clone(), fields("x"), own.clone(), id.clone()]),
            ("a", vec![fields("x")]),
            ("b/c", vec![limit.clone(), fields("y"), id.clone()]),
            ("b/c", vec![fields("y"), fields("z")]),
        ];
        let parameters = Parameters::of(operations.map(|(about, parameters)| (about.to_owned(), parameters)));
        let mut components = Map::new();
        let mut referred = |parameter: Value| parameters.referred(parameter, &mut components);
        assert_eq!(referred(limit), json!({"$ref": "#/components/parameters/limit"}));
        assert_eq!(referred(id), json!({"$ref": "#/components/parameters/path.id"}));
        assert_eq!(referred(fields("x")), json!({"$ref": "#/components/parameters/a.fields"}));
        assert_eq!(referred(fields("y")), json!({"$ref": "#/components/parameters/b.c.fields"}));
        assert_eq!(referred(fields("z")), fields("z"), "asked once");
        assert_eq!(referred(own.clone()), own);
        assert_eq!(components.keys().collect::<Vec<_>>(), ["limit", "path.id", "a.fields", "b.c.fields"]);
        assert_eq!(components["b.c.fields"], fields("y"));
    }
}
