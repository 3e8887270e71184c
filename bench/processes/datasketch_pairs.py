"""Finds the near-duplicates among the first texts of a file of JSON strings, one a line, with datasketch.

Prints what `near-pairs.ts` prints: `datasketch_pairs.py FILE COUNT`. Same shingles, threshold, places and weights of the bands;
what its bands find is verified by its own estimate, as ours are.
"""

import itertools
import json
import resource
import sys
import time
from collections.abc import Iterator

from datasketch import MinHash, MinHashLSH

THRESHOLD = 0.85
PLACES = 128
SHINGLE_WORDS = 5
WEIGHTS = (0.1, 0.9)


def shingles(text: str) -> set[bytes]:
    words = text.lower().split()
    count = max(1, len(words) - SHINGLE_WORDS + 1)
    return {" ".join(words[start : start + SHINGLE_WORDS]).encode() for start in range(count)}


def texts(path: str, count: int) -> Iterator[str]:
    with open(path, encoding="utf-8") as lines:
        for line in itertools.islice(lines, count):
            yield json.loads(line)


def main(path: str, count: int) -> None:
    start = time.perf_counter()
    index = MinHashLSH(threshold=THRESHOLD, num_perm=PLACES, weights=WEIGHTS)
    signatures: list[MinHash] = []
    pairs: list[tuple[int, int]] = []
    for number, signature in enumerate(MinHash.generator(map(shingles, texts(path, count)), num_perm=PLACES)):
        for other in index.query(signature):
            if signature.jaccard(signatures[other]) >= THRESHOLD:
                pairs.append((other, number))
        index.insert(number, signature)
        signatures.append(signature)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "cpuSeconds": time.process_time(), "peakMegabytes": peak, "pairs": pairs}))


main(sys.argv[1], int(sys.argv[2]))
