//! Requests whose point is not the data: paths, methods, headers, formats, pages for people.
//!
//! They are asked of a report whose data any report has: at least one row of each kind but records.

use super::urls::Request;

/// Pages for people, of a report, but for those of results: showing one makes ARA decode texts in another
/// way from then on, in the whole process, so that its later answers about odd paths depend on chance.
pub(crate) fn pages(base: &str) -> Vec<Request> {
    [
        "",
        "/",
        "/hosts",
        "/tasks",
        "/?status=failed",
        "/?order=bogus",
        "/hosts?latest=false",
        "/hosts?order=bogus",
        "/tasks?lineno=abc",
        "/playbooks/1.html",
        "/playbooks/1.html?order=bogus",
        "/playbooks/1.html?limit=2",
        "/playbooks/999.html",
        "/playbooks/abc.html",
        "/hosts/1.html",
        "/files/1.html",
        "/records/1.html",
        "/records/999.html",
        "/robots.txt",
        "/distributed",
        "/favicon.ico",
    ]
    .into_iter()
    .map(|path| Request::get(format!("{base}{path}")))
    .collect()
}

/// A few of everything, for reports of which only the place is odd, or the file.
pub(crate) fn few(base: &str) -> Vec<Request> {
    let mut out: Vec<Request> = [
        "/api/",
        "/api/v1/",
        "/api/v1/playbooks",
        "/api/v1/playbooks/1",
        "/api/v1/plays?limit=1&offset=1",
        "/api/v1/tasks/1",
        "/api/v1/hosts",
        "/api/v1/latesthosts",
        "/api/v1/results?status=ok",
        "/api/v1/results/1",
        "/api/v1/files/1",
        "/api/v1/records",
        "/api/v1/labels",
        "/api/v1/nothing",
    ]
    .into_iter()
    .map(|path| Request::get(format!("{base}{path}")))
    .collect();
    out.push(Request::get(format!("{base}/api/v1/hosts")).method("HEAD"));
    out
}

/// Ways to write a path, from the root of the server; `folder` holds the report, `prefix` ends its path.
pub(crate) fn paths(base: &str, folder: &str, prefix: &str) -> Vec<Request> {
    let report = format!("{base}/{folder}/{prefix}");
    let encoded: String = format!("{folder}/{prefix}")
        .bytes()
        .map(|byte| if byte == b'/' { "/".to_owned() } else { format!("%{byte:02x}") })
        .collect();
    let upper = report.to_uppercase();
    let last = folder.rsplit('/').next().unwrap_or_default();
    let mut targets: Vec<String> = [
        "/api",
        "/api/",
        "/api//",
        "//api/",
        "/api/v1",
        "/api/v1/",
        "/api/v1//",
        "/api//v1/",
        "/api/v2/",
        "/API/v1/",
        "/api/v1/playbooks/",
        "/api/v1/playbooks//1",
        "/api/v1//playbooks",
        "/api/v1/Playbooks",
        "/api/v1/PLAYBOOKS",
        "/api/v1/playbooks/1/",
        "/api/v1/playbooks/1/2",
        "/api/v1/playbook",
        "/api/v1/playbooks.json",
        "/api/v1/playbooks.api",
        "/api/v1/playbooks.xml",
        "/api/v1/playbooks.JSON",
        "/api/v1/playbooks.",
        "/api/v1/playbooks/1.json",
        "/api/v1/playbooks/1.api",
        "/api/v1/playbooks/1.xml",
        "/api/v1/playbooks/1.json/",
        "/api/v1/playbooks.json?limit=1&offset=1",
        "/api/v1/playbooks.json?format=api",
        "/api/v1/.json",
        "/api/v1/?format=json",
        "/api/v1.json",
        "/api/.json",
        "/api/v1/playbooks/.json",
        "/api/v1/latesthosts/node1.example.com",
        "/api/v1/latesthosts/node1.json",
        "/api/v1/latesthosts/node1",
        "/api/v1/hosts/1%2F2",
        "/api/v1/hosts%2F1",
        "/api%2Fv1%2Fhosts",
        "/api/v1/h%6Fsts",
        "/api/v1/hosts%20",
        "/api/v1/hosts%3Flimit=1",
        "/api/v1/hosts;x=1",
        "/api/v1/hosts?",
        "/api/v1/hosts/?limit=1",
        "/api/v1/./hosts",
        "/./api/v1/hosts",
        "/api/v1/x/../hosts",
        "/api/../api/v1/hosts",
        "/../api/v1/hosts",
        "/%2e%2e/api/v1/hosts",
        "/api/v1/hosts/%FF",
        "/api/v1/%C3%A9",
        "/admin/",
        "/healthcheck/",
        "/static/",
        "/foo",
        "/foo/bar",
        "/index.html",
        "/api/v1/hosts%00",
        "/api/v1/hosts%0A",
        "/api/v1/hosts%",
    ]
    .into_iter()
    .map(|path| format!("{report}{path}"))
    .collect();
    for tail in ["/api/v1/labels", "/api/v1/hosts?limit=1", "/api/"] {
        targets.extend([
            format!("{base}//{folder}/{prefix}{tail}"),
            format!("{base}/{folder}//{prefix}{tail}"),
            format!("{base}/./{folder}/./{prefix}{tail}"),
            format!("{base}/{folder}/../{last}/{prefix}{tail}"),
            format!("{base}/nowhere/../{folder}/{prefix}{tail}"),
            format!("{base}/{folder}/%2e%2e/{last}/{prefix}{tail}"),
            format!("{base}/{encoded}{tail}"),
            format!("{base}/{folder}%2F{prefix}{tail}"),
            format!("{upper}{tail}"),
            format!("{base}/{folder}{tail}"),
            format!("{base}/nowhere/{prefix}{tail}"),
            format!("{base}/{prefix}{tail}"),
            format!("{base}/{folder}/{prefix}foo{tail}"),
            format!("{base}/{folder}/foo{prefix}{tail}"),
            format!("{base}/{folder}/{prefix}/{prefix}{tail}"),
            format!("{base}/{folder}/{prefix}/nowhere/{prefix}{tail}"),
            format!("{base}/{folder}/{prefix}/..{tail}"),
            format!("{base}/{folder}/{prefix}/../{prefix}{tail}"),
            format!("{base}/{folder}/{prefix}/ansible.sqlite{tail}"),
            format!("{base}/{folder}%00/{prefix}{tail}"),
            format!("{base}/{folder}%20/{prefix}{tail}"),
            format!("{base}/{folder}%FF/{prefix}{tail}"),
            format!("{base}/../{folder}/{prefix}{tail}"),
            format!("{base}/%2e%2e/{folder}/{prefix}{tail}"),
            format!("{base}/../../../../../../etc/{prefix}{tail}"),
            format!("{base}/..%2f..%2f{prefix}{tail}"),
            format!("{base}/{folder}\\{prefix}{tail}"),
        ]);
    }
    targets.extend(
        [
            "/",
            "//",
            "/nothing",
            "/api/",
            "/api/v1/",
            "/api/v1/hosts",
            "/healthcheck/",
            "/healthcheck",
            "/distributed",
            "/favicon.ico",
            "/robots.txt",
            "/%2e",
            "/..",
            "/%00",
            "/static/",
            "/static/nothing.css",
        ]
        .map(|path| format!("{base}{path}")),
    );
    targets.into_iter().map(Request::get).collect()
}

/// Methods, on everything that takes them.
pub(crate) fn methods(base: &str, report: &str) -> Vec<Request> {
    let mut out = Vec::new();
    let targets = [
        "/api/",
        "/api/v1/",
        "/api/v1/playbooks",
        "/api/v1/plays",
        "/api/v1/tasks",
        "/api/v1/hosts",
        "/api/v1/latesthosts",
        "/api/v1/results",
        "/api/v1/files",
        "/api/v1/records",
        "/api/v1/labels",
        "/api/v1/playbooks/1",
        "/api/v1/plays/1",
        "/api/v1/tasks/1",
        "/api/v1/hosts/1",
        "/api/v1/results/1",
        "/api/v1/files/1",
        "/api/v1/labels/1",
        "/api/v1/records/1",
        "/api/v1/playbooks/999",
        "/api/v1/playbooks/abc",
        "/api/v1/playbooks?status=bogus",
        "/api/v1/playbooks/1?status=bogus",
        "/api/v1/playbooks?limit=1",
        "/api/v1/nothing",
        "/",
        "/hosts",
    ];
    for target in targets {
        for method in ["OPTIONS", "HEAD"] {
            out.push(Request::get(format!("{report}{target}")).method(method));
        }
    }
    for accept in ["text/html", "application/xml", "application/json; indent=2"] {
        out.push(Request::get(format!("{report}/api/v1/plays")).method("OPTIONS").with("Accept", accept));
    }
    out.push(Request::get(format!("{report}/api/v1/plays?format=xml")).method("OPTIONS"));
    for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "GETX"] {
        for target in ["/api/v1/playbooks", "/api/v1/playbooks/1", "/"] {
            out.push(Request::get(format!("{report}{target}")).method(method).with("Content-Length", "0"));
        }
        for target in ["/", "/nowhere", "/static/x", "/healthcheck/"] {
            out.push(Request::get(format!("{base}{target}")).method(method).with("Content-Length", "0"));
        }
    }
    for method in ["HEAD", "OPTIONS"] {
        for target in ["/", "/nowhere", "/nowhere/ara-report/api/v1/hosts"] {
            out.push(Request::get(format!("{base}{target}")).method(method));
        }
    }
    out
}

/// Which format is asked for, by header and by parameter.
pub(crate) fn formats(report: &str) -> Vec<Request> {
    let accepts = [
        "*/*",
        "",
        "application/json",
        "application/*",
        "application/json;version=2",
        "application/json; indent=4",
        "application/json; indent=0",
        "application/json; indent=1",
        "application/json; indent=8",
        "application/json; indent=9",
        "application/json; indent=-1",
        "application/json; indent=x",
        "application/json;indent=4;q=0.5",
        "*/*; indent=4",
        "application/*; indent=2",
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "application/json, text/plain, */*",
        "text/html",
        "text/*",
        "text/html;q=0.1, application/json;q=0.9",
        "application/json;q=0.1, text/html;q=0.9",
        "application/json;q=0",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "application/xml",
        "text/plain",
        "garbage",
        "/",
        "json",
        ",",
        ";",
        "*",
        "application/json,",
        "image/png, application/json",
        "image/png, */*;q=0.1",
        "application/vnd.api+json",
        "application/json; indent=\"4\"",
        "application/problem+json",
    ];
    let targets = [
        "/api/",
        "/api/v1/",
        "/api/v1/plays?limit=2",
        "/api/v1/plays/1",
        "/api/v1/plays/999",
        "/api/v1/plays?status=bogus",
        "/api/v1/hosts/1",
        "/api/v1/nothing",
    ];
    let mut out = Vec::new();
    for target in targets {
        out.extend(accepts.iter().map(|accept| Request::get(format!("{report}{target}")).with("Accept", accept)));
        let joint = if target.contains('?') { '&' } else { '?' };
        for format in
            ["json", "api", "xml", "JSON", "", "%20json", "json&format=xml", "xml&format=json", "html", "json;indent=4", "%00"]
        {
            out.push(Request::get(format!("{report}{target}{joint}format={format}")));
        }
        out.push(Request::get(format!("{report}{target}{joint}format=json")).with("Accept", "text/html"));
        out.push(Request::get(format!("{report}{target}{joint}format=json")).with("Accept", "application/json; indent=4"));
        out.push(Request::get(format!("{report}{target}{joint}format=json")).with("Accept", "application/xml"));
        out.push(Request::get(format!("{report}{target}{joint}indent=4")));
    }
    out
}

/// Headers that change links, permissions or nothing.
pub(crate) fn headers(report: &str) -> Vec<Request> {
    let mut out = Vec::new();
    let hosts = [
        "other.example.org",
        "other.example.org:8443",
        "UPPER.Example.ORG",
        "127.0.0.1",
        "127.0.0.1:80",
        "[::1]:8080",
        "[::1]",
        "localhost:80",
        "under_score",
        "a b",
        "bad/host",
        "a@b",
        "trailing.",
        "é",
        "",
        "x:y",
        "x:99999999",
        "-",
        "a..b",
        "xn--bcher-kva.example",
    ];
    let others: &[(&str, &str)] = &[
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Proto", "HTTPS"),
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-Proto", "ftp"),
        ("X-Forwarded-Proto", "https, http"),
        ("X-Forwarded-Proto", ""),
        ("X-Forwarded-Ssl", "on"),
        ("X-Forwarded-Protocol", "ssl"),
        ("X-Forwarded-Host", "evil.example.org"),
        ("X-Forwarded-Prefix", "/evil"),
        ("X-Forwarded-Port", "444"),
        ("X-Forwarded-For", "192.0.2.1"),
        ("Forwarded", "proto=https;host=evil.example.org"),
        ("X-Script-Name", "/evil"),
        ("If-None-Match", "\"x\""),
        ("If-None-Match", "*"),
        ("If-Modified-Since", "Sun, 22 Nov 2099 00:00:00 GMT"),
        ("Range", "bytes=0-9"),
        ("X-HTTP-Method-Override", "DELETE"),
        ("Cookie", "x=y; z"),
        ("Content-Type", "application/xml"),
        ("Accept-Language", "fr"),
        ("User-Agent", "x"),
        ("X-Requested-With", "XMLHttpRequest"),
        ("Upgrade-Insecure-Requests", "1"),
        ("Authorization", "Basic dXNlcjpwYXNzd29yZA=="),
        ("Authorization", "Basic"),
        ("Authorization", "Basic !!"),
        ("Authorization", "Basic a b"),
        ("Authorization", "Bearer x"),
        ("Authorization", "basic dXNlcjpwYXNzd29yZA=="),
        ("Authorization", "Basic dXNlcg=="),
        ("Authorization", ""),
    ];
    let origins = [
        "http://127.0.0.1:8000",
        "http://localhost:3000",
        "https://localhost:3000",
        "http://localhost:3001",
        "http://evil.example.org",
        "null",
        "",
        "HTTP://LOCALHOST:3000",
        "http://localhost:3000/",
        "*",
    ];
    for target in ["/api/", "/api/v1/", "/api/v1/plays?limit=1", "/api/v1/plays/1"] {
        let request = || Request::get(format!("{report}{target}"));
        out.extend(hosts.iter().map(|host| request().with("Host", host)));
        out.extend(others.iter().map(|(name, value)| request().with(name, value)));
        for origin in origins {
            out.push(request().with("Origin", origin));
            out.push(request().method("OPTIONS").with("Origin", origin));
            out.push(request().method("OPTIONS").with("Origin", origin).with("Access-Control-Request-Method", "GET"));
            out.push(
                request()
                    .method("OPTIONS")
                    .with("Origin", origin)
                    .with("Access-Control-Request-Method", "DELETE")
                    .with("Access-Control-Request-Headers", "authorization, x-other"),
            );
        }
        out.push(request().method("OPTIONS").with("Access-Control-Request-Method", "GET"));
        out.push(request().method("OPTIONS").with("Origin", "http://localhost:3000").with("Access-Control-Request-Method", ""));
    }
    out.push(Request::get(format!("{report}/nothing")).with("Origin", "http://localhost:3000"));
    out.push(Request::get(format!("{report}/api/v1/plays/999")).with("Origin", "http://localhost:3000"));
    out
}
