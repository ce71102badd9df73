// CRC-32C (Castagnoli, reflected polynomial 0x82f63b78): the instruction of x86-64 or ARMv8 where the processor has it, else tables.
#include "checksum.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#define HARDWARE_TARGET __attribute__((target("sse4.2")))
#elif defined(__aarch64__) && defined(__linux__)
#include <arm_acle.h>
#include <sys/auxv.h>
#define HARDWARE_TARGET __attribute__((target("+crc")))
#endif

enum {
  // Three stretches of this many bytes are computed side by side, which hides the instruction's latency; then joined.
  STRETCH_BYTES = 4096,
  SHORT_STRETCH_BYTES = 256,
};
#define POLYNOMIAL UINT32_C(0x82f63b78)

static pthread_once_t once = PTHREAD_ONCE_INIT;
static crc_function chosen;
// tables[k][b]: the crc of byte b followed by k zero bytes.
static uint32_t tables[8][256];
// shifts[i][b]: what byte i of a crc, being b, becomes after a stretch of zeros.
static uint32_t shifts[4][256], short_shifts[4][256];

static uint64_t read_u64(const uint8_t *data) {
  uint64_t word;
  memcpy(&word, data, sizeof word);
  return word;
}

static uint32_t crc_by_tables(uint32_t crc, const uint8_t *data, size_t length) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  for (; length >= 8; data += 8, length -= 8) {
    uint64_t word = read_u64(data) ^ crc;
    crc = 0;
    for (int i = 0; i < 8; i++) crc ^= tables[7 - i][(word >> (8 * i)) & 0xff];
  }
#endif
  while (length-- > 0) crc = tables[0][(crc ^ *data++) & 0xff] ^ crc >> 8;
  return crc;
}

static void make_tables(void) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
    tables[0][byte] = crc;
  }
  for (int zeros = 1; zeros < 8; zeros++)
    for (uint32_t byte = 0; byte < 256; byte++)
      tables[zeros][byte] = tables[0][tables[zeros - 1][byte] & 0xff] ^ tables[zeros - 1][byte] >> 8;
}

#ifdef HARDWARE_TARGET

#if defined(__x86_64__)
#define CRC_WORD(crc, data) (uint32_t)_mm_crc32_u64(crc, read_u64(data))
#define CRC_BYTE(crc, byte) _mm_crc32_u8(crc, byte)
static bool has_hardware(void) { return __builtin_cpu_supports("sse4.2"); }
#else
#define CRC_WORD(crc, data) __crc32cd(crc, read_u64(data))
#define CRC_BYTE(crc, byte) __crc32cb(crc, byte)
static bool has_hardware(void) { return (getauxval(AT_HWCAP) & (1 << 7)) != 0; }
#endif

static inline uint32_t shift(uint32_t table[4][256], uint32_t crc) {
  return table[0][crc & 0xff] ^ table[1][crc >> 8 & 0xff] ^ table[2][crc >> 16 & 0xff] ^ table[3][crc >> 24];
}

HARDWARE_TARGET static inline uint32_t three_stretches(uint32_t crc, const uint8_t *data, size_t stretch, uint32_t table[4][256]) {
  uint32_t second = 0, third = 0;
  for (size_t at = 0; at < stretch; at += 8) {
    crc = CRC_WORD(crc, data + at);
    second = CRC_WORD(second, data + stretch + at);
    third = CRC_WORD(third, data + 2 * stretch + at);
  }
  return shift(table, shift(table, crc) ^ second) ^ third;
}

HARDWARE_TARGET static uint32_t crc_by_hardware(uint32_t crc, const uint8_t *data, size_t length) {
  for (; length >= 3 * STRETCH_BYTES; data += 3 * STRETCH_BYTES, length -= 3 * STRETCH_BYTES)
    crc = three_stretches(crc, data, STRETCH_BYTES, shifts);
  for (; length >= 3 * SHORT_STRETCH_BYTES; data += 3 * SHORT_STRETCH_BYTES, length -= 3 * SHORT_STRETCH_BYTES)
    crc = three_stretches(crc, data, SHORT_STRETCH_BYTES, short_shifts);
  for (; length >= 8; data += 8, length -= 8) crc = CRC_WORD(crc, data);
  while (length-- > 0) crc = CRC_BYTE(crc, *data++);
  return crc;
}

// A crc is linear over its input, so the effect of a stretch of zeros is that on each of its 32 bits.
static void make_shifts(uint32_t table[4][256], size_t stretch) {
  static const uint8_t zeros[STRETCH_BYTES];
  uint32_t bits[32];
  for (int bit = 0; bit < 32; bit++) bits[bit] = crc_by_tables(UINT32_C(1) << bit, zeros, stretch);
  for (int i = 0; i < 4; i++) {
    for (uint32_t byte = 0; byte < 256; byte++) {
      uint32_t effect = 0;
      for (int bit = 0; bit < 8; bit++)
        if (byte >> bit & 1) effect ^= bits[8 * i + bit];
      table[i][byte] = effect;
    }
  }
}

static void choose(void) {
  make_tables();
  make_shifts(shifts, STRETCH_BYTES);
  make_shifts(short_shifts, SHORT_STRETCH_BYTES);
  chosen = has_hardware() ? crc_by_hardware : crc_by_tables;
}
#else
static void choose(void) {
  make_tables();
  chosen = crc_by_tables;
}
#endif

crc_function crc32c_by_processor(void) {
  pthread_once(&once, choose);
  return chosen;
}

crc_function crc32c_by_tables(void) {
  pthread_once(&once, choose);
  return crc_by_tables;
}
