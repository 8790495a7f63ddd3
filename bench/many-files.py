"""Fills a mounted filesystem with a tree of so many entries: python3 many-files.py <folder> <count>.

As in a large tree of packages: directories of a hundred entries three levels down, one with a tenth of all, names of
usual length, some symbolic links, some further names, one file in fifty with content.
"""

import os
import sys


def main():
    root, count = sys.argv[1], int(sys.argv[2])
    made = 0

    def fill(folder, entries):
        nonlocal made
        os.mkdir(folder)
        made += 1
        last = None
        for number in range(entries):
            if made >= count:
                return
            path = f"{folder}/module-{number:05d}.{'so' if number % 3 else 'conf'}"
            if number % 25 == 7:
                os.symlink("../../common/target.so.6", path)
            elif number % 50 == 9 and last is not None:
                os.link(last, path)
            else:
                with open(path, "xb") as file:
                    if number % 50 == 0:
                        file.write(b"x" * 2000)
                last = path
            made += 1

    fill(f"{root}/large", count // 10)
    top = 0
    while made < count:
        os.mkdir(f"{root}/part-{top:03d}")
        made += 1
        for middle in range(20):
            if made >= count:
                break
            fill(f"{root}/part-{top:03d}/package-{middle:04d}", 100)
        top += 1


main()
