// Positional I/O on open files, and what is in the page cache. Every call returns a result >= 0 or a negative errno.
#ifndef ODRADEK_FILES_H
#define ODRADEK_FILES_H

#include <sys/uio.h>

#include "addon.h"

enum {
  // Buffers of one write; what is beyond is left to the next.
  WRITE_PARTS = 64,
};

// Writes at `position` without being disturbed by signals; maybe less than all.
int64_t file_write(int fd, const struct iovec *parts, int count, int64_t position);

enum warmth { WARMTH_COLD, WARMTH_WARM, WARMTH_UNKNOWN };

// Is a range of a file in the page cache? `probe`: by looking at single bytes instead of asking cachestat(2).
enum warmth file_warmth(int fd, int64_t position, int64_t length, bool probe);
// Has the kernel begin to read a range, without waiting for it.
void file_advise(int fd, int64_t position, int64_t length);
// Reads a range to get it into the page cache. May wait for the device. Returns 0 or a negative errno.
int file_warm(int fd, int64_t position, int64_t length);

#endif
