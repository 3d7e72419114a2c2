//! A bucket of a server that speaks S3, whichever it is. Requests are signed, for servers that look at it.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use object_store::aws::{AwsAuthorizer, AwsCredential};
use object_store::client::HttpRequestBody;
use tempfile::NamedTempFile;

use super::{Bucket, Server, encoded, fresh_name};
use crate::http::Response;

const REGION: &str = "us-east-1";

/// What S3 calls access key and secret.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub id: String,
    pub secret: String,
}

/// A bucket that is made for one test.
pub struct S3Bucket {
    server: Arc<Server>,
    name: String,
    key: Key,
    credentials: NamedTempFile,
    /// The server looks at signatures.
    strict: bool,
    /// Keys become paths of files, with what those cannot be.
    on_files: bool,
}

impl S3Bucket {
    pub(super) fn new(server: &Arc<Server>, key: &Key, strict: bool, on_files: bool) -> S3Bucket {
        let credentials = credentials(key);
        let bucket = S3Bucket { server: Arc::clone(server), name: fresh_name(), key: key.clone(), credentials, strict, on_files };
        bucket.create();
        bucket
    }

    /// Makes it again after its server has lost it.
    pub fn create(&self) {
        self.good("PUT", &format!("/{}", self.name), &[], b"");
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The server's own listing of a folder's first children, as XML.
    pub fn first_page(&self, folder: &str, children: usize) -> Response {
        let target = format!("/{}?delimiter=%2F&list-type=2&max-keys={children}&prefix={}%2F", self.name, encoded(folder));
        self.good("GET", &target, &[], b"")
    }

    /// The file that a store's option `credentials` names.
    pub fn credentials(&self) -> &Path {
        self.credentials.path()
    }

    fn target(&self, key: &str) -> String {
        format!("/{}/{}", self.name, encoded(key))
    }

    #[track_caller]
    fn good(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
        let mut request = http::Request::builder().method(method).uri(format!("http://{}{target}", self.server.address()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(HttpRequestBody::from(body.to_vec())).expect("a request");
        let credential = AwsCredential { key_id: self.key.id.clone(), secret_key: self.key.secret.clone(), token: None };
        AwsAuthorizer::new(&credential, "s3", REGION).try_authorize(&mut request, None).expect("a signature");
        let signed: Vec<(&str, &str)> =
            request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().expect("text"))).collect();
        self.server.tell(method, target, &signed, body)
    }

    fn named(&self, address: SocketAddr, name: &str, prefix: &str, credentials: &Path) -> String {
        let credentials = credentials.display();
        format!("s3://{name}/{}?endpoint=http://{address}&region={REGION}&credentials={credentials}", encoded(prefix))
    }
}

impl Bucket for S3Bucket {
    fn url_at(&self, address: SocketAddr, prefix: &str) -> Option<String> {
        Some(self.named(address, &self.name, prefix, self.credentials.path()))
    }

    fn server(&self) -> Option<&Server> {
        Some(&self.server)
    }

    fn put_as(&self, key: &str, bytes: &[u8], content_encoding: Option<&str>) {
        let headers: Vec<(&str, &str)> = content_encoding.map(|coding| ("content-encoding", coding)).into_iter().collect();
        self.good("PUT", &self.target(key), &headers, bytes);
    }

    fn delete(&self, key: &str) {
        self.good("DELETE", &self.target(key), &[], b"");
    }

    fn can_hold(&self, key: &str) -> bool {
        if self.on_files {
            return key
                .split('/')
                .all(|segment| !segment.is_empty() && segment != "." && segment != ".." && segment.len() <= 255);
        }
        // moto's router takes no line break.
        !key.contains('\n')
    }

    fn url_of_a_missing_one(&self) -> Option<String> {
        Some(self.named(self.server.address(), &fresh_name(), "", self.credentials.path()))
    }

    fn url_that_is_denied(&self) -> Option<String> {
        let wrong = Key { id: self.key.id.clone(), secret: "not-the-secret".to_owned() };
        let (_, file) = credentials(&wrong).keep().expect("a file that stays");
        self.strict.then(|| self.named(self.server.address(), &self.name, "", &file))
    }
}

fn credentials(key: &Key) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a file for credentials");
    writeln!(file, "AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}", key.id, key.secret).expect("credentials");
    file
}
