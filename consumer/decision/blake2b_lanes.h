/* BLAKE2b of four short texts at a time, a lane of a vector each, where the processor has such vectors: half of the time
   for each. Twin of `blake2b` in digests.h, which does those that are too long, and all where there are no such vectors. */

#include "digests.h"

#if defined(__GNUC__) && defined(__x86_64__)
#define HAS_LANES() __builtin_cpu_supports("avx2")
#define WITH_LANES __attribute__((target("avx2")))
#else
#define HAS_LANES() 0
#define WITH_LANES
#endif

#define LANES 4
#define BLOCK_BYTES 128

/* Texts whose digests are still to be made, and where each goes. Begins as zeros, but for the size. */
typedef struct {
    size_t digest_size; /* up to 16 */
    int count;
    uint64_t words[16][LANES];
    uint64_t sizes[LANES];
    uint8_t *digests[LANES];
} Awaited;

#if defined(__GNUC__)

typedef uint64_t Lanes __attribute__((vector_size(8 * LANES)));

#define ROTATED(word, bits) ((word) >> (bits) | (word) << (64 - (bits)))
#define MIX_LANES(a, b, c, d, x, y)                                                                                    \
    do {                                                                                                               \
        a += b + x, d = ROTATED(d ^ a, 32), c += d, b = ROTATED(b ^ c, 24);                                            \
        a += b + y, d = ROTATED(d ^ a, 16), c += d, b = ROTATED(b ^ c, 63);                                            \
    } while (0)

/* What `blake2b_block` does, for four first and last blocks. */
WITH_LANES static void blake2b_lanes(Awaited *awaited)
{
    Lanes v[16], words[16], sizes, first, second;
    memcpy(words, awaited->words, sizeof words);
    memcpy(&sizes, awaited->sizes, sizeof sizes);
    for (int word = 0; word < 8; word++)
        v[word] = v[word + 8] = (Lanes){0} + BLAKE2B_START[word];
    v[0] ^= 0x01010000 ^ (uint64_t)awaited->digest_size;
    first = v[0], second = v[1];
    v[12] ^= sizes, v[14] = ~v[14];
    UNROLLED for (int round = 0; round < 12; round++) {
        const uint8_t *order = BLAKE2B_ORDER[round % 10];
        UNROLLED for (int at = 0; at < 4; at++)
            MIX_LANES(v[at], v[4 + at], v[8 + at], v[12 + at], words[order[2 * at]], words[order[2 * at + 1]]);
        UNROLLED for (int at = 0; at < 4; at++)
            MIX_LANES(v[at], v[4 + (at + 1) % 4], v[8 + (at + 2) % 4], v[12 + (at + 3) % 4], words[order[8 + 2 * at]],
                      words[order[9 + 2 * at]]);
    }
    first ^= v[0] ^ v[8], second ^= v[1] ^ v[9];
    for (int lane = 0; lane < awaited->count; lane++) {
        uint64_t digest[2] = {first[lane], second[lane]};
        memcpy(awaited->digests[lane], digest, awaited->digest_size);
    }
}

#else

static void blake2b_lanes(Awaited *awaited) {}

#endif

/* Make the digests that are still awaited. */
static void blake2b_awaited(Awaited *awaited)
{
    if (awaited->count)
        blake2b_lanes(awaited);
    awaited->count = 0;
}

/* Make the digest of a text, at once or together with others; the text need not be kept. */
static void blake2b_soon(Awaited *awaited, const uint8_t *text, size_t size, uint8_t *digest)
{
    uint8_t block[BLOCK_BYTES] = {0};
    if (size > BLOCK_BYTES || !HAS_LANES()) {
        blake2b(text, size, digest, awaited->digest_size);
        return;
    }
    memcpy(block, text, size);
    for (int word = 0; word < 16; word++)
        awaited->words[word][awaited->count] = little_endian_64(block + 8 * word);
    awaited->sizes[awaited->count] = size, awaited->digests[awaited->count] = digest;
    if (++awaited->count == LANES)
        blake2b_awaited(awaited);
}
