//! Check strings to trees. `not` binds tightest, then `and`, then `or`; keywords in any case; tokens are separated by
//! blanks and parentheses, as in oslo.policy.

use super::RuleId;
use super::check::{Check, Credential, Operand, Pattern};
use smol_str::SmolStr;

/// Deepest nesting of parentheses and `not` that a check string may have.
const MAX_DEPTH: usize = 64;

/// Why a check string is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The string ends where a check is expected.
    #[error("a check is expected at the end")]
    Unfinished,
    /// A word that does not fit where it stands.
    #[error("'{0}' is not expected here")]
    Unexpected(String),
    /// An opening parenthesis without its closing one.
    #[error("a closing parenthesis is missing")]
    Unclosed,
    /// A check without `kind:`.
    #[error("'{0}' is not a check; checks have the form kind:match")]
    NotACheck(String),
    /// A kind of check or a property of the caller that does not exist here.
    #[error("'{0}' is not a kind of check that is supported")]
    UnknownKind(String),
    /// A pattern beyond literal prefixes.
    #[error("the pattern '{0}' is not supported; only ^prefix, ^prefix.* and ^text$ are")]
    Pattern(String),
    /// A `%(…)s` that is malformed or mixed with other text.
    #[error("'{0}' is neither plain text nor a single %(attribute)s")]
    Substitution(String),
    /// Parentheses or negations nested beyond reason.
    #[error("nested deeper than 64 levels")]
    TooDeep,
}

#[derive(Debug, PartialEq, Eq)]
enum Token<'a> {
    Open,
    Close,
    And,
    Or,
    Not,
    Check(&'a str),
}

/// Parses a check string; `resolve` gives the handle for a rule name.
pub(super) fn parse(text: &str, resolve: &mut dyn FnMut(&str) -> RuleId) -> Result<Check, ParseError> {
    let tokens = tokenize(text);
    if tokens.is_empty() {
        return Ok(Check::True);
    }
    let mut parser = Parser { tokens: &tokens, position: 0, resolve };
    let check = parser.disjunction(0)?;
    match parser.next() {
        None => Ok(check),
        Some(token) => Err(ParseError::Unexpected(token.to_string())),
    }
}

fn tokenize(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    for word in text.split_whitespace() {
        let opened = word.trim_start_matches('(');
        tokens.extend((0..word.len() - opened.len()).map(|_| Token::Open));
        let bare = opened.trim_end_matches(')');
        match bare {
            "" => {}
            _ if bare.eq_ignore_ascii_case("and") => tokens.push(Token::And),
            _ if bare.eq_ignore_ascii_case("or") => tokens.push(Token::Or),
            _ if bare.eq_ignore_ascii_case("not") => tokens.push(Token::Not),
            _ => tokens.push(Token::Check(bare)),
        }
        tokens.extend((0..opened.len() - bare.len()).map(|_| Token::Close));
    }
    tokens
}

impl std::fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Token::Open => "(",
            Token::Close => ")",
            Token::And => "and",
            Token::Or => "or",
            Token::Not => "not",
            Token::Check(text) => text,
        })
    }
}

struct Parser<'a, 'r> {
    tokens: &'a [Token<'a>],
    position: usize,
    resolve: &'r mut dyn FnMut(&str) -> RuleId,
}

impl<'a> Parser<'a, '_> {
    fn next(&mut self) -> Option<&'a Token<'a>> {
        let token = self.tokens.get(self.position);
        self.position += 1;
        token
    }

    fn accept(&mut self, wanted: &Token<'_>) -> bool {
        let found = self.tokens.get(self.position) == Some(wanted);
        self.position += usize::from(found);
        found
    }

    fn disjunction(&mut self, depth: usize) -> Result<Check, ParseError> {
        let mut parts = vec![self.conjunction(depth)?];
        while self.accept(&Token::Or) {
            parts.push(self.conjunction(depth)?);
        }
        Ok(join(parts, Check::Or))
    }

    fn conjunction(&mut self, depth: usize) -> Result<Check, ParseError> {
        let mut parts = vec![self.factor(depth)?];
        while self.accept(&Token::And) {
            parts.push(self.factor(depth)?);
        }
        Ok(join(parts, Check::And))
    }

    fn factor(&mut self, depth: usize) -> Result<Check, ParseError> {
        if depth >= MAX_DEPTH {
            return Err(ParseError::TooDeep);
        }
        match self.next() {
            None => Err(ParseError::Unfinished),
            Some(Token::Not) => Ok(Check::Not(Box::new(self.factor(depth + 1)?))),
            Some(Token::Open) => {
                let inner = self.disjunction(depth + 1)?;
                if self.accept(&Token::Close) { Ok(inner) } else { Err(ParseError::Unclosed) }
            }
            Some(Token::Check(text)) => self.single(text),
            Some(token) => Err(ParseError::Unexpected(token.to_string())),
        }
    }

    fn single(&mut self, text: &str) -> Result<Check, ParseError> {
        match text {
            "@" => return Ok(Check::True),
            "!" => return Ok(Check::False),
            _ => {}
        }
        let (kind, rest) = text.split_once(':').ok_or_else(|| ParseError::NotACheck(text.to_owned()))?;
        match kind {
            "rule" => Ok(Check::Rule((self.resolve)(rest))),
            "role" => match operand(rest)? {
                Operand::Literal(role) => Ok(Check::Role(SmolStr::new(role.to_ascii_lowercase()))),
                attribute => Ok(Check::RoleOf(attribute)),
            },
            "field" => field(rest),
            _ => {
                let operand = operand(rest)?;
                if let Some(credential) = credential(kind) {
                    Ok(Check::Credential(credential, operand))
                } else if let Some(literal) = literal(kind) {
                    Ok(Check::Literal(literal, operand))
                } else {
                    Err(ParseError::UnknownKind(kind.to_owned()))
                }
            }
        }
    }
}

fn join(mut parts: Vec<Check>, make: impl FnOnce(Box<[Check]>) -> Check) -> Check {
    if parts.len() == 1 { parts.remove(0) } else { make(parts.into()) }
}

fn credential(kind: &str) -> Option<Credential> {
    Some(match kind {
        "user_id" | "user" => Credential::UserId,
        "user_name" => Credential::UserName,
        "user_domain_id" | "user_domain" => Credential::UserDomain,
        "project_id" | "tenant_id" | "tenant" | "project" => Credential::Project,
        "project_name" | "tenant_name" => Credential::ProjectName,
        "project_domain_id" | "project_domain" => Credential::ProjectDomain,
        "roles" => Credential::Roles,
        "service_roles" => Credential::ServiceRoles,
        "is_admin" => Credential::IsAdmin,
        "system_scope" => Credential::SystemScope,
        _ => return None,
    })
}

/// A Python literal before the colon: quoted text, `True`, `False`, `None` or a number.
fn literal(kind: &str) -> Option<SmolStr> {
    for quote in ['\'', '"'] {
        if let Some(inner) = kind.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return Some(SmolStr::new(inner));
        }
    }
    let known = matches!(kind, "True" | "False" | "None") || kind.parse::<i64>().is_ok();
    known.then(|| SmolStr::new(kind))
}

fn operand(text: &str) -> Result<Operand, ParseError> {
    let Some(rest) = text.strip_prefix("%(") else {
        let plain = !text.contains('%');
        return if plain { Ok(Operand::Literal(SmolStr::new(text))) } else { Err(ParseError::Substitution(text.to_owned())) };
    };
    let name = rest.strip_suffix(")s").filter(|name| !name.is_empty() && !name.contains(['%', '(', ')']));
    let name = name.ok_or_else(|| ParseError::Substitution(text.to_owned()))?;
    let name = name.strip_prefix("target.").unwrap_or(name);
    Ok(match name.rsplit_once(':') {
        _ if matches!(name, "project_id" | "tenant_id") => Operand::ProjectId,
        Some((parent, "project_id" | "tenant_id")) => Operand::ParentProjectId(SmolStr::new(parent)),
        _ => Operand::Field(SmolStr::new(name)),
    })
}

fn field(text: &str) -> Result<Check, ParseError> {
    let malformed = || ParseError::NotACheck(format!("field:{text}"));
    let (collection, rest) = text.split_once(':').ok_or_else(malformed)?;
    let (name, value) = rest.split_once('=').ok_or_else(malformed)?;
    if collection.is_empty() || name.is_empty() {
        return Err(malformed());
    }
    let pattern = match value.strip_prefix('~') {
        Some(expression) => pattern(expression)?,
        None => Pattern::Equals(SmolStr::new(value)),
    };
    Ok(Check::Field { collection: SmolStr::new(collection), name: SmolStr::new(name), pattern })
}

/// A regular expression that is matched from the beginning of the value and consists of literal text.
fn pattern(expression: &str) -> Result<Pattern, ParseError> {
    let body = expression.strip_prefix('^').unwrap_or(expression);
    let (body, whole) = match body.strip_suffix('$') {
        Some(body) => (body, true),
        None => (body.strip_suffix(".*").unwrap_or(body), false),
    };
    if body.contains(['\\', '.', '*', '+', '?', '[', ']', '{', '}', '|', '(', ')', '^', '$']) {
        return Err(ParseError::Pattern(expression.to_owned()));
    }
    let text = SmolStr::new(body);
    Ok(if whole { Pattern::Matches(text) } else { Pattern::StartsWith(text) })
}
