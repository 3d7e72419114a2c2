"""Answers batches of query parameters as ARA itself does: one JSON request per line in, one JSON answer per line out.

A request is {"parser": name, "cases": [...]}. Every case gets {"ok": value}, {"invalid": [messages]} or
{"fault": exception}.
"""

import io
import json
import os
import sys
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

# ARA wants a folder to exist, writes settings there unless it is told of some, and prints what it does.
os.environ["ARA_BASE_DIR"] = os.getcwd()
os.environ["ARA_SETTINGS"] = os.devnull
os.environ["ARA_SECRET_KEY"] = "x"
os.environ["ARA_TIME_ZONE"] = "UTC"
os.environ["DJANGO_SETTINGS_MODULE"] = "ara.server.settings"
answers, sys.stdout = sys.stdout, sys.stderr

import django  # noqa: E402

django.setup()

from ara.api.filters import TaskFilter  # noqa: E402
from ara.api.models import Task  # noqa: E402
from django.core.exceptions import ValidationError  # noqa: E402
from django.core.handlers.wsgi import WSGIRequest  # noqa: E402
from django.http import QueryDict  # noqa: E402
from django.utils.timezone import make_naive  # noqa: E402
from django_filters.utils import translate_validation  # noqa: E402
from rest_framework.pagination import LimitOffsetPagination  # noqa: E402
from rest_framework.request import Request  # noqa: E402

EPOCH = datetime(1970, 1, 1)


class Invalid(Exception):
    pass


def clean(name, values):
    """What the form of a filter set does with one field."""
    field = TaskFilter.base_filters[name].field
    data = QueryDict(mutable=True)
    data.setlist(name, values)
    try:
        return field.clean(field.widget.value_from_datadict(data, {}, name))
    except ValidationError as error:
        errors = SimpleNamespace(as_data=lambda: {name: error.error_list})
        raise Invalid(translate_validation(errors).detail[name]) from error


class Query:
    """Stands in for a query set and remembers what a filter asked of it."""

    asked = None

    def filter(self, **lookups):
        (self.asked,) = lookups.values()
        return self

    def order_by(self, *names):
        self.asked = names
        return self


def ask(name, values):
    return TaskFilter.base_filters[name].filter(Query(), clean(name, values)).asked


def saturate(value):
    return max(-(2**63), min(2**63 - 1, value))


def number(case):
    value = ask("playbook", [case])
    if value is None:
        return None
    # int() of a huge negative decimal would not come back.
    if value and value.adjusted() > 60:
        return -(2**63)
    return saturate(int(value))


def lineno(case):
    value = ask("lineno", [case])
    return None if value is None else saturate(Task._meta.get_field("lineno").get_prep_value(value))


def uuid(case):
    value = ask("uuid", [case])
    return None if value is None else value.hex


def choice(case):
    return list(dict.fromkeys(clean("status", case)))


def order(case):
    names = ask("order", [case])
    return None if names is None else [[name.removeprefix("-"), name.startswith("-")] for name in names]


def moment(case):
    value = ask("created_before", [case])
    if value is None:
        return None
    micros = (make_naive(value, timezone.utc) - EPOCH) // timedelta(microseconds=1)
    return list(divmod(micros, 1_000_000))


def paginator(raw, count=0):
    environ = {
        "REQUEST_METHOD": "GET",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "PATH_INFO": "/api/v1/tasks",
        # As gunicorn fills it in.
        "QUERY_STRING": raw.encode().decode("latin-1"),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
    }
    pages = LimitOffsetPagination()
    pages.request = Request(WSGIRequest(environ))
    pages.count = count
    pages.limit = pages.get_limit(pages.request)
    pages.offset = pages.get_offset(pages.request)
    return pages


def query_with(name, value):
    data = QueryDict(mutable=True)
    data[name] = value
    return SimpleNamespace(query_params=data)


def limit(case):
    return saturate(LimitOffsetPagination().get_limit(query_with("limit", case)))


def offset(case):
    return saturate(LimitOffsetPagination().get_offset(query_with("offset", case)))


def links(case):
    raw, count = case
    pages = paginator(raw, count)
    pages.limit = saturate(pages.limit)
    return [link and link.partition("?")[2] for link in (pages.get_next_link(), pages.get_previous_link())]


PARSERS = {
    "boolean": lambda case: ask("handler", [case]),
    "choice": choice,
    "datetime": moment,
    "limit": limit,
    "lineno": lineno,
    "links": links,
    "number": number,
    "offset": offset,
    "order": order,
    "query_string": lambda case: [[name, values] for name, values in QueryDict(case.encode()).lists()],
    "text": lambda case: ask("name", [case]),
    "uuid": uuid,
}


def answer(parser, case):
    try:
        return {"ok": parser(case)}
    except Invalid as error:
        return {"invalid": error.args[0]}
    except Exception as error:
        return {"fault": type(error).__name__}


for line in sys.stdin:
    request = json.loads(line)
    parser = PARSERS[request["parser"]]
    print(json.dumps([answer(parser, case) for case in request["cases"]]), file=answers, flush=True)
