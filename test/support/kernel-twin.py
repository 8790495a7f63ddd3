"""Keeps a filesystem mounted and answers requests about it, one JSON object a line. Usage: kernel-twin.py IMAGE OPTIONS

Run it in a mount namespace of its own. Requests, and what is answered (one line each):
  {"perform": [operations of apply-operations.py]}  -> ["ok" or the name of the error number, ...]
  {"list": true}                                    -> [objects of list-tree.py]
  {"list": "other image"}                           -> the same of another image, mounted read-only for the moment
The image is unmounted when standard input ends.
"""

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile

SUPPORT = os.path.dirname(os.path.abspath(__file__))


def load(name):
    spec = importlib.util.spec_from_file_location(name.replace("-", "_"), os.path.join(SUPPORT, name + ".py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextlib.contextmanager
def mounted(image, options):
    folder = tempfile.mkdtemp()
    subprocess.run(["mount", "-o", options, image, folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)
        os.rmdir(folder)


operations, trees = load("apply-operations"), load("list-tree")


def answer(request, root):
    if "perform" in request:
        return [operations.outcome(root, operation) for operation in request["perform"]]
    if request["list"] is True:
        return list(trees.entries(root))
    # XFS mounts a second filesystem of the same UUID only when it is told to.
    with mounted(request["list"], "loop,ro,nouuid" if "nouuid" in sys.argv[2] else "loop,ro,noload") as other:
        return list(trees.entries(os.fsencode(other)))


with mounted(sys.argv[1], sys.argv[2]) as folder:
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line), os.fsencode(folder))), flush=True)
