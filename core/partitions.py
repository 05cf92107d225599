"""Who works for whom, where several processes share the people among them."""

import zlib

from core.messages import PersonKey


def partition_of(person: PersonKey, partitions: int) -> int:
    """0 to `partitions` - 1; the same in every process, so that one of them has all that a person says."""
    named = f"{person.platform}\0{person.user_id}".encode(errors="surrogatepass")
    return zlib.crc32(named) % partitions


def fair_share(partitions: int, workers: int, rank: int) -> int:
    """How many partitions are for the worker of this rank, from 0 on; those of all `workers` are all there are."""
    share, left = divmod(partitions, workers)
    return share + (rank < left)
