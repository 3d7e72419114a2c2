"""Adds playbooks to a report as a running ARA does, each in a transaction, and keeps a copy of every state.

    target/tools/ara/bin/python tests/it/replacing.py REPORT COPIES COUNT JOURNAL

COPIES/N/ara-report/ansible.sqlite is what the report held after N transactions; JOURNAL is delete or wal.
"""
import os
import sqlite3
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "corpus"))


def copy(report, copies, number):
    folder = os.path.join(copies, str(number), "ara-report")
    os.makedirs(folder)
    source, target = sqlite3.connect(report), sqlite3.connect(os.path.join(folder, "ansible.sqlite"))
    source.backup(target)
    target.close()
    source.close()


def main():
    report, copies, count, journal = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    with tempfile.TemporaryDirectory() as scratch:
        os.environ.update(ARA_BASE_DIR=scratch, ARA_SETTINGS=os.path.join(scratch, "none.yaml"), ARA_DATABASE_NAME=report, ARA_LOG_LEVEL="ERROR",
                          ARA_SECRET_KEY="replacing", ARA_TIME_ZONE="UTC", DJANGO_SETTINGS_MODULE="ara.server.settings")
        import django
        django.setup()
        import rows
        import schemas
        from django.db import connection, transaction

        schemas.use(report)
        with connection.cursor() as cursor:
            cursor.execute(f"pragma journal_mode = {journal}")
        copy(report, copies, 0)
        for number in range(1, count + 1):
            with transaction.atomic():
                rows.write(seed=1000 + number, playbooks=1, shape=dict(files=2, tasks=6, results=20, hosts=3), labels=())
            copy(report, copies, number)
            time.sleep(0.02)
        connection.close()


main()
