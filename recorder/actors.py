"""Who did it: the update, a unit that the update restarted, or somebody else."""
import os
import re
import subprocess
import time

OWN, UNSURE, OTHER = "own", "unsure", "other"
# A daemon that changes settings for whom asks it over D-Bus: what it writes to /etc may be the update's doing.
ASKED = "asked"
# In place of a control group, with the second in which it was missed.
GONE = "gone"

# Programs by which an update has a service manager start something outside of its own process tree.
SERVICE_CLIENTS = {
    b"systemctl", b"systemd-run", b"service", b"invoke-rc.d", b"deb-systemd-invoke", b"busctl", b"dbus-send",
    b"initctl", b"telinit", b"udevadm",
}
# Units that are started for a person who logs in, or for the machine itself, whoever runs an update meanwhile.
_NEVER_BY_UPDATE = re.compile(r"^(user@|user-runtime-dir@|session-|getty@|serial-getty@|init\.scope)")
# systemd itself makes the links of `systemctl enable`; hostnamectl, timedatectl, localectl, firewall-cmd, nmcli ask the others.
_ASKED_UNITS = frozenset((
    "init.scope", "systemd-hostnamed.service", "systemd-timedated.service", "systemd-localed.service",
    "firewalld.service", "NetworkManager.service", "accounts-daemon.service",
))
_RECHECK_SECONDS = 1.0
_MAX_ANCESTORS = 64
_CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class Processes:
    """
    A process is looked at while it lives. One in the update's own mount namespace, or below one that is, is the update's;
    of any other its control group is kept, which at the end tells the systemd unit that it belonged to.
    """

    def __init__(self, started):
        self.namespace = os.readlink("/proc/self/ns/mnt")
        self.started = started
        self.client_since = None
        self._began = time.monotonic()
        self._known = {}

    def saw_own(self, pid):
        self._known[pid] = (time.monotonic(), OWN)

    def saw_client(self):
        if self.client_since is None:
            # It ran somewhat before its event is read, but not before the recording.
            self.client_since = max(time.monotonic() - 1.0, self._began)

    def actor(self, pid, is_elsewhere):
        """
        OWN, UNSURE, or (control group, whether the process is younger than the recording). `is_elsewhere`: it came through
        another mount than the update's; then a process that is gone was at most of a unit that the update started.
        """
        now = time.monotonic()
        known = self._known.get(pid)
        if known is not None and now - known[0] < _RECHECK_SECONDS:
            return known[1]
        found = self._look(pid)
        if found is None:
            # Gone: what it was when it was last seen is the best there is.
            if known is not None:
                return known[1]
            if not is_elsewhere:
                return UNSURE
            found = (GONE, int(now))
        self._known[pid] = (now, found)
        return found

    def _look(self, pid):
        # 0 is a process outside of this machine's (container's) process namespace.
        if pid <= 0:
            return ("", False)
        group = _control_group(pid)
        stat = _stat(pid)
        if group is None or stat is None:
            return None
        ancestor = pid
        for _ in range(_MAX_ANCESTORS):
            if ancestor <= 1:
                break
            if _namespace(ancestor) == self.namespace:
                return OWN
            parent = _stat(ancestor)
            if parent is None:
                break
            ancestor = parent[0]
        return (group, stat[1] / _CLOCK_TICKS >= self.started)


def _namespace(pid):
    try:
        return os.readlink("/proc/%d/ns/mnt" % pid)
    except OSError:
        return None


def _stat(pid):
    """(parent, start in clock ticks since boot), fields 4 and 22 of proc_pid_stat(5); the name may hold anything."""
    try:
        with open("/proc/%d/stat" % pid, "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return int(fields[1]), int(fields[19])
    except (OSError, IndexError, ValueError):
        return None


def _control_group(pid):
    """The path in systemd's hierarchy: that of version 2, or the one named systemd."""
    try:
        with open("/proc/%d/cgroup" % pid, "rb") as file:
            lines = file.read().splitlines()
    except OSError:
        return None
    found = b""
    for line in lines:
        number, controllers, path = (line.split(b":", 2) + [b"", b""])[:3]
        if controllers == b"name=systemd" or (number == b"0" and found == b""):
            found = path
    return os.fsdecode(found)


def unit_of(group):
    """The innermost unit of a control group; services may have groups of their own below."""
    for name in reversed(group.split("/")):
        if name.endswith((".service", ".scope")):
            return name
    return ""


def judge_actors(actors, processes):
    """
    OWN, UNSURE, ASKED or OTHER for each. A unit is the update's when it became active after the update first called a program
    that starts units, unless a timer triggers it or it is of a kind that no update starts.
    """
    units = sorted({unit_of(actor[0]) for actor in actors if actor[1] is True} - {""})
    facts = _unit_facts([unit for unit in units if unit.endswith(".service")])
    return {actor: _judge(actor, facts, processes.client_since) for actor in actors}


def _judge(actor, facts, client_since):
    group, young = actor
    if group == GONE:
        return OTHER if client_since is None or young < int(client_since) else UNSURE
    unit = unit_of(group)
    if unit in _ASKED_UNITS:
        return ASKED
    if not young or not unit.endswith(".service") or client_since is None or _NEVER_BY_UPDATE.match(unit):
        return OTHER
    fact = facts.get(unit)
    if fact is None or not fact.get("InactiveExitTimestampMonotonic", "").isdigit():
        return UNSURE
    since = int(fact["InactiveExitTimestampMonotonic"]) / 1e6
    if since == 0:
        # Ended and forgotten by systemd: when it began is not known any more.
        return UNSURE
    if since < client_since or ".timer" in fact.get("TriggeredBy", ""):
        return OTHER
    return OWN


def _unit_facts(units):
    """Properties by unit, of systemctl-show(1): blocks of Name=value, with an empty line between."""
    if not units:
        return {}
    try:
        shown = subprocess.run(
            ["systemctl", "show", "-p", "Id,InactiveExitTimestampMonotonic,TriggeredBy", "--"] + units,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, timeout=30,
        ).stdout.decode("utf-8", "replace")
    except (OSError, subprocess.SubprocessError):
        return {}
    facts = {}
    for block in shown.split("\n\n"):
        fact = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        facts[fact.get("Id")] = fact
    return facts
