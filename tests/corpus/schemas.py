"""Databases of every schema that ARA has had: templates, old files, and those files migrated.

Templates hold no rows; they are made once per run by ARA's own migrations and copied.
The rows come from `rows`; which values an old release would have written is decided here.
"""
import os
import shutil
import sqlite3

LEVELS = ["0003", "0005", "0007", "0008", "0010", "0014", "0017", "0018", "0019"]
"""0003 is ARA 1.0 to 1.2, 0005 1.4, 0007 1.5.0, 0008 1.5.4, 0010 1.5.8, 0017 1.6 to 1.7.3, 0018 and 0019 the way to 1.8."""
HEAD = "0020"
MIGRATED_AT = "2025-01-01 00:00:00"


def use(path):
    """Point Django at this database file."""
    from django.db import connection

    connection.close()
    connection.settings_dict["NAME"] = path
    with connection.cursor() as cursor:
        cursor.execute("pragma synchronous = off")


def finish():
    """Leave the file that `use` opened closed and compact."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("update django_migrations set applied = %s", [MIGRATED_AT])
        cursor.execute("vacuum")
    connection.close()


def make_templates(folder, levels):
    """One empty database per level, and one of the newest schema; returns level -> path."""
    from django.core.management import call_command

    work = os.path.join(folder, "template.sqlite")
    use(work)
    for app in ("contenttypes", "auth", "admin", "sessions", "db"):
        call_command("migrate", app, verbosity=0)
    made = {}
    for level in [*levels, HEAD]:
        use(work)
        call_command("migrate", "api", level, verbosity=0)
        finish()
        made[level] = os.path.join(folder, f"{level}.sqlite")
        shutil.copy(work, made[level])
    return made


def downgrade(source, template, path, level):
    """Copy the rows of source into the older schema of template, with the values of that time."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    shutil.copy(template, path)
    con = sqlite3.connect(path)
    con.execute("pragma synchronous = off")
    con.execute("pragma foreign_keys = off")
    con.execute("attach ? as new", (source,))
    for (table,) in con.execute("select name from main.sqlite_master where type = 'table'").fetchall():
        if table.startswith(("django_", "auth_", "sqlite_", "health_", "db_")):
            continue
        new = {r[1] for r in con.execute(f"pragma new.table_info({table})")}
        if not new:
            continue
        info = con.execute(f"pragma main.table_info({table})").fetchall()
        common = [r[1] for r in info if r[1] in new]
        fill = {r[1]: "''" for r in info if r[1] not in new and r[3] and r[4] is None and not r[5]}
        con.execute(f"insert into main.{table} ({','.join(common + list(fill))}) select {','.join(common + list(fill.values()))} from new.{table}")
    con.commit()
    con.execute("detach new")
    for statement in values_of_the_time(level):
        con.execute(statement)
    con.commit()
    con.execute("vacuum")
    con.close()


def values_of_the_time(level):
    """What a release of that level wrote where 1.8 writes something else."""
    release = {"0003": "1.1.0", "0005": "1.4.0", "0007": "1.5.0", "0008": "1.5.4", "0010": "1.5.8", "0014": "1.6.0", "0017": "1.7.2", "0018": "1.7.4", "0019": "1.8.0"}[level]
    yield "update playbooks set ansible_version = '2.9.27' where id % 2"
    # The newest host of a name is not always the one of the newest playbook.
    yield "update hosts set updated = '2024-12-24 18:00:00' where id % 7 = 1"
    # What still runs was last touched some time after it started.
    for table in ("playbooks", "plays", "tasks"):
        yield f"update {table} set updated = '2024-03-18 09:30:00.123456' where ended is null"
    if level < "0007":
        for table in ("playbooks", "plays"):
            yield f"update {table} set status = 'unknown' where status = 'expired'"
    if level < "0013":
        # Tasks knew no failure; the migration finds it in the results.
        yield "update tasks set status = 'completed' where status = 'failed'"
        yield "update results set status = 'failed', ignore_errors = id % 4 = 1, changed = 0 where id % 9 = 1"
        yield "update results set status = 'unreachable', ignore_errors = 0, changed = 0 where id % 31 = 2"
    if level < "0006":
        yield "update results set status = 'changed' where changed and id % 2"
        yield "update results set status = 'ignored' where ignore_errors and status = 'failed' and id % 2"
    if level >= "0014":
        yield f"update playbooks set server_version = '{release}', client_version = case id % 3 when 0 then null else '{release}' end, python_version = case id % 3 when 0 then null else '3.9.2' end"
    if level >= "0015":
        yield "update tasks set uuid = null where id % 5 = 0"
    if level >= "0017":
        yield "update playbooks set controller = null where id % 4 = 3"


def migrate(source, path):
    """A copy of source in the newest schema, made by ARA's own `migrate`: what a reader of source has to answer like.

    Migrations save rows to fill new columns, and each save would put the time of the
    migration into `updated`. That time is not content, so existing rows keep theirs.
    """
    import contextlib
    import datetime as dt
    import io

    from django.core.management import call_command
    from django.db.models import DateTimeField
    from django.utils import timezone

    timezone.now = lambda: dt.datetime.fromisoformat(MIGRATED_AT).replace(tzinfo=dt.timezone.utc)
    before = DateTimeField.pre_save
    DateTimeField.pre_save = lambda self, row, add: before(self, row, add) if add or not self.auto_now else getattr(row, self.attname)
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copy(source, path)
        use(path)
        with contextlib.redirect_stdout(io.StringIO()):
            call_command("migrate", verbosity=0)
        finish()
    finally:
        DateTimeField.pre_save = before
