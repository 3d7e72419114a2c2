//! Azurite: Azure's blobs in the memory of one process. It checks signatures; its account and key are the ones that
//! everybody knows.

use std::io::Write;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;

use object_store::azure::{AzureAccessKey, AzureAuthorizer, AzureCredential};
use object_store::client::HttpRequestBody;
use tempfile::NamedTempFile;

use super::{Bucket, Server, encoded, fresh_name, tool};

const ACCOUNT: &str = "devstoreaccount1";
const KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// A running Azurite.
pub struct Azurite {
    server: Arc<Server>,
    _folder: tempfile::TempDir,
}

/// A container that is made for one test.
pub struct Container {
    server: Arc<Server>,
    name: String,
    credentials: NamedTempFile,
}

impl Azurite {
    pub fn start() -> Azurite {
        let folder = tempfile::tempdir().expect("a folder for Azurite");
        let (program, location) = (tool("azurite/node_modules/.bin/azurite-blob"), folder.path().to_owned());
        let server = Server::start(move |address| {
            let mut command = Command::new(&program);
            command
                .args(["--silent", "--skipApiVersionCheck", "--disableTelemetry", "--inMemoryPersistence", "--blobHost"])
                .args([address.ip().to_string(), "--blobPort".to_owned(), address.port().to_string()])
                .current_dir(&location);
            command
        });
        Azurite { server: Arc::new(server), _folder: folder }
    }

    /// A new container.
    pub fn bucket(&self) -> Container {
        let container = Container { server: Arc::clone(&self.server), name: fresh_name(), credentials: credentials(KEY) };
        container.good("PUT", &format!("/{ACCOUNT}/{}?restype=container", container.name), &[], b"");
        container
    }
}

impl Container {
    #[track_caller]
    fn good(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) {
        let length = body.len().to_string();
        let mut request = http::Request::builder()
            .method(method)
            .uri(format!("http://{}{target}", self.server.address()))
            .header("content-length", &length);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(HttpRequestBody::from(body.to_vec())).expect("a request");
        let key = AzureCredential::AccessKey(AzureAccessKey::try_new(KEY).expect("a key"));
        AzureAuthorizer::new(&key, ACCOUNT).try_authorize(&mut request).expect("a signature");
        let signed: Vec<(&str, &str)> = request
            .headers()
            .iter()
            .filter(|(name, _)| *name != "content-length")
            .map(|(name, value)| (name.as_str(), value.to_str().expect("text")))
            .collect();
        self.server.tell(method, target, &signed, body);
    }

    fn target(&self, key: &str) -> String {
        format!("/{ACCOUNT}/{}/{}", self.name, encoded(key))
    }

    fn named(&self, address: SocketAddr, name: &str, prefix: &str, credentials: &NamedTempFile) -> String {
        let credentials = credentials.path().display();
        format!("az://{name}/{}?endpoint=http://{address}/{ACCOUNT}&credentials={credentials}", encoded(prefix))
    }
}

impl Bucket for Container {
    fn url_at(&self, address: SocketAddr, prefix: &str) -> Option<String> {
        Some(self.named(address, &self.name, prefix, &self.credentials))
    }

    fn server(&self) -> Option<&Server> {
        Some(&self.server)
    }

    fn put_as(&self, key: &str, bytes: &[u8], content_encoding: Option<&str>) {
        let mut headers = vec![("x-ms-blob-type", "BlockBlob")];
        headers.extend(content_encoding.map(|coding| ("x-ms-blob-content-encoding", coding)));
        self.good("PUT", &self.target(key), &headers, bytes);
    }

    fn delete(&self, key: &str) {
        self.good("DELETE", &self.target(key), &[], b"");
    }

    fn can_hold(&self, key: &str) -> bool {
        // Clients take `//` and dots for paths on their way there, and Azure takes a backslash for a slash.
        !key.contains('\\') && key.split('/').all(|segment| !segment.is_empty() && segment != "." && segment != "..")
    }

    fn lists_from_anywhere(&self) -> bool {
        // Azure has `startFrom`, Azurite has not.
        false
    }

    fn url_of_a_missing_one(&self) -> Option<String> {
        Some(self.named(self.server.address(), &fresh_name(), "", &self.credentials))
    }

    fn url_that_is_denied(&self) -> Option<String> {
        let wrong = credentials("bm90LXRoZS1rZXk=");
        let url = self.named(self.server.address(), &self.name, "", &wrong);
        wrong.keep().expect("a file that stays");
        Some(url)
    }
}

fn credentials(key: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a file for credentials");
    writeln!(file, "AZURE_STORAGE_ACCOUNT_NAME={ACCOUNT}\nAZURE_STORAGE_ACCOUNT_KEY={key}").expect("credentials");
    file
}
