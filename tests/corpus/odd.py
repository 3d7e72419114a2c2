"""Values that some writer, or some hand, has left in a database that ARA still serves.

Works on a finished file with plain SQL. Everything here must stay readable by ARA's API;
what makes ARA fail belongs to `damage`.
"""
import hashlib
import sqlite3
import zlib

from values import squeeze, squeeze_text

JSON = [
    '{"b": 1, "a": 2, "b": 3, "nested": {"k": 1, "k": {"k": 2, "k": []}}}',
    '[1.0, 1e22, 1e-7, 1E16, -0.0, 123456789.123456789, 0.1, 5e-324, 1.7976931348623157e308, 100000000000000000000.0]',
    '[0, -0, 9223372036854775807, 9223372036854775808, -9223372036854775809, 123456789012345678901234567890123456789012345678901234567890]',
    '{"del": "\x7f", "line": "\u2028\u2029", "emoji": "😀 👩‍👩‍👧", "bmp": "é配\ufeff\uffff", "escapes": "\\u00e9\\ud83d\\ude00\\b\\f\\n\\r\\t\\"\\\\\\/", "html": "<script>&amp;\'</script>"}',
    ' \n\t{ "spaces" : [ ] , "empty" : { } , "null" : null , "t" : true , "f" : false }\n ',
    '"a text at the top"', "null", "true", "12.50", "[]", "{}", '{"": {"": ""}}',
    "[" * 60 + "]" * 60,
    '{"control": "\\u0000\\u0001\\u001f", "key with \\"quote\\"": 1, "clé": 2}',
]
SURROGATES = ['{"high": "\\ud800", "low": "\\udc00", "swapped": "\\udc00\\ud800", "cut": "\\ud83dx", "pair": "\\ud83d\\ude00"}', '["\\uDBFF", "\\ud800\\ud800\\udc00"]']
NAMES = ["100%", "under_score", "back\\slash", "single'quote", 'double"quote', "%_\\", "Éé", "éé", "ÀB", "  spaces  ", "a,b", "a&b=c", "+plus+", "#hash", "<b>", "😀", "line\nbreak", "x" * 255, ""]


def distort(path, surrogates=False):
    """Spread odd values over the rows of a report."""
    con = sqlite3.connect(path)
    con.execute("pragma synchronous = off")
    documents = JSON + (SURROGATES if surrogates else [])
    playbooks(con, documents)
    plays_and_tasks(con, documents)
    hosts(con, documents)
    results(con, documents)
    records_labels_files(con, documents)
    con.commit()
    con.execute("vacuum")
    con.close()


def ids(con, table):
    return [row[0] for row in con.execute(f"select id from {table} order by id")]


def playbooks(con, documents):
    def put(key, **columns):
        con.execute(f"update playbooks set {', '.join(f'{c} = ?' for c in columns)} where id = ?", (*columns.values(), key))

    for i, key in enumerate(ids(con, "playbooks")):
        put(key, arguments=squeeze_text(documents[i % len(documents)]), name=NAMES[i % len(NAMES)])
    put(1, name=None, user=None, controller=None, client_version=None, python_version=None)
    put(2, name="100%_done\\back \"quoted\" 'single'", path="/srv/ci/play books/site%20_.yml", user="", controller="")
    put(3, status="mysterious", user="Éé", server_version="")
    put(4, duration=-1, started="2024-05-01 10:00:00.000001", ended="2024-05-01 10:00:00")
    put(5, duration=2 * 86400 * 10**6 + 3661 * 10**6 + 5)
    put(6, duration=None, ended=None, status="running")
    put(7, duration=86400 * 10**6, started="2024-05-01 10:00:00", ended="2024-05-02 10:00:00", created="2024-05-01T10:00:00Z", updated="2024-05-01 12:00:00+02:00")
    put(8, duration=-86400 * 10**6 * 3 - 1, started="2024-05-01", ended="2024-05-01 10:00:00.5", status="")
    put(9, duration=0, ended="not a date", updated="9999-12-31 23:59:59.999999", status="COMPLETED")


def plays_and_tasks(con, documents):
    for i, key in enumerate(ids(con, "plays")):
        con.execute("update plays set name = ?, status = ? where id = ?", (None if i == 0 else NAMES[i % len(NAMES)], ["completed", "failed", "paused", "unknown"][i % 4], key))
    notes = ['[1.0, 1e22, "é", {"a": 1, "a": 2}]', '["\u2028", "😀"]', "{}", '"text"', "null", "[]", "[[], [], []]", "12"]
    for i, key in enumerate(ids(con, "tasks")):
        con.execute("update tasks set name = ?, tags = ?, lineno = ?, status = ?, action = ? where id = ?",
                    (None if i == 1 else NAMES[i % len(NAMES)], squeeze_text(documents[i % len(documents)]), [0, -1, 2**31 - 1, 2**40, 7][i % 5], ["completed", "skipped", "unknown", "expired"][i % 4], ["DEBUG", "ansible.builtin.debug", "a%b", "Éé"][i % 4], key))
        con.execute("update tasks set warnings = ?, deprecations = ?, exceptions = ? where id = ?", (notes[i % 8], notes[(i + 3) % 8], notes[(i + 5) % 8], key))
        if i % 3 == 0:
            con.execute("update tasks set uuid = null, handler = 1 where id = ?", (key,))


def hosts(con, documents):
    con.execute("delete from latest_hosts")
    for i, key in enumerate(ids(con, "hosts")):
        name = NAMES[i % len(NAMES)] if i < len(NAMES) and NAMES[i % len(NAMES)] else ["node1.example.org", "NODE1.example.org", "a/b", "..", "node-%41"][i % 5] + ("" if i < 24 else str(i))
        con.execute("update hosts set name = ?, facts = ?, changed = ?, ok = ?, failed = ? where id = ?", (name, squeeze_text(documents[i % len(documents)]), [0, -1, 2**31 - 1][i % 3], [2**40, 0, 1][i % 3], i % 2, key))
        if i % 4 != 3:
            con.execute("insert or replace into latest_hosts (name, created, updated, host_id) values (?, '2024-05-01 10:00:00', '2024-05-01 10:00:00.5', ?)", (name, key))


def results(con, documents):
    all_hosts = ids(con, "hosts")
    con.execute("delete from results_delegated_to")
    for i, key in enumerate(ids(con, "results")):
        con.execute("update results set content = ?, status = ?, changed = ?, ignore_errors = ? where id = ?",
                    (squeeze_text(documents[i % len(documents)]), ["ok", "failed", "skipped", "unreachable", "unknown", "changed", "ignored", "weird", ""][i % 9], i % 2, (i // 2) % 2, key))
        con.execute("update results set duration = ? where id = ?", ([None, 0, 999999, 10**6, -5, 86400 * 10**6 * 400 + 1][i % 6], key))
        if i % 3 == 0:
            for host in reversed(all_hosts[i % 5 : i % 5 + 4]):
                con.execute("insert into results_delegated_to (result_id, host_id) values (?, ?)", (key, host))


def records_labels_files(con, documents):
    now = "2024-05-01 10:00:00.000000"
    con.execute("delete from records")
    kinds = ["text", "url", "json", "list", "dict", "number", "", "unheard-of"]
    for i, document in enumerate(documents):
        con.execute("insert into records (created, updated, key, value, type, playbook_id) values (?, ?, ?, ?, ?, ?)", (now, now, NAMES[i % len(NAMES)], squeeze_text(document), kinds[i % len(kinds)], 1 + i % 3))
    con.execute("delete from playbooks_labels")
    con.execute("delete from labels")
    for i, name in enumerate(["ci", "CI", "étiquette", "ÉTIQUETTE", "a,b", "per%cent", "under_score", "underXscore", " padded ", ""]):
        con.execute("insert into labels (id, created, updated, name) values (?, ?, ?, ?)", (i + 1, now, now, name))
    for playbook, label in [(1, 2), (1, 1), (2, 1), (3, 3), (3, 5), (4, 9), (4, 10), (5, 7), (5, 8), (5, 6), (5, 2), (5, 1)]:
        con.execute("insert into playbooks_labels (playbook_id, label_id) values (?, ?)", (playbook, label))
    texts = ["", "no newline at the end", "crlf\r\nlines\r\n", "é 配置 😀 \u2028 \x7f", "nul \x00 inside", "tab\there\x1b[31mred\x1b[0m", "x" * 200_000]
    files = ids(con, "files")
    for i, text in enumerate(texts):
        sha = hashlib.sha1(f"odd {i}".encode()).hexdigest()
        con.execute("insert into file_contents (id, created, updated, sha1, contents) values (?, ?, ?, ?, ?)", (10_000 + i, now, now, sha, zlib.compress(text.encode())))
        con.execute("update files set content_id = ?, path = ? where id = ?", (10_000 + i, f"/srv/{NAMES[i]}/é {i}.yml", files[i % len(files)]))


def dangle(path):
    """Rows whose parents are gone, as a deletion without foreign keys leaves them."""
    con = sqlite3.connect(path)
    con.execute("pragma foreign_keys = off")
    con.execute("update results set host_id = 4242 where id = 1")
    con.execute("update results set task_id = 4242 where id = 2")
    con.execute("insert into results_delegated_to (result_id, host_id) values (3, 4242)")
    con.execute("insert into playbooks_labels (playbook_id, label_id) values (1, 4242)")
    con.commit()
    con.close()
