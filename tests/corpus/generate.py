#!/usr/bin/env python3
"""Write a tree of real ARA databases, through ARA's own models and migrations.

    target/tools/ara/bin/python tests/corpus/generate.py OUT [--seed 389] [--set small|full] [--recorded DIR]

OUT then looks like a CI log server; corpus.json in it lists every report with its kind:

    1, 2/some/path, 3/dev, 3/prod   green; failed; still running; twelve playbooks with unicode, records, delegation
    ci/job-NNNN                     small ones (6, or 24 in the full set)
    builds/NNNN, builds/NNNN/logs   two reports per build
    deep/a/b/...                    twenty folders down
    names/...                       folders that need quoting, or that hold the prefix
    docs/...                        the tree of ARA's documentation, prefix ara-api
    docs-private/1                  beside docs, for servers that cut roots by text
    odd/...                         no rows; odd values; lone surrogates; dangling references
    legacy/NNNN                     the schema that ARA's migration NNNN left, with the values of its time
    legacy-migrated/NNNN            the same, migrated by ARA itself
    encoded/KIND, broken/KIND       compressed files; files that are no report
    recorded/NAME                   with --recorded: what record.py has put into DIR, real runs of Ansible
    integration                     full set: 415 playbooks, 1935 files, 12456 tasks, 12762 results, 586 hosts (~13 MB)

The same seed writes the same rows (ids, names, times, contents), but for those of recorded runs.
This file holds the layout only; rows, old schemas, odd values and damage have a module each.
"""
import argparse
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
import time

import damage
import odd
import rows
import schemas

GREEN = dict(files=3, tasks=8, results=24, hosts=3)
NAMES = ["with space", "a+b", "100%41", "#1", "~user", "a&b;c=d", "semi:colon@[x]", "CaSe", "été", "été 配置", "my-ara-report-x", "ara-report/inner", "quote'\"", "dot.ted", "question?mark"]


def layout(seed, full):
    """Every report with rows of its own: (folder, prefix, kind, arguments of rows.write)."""
    def small(n, **more):
        return dict(seed=seed + n, playbooks=1, shape=dict(files=2, tasks=4, results=6, hosts=2), **more)

    yield "1", "ara-report", "healthy", dict(seed=seed, playbooks=1, shape=GREEN)
    yield "2/some/path", "ara-report", "healthy", dict(seed=seed + 1, playbooks=1, shape=dict(files=2, tasks=6, results=12, hosts=2), statuses=["failed"], labels=["ci", "nightly"])
    yield "3/dev", "ara-report", "healthy", dict(seed=seed + 2, playbooks=1, shape=dict(files=2, tasks=4, results=5, hosts=1), statuses=["running"], labels=[])
    yield "3/prod", "ara-report", "healthy", dict(seed=seed + 3, playbooks=12, shape=dict(files=60, tasks=240, results=720, hosts=60), statuses=["completed", "failed", "completed", "expired"], labels=["ci", "prod", "étiquette", "CI"], rich=True)
    for j in range(24 if full else 6):
        yield f"ci/job-{j:04d}", "ara-report", "healthy", dict(seed=seed + 100 + j, playbooks=1 + j % 3, shape=dict(files=6, tasks=30, results=90, hosts=6), statuses=[("completed", "completed", "failed")[j % 3]], labels=["ci", f"job-{j % 5}"])
    for j in range(2):
        yield f"builds/{j:04d}", "ara-report", "healthy", small(200 + j)
        yield f"builds/{j:04d}/logs", "ara-report", "healthy", small(210 + j, statuses=["failed"])
    yield "deep/" + "/".join("abcdefghijklmnopqrst"), "ara-report", "healthy", small(220)
    for j, name in enumerate(NAMES):
        yield f"names/{name}", "ara-report", "healthy" if name.isascii() else "non-ascii", small(230 + j)
    for j, folder in enumerate(("1", "2/some/path", "3/dev", "3/prod")):
        yield f"docs/{folder}", "ara-api", "healthy", small(260 + j)
    yield "docs-private/1", "ara-api", "private", small(270)
    yield "odd/no-rows", "ara-report", "healthy", None
    many = dict(playbooks=12, shape=dict(files=24, tasks=40, results=120, hosts=30), rich=True)
    yield "odd/values", "ara-report", "odd", dict(seed=seed + 300, **many)
    yield "odd/surrogates", "ara-report", "odd", dict(seed=seed + 301, **many)
    yield "odd/dangling", "ara-report", "odd", small(302, rich=True)
    if full:
        yield "integration", "ara-report", "healthy", dict(seed=seed + 7, playbooks=415, shape=dict(files=1935, tasks=12456, results=12762, hosts=586), statuses=["completed", "completed", "failed", "completed"], labels=["ci", "integration"])


def write(template, path, arguments):
    from django.db import transaction

    os.makedirs(os.path.dirname(path), exist_ok=True)
    shutil.copy(template, path)
    if arguments is not None:
        schemas.use(path)
        with transaction.atomic():
            rows.write(**arguments)
        schemas.finish()
    for folder, change in (("odd/values", odd.distort), ("odd/surrogates", lambda p: odd.distort(p, True)), ("odd/dangling", odd.dangle)):
        if f"/{folder}/" in path:
            change(path)


def old(template, source, folder, level, at):
    schemas.downgrade(source, template, at("legacy", level), level)
    schemas.migrate(at("legacy", level), at("legacy-migrated", level))


def run(jobs):
    """Do every (name, function, arguments), one process per processor, longest first."""
    def work(queue):
        while True:
            index = queue.get()
            if index is None:
                return
            name, function, arguments = jobs[index]
            start = time.monotonic()
            function(*arguments)
            sys.stderr.write(f"corpus: {name} ({time.monotonic() - start:.1f} s)\n")

    fork = multiprocessing.get_context("fork")
    queue = fork.SimpleQueue()
    workers = [fork.Process(target=work, args=(queue,)) for _ in range(min(os.cpu_count() or 1, 8))]
    for worker in workers:
        worker.start()
    for index in [*range(len(jobs)), *(None for _ in workers)]:
        queue.put(index)
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        sys.exit("corpus: a database could not be written")


def docs_files(out):
    """The files that lie beside the reports in the documentation's example."""
    for name in ("1/console.txt", "1/logs.tar.gz", "2/some/path/console.txt", "3/builds.txt", "3/dev/console.txt"):
        damage.put(os.path.join(out, "docs", name), f"{name}\n".encode())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--seed", type=int, default=389)
    parser.add_argument("--set", choices=("small", "full"), default="small")
    parser.add_argument("--recorded")
    args = parser.parse_args()
    out = os.path.abspath(args.out)

    def at(*parts, prefix="ara-report"):
        return os.path.join(out, *parts, prefix, "ansible.sqlite")

    with tempfile.TemporaryDirectory(prefix="corpus-") as scratch:
        os.environ.update(ARA_BASE_DIR=scratch, ARA_SETTINGS=os.path.join(scratch, "none.yaml"), ARA_DATABASE_NAME=os.path.join(scratch, "unused.sqlite"),
                          ARA_LOG_LEVEL="ERROR", ARA_SECRET_KEY="corpus", ARA_TIME_ZONE="UTC", DJANGO_SETTINGS_MODULE="ara.server.settings")
        import django
        django.setup()
        start = time.monotonic()
        templates = schemas.make_templates(scratch, schemas.LEVELS)
        sys.stderr.write(f"corpus: templates ({time.monotonic() - start:.1f} s)\n")
        head = templates[schemas.HEAD]
        reports = list(layout(args.seed, args.set == "full"))
        past = os.path.join(scratch, "past.sqlite")
        jobs = [("rows of the past", write, (head, past, dict(seed=args.seed + 4, playbooks=9, shape=dict(files=24, tasks=90, results=270, hosts=40), statuses=["completed", "failed", "running", "expired"], labels=["ci", "old"], rich=True)))]
        jobs += [(folder, write, (head, at(*folder.split("/"), prefix=prefix), arguments)) for folder, prefix, _, arguments in reversed(reports)]
        run(jobs)
        run([(f"legacy/{level}", old, (templates[level], past, out, level, at)) for level in schemas.LEVELS])
    docs_files(out)
    listed = [dict(folder=folder, prefix=prefix, kind=kind) for folder, prefix, kind, _ in reports]
    for kind, names in (("legacy", schemas.LEVELS), ("legacy-migrated", schemas.LEVELS), ("encoded", damage.encode(at("1"), at)), ("broken", damage.damage(at("1"), at))):
        listed += [dict(folder=f"{kind}/{name}", prefix="ara-report", kind=kind) for name in names]
    if args.recorded:
        shutil.copytree(args.recorded, os.path.join(out, "recorded"))
        listed += [dict(folder=f"recorded/{name}", prefix="ara-report", kind="healthy") for name in sorted(os.listdir(args.recorded))]
    with open(os.path.join(out, "corpus.json"), "w") as f:
        json.dump(dict(seed=args.seed, set=args.set, reports=listed), f, indent=1, ensure_ascii=False)


if __name__ == "__main__":
    main()
