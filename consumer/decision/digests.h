/* The three digests of a click, each a plain twin of the function in schemas/identity.py that it is tested against, and
   a hash that is good within one process only. */

#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Rounds spelt out, whose indexes are then constants: two fifths less time with GCC; others may pass over the word. */
#define UNROLLED _Pragma("GCC unroll 20")

static inline uint32_t rotated_left(uint32_t word, int bits) { return word << bits | word >> (32 - bits); }

static inline uint64_t rotated_right(uint64_t word, int bits) { return word >> bits | word << (64 - bits); }

/* Bytes as numbers, whatever the machine's own order; compilers make one instruction of each. */
static inline uint32_t little_endian_32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static inline uint32_t big_endian_32(const uint8_t *at)
{
    return (uint32_t)at[3] | (uint32_t)at[2] << 8 | (uint32_t)at[1] << 16 | (uint32_t)at[0] << 24;
}

static inline uint64_t little_endian_64(const uint8_t *at)
{
    return little_endian_32(at) | (uint64_t)little_endian_32(at + 4) << 32;
}

static inline void put_big_endian_32(uint8_t *at, uint32_t number)
{
    for (int place = 3; place >= 0; place--, number >>= 8)
        at[place] = (uint8_t)number;
}

static inline void put_big_endian_64(uint8_t *at, uint64_t number)
{
    for (int place = 7; place >= 0; place--, number >>= 8)
        at[place] = (uint8_t)number;
}

static inline uint64_t big_endian_64(const uint8_t *at)
{
    uint64_t number = 0;
    for (int place = 0; place < 8; place++)
        number = number << 8 | at[place];
    return number;
}

/* Eight bytes at a time, each mixed in by a multiplication with 2^64 over the golden ratio. Not for keeping: the seed is
   another one in each process, so that nobody can make up names that are looked for in the same place. */
static uint64_t hash_of(const uint8_t *data, size_t size, uint64_t seed)
{
    const uint64_t factor = 0x9e3779b97f4a7c15;
    uint64_t hash = seed ^ size * factor;
    for (; size >= 8; data += 8, size -= 8) {
        hash = (hash ^ little_endian_64(data)) * factor;
        hash ^= hash >> 32;
    }
    for (; size; data++, size--)
        hash = (hash ^ *data) * factor;
    return hash ^ hash >> 32;
}

/* MurmurHash2 of 32 bits with the seed of Kafka's Java client (org.apache.kafka.common.utils.Utils), without its sign. */
static uint32_t key_hash_of(const uint8_t *key, size_t size)
{
    const uint32_t factor = 0x5bd1e995;
    uint32_t hash = 0x9747b28c ^ (uint32_t)size;
    for (; size >= 4; key += 4, size -= 4) {
        uint32_t word = little_endian_32(key) * factor;
        hash = hash * factor ^ (word ^ word >> 24) * factor;
    }
    if (size == 3)
        hash ^= (uint32_t)key[2] << 16;
    if (size >= 2)
        hash ^= (uint32_t)key[1] << 8;
    if (size >= 1)
        hash = (hash ^ key[0]) * factor;
    hash = (hash ^ hash >> 13) * factor;
    return (hash ^ hash >> 15) & 0x7fffffff;
}

/* One block of SHA-1 (RFC 3174, section 6.1), with the schedule in a ring of sixteen words (section 6.2). */
static void sha1_block(uint32_t state[5], const uint8_t *block)
{
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], schedule[16];
#define SHA1_ROUND(mix, constant)                                                                                      \
    do {                                                                                                               \
        uint32_t *word = &schedule[round & 15];                                                                        \
        if (round >= 16)                                                                                               \
            *word = rotated_left(schedule[(round + 13) & 15] ^ schedule[(round + 8) & 15] ^                            \
                                     schedule[(round + 2) & 15] ^ *word, 1);                                           \
        else                                                                                                           \
            *word = big_endian_32(block + 4 * round);                                                                  \
        uint32_t next = rotated_left(a, 5) + (mix) + e + *word + (constant);                                           \
        e = d, d = c, c = rotated_left(b, 30), b = a, a = next;                                                        \
    } while (0)
    int round = 0;
    UNROLLED for (; round < 20; round++)
        SHA1_ROUND(d ^ (b & (c ^ d)), 0x5a827999);
    UNROLLED for (; round < 40; round++)
        SHA1_ROUND(b ^ c ^ d, 0x6ed9eba1);
    UNROLLED for (; round < 60; round++)
        SHA1_ROUND((b & c) | (d & (b | c)), 0x8f1bbcdc);
    UNROLLED for (; round < 80; round++)
        SHA1_ROUND(b ^ c ^ d, 0xca62c1d6);
#undef SHA1_ROUND
    state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
}

/* SHA-1: whole blocks, then what is left with a bit behind it and the length in bits at the end. */
static void sha1(const uint8_t *data, size_t size, uint8_t digest[20])
{
    uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    uint8_t tail[128] = {0};
    size_t rest = size % 64, padded = rest < 56 ? 64 : 128;
    for (size_t place = 0; place + 64 <= size; place += 64)
        sha1_block(state, data + place);
    memcpy(tail, data + size - rest, rest);
    tail[rest] = 0x80;
    put_big_endian_64(tail + padded - 8, (uint64_t)size * 8);
    for (size_t place = 0; place < padded; place += 64)
        sha1_block(state, tail + place);
    for (int byte = 0; byte < 20; byte++)
        digest[byte] = (uint8_t)(state[byte / 4] >> (24 - 8 * (byte % 4)));
}

static const uint64_t BLAKE2B_START[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

/* Which word of the block goes where (RFC 7693, section 2.7); rounds 11 and 12 are as 1 and 2. */
static const uint8_t BLAKE2B_ORDER[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

static inline void blake2b_mix(uint64_t *a, uint64_t *b, uint64_t *c, uint64_t *d, uint64_t x, uint64_t y)
{
    *a += *b + x, *d = rotated_right(*d ^ *a, 32), *c += *d, *b = rotated_right(*b ^ *c, 24);
    *a += *b + y, *d = rotated_right(*d ^ *a, 16), *c += *d, *b = rotated_right(*b ^ *c, 63);
}

/* One block of BLAKE2b (RFC 7693, section 3.2); `done` counts the bytes up to its end. */
static void blake2b_block(uint64_t state[8], const uint8_t *block, uint64_t done, int is_last)
{
    uint64_t v[16], words[16];
    for (int word = 0; word < 16; word++)
        words[word] = little_endian_64(block + 8 * word);
    memcpy(v, state, 64);
    memcpy(v + 8, BLAKE2B_START, 64);
    v[12] ^= done;
    if (is_last)
        v[14] = ~v[14];
    UNROLLED for (int round = 0; round < 12; round++) {
        const uint8_t *order = BLAKE2B_ORDER[round % 10];
        UNROLLED for (int lane = 0; lane < 4; lane++)
            blake2b_mix(v + lane, v + 4 + lane, v + 8 + lane, v + 12 + lane, words[order[2 * lane]],
                        words[order[2 * lane + 1]]);
        UNROLLED for (int lane = 0; lane < 4; lane++)
            blake2b_mix(v + lane, v + 4 + (lane + 1) % 4, v + 8 + (lane + 2) % 4, v + 12 + (lane + 3) % 4,
                        words[order[8 + 2 * lane]], words[order[9 + 2 * lane]]);
    }
    for (int word = 0; word < 8; word++)
        state[word] ^= v[word] ^ v[word + 8];
}

/* BLAKE2b without a key; `digest_size` goes into the start, so a shorter digest is no prefix of a longer one. */
static void blake2b(const uint8_t *data, size_t size, uint8_t *digest, size_t digest_size)
{
    uint64_t state[8];
    uint8_t tail[128] = {0};
    size_t place = 0;
    memcpy(state, BLAKE2B_START, 64);
    state[0] ^= 0x01010000 ^ digest_size;
    for (; size - place > 128; place += 128)
        blake2b_block(state, data + place, place + 128, 0);
    memcpy(tail, data + place, size - place);
    blake2b_block(state, tail, size, 1);
    for (size_t byte = 0; byte < digest_size; byte++)
        digest[byte] = (uint8_t)(state[byte / 8] >> 8 * (byte % 8));
}
