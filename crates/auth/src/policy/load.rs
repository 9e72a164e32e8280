//! Where rules come from: the defaults that are part of the program, and the operator's `policy.yaml` over them.

use super::check::Check;
use super::parse::{ParseError, parse};
use super::{Policy, RuleId};
use serde_yaml_ng::Value as Yaml;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

const DEFAULTS: &str = include_str!("../../policies/default.txt");

/// Where a rule comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// The defaults of the Networking API.
    Default,
    /// The operator's file.
    Operator,
    /// Nowhere: the name behaves as the rule `default`.
    Missing,
}

/// Why a policy file is refused.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not YAML.
    #[error("{file}: not valid YAML: {source}")]
    Yaml {
        /// The file.
        file: String,
        /// What the parser said, with line and column.
        source: serde_yaml_ng::Error,
    },
    /// The file is YAML but not a mapping of rule names to check strings.
    #[error("{file}: {problem}")]
    Shape {
        /// The file.
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// A check string does not parse.
    #[error("{file}{}: rule '{rule}': {source} (in \"{text}\")", line.map(|line| format!(" line {line}")).unwrap_or_default())]
    Rule {
        /// The file.
        file: String,
        /// Line of the rule, counted from 1, where it could be found.
        line: Option<usize>,
        /// Name of the rule.
        rule: String,
        /// The check string.
        text: String,
        /// What is wrong with it.
        source: ParseError,
    },
    /// Rules that refer to each other in a circle.
    #[error("rules refer to each other in a circle: {}", .0.join(" -> "))]
    Cycle(Vec<String>),
}

/// One rule's text before parsing, and where it stands.
struct Text {
    check: String,
    source: Source,
    line: Option<usize>,
}

impl Policy {
    /// The default rules alone.
    pub fn defaults() -> Self {
        Self::build("", "").expect("the default rules parse, as the tests show")
    }

    /// The default rules with those of a `policy.yaml` over them. Unknown names are logged as warnings.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        let yaml = std::fs::read_to_string(path).map_err(|source| LoadError::Read { path: path.to_owned(), source })?;
        Self::from_yaml(&yaml, &path.display().to_string())
    }

    /// As [`Self::load`] for text at hand; `file` names it in messages.
    pub fn from_yaml(yaml: &str, file: &str) -> Result<Self, LoadError> {
        let policy = Self::build(yaml, file)?;
        for warning in &policy.warnings {
            tracing::warn!("{warning}");
        }
        Ok(policy)
    }

    fn build(yaml: &str, file: &str) -> Result<Self, LoadError> {
        let mut texts: BTreeMap<String, Text> = defaults()
            .map(|(name, check)| (name.to_owned(), Text { check: check.to_owned(), source: Source::Default, line: None }))
            .collect();
        for (name, check) in operator_rules(yaml, file)? {
            let line = line_of(yaml, &name);
            texts.insert(name, Text { check, source: Source::Operator, line });
        }
        let mut policy =
            Policy { rules: Vec::new(), names: HashMap::new(), default: RuleId(0), context_is_admin: RuleId(0), warnings: Vec::new() };
        for (name, text) in &texts {
            policy.insert(name, text.source, || Check::False);
        }
        policy.default = policy.names["default"];
        policy.context_is_admin = policy.names["context_is_admin"];
        for (name, text) in &texts {
            let check = parse(&text.check, &mut |reference| policy.intern(reference)).map_err(|source| LoadError::Rule {
                file: if text.source == Source::Operator { file.to_owned() } else { "default rules".to_owned() },
                line: text.line,
                rule: name.clone(),
                text: text.check.clone(),
                source,
            })?;
            let id = policy.names[name.as_str()];
            policy.rules[id.index()].check = check;
        }
        policy.refuse_cycles()?;
        policy.warn_about_names(file);
        Ok(policy)
    }

    fn warn_about_names(&mut self, file: &str) {
        let mut referenced = vec![false; self.rules.len()];
        let mut warnings = Vec::new();
        for rule in &self.rules {
            rule.check.references(&mut |reference| {
                referenced[reference.index()] = true;
                if self.source(reference) == Source::Missing {
                    let missing = self.name(reference);
                    warnings.push(format!("{file}: rule '{}' refers to '{missing}', which does not exist: 'default' is used", rule.name));
                }
            });
        }
        for (rule, referenced) in self.rules.iter().zip(referenced) {
            let unused = rule.source == Source::Operator && !referenced;
            if unused && !defaults().any(|(name, _)| name == rule.name) {
                warnings.push(format!("{file}: rule '{}' is not known and not used by another rule", rule.name));
            }
        }
        self.warnings = warnings;
    }

    fn refuse_cycles(&self) -> Result<(), LoadError> {
        let mut state = vec![Visit::New; self.rules.len()];
        for index in 0..self.rules.len() {
            let mut path = Vec::new();
            if self.reaches_itself(index, &mut state, &mut path) {
                return Err(LoadError::Cycle(path.into_iter().map(|index| self.rules[index].name.to_string()).collect()));
            }
        }
        Ok(())
    }

    /// Depth-first search; on a circle `path` is left holding it, its first rule repeated at the end.
    fn reaches_itself(&self, index: usize, state: &mut [Visit], path: &mut Vec<usize>) -> bool {
        match state[index] {
            Visit::Done => return false,
            Visit::Open => {
                let start = path.iter().position(|seen| *seen == index).expect("open rules are on the path");
                path.drain(..start);
                path.push(index);
                return true;
            }
            Visit::New => {}
        }
        state[index] = Visit::Open;
        path.push(index);
        let mut references = Vec::new();
        self.rules[index].check.references(&mut |rule| references.push(rule.index()));
        for reference in references {
            if self.reaches_itself(reference, state, path) {
                return true;
            }
        }
        path.pop();
        state[index] = Visit::Done;
        false
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    New,
    Open,
    Done,
}

/// The default rules: name and check string.
pub(super) fn defaults() -> impl Iterator<Item = (&'static str, &'static str)> {
    DEFAULTS.lines().filter(|line| !line.starts_with('#')).map(|line| match line.split_once(": ") {
        Some(pair) => pair,
        None => (line.trim_end_matches(':'), ""),
    })
}

fn operator_rules(yaml: &str, file: &str) -> Result<Vec<(String, String)>, LoadError> {
    let shape = |problem: String| LoadError::Shape { file: file.to_owned(), problem };
    let document: Yaml = serde_yaml_ng::from_str(yaml).map_err(|source| LoadError::Yaml { file: file.to_owned(), source })?;
    let mapping = match document {
        Yaml::Null => return Ok(Vec::new()),
        Yaml::Mapping(mapping) => mapping,
        _ => return Err(shape("a mapping of rule names to check strings is expected".to_owned())),
    };
    let mut rules = Vec::with_capacity(mapping.len());
    for (name, check) in mapping {
        let Yaml::String(name) = name else {
            return Err(shape(format!("a rule name must be text, not {name:?}")));
        };
        let check = check_string(&check)
            .ok_or_else(|| shape(format!("rule '{name}': a check string or a list of checks (or of lists of checks) is expected")))?;
        rules.push((name, check));
    }
    Ok(rules)
}

/// A check string from YAML: text as it is; a list means `or` of its entries, a list within it `and`.
fn check_string(value: &Yaml) -> Option<String> {
    let Yaml::Sequence(alternatives) = value else {
        return match value {
            Yaml::String(text) => Some(text.clone()),
            Yaml::Null => Some(String::new()),
            _ => None,
        };
    };
    let mut parts = Vec::with_capacity(alternatives.len());
    for alternative in alternatives {
        match alternative {
            Yaml::String(text) => parts.push(text.clone()),
            Yaml::Sequence(all) if !all.is_empty() => {
                let all: Option<Vec<&str>> = all.iter().map(Yaml::as_str).collect();
                parts.push(format!("({})", all?.join(" and ")));
            }
            _ => return None,
        }
    }
    Some(parts.join(" or "))
}

/// The line (from 1) on which a rule stands in block style, quoted or not.
fn line_of(yaml: &str, name: &str) -> Option<usize> {
    let is_key = |line: &str| {
        let quote = line.chars().next().filter(|first| matches!(first, '"' | '\''));
        let rest = line.trim_start_matches(['"', '\'']).strip_prefix(name);
        let rest = rest.and_then(|rest| quote.map_or(Some(rest), |quote| rest.strip_prefix(quote)));
        rest.and_then(|rest| rest.trim_start().strip_prefix(':')).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
    };
    yaml.lines().position(is_key).map(|index| index + 1)
}
