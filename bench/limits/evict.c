// Drops the given files from the page cache. What is not durable stays, so it makes them durable first.
// Usage: evict FILE...
#include "frames.h"

int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    int fd = open(argv[i], O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fdatasync(fd) < 0) die(argv[i]);
    errno = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    if (errno != 0) die(argv[i]);
    close(fd);
  }
  return 0;
}
