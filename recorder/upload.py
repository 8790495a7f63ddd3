"""Puts a file to a presigned URL, where the machine has no curl."""
import os
import urllib.request

TIMEOUT_SECONDS = 300


def upload(path, url):
    """Raises OSError, of which urllib's errors are a kind, when it is refused."""
    with open(path, "rb") as file:
        # A presigned URL is for a request without a type; urllib would name that of a form.
        headers = {"Content-Length": str(os.path.getsize(path)), "Content-Type": ""}
        request = urllib.request.Request(url, data=file, method="PUT", headers=headers)
        urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS).close()
