"""The answers of Python's own standard library, one line for each line that is asked.

A question is a word, a space and the bytes asked about in hexadecimal. An answer is the bytes in hexadecimal behind "=", or
"!" where Python raises. The grammar of stored times is django.utils.dateparse.datetime_re (Django, BSD licence) with ASCII
digits, so that the answer does not depend on what fromisoformat of the running version reads.
"""

import datetime
import json
import re
import struct
import sys

sys.setrecursionlimit(5000)

STORED = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"
    r"[T ](?P<hour>\d{1,2}):(?P<minute>\d{1,2})"
    r"(?::(?P<second>\d{1,2})(?:[.,](?P<microsecond>\d{1,6})\d{0,6})?)?"
    r"\s*(?P<tzinfo>Z|[+-]\d{2}(?::?\d{2})?)?$",
    re.ASCII,
)


def normalise(asked):
    value = json.loads(asked.decode())
    return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def indent(asked):
    return json.dumps(json.loads(asked.decode()), indent=3, separators=(",", ": "))


def string(asked):
    return json.dumps(asked.decode())


def number(asked):
    return repr(struct.unpack("<d", asked)[0])


def duration(asked):
    delta = datetime.timedelta(microseconds=struct.unpack("<q", asked)[0])
    minutes, seconds = divmod(delta.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    text = "{:02d}:{:02d}:{:02d}".format(hours, minutes, seconds)
    if delta.days:
        text = "{} ".format(delta.days) + text
    if delta.microseconds:
        text += ".{:06d}".format(delta.microseconds)
    return json.dumps(text)


def shown(moment):
    return json.dumps(moment.isoformat().replace("+00:00", "Z"))


def timestamp(asked):
    seconds, micros = struct.unpack("<qI", asked)
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    return shown(epoch + datetime.timedelta(seconds=seconds, microseconds=micros))


def stored(asked):
    fields = STORED.match(asked.decode()).groupdict()
    zone = fields.pop("tzinfo") or "Z"
    fields["microsecond"] = (fields["microsecond"] or "0").ljust(6, "0")
    offset = datetime.timedelta()
    if zone != "Z":
        minutes = int(zone[-2:]) if len(zone) > 3 else 0
        offset = datetime.timedelta(minutes=60 * int(zone[1:3]) + minutes)
        offset = -offset if zone[0] == "-" else offset
    tzinfo = datetime.timezone(offset)
    moment = datetime.datetime(**{key: int(value or 0) for key, value in fields.items()}, tzinfo=tzinfo)
    return shown(moment.astimezone(datetime.timezone.utc))


ANSWERS = {
    "normalise": normalise,
    "indent": indent,
    "string": string,
    "number": number,
    "duration": duration,
    "timestamp": timestamp,
    "stored": stored,
}

for line in sys.stdin:
    kind, _, asked = line.rstrip("\n").partition(" ")
    try:
        answer = "=" + ANSWERS[kind](bytes.fromhex(asked)).encode().hex()
    except (AttributeError, OverflowError, RecursionError, ValueError):
        answer = "!"
    print(answer, flush=True)
