// CRC-32C without anything of Node's: the bare programs of the benchmarks compute it by the same code as the broker.
#ifndef ODRADEK_CHECKSUM_H
#define ODRADEK_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

// Carries a crc on over more bytes. It is inverted: `~function(~seed, data, length)`.
typedef uint32_t (*crc_function)(uint32_t crc, const uint8_t *data, size_t length);

// By the processor's instruction where it has one.
crc_function crc32c_by_processor(void);
// By tables.
crc_function crc32c_by_tables(void);

#endif
