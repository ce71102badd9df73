// The least a server can do for a small request: one epoll loop that sends every Kafka frame back as it came.
// Usage: echo   (prints the port it listens on, serves until killed)
#include "frames.h"

#define MAX_FD 65536
#define BUFFER_BYTES (1 << 16)

struct peer {
  unsigned char *bytes;
  size_t used;
};

static struct peer peers[MAX_FD];

// Sends all whole frames of a connection back with one write and keeps the started one.
static int answer(int fd, struct peer *peer) {
  size_t whole = 0;
  while (peer->used - whole >= 4) {
    size_t size = 4 + (size_t)read_u32(peer->bytes + whole);
    if (size > BUFFER_BYTES) return -1;
    if (peer->used - whole < size) break;
    whole += size;
  }
  if (whole == 0) return 0;
  if (write(fd, peer->bytes, whole) != (ssize_t)whole) return -1;
  memmove(peer->bytes, peer->bytes + whole, peer->used - whole);
  peer->used -= whole;
  return 0;
}

static void serve(int fd) {
  struct peer *peer = &peers[fd];
  ssize_t got = read(fd, peer->bytes + peer->used, BUFFER_BYTES - peer->used);
  if (got < 0 && errno == EAGAIN) return;
  if (got > 0) peer->used += (size_t)got;
  if (got <= 0 || answer(fd, peer) < 0) {
    close(fd);
    free(peer->bytes);
    *peer = (struct peer){0};
  }
}

static void accept_all(int listener, int epoll) {
  int fd;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
    if (fd >= MAX_FD) {
      close(fd);
      continue;
    }
    set_nodelay(fd);
    peers[fd] = (struct peer){malloc(BUFFER_BYTES), 0};
    watch(epoll, fd, EPOLLIN);
  }
}

int main(void) {
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
