//! moto: S3 in the memory of one process. It knows S3's answers well, keys of any kind too; all is gone when it ends.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, OnceLock};

use super::s3::{Key, S3Bucket};
use super::{Server, tool};

/// A running moto.
pub struct Moto {
    server: Arc<Server>,
    key: Key,
    strict: bool,
}

impl Moto {
    /// The one that all tests share, each with a bucket of its own. It takes any signature.
    pub fn shared() -> &'static Moto {
        static SHARED: OnceLock<Moto> = OnceLock::new();
        SHARED.get_or_init(|| Moto::start(false))
    }

    /// One that belongs to a test, which may pause and kill it.
    pub fn own() -> Moto {
        Moto::start(false)
    }

    /// One that checks signatures.
    pub fn strict() -> Moto {
        Moto::start(true)
    }

    fn start(strict: bool) -> Moto {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("harness/stores/moto_server.py");
        let python = tool("moto/bin/python");
        let server = Server::start(move |address| {
            let mut command = Command::new(&python);
            command.arg("-B").arg(&script).args([address.ip().to_string(), address.port().to_string()]);
            command.args(strict.then_some("strict"));
            command
        });
        let key = server.told("key of moto", |line| {
            let mut words = line.strip_prefix("listening ")?.split(' ').map(str::to_owned);
            Some(Key { id: words.next()?, secret: words.next()? })
        });
        Moto { server: Arc::new(server), key, strict }
    }

    /// A new bucket.
    pub fn bucket(&self) -> S3Bucket {
        S3Bucket::new(&self.server, &self.key, self.strict, false)
    }
}
