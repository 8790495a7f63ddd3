"""Fills a directory that the kernel encrypts, with names and links of many lengths. Usage: fill-encrypted.py ROOT

The key is in the kernel only as long as the filesystem is mounted: mounted again, the names are as without the key.
"""

import fcntl
import os
import struct
import sys

FS_IOC_ADD_ENCRYPTION_KEY, FS_IOC_SET_ENCRYPTION_POLICY = 0xC0506617, 0x800C6613
IDENTIFIER_SPECIFIER, POLICY_V2, AES_256_XTS, AES_256_CTS, PAD_16 = 2, 2, 1, 4, 2


def with_directory(path, action):
    fd = os.open(path, os.O_RDONLY)
    try:
        return action(fd)
    finally:
        os.close(fd)


def add_key(root, raw):
    # struct fscrypt_add_key_arg: what kind of name the key has, room for that name, the key's size, the key.
    request = bytearray(struct.pack("<II32xII32x", IDENTIFIER_SPECIFIER, 0, len(raw), 0) + raw)
    with_directory(root, lambda fd: fcntl.ioctl(fd, FS_IOC_ADD_ENCRYPTION_KEY, request))
    return bytes(request[8:24])


def encrypt(directory, identifier):
    policy = struct.pack("<BBBBB3x16s", POLICY_V2, AES_256_XTS, AES_256_CTS, PAD_16, 0, identifier)
    os.mkdir(directory)
    with_directory(directory, lambda fd: fcntl.ioctl(fd, FS_IOC_SET_ENCRYPTION_POLICY, policy))


root = sys.argv[1]
identifier = add_key(root, bytes(range(64)))
for name, entries in (("few", 0), ("some", 60), ("many", 900)):
    directory = os.path.join(root, name)
    encrypt(directory, identifier)
    for length in (1, 15, 16, 17, 32, 144, 149, 150, 200, 255):
        with open(os.path.join(directory, "n" * length), "wb") as file:
            file.write(b"secret" * length * 10)
    for number in range(entries):
        with open(os.path.join(directory, f"entry-{number}-{'x' * (number % 60)}"), "wb"):
            pass
    os.makedirs(os.path.join(directory, "sub", "subsub"))
    os.link(os.path.join(directory, "n"), os.path.join(directory, "sub", "linked"))
    for length in (1, 40, 57, 58, 100, 149, 1000):
        os.symlink("t" * length, os.path.join(directory, "sub", f"link-{length}"))
    os.mkfifo(os.path.join(directory, "fifo"))
with open(os.path.join(root, "plain"), "wb") as file:
    file.write(b"in the clear")
