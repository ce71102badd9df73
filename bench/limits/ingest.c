// The least a server can do for a produce: one epoll loop that receives a frame, takes its CRC-32C and appends it to a file in the page cache, then answers.
// Usage: ingest DIRECTORY   (prints the port it listens on, serves until killed; each connection has a file of its own)
#include "frames.h"

#include "../../native/checksum.h"

#define MAX_FD 4096
#define MAX_FRAME_BYTES (4 << 20)
#define ANSWER_BYTES 60

struct peer {
  unsigned char *bytes;
  size_t have;
  int file;
};

static struct peer peers[MAX_FD];
static crc_function crc;
static uint32_t sum;  // so that no compiler finds the checksums useless
static const char *directory;
static int files;

static void end(int fd) {
  close(peers[fd].file);
  close(fd);
  free(peers[fd].bytes);
  peers[fd] = (struct peer){0};
}

static int answer(int fd, struct peer *peer, size_t size) {
  unsigned char bytes[4 + ANSWER_BYTES] = {0};
  write_u32(bytes, ANSWER_BYTES);
  sum += ~crc(~UINT32_C(0), peer->bytes + 4, size - 4);
  if (write(peer->file, peer->bytes + 4, size - 4) != (ssize_t)(size - 4)) die("write");
  peer->have -= size;
  memmove(peer->bytes, peer->bytes + size, peer->have);
  return send(fd, bytes, sizeof bytes, MSG_NOSIGNAL) == sizeof bytes ? 0 : -1;
}

// Receives the rest of the frame that has begun; the first read of a small one may bring several.
static void serve(int fd) {
  struct peer *peer = &peers[fd];
  for (int drained = 0;;) {
    size_t size = peer->have < 4 ? 0 : 4 + (size_t)read_u32(peer->bytes);
    if (size > MAX_FRAME_BYTES) return end(fd);
    if (size > 0 && peer->have >= size) {
      if (answer(fd, peer, size) < 0) return end(fd);
      continue;
    }
    size_t wanted = size > 1 << 16 ? size - peer->have : (1 << 16) - peer->have;
    if (drained) return;
    ssize_t got = read(fd, peer->bytes + peer->have, wanted);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return end(fd);
    peer->have += (size_t)got;
    drained = (size_t)got < wanted;
  }
}

static void accept_all(int listener, int epoll) {
  int fd;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
    char path[4096];
    if (fd >= MAX_FD) die("too many connections");
    // A new file each time: pages that the cache has to find for it cost what those of a growing log cost.
    snprintf(path, sizeof path, "%s/%d", directory, ++files);
    set_nodelay(fd);
    peers[fd] = (struct peer){malloc(MAX_FRAME_BYTES + 4), 0, open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644)};
    if (peers[fd].file < 0) die(path);
    watch(epoll, fd, EPOLLIN);
  }
}

int main(int argc, char **argv) {
  if (argc != 2) return fprintf(stderr, "ingest DIRECTORY\n"), 2;
  directory = argv[1];
  crc = crc32c_by_processor();
  int listener = listen_and_tell(), epoll = epoll_create1(0);
  watch(epoll, listener, EPOLLIN);
  for (;;) {
    struct epoll_event events[256];
    int count = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < count; i++) {
      if (events[i].data.fd == listener) accept_all(listener, epoll);
      else serve(events[i].data.fd);
    }
  }
}
