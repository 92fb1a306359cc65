"""The partition of a key, as Kafka's Java client chooses it."""

_SEED = 0x9747B28C
_M = 0x5BD1E995
_32_BITS = 0xFFFFFFFF


def murmur2(key: bytes) -> int:
    """Return the unsigned 32-bit murmur2 of the key (org.apache.kafka.common.utils.Utils.murmur2)."""
    digest = _SEED ^ len(key)
    whole = len(key) - len(key) % 4
    for start in range(0, whole, 4):
        word = int.from_bytes(key[start : start + 4], "little") * _M & _32_BITS
        digest = (digest * _M & _32_BITS) ^ ((word ^ word >> 24) * _M & _32_BITS)
    if rest := key[whole:]:
        digest = (digest ^ int.from_bytes(rest, "little")) * _M & _32_BITS
    digest = (digest ^ digest >> 13) * _M & _32_BITS
    return digest ^ digest >> 15


def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition: the hash without its sign, modulo the number of partitions."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions
