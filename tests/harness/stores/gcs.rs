//! Google Cloud Storage, by two servers that know a part of it each.
//!
//! fake-gcs-server has it in the memory of one process. It checks no credentials, and of its XML API it has only what most
//! programs need to read: listings without pages, and a failure of its own for those of missing buckets. Google made that API
//! in the shape of S3's, so that moto answers what is asked in its words too, and takes what is put there.

use std::io::Write;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;

use tempfile::NamedTempFile;

use super::{Bucket, S3Bucket, Server, fresh_name, tool};

/// A bucket of S3, as a client of Google's XML API sees it.
pub struct XmlBucket {
    bucket: S3Bucket,
    /// The key of an account that asks nobody for tokens.
    account: NamedTempFile,
}

impl XmlBucket {
    pub fn of(bucket: S3Bucket) -> XmlBucket {
        let mut account = NamedTempFile::new().expect("a file for an account");
        let key = r#"{"disable_oauth": true, "client_email": "", "private_key": "", "private_key_id": ""}"#;
        write!(account, "{key}").expect("an account");
        XmlBucket { bucket, account }
    }

    fn named(&self, address: SocketAddr, name: &str, prefix: &str) -> String {
        let account = self.account.path().display();
        format!("gs://{name}/{}?endpoint=http://{address}&service_account={account}", super::encoded(prefix))
    }
}

impl Bucket for XmlBucket {
    fn url_at(&self, address: SocketAddr, prefix: &str) -> Option<String> {
        Some(self.named(address, self.bucket.name(), prefix))
    }

    fn server(&self) -> Option<&Server> {
        self.bucket.server()
    }

    fn put_as(&self, key: &str, bytes: &[u8], content_encoding: Option<&str>) {
        self.bucket.put_as(key, bytes, content_encoding);
    }

    fn delete(&self, key: &str) {
        self.bucket.delete(key);
    }

    fn can_hold(&self, key: &str) -> bool {
        self.bucket.can_hold(key)
    }

    fn url_of_a_missing_one(&self) -> Option<String> {
        let server = self.server()?;
        Some(self.named(server.address(), &fresh_name(), ""))
    }
}

/// A running server.
pub struct FakeGcs {
    server: Arc<Server>,
}

/// A bucket that is made for one test.
pub struct GcsBucket {
    server: Arc<Server>,
    name: String,
}

impl FakeGcs {
    pub fn start() -> FakeGcs {
        let program = tool("bin/fake-gcs-server");
        let server = Server::start(move |address| {
            let mut command = Command::new(&program);
            command.args(["-backend", "memory", "-scheme", "http", "-log-level", "error", "-host"]);
            command.args([address.ip().to_string(), "-port".to_owned(), address.port().to_string()]);
            // Without its port, so that it answers behind a proxy too.
            command.args(["-public-host", &address.ip().to_string(), "-external-url", &format!("http://{address}")]);
            command
        });
        FakeGcs { server: Arc::new(server) }
    }

    /// A new bucket.
    pub fn bucket(&self) -> GcsBucket {
        let bucket = GcsBucket { server: Arc::clone(&self.server), name: fresh_name() };
        let body = format!("{{\"name\": \"{}\"}}", bucket.name);
        self.server.tell("POST", "/storage/v1/b?project=tests", &[("content-type", "application/json")], body.as_bytes());
        bucket
    }
}

/// A key as one segment of a URL, or as the value of a parameter.
fn segment(key: &str) -> String {
    super::encoded(key).replace('/', "%2F")
}

impl Bucket for GcsBucket {
    fn url_at(&self, address: SocketAddr, prefix: &str) -> Option<String> {
        let prefix = super::encoded(prefix);
        Some(format!("gs://{}/{prefix}?endpoint=http://{address}&skip_signature=true", self.name))
    }

    fn server(&self) -> Option<&Server> {
        Some(&self.server)
    }

    fn put_as(&self, key: &str, bytes: &[u8], content_encoding: Option<&str>) {
        let coding = content_encoding.map(|coding| format!("&contentEncoding={coding}")).unwrap_or_default();
        let target = format!("/upload/storage/v1/b/{}/o?uploadType=media&name={}{coding}", self.name, segment(key));
        self.server.tell("POST", &target, &[("content-type", "application/octet-stream")], bytes);
    }

    fn delete(&self, key: &str) {
        self.server.tell("DELETE", &format!("/storage/v1/b/{}/o/{}", self.name, segment(key)), &[], b"");
    }

    /// Of writing, it knows only the JSON API; programs that use the XML API are told "invalid uploadType".
    fn takes_reports(&self) -> bool {
        false
    }

    fn has_pages(&self) -> bool {
        false
    }

    fn lists_from_anywhere(&self) -> bool {
        false
    }

    fn url_of_a_missing_one(&self) -> Option<String> {
        None
    }
}
