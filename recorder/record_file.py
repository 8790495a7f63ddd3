"""A recording on the disk: JSON lines in gzip, one member for each part; the reader is core/recording/."""
import gzip
import json
import os
import time

from actors import ASKED, OTHER, OWN, UNSURE
from tally import CHANGES, DIRECTORY

FORMAT_VERSION = 1


def timestamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def merged_by_path(tally, judged):
    """path -> [bits of the update, bits of whom could not be told, bits of others]."""
    places = {OWN: 0, UNSURE: 1, OTHER: 2}
    merged = {}
    for actor, paths in tally.by_actor.items():
        who = actor if isinstance(actor, str) else judged.get(actor, OTHER)
        for path, bits in paths.items():
            found = merged.setdefault(path, [0, 0, 0])
            if who == ASKED:
                changes = bits & CHANGES if _is_setting(path) else 0
                found[1] |= changes | (bits & DIRECTORY if changes else 0)
                found[2] |= bits & ~changes
            else:
                found[places[who]] |= bits
    return merged


def _is_setting(path):
    return path.startswith(b"/etc/")


def lines_of(header, tally, judged, end):
    yield dict(header, recording=FORMAT_VERSION)
    # Surrogates stand for bytes that are no UTF-8 (PEP 383); sorted, paths compress well.
    for path, bits in sorted(merged_by_path(tally, judged).items()):
        yield [os.fsdecode(path)] + bits
    for source, target, actor in tally.renames:
        who = actor if isinstance(actor, str) else judged.get(actor, OTHER)
        if who == ASKED:
            who = UNSURE if _is_setting(target) else OTHER
        yield {"renamed": [os.fsdecode(source), os.fsdecode(target)], "by": who}
    if end is not None:
        # Its absence tells that the part was cut off.
        yield dict(end, events=tally.events, overflows=tally.overflows, unresolved=tally.unresolved, end=True)


def write_part(path, header, tally, judged, end):
    unfinished = path + ".unfinished"
    try:
        with open(unfinished, "wb") as file:
            with gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=6, mtime=0) as packed:
                for line in lines_of(header, tally, judged, end):
                    packed.write(json.dumps(line, separators=(",", ":")).encode("ascii") + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        # The update may need what room there is.
        if os.path.exists(unfinished):
            os.unlink(unfinished)
        raise
    os.rename(unfinished, path)


def next_part(directory):
    """(path, number) of the part after those that are there; more than one when the machine was rebooted meanwhile."""
    numbers = [int(name[5:9]) for name in os.listdir(directory) if name.startswith("part-") and name[5:9].isdigit()]
    number = max(numbers, default=0) + 1
    return os.path.join(directory, "part-%04d.jsonl.gz" % number), number
