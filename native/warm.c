// Is a range of a file in the page cache, and getting it there.
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "files.h"

// cachestat(2), Linux 6.5: the number is the same on every architecture; the structures are declared here for older headers.
enum { CACHESTAT_CALL = 451, PROBE_STEP_BYTES = 64 << 10, WARM_STEP_BYTES = 128 << 10 };
struct cache_range {
  uint64_t start, length;
};
struct cache_counts {
  uint64_t cached, dirty, writeback, evicted, recently_evicted;
};

static enum warmth ask_cachestat(int fd, int64_t position, int64_t length) {
  struct cache_range range = {(uint64_t)position, (uint64_t)length};
  struct cache_counts counts = {0};
  if (syscall(CACHESTAT_CALL, fd, &range, &counts, 0) < 0) return WARMTH_UNKNOWN;
  int64_t page = sysconf(_SC_PAGESIZE);
  int64_t pages = (position + length - 1) / page - position / page + 1;
  return counts.cached >= (uint64_t)pages ? WARMTH_WARM : WARMTH_COLD;
}

static enum warmth probe_bytes(int fd, int64_t position, int64_t length) {
  for (int64_t at = position, end = position + length; at < end; at += PROBE_STEP_BYTES) {
    char byte;
    struct iovec vector = {&byte, 1};
    ssize_t got = preadv2(fd, &vector, 1, at, RWF_NOWAIT);
    if (got < 0) return errno == EAGAIN ? WARMTH_COLD : WARMTH_UNKNOWN;
  }
  return WARMTH_WARM;
}

enum warmth file_warmth(int fd, int64_t position, int64_t length, bool probe) {
  if (length <= 0) return WARMTH_WARM;
  enum warmth warmth = probe ? WARMTH_UNKNOWN : ask_cachestat(fd, position, length);
  return warmth == WARMTH_UNKNOWN ? probe_bytes(fd, position, length) : warmth;
}

// Reads the range into nothing, piece by piece: what is left when the kernel did not take the advice. Returns 0 or a negative errno.
static int read_through(int fd, int64_t position, int64_t length) {
  char *scratch = malloc(WARM_STEP_BYTES);
  if (!scratch) return -ENOMEM;
  int error = 0;
  while (length > 0 && error == 0) {
    ssize_t got = pread(fd, scratch, length < WARM_STEP_BYTES ? (size_t)length : WARM_STEP_BYTES, position);
    if (got > 0) {
      position += got;
      length -= got;
    } else if (got == 0) {
      break;  // shorter than it was: sending will notice
    } else if (errno != EINTR) {
      error = -errno;
    }
  }
  free(scratch);
  return error;
}

void file_advise(int fd, int64_t position, int64_t length) {
  // One advice is cut off at the device's read-ahead, which may be as little as this.
  for (int64_t at = position, end = position + length; at < end; at += WARM_STEP_BYTES)
    posix_fadvise(fd, at, end - at < WARM_STEP_BYTES ? end - at : WARM_STEP_BYTES, POSIX_FADV_WILLNEED);
}

int file_warm(int fd, int64_t position, int64_t length) {
  file_advise(fd, position, length);
  // A byte of each piece, to wait for it: half the processor time of copying all of it out.
  for (int64_t at = position, end = position + length; at < end; at += PROBE_STEP_BYTES) {
    char byte;
    if (pread(fd, &byte, 1, at) < 0 && errno != EINTR) return -errno;
  }
  return file_warmth(fd, position, length, false) == WARMTH_WARM ? 0 : read_through(fd, position, length);
}
