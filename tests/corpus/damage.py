"""Encoded copies of a report, and files that are no report (any more).

Works on bytes and plain SQL. ARA answers 500 on every broken file; none is made to be compared byte for byte.
There is no zstd copy: the standard library cannot write one.
"""
import gzip
import os
import sqlite3
import zlib

from values import squeeze_text


def put(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)
    return path


def encode(source, at):
    raw = open(source, "rb").read()
    put(at("encoded", "zlib"), zlib.compress(raw))
    put(at("encoded", "gzip"), gzip.compress(raw, mtime=0))
    put(at("encoded", "gzip-named") + ".gz", gzip.compress(raw, mtime=0))
    return ["zlib", "gzip", "gzip-named"]


def damage(source, at):
    raw = open(source, "rb").read()

    def statements(kind, *sql, data=raw):
        con = sqlite3.connect(put(at("broken", kind), data))
        con.execute("pragma foreign_keys = off")
        for statement in sql:
            con.execute(*([statement] if isinstance(statement, str) else statement))
        con.commit()
        con.close()

    put(at("broken", "empty"), b"")
    put(at("broken", "not-sqlite"), b"<html>not found</html>")
    put(at("broken", "truncated"), raw[: len(raw) // 3])
    put(at("broken", "wal-header"), raw[:18] + b"\x02\x02" + raw[20:])
    os.makedirs(at("broken", "folder-for-file"))
    statements("bad-blob", "update results set content = x'00ff' where id = 2", "update playbooks set arguments = x'' where id = 1", "update hosts set facts = 'text' where id = 1")
    statements("bad-number", ("update results set content = ? where id = 1", (squeeze_text('{"nan": NaN, "inf": [Infinity, -Infinity, 1e400]}'),)))
    statements("bad-text", "update results set duration = 'long' where id = 1", "update plays set uuid = 'short' where id = 1")
    statements("no-tables", "create table unrelated (a)", data=b"")
    statements("view-instead-of-table", "alter table playbooks rename to hidden",
               "create view playbooks as with recursive n(i) as (select 1 union all select i + 1 from n) select h.*, i from hidden h, n")
    return ["empty", "not-sqlite", "truncated", "wal-header", "folder-for-file", "bad-blob", "bad-number", "bad-text", "no-tables", "view-instead-of-table"]
