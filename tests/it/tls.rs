//! TLS from files: who is let in, and that new files are used without a restart.

use std::fs;
use std::path::Path;
use std::time::Duration;

use runtime::tls::{Client, Error, Server, TlsClientArgs, TlsServerArgs};
use tests::certificates::{Authority, Identity};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const HOST: &str = "aviary-query";
const DEADLINE: Duration = Duration::from_secs(20);

async fn server(identity: &Identity, clients: Option<&Authority>) -> Server {
    let arguments = TlsServerArgs {
        tls_cert: Some(identity.certificate.clone()),
        tls_key: Some(identity.key.clone()),
        tls_client_ca: clients.map(Authority::certificate),
    };
    arguments.load().await.unwrap().unwrap()
}

async fn client(authority: &Authority, identity: Option<&Identity>) -> Client {
    let arguments = TlsClientArgs {
        query_tls_ca: Some(authority.certificate()),
        query_tls_cert: identity.map(|identity| identity.certificate.clone()),
        query_tls_key: identity.map(|identity| identity.key.clone()),
        query_tls_name: None,
    };
    arguments.load().await.unwrap().unwrap()
}

/// The certificate that the server shows, once a byte has gone both ways: a client learns late that it is refused.
async fn meet(server: &Server, client: &Client) -> Result<Vec<u8>, String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let accept = async {
        let mut stream = server.accept(listener.accept().await.unwrap().0).await.map_err(|error| error.to_string())?;
        let byte = stream.read_u8().await.map_err(|error| error.to_string())?;
        stream.write_u8(byte).await.map_err(|error| error.to_string())?;
        stream.flush().await.map_err(|error| error.to_string())
    };
    let connect = async {
        let stream = TcpStream::connect(address).await.unwrap();
        let mut stream = client.connect(stream, HOST).await.map_err(|error| error.to_string())?;
        stream.write_u8(7).await.map_err(|error| error.to_string())?;
        stream.flush().await.map_err(|error| error.to_string())?;
        assert_eq!(stream.read_u8().await.map_err(|error| error.to_string())?, 7);
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        Ok(stream.get_ref().1.peer_certificates().unwrap()[0].to_vec())
    };
    let (accepted, connected) = tokio::join!(accept, connect);
    accepted.and(connected)
}

#[tokio::test]
async fn both_sides_let_in_only_whom_their_authority_vouches_for() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, others) = (Authority::new(folder.path(), "ours"), Authority::new(folder.path(), "others"));
    let us = ours.vouch(HOST, "server");
    let (known, stranger) = (ours.vouch("gateway", "client"), others.vouch("gateway", "stranger"));
    let strict = server(&us, Some(&ours)).await;
    meet(&strict, &client(&ours, Some(&known)).await).await.unwrap();
    meet(&strict, &client(&ours, None).await).await.unwrap_err();
    meet(&strict, &client(&ours, Some(&stranger)).await).await.unwrap_err();
    meet(&strict, &client(&others, Some(&known)).await).await.unwrap_err();
    let open = server(&us, None).await;
    meet(&open, &client(&ours, None).await).await.unwrap();
    let elsewhere = server(&ours.vouch("another-host", "another"), None).await;
    meet(&elsewhere, &client(&ours, None).await).await.unwrap_err();
}

/// Puts a new certificate where the old one is, as Kubernetes does: a link moves to another folder.
fn swap(folder: &Path, to: &str) {
    let next = folder.join("next");
    std::os::unix::fs::symlink(folder.join(to), &next).unwrap();
    fs::rename(next, folder.join("current")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn new_certificates_are_used_without_a_restart_and_broken_ones_never() {
    let folder = tempfile::tempdir().unwrap();
    let ours = Authority::new(folder.path(), "ours");
    for version in ["first", "broken", "second"] {
        fs::create_dir(folder.path().join(version)).unwrap();
        ours.vouch(HOST, &format!("{version}/tls"));
    }
    fs::write(folder.path().join("broken/tls.key"), "not a key").unwrap();
    swap(folder.path(), "first");
    let current = folder.path().join("current");
    let identity = Identity { certificate: current.join("tls.crt"), key: current.join("tls.key") };
    let (server, client) = (server(&identity, None).await, client(&ours, None).await);
    let first = meet(&server, &client).await.unwrap();

    swap(folder.path(), "broken");
    // Two looks at the files later nothing is different.
    let looks = async {
        let mut look = tokio::time::interval(Duration::from_millis(250));
        for _ in 0..18 {
            look.tick().await;
            assert_eq!(meet(&server, &client).await.unwrap(), first);
        }
    };
    looks.await;

    swap(folder.path(), "second");
    let renewed = async {
        let mut look = tokio::time::interval(Duration::from_millis(50));
        loop {
            look.tick().await;
            let shown = meet(&server, &client).await.unwrap();
            if shown != first {
                return shown;
            }
        }
    };
    let second = tokio::time::timeout(DEADLINE, renewed).await.expect("the new certificate is used");
    assert_ne!(second, first);
}

#[tokio::test]
async fn what_is_missing_is_named_and_keys_are_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let ours = Authority::new(folder.path(), "ours");
    let (one, other) = (ours.vouch(HOST, "one"), ours.vouch(HOST, "other"));
    let arguments = |key: &Path| TlsServerArgs {
        tls_cert: Some(one.certificate.clone()),
        tls_key: Some(key.to_owned()),
        tls_client_ca: None,
    };
    assert!(matches!(arguments(&other.key).load().await, Err(Error::Certificates(_))));
    assert!(matches!(arguments(Path::new("/nowhere")).load().await, Err(Error::Read { .. })));
    let error = arguments(&one.certificate).load().await.unwrap_err();
    assert!(matches!(error, Error::Pem { what: "a private key", .. }), "{error}");
    let lonely = TlsServerArgs { tls_cert: Some(one.certificate.clone()), ..TlsServerArgs::default() };
    assert!(matches!(lonely.load().await, Err(Error::Incomplete { given: "--tls-cert", missing: "--tls-key" })));
    assert!(TlsServerArgs::default().load().await.unwrap().is_none());
    assert!(TlsClientArgs::default().load().await.unwrap().is_none());
    let shown = format!("{:?}", arguments(&one.key).load().await.unwrap());
    let key = fs::read_to_string(&one.key).unwrap();
    assert!(!shown.contains(key.lines().nth(1).unwrap()), "{shown}");
}
