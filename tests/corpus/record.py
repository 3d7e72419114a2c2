#!/usr/bin/env python3
"""Record real runs of Ansible with ARA's own callback plugin.

    target/tools/ara/bin/python tests/corpus/record.py OUT

Writes OUT/NAME/ara-report/ansible.sqlite for every recording. The playbooks are those beside this file; they touch no
machine but this one and no network. Times, ids and order of parallel hosts are those of the run: recordings differ.
"""
import argparse
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

PLAYBOOKS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "playbooks")
RECORDINGS = {
    "green": [["green.yml", "--diff"], ["green.yml", "--check", "--diff", "--tags", "web", "--limit", "web"]],
    "failing": [["failing.yml", "-e", "name=value"]],
    "delegated": [["delegated.yml", "-v"]],
    "records": [["records.yml"]],
}
"""Arguments of each run of a recording. The status of a run that is meant to fail is 2 (failed) or 4 (unreachable)."""


def settings(scratch, database):
    """The whole environment of a run: nothing of the caller's but where its programs are."""
    import ara

    plugins = os.path.join(ara.__path__[0], "plugins")
    return {
        "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TZ": "UTC", "HOME": os.path.join(scratch, "home"), "TMPDIR": os.path.join(scratch, "tmp"), "PYTHONDONTWRITEBYTECODE": "1",
        "ANSIBLE_CONFIG": "ansible.cfg", "ANSIBLE_LOCAL_TEMP": os.path.join(scratch, "tmp", "local"), "ANSIBLE_REMOTE_TEMP": os.path.join(scratch, "tmp", "remote"),
        "ANSIBLE_CALLBACK_PLUGINS": os.path.join(plugins, "callback"), "ANSIBLE_ACTION_PLUGINS": os.path.join(plugins, "action"), "ANSIBLE_LOOKUP_PLUGINS": os.path.join(plugins, "lookup"),
        "ARA_BASE_DIR": os.path.join(scratch, "ara"), "ARA_SETTINGS": os.path.join(scratch, "none.yaml"), "ARA_DATABASE_NAME": database, "ARA_TIME_ZONE": "UTC", "ARA_LOG_LEVEL": "ERROR",
        "ARA_SECRET_KEY": "recorded", "ARA_RECORD_USER_NAME": "ci", "ARA_RECORD_CONTROLLER_NAME": "runner.example.org", "ARA_DEFAULT_LABELS": "recorded",
    }


def make_template(scratch):
    """An empty database, so that not every recording runs all migrations."""
    os.makedirs(os.path.join(scratch, "ara"))
    template = os.path.join(scratch, "template.sqlite")
    subprocess.run([sys.executable, "-m", "django", "migrate", "--verbosity", "0", "--settings", "ara.server.settings"], env=settings(scratch, template), check=True, stdout=subprocess.DEVNULL)
    return template


def record(scratch, template, database, runs, more=None, facts=None):
    """Run the playbooks in a copy of their folder, SCRATCH/project; returns what Ansible printed."""
    for folder in ("home", "tmp", "ara"):
        os.makedirs(os.path.join(scratch, folder))
    project = shutil.copytree(PLAYBOOKS, os.path.join(scratch, "project"))
    if facts:
        shutil.copytree(facts, os.path.join(project, "facts"), dirs_exist_ok=True)
    os.makedirs(os.path.dirname(database), exist_ok=True)
    shutil.copy(template, database)
    environment = settings(scratch, database) | (more or {})
    printed = ""
    for run in runs:
        done = subprocess.run([sys.executable, "-m", "ansible", "playbook", *run], cwd=project, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        printed += done.stdout
        if done.returncode not in ((2, 4) if run[0] == "failing.yml" else (0,)) or "callback plugin" in done.stdout:
            sys.exit(f"record: {' '.join(run)} ended with {done.returncode}:\n{done.stdout}")
    con = sqlite3.connect(database)
    con.execute("vacuum")
    con.close()
    return printed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    out = os.path.abspath(parser.parse_args().out)

    with tempfile.TemporaryDirectory(prefix="record-") as scratch, ThreadPoolExecutor(os.cpu_count()) as pool:
        template = make_template(scratch)
        list(pool.map(lambda name: record(os.path.join(scratch, name), template, os.path.join(out, name, "ara-report", "ansible.sqlite"), RECORDINGS[name]), RECORDINGS))


if __name__ == "__main__":
    main()
