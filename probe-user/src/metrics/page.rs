//! What is answered to which request.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{ACCEPT, ALLOW, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Method, Response, StatusCode};
use probe_core::metrics::Format;

/// An answer that is there as a whole.
pub type Answer = Response<Full<Bytes>>;

/// Where a reader has gone to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// `/metrics`, in this format.
    Metrics(Format),
    /// `/`.
    Index,
    /// Nothing is there.
    Nowhere,
    /// Neither GET nor HEAD.
    NotAllowed,
}

impl Page {
    /// Of a request.
    pub fn of(method: &Method, path: &str, headers: &HeaderMap) -> Self {
        match path {
            "/" | "/metrics" if method != Method::GET && method != Method::HEAD => Self::NotAllowed,
            "/" => Self::Index,
            "/metrics" => {
                // A list may be cut into several headers.
                let accepts: Vec<&str> = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
                Self::Metrics(Format::for_accept(&accepts.join(",")))
            }
            _ => Self::Nowhere,
        }
    }
}

/// The metrics.
pub fn metrics(format: Format, text: Bytes) -> Answer {
    answer(StatusCode::OK, format.media_type(), text)
}

/// The page that leads to them.
pub fn index() -> Answer {
    const PAGE: &str = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>linkprobe</title></head>\n\
        <body><h1>linkprobe</h1><p><a href=\"/metrics\">Metrics</a></p></body></html>\n";
    answer(StatusCode::OK, "text/html; charset=utf-8", Bytes::from_static(PAGE.as_bytes()))
}

/// That there are none, in words.
pub fn failed(status: StatusCode, text: &'static str) -> Answer {
    let mut answer = answer(status, "text/plain; charset=utf-8", Bytes::from_static(text.as_bytes()));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    answer
}

/// The head of an answer only, with the length of its body.
pub fn head(mut answer: Answer, length: usize) -> Answer {
    answer.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    *answer.body_mut() = Full::default();
    answer
}

fn answer(status: StatusCode, media_type: &'static str, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    answer
}
