# SPDX-License-Identifier: MIT
"""read_calendar.py FILE FROM TO: a calendar read by others' libraries, its recurrences laid out as RFC 5545 has them.

Prints a line `summary<TAB>from<TAB>to`, in seconds since 1970, for every stretch between two instants that events of one summary
cover. A day of an event without a time is one of UTC. The zones are those that the calendar itself describes.
"""
import sys
from datetime import datetime, timedelta, timezone

import icalendar
from dateutil import tz
from dateutil.rrule import rruleset, rrulestr

path, begin, end = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
zones = tz.tzical(path)
far = datetime.fromtimestamp(end, timezone.utc).replace(tzinfo=None) + timedelta(days=3)


def instant(naive, zone):
    """The first instant with this local time; one that is skipped, by the offset before."""
    there = naive.replace(tzinfo=zone)
    if tz.datetime_exists(there):
        return there.timestamp()
    return (naive - (there - timedelta(days=1)).utcoffset()).replace(tzinfo=timezone.utc).timestamp()


def bare(value):
    return value.replace(tzinfo=None) if isinstance(value, datetime) else datetime(value.year, value.month, value.day)


def starts(event, first):
    """The local times at which it begins, up to the end and a little more."""
    if "RRULE" not in event:
        return [first]
    dates = rruleset()
    dates.rrule(rrulestr(event["RRULE"].to_ical().decode(), dtstart=first))
    excluded = event.get("EXDATE", [])
    for group in excluded if isinstance(excluded, list) else [excluded]:
        for one in group.dts:
            dates.exdate(bare(one.dt))
    return dates.between(first - timedelta(days=1), far, inc=True)


def spans(event):
    value = event["DTSTART"]
    first = bare(value.dt)
    if not isinstance(value.dt, datetime):
        return [(instant(at, tz.UTC), instant(at, tz.UTC) + 86400) for at in starts(event, first)]
    zone = zones.get(value.params["TZID"]) if "TZID" in value.params else tz.UTC
    length = instant(bare(event["DTEND"].dt), zone) - instant(first, zone)
    return [(instant(at, zone), instant(at, zone) + length) for at in starts(event, first)]


with open(path, "rb") as file:
    calendar = icalendar.Calendar.from_ical(file.read())
covered, identifiers = {}, set()
for event in calendar.walk("VEVENT"):
    assert str(event["UID"]) not in identifiers, event["UID"]
    identifiers.add(str(event["UID"]))
    covered.setdefault(str(event["SUMMARY"]), []).extend(spans(event))
for summary, list_of in covered.items():
    joined = []
    for start, stop in sorted(list_of):
        start, stop = max(start, begin), min(stop, end)
        if start >= stop:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], stop)
        else:
            joined.append([start, stop])
    for start, stop in joined:
        print(f"{summary}\t{start:.0f}\t{stop:.0f}")
