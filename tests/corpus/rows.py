"""The rows of one ordinary report, through ARA's own models.

The caller has set Django up and pointed it at a migrated database; what no callback
plugin would write (odd values, old schemas, damage) is done to the file afterwards,
by the modules of those names.
"""
import datetime as dt
import hashlib
import json
import random
import uuid
import zlib

from values import ACTIONS, EPOCH, NOUNS, ROLES, VERBS, Clock, content, facts, spread, squeeze


def write(seed, playbooks, shape, statuses=("completed",), labels=("ci",), rich=False):
    """Fill the database; shape gives the totals of files, tasks, results and hosts to spread."""
    from django.utils import timezone

    from ara.api import models as m

    rng = random.Random(seed)
    clock = Clock(EPOCH + dt.timedelta(hours=seed % 5000))
    timezone.now = lambda: clock.now
    per = {k: spread(rng, shape[k], playbooks) for k in ("files", "tasks", "results", "hosts")}
    label_rows = [m.Label.objects.create(name=name) for name in labels]
    contents = {}
    for p in range(playbooks):
        status = statuses[p % len(statuses)]
        running = status == "running"
        book = write_playbook(m, rng, clock, p, status)
        book.labels.set(label_rows[: 1 + p % len(label_rows)] if label_rows else [])
        files = write_files(m, rng, book, max(1, per["files"][p]), contents)
        hosts = write_hosts(m, rng, clock, book, p, max(1, per["hosts"][p]), status, rich)
        plays = []
        for i in range(1 + p % 3):
            s = clock.tick(rng)
            plays.append(m.Play.objects.create(name=f"{ROLES[p % len(ROLES)]} play {i}" if i else "", uuid=uuid.UUID(int=rng.getrandbits(128)),
                                               status="running" if running else "completed", playbook=book, started=s, ended=None if running else clock.tick(rng)))
        tasks = [write_task(m, rng, clock, i, status, plays[i % len(plays)], rng.choice(files), book) for i in range(max(1, per["tasks"][p]))]
        for i in range(per["results"][p]):
            write_result(m, rng, clock, i, status, tasks[i % len(tasks)], hosts[i % len(hosts)], hosts, rich)
        if rich:
            write_records(m, book)
        if not running:
            book.ended = clock.tick(rng)
            book.save()


def write_playbook(m, rng, clock, p, status):
    started = clock.tick(rng)
    role = rng.choice(ROLES)
    return m.Playbook.objects.create(
        name=None if p % 3 else f"{role} run {p} ✓", ansible_version=rng.choice(["2.14.2", "2.16.3", "2.19.1"]), client_version="1.8.0",
        python_version="3.11.7", server_version="1.8.0", status=status, path=f"/srv/ci/playbooks/{role}.yml", controller=f"runner-{p % 4}.example.org",
        user=rng.choice(["zuul", "jenkins", None]), started=started,
        arguments=squeeze({"tags": ["all"], "check": bool(p % 2), "verbosity": p % 4, "inventory": ["/srv/ci/hosts.yml"],
                           "extra_vars": {"é": "ü", "n": 1.0}, "args": [f"{role}.yml"]}))


def write_files(m, rng, book, count, contents):
    """Files share contents, as roles that are used twice do."""
    files = []
    for f in range(count):
        if f % 5 == 0 or not contents:
            text = f"---\n# {book.path} {f % 40}\n" + "".join(f"- name: {rng.choice(VERBS)} {rng.choice(NOUNS)}\n  ansible.builtin.debug:\n    msg: '{f % 40}'\n" for _ in range(6))
            sha = hashlib.sha1(text.encode()).hexdigest()
            if sha not in contents:
                contents[sha] = m.FileContent.objects.create(sha1=sha, contents=zlib.compress(text.encode()))
        else:
            sha = rng.choice(sorted(contents))
        path = book.path if f == 0 else f"/srv/ci/roles/{ROLES[f % len(ROLES)]}/tasks/part-{f}.yml"
        files.append(m.File.objects.create(path=path, content=contents[sha], playbook=book))
    return files


def write_hosts(m, rng, clock, book, p, count, status, rich):
    hosts = []
    for h in range(count):
        name = f"node-{p}-{h}" if rich and h % 2 else f"node-{(p % 60) * 2 + h}"
        if rich and h % 5 == 4:
            name += ".example.org"
        clock.tick(rng, 0.001, 0.01)
        host = m.Host.objects.create(name=name, playbook=book, facts=squeeze(facts(rng, name) if h % 4 != 3 else {}),
                                     ok=rng.randint(0, 40), changed=rng.randint(0, 9), failed=int(status == "failed" and h == 0), skipped=rng.randint(0, 5), unreachable=int(h == 7))
        m.LatestHost.objects.update_or_create(name=name, defaults={"host": host})
        hosts.append(host)
    return hosts


def write_task(m, rng, clock, i, status, play, file, book):
    s = clock.tick(rng, 0.001, 0.2)
    first = i == 0
    return m.Task.objects.create(
        name=f"{rng.choice(VERBS)} {rng.choice(NOUNS)}" if i % 29 else "", uuid=uuid.UUID(int=rng.getrandbits(128)), action=rng.choice(ACTIONS), lineno=rng.randint(1, 400),
        tags=squeeze(rng.sample(ROLES, i % 3)), handler=i % 13 == 0, status=status if first and status in ("running", "failed") else "completed",
        warnings=["Consider <b>another</b> module & option", f"Second warning of task {i}"][: 1 + i % 2] if i % 17 == 0 else [],
        deprecations=[{"msg": "use fqcn", "version": "2.23"}] if i % 23 == 0 else [],
        exceptions=['Traceback (most recent call last):\n  File "<stdin>", line 1, in <module>\nValueError: it\'s "boom" & <more>'] if status == "failed" and first else [],
        play=play, file=file, playbook=book, started=s, ended=None if status == "running" and first else clock.tick(rng, 0.001, 0.2))


def write_result(m, rng, clock, i, status, task, host, hosts, rich):
    st = "failed" if status == "failed" and i == 0 else rng.choices(["ok", "skipped", "unreachable", "failed"], [80, 15, 1, 2])[0]
    s = clock.tick(rng, 0.0001, 0.05)
    result = m.Result.objects.create(status=st, changed=st == "ok" and i % 3 == 0, ignore_errors=st == "failed" and i % 2 == 1, host=host, task=task, play=task.play, playbook=task.playbook,
                                     content=squeeze(content(rng, task.action, st, host.name, 4 if i % 11 == 0 else None)), started=s,
                                     ended=s + dt.timedelta(microseconds=rng.choice([0, 1, 900000, 86400 * 10**6 + 5])))
    if rich and i % 6 == 0:
        result.delegated_to.set(rng.sample(hosts, min(len(hosts), 1 + i % 3)))


def write_records(m, book):
    for key, value, kind in (("branch", "main", "text"), ("url", "https://example.org/?a=1&b=<c>", "url"), ("stats", json.dumps({"a": [1, 2.5, None]}), "json"),
                             ("list", ["é", "b"], "list"), ("map", {"k": "v"}, "dict")):
        m.Record.objects.create(key=key, value=squeeze(value), type=kind, playbook=book)
