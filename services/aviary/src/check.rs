//! `aviary check`: asks a running Aviary what a client asks first, and says whether the answers are right. It knows the
//! server by its URL only.

use std::{io::Write as _, time::Duration};

use anyhow::{Context as _, ensure};
use reqwest::{Client, Response, Url, header::CONTENT_TYPE};

/// No answer to one of the questions is longer; of what is, the rest is not read.
const MAX_BODY: usize = 16 << 20;

/// Between attempts to reach it.
const AGAIN: Duration = Duration::from_millis(500);

/// What to ask, and how long.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where it serves: https://reports.example.org/
    url: Url,

    /// Seconds that all questions together may take
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    timeout: u64,

    /// Try again for as long as that while nothing can be reached: it may have just begun
    #[arg(long)]
    wait: bool,
}

/// Asks, and prints a line for each answer.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("failed to start the runtime")?;
    let time = Duration::from_secs(args.timeout);
    let check = async {
        tokio::time::timeout(time, check(args.url, args.wait))
            .await
            .with_context(|| format!("no answer within {} s", args.timeout))?
    };
    runtime.block_on(check)
}

async fn check(mut url: Url, waits: bool) -> anyhow::Result<()> {
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    let client = Client::builder().build().context("failed to set up a client")?;
    let health = url.join("healthcheck/").context("failed to make a URL of it")?;
    let body = ask(&client, health, "application/json", waits).await?;
    let health: serde_json::Value = serde_json::from_slice(&body).context("the answer about its health is not JSON")?;
    ensure!(health["status"] == "working", "it says of its health: {health}");
    let page = ask(&client, url, "text/html", false).await?;
    ensure!(String::from_utf8_lossy(&page).contains("</html>"), "the page of folders is not whole");
    Ok(())
}

/// The body of an answer that has to be 200 and of this type.
async fn ask(client: &Client, url: Url, media_type: &str, waits: bool) -> anyhow::Result<Vec<u8>> {
    let shown = url.to_string();
    let answer = loop {
        match client.get(url.clone()).header(reqwest::header::ACCEPT, media_type).send().await {
            Err(error) if waits && error.is_connect() => tokio::time::sleep(AGAIN).await,
            answered => break answered.with_context(|| format!("failed to reach {shown}"))?,
        }
    };
    let status = answer.status();
    let given = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let body = read(answer).await.with_context(|| format!("failed to read the answer of {shown}"))?;
    // A closed standard output is no reason to call the server ill.
    let _ = writeln!(std::io::stdout().lock(), "{} {shown}", status.as_u16());
    ensure!(status.as_u16() == 200, "{shown} answers {status}: {}", String::from_utf8_lossy(body.get(..1000).unwrap_or(&body)));
    ensure!(given.starts_with(media_type), "{shown} answers {given:?} instead of {media_type}");
    Ok(body)
}

async fn read(mut answer: Response) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_BODY {
            break;
        }
    }
    Ok(body)
}
