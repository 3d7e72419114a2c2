//! From the library's errors to ours. Only status, code and cause are kept: servers repeat signatures and keys in what they
//! answer, and URLs may hold passwords.

use crate::error::Error;

/// What a person needs to know of a failed request.
pub(super) fn failure(error: &object_store::Error) -> Error {
    use object_store::Error as Library;
    // Without the outermost words: they repeat the location, in which somebody may have written what is looked for here.
    let text = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    // The library has errors of its own for these when it reads an object, but not when it lists.
    if let Some(code) = code(&text).filter(|code| is_bucket(code)) {
        return Error::Missing(format!("there is no such bucket or container ({code})"));
    }
    let is_status = |number: &str| status(&text).is_some_and(|status| status.starts_with(number));
    match error {
        Library::NotFound { .. } if text.contains("bucket does not exist") => {
            Error::Missing("there is no such bucket".to_owned())
        }
        Library::NotFound { .. } => Error::NotFound,
        _ if is_status("403") || matches!(error, Library::PermissionDenied { .. }) => {
            Error::Denied(with_code("403 Forbidden; see which rights the credentials have", &text))
        }
        _ if is_status("401") || matches!(error, Library::Unauthenticated { .. }) => {
            Error::Denied(with_code("401 Unauthorized; see whether the credentials are right", &text))
        }
        Library::InvalidPath { source } => Error::Key(source.to_string()),
        Library::NotImplemented { .. } | Library::NotSupported { .. } => Error::NotListed,
        Library::UnknownConfigurationKey { key, .. } => Error::Unavailable(format!("unknown option {key}")),
        _ if is_about_credentials(&text) => {
            Error::Denied("no credentials were found in the environment, in files, or from this machine's identity".to_owned())
        }
        _ => Error::Unavailable(match status(&text) {
            Some(status) => with_code(status, &text),
            None => cause(error),
        }),
    }
}

/// The chain's last error: what the network said, without the URL.
fn cause(error: &object_store::Error) -> String {
    let mut last: &dyn std::error::Error = error;
    let mut before = None;
    while let Some(source) = last.source() {
        before = Some(last);
        last = source;
    }
    match before {
        Some(_) => last.to_string(),
        None => "it failed".to_owned(),
    }
}

/// `status code: 503 Service Unavailable`, without the words before it.
fn status(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("status code: ")?;
    let end = rest.find([':', '\n', '<']).unwrap_or(rest.len());
    rest.get(..end.min(60)).map(str::trim)
}

/// The code in an XML answer: S3 and Azure have one.
fn code(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    (code.len() <= 60 && code.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(code)
}

fn with_code(what: &str, text: &str) -> String {
    match code(text) {
        Some(code) => format!("{what} ({code})"),
        None => what.to_owned(),
    }
}

fn is_bucket(code: &str) -> bool {
    matches!(code, "NoSuchBucket" | "ContainerNotFound" | "ContainerBeingDeleted")
}

/// The addresses from which clouds hand out identities.
fn is_about_credentials(text: &str) -> bool {
    ["169.254.169.254", "169.254.170.2", "metadata.google.internal", "Missing AccessKey"].iter().any(|sign| text.contains(sign))
}
