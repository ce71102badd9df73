// The least a server can do for a fetch: one epoll loop that answers a request frame with a header and a range of a file, by MSG_MORE and sendfile.
// Usage: sendfile FILE   (prints the port it listens on, serves until killed)
// Request: int32 size (12), int64 position, int32 length. Answer: int32 size, a header as long as that of a Fetch answer, the bytes.
#include "frames.h"

#include <sys/sendfile.h>

#define MAX_FD 4096
#define REQUEST_BYTES 16
#define HEADER_BYTES 90

struct peer {
  unsigned char request[REQUEST_BYTES];
  size_t have;      // bytes of the request that has not arrived whole
  off_t position;   // what is still to be sent
  size_t left;
};

static struct peer peers[MAX_FD];
static int file;

static void end(int fd) {
  close(fd);
  peers[fd] = (struct peer){0};
}

// Sends the range as far as the socket takes it. 0 when it is done or the socket is full, -1 when the connection has ended.
static int send_rest(int fd, struct peer *peer) {
  while (peer->left > 0) {
    ssize_t count = sendfile(fd, file, &peer->position, peer->left);
    if (count < 0 && errno == EAGAIN) return 0;
    if (count <= 0) return -1;
    peer->left -= (size_t)count;
  }
  return 0;
}

static int answer(int fd, struct peer *peer) {
  unsigned char header[4 + HEADER_BYTES] = {0};
  uint32_t length = read_u32(peer->request + 12);
  write_u32(header, HEADER_BYTES + length);
  peer->position = (off_t)read_u32(peer->request + 4) << 32 | read_u32(peer->request + 8);
  peer->left = length;
  peer->have = 0;
  if (send(fd, header, sizeof header, MSG_MORE | MSG_NOSIGNAL) != sizeof header) return -1;
  return send_rest(fd, peer);
}

static void serve(int fd) {
  struct peer *peer = &peers[fd];
  if (peer->left > 0 && send_rest(fd, peer) < 0) return end(fd);
  while (peer->left == 0) {
    ssize_t got = read(fd, peer->request + peer->have, REQUEST_BYTES - peer->have);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return end(fd);
    peer->have += (size_t)got;
    if (peer->have < REQUEST_BYTES) return;
    if (answer(fd, peer) < 0) return end(fd);
  }
}

int main(int argc, char **argv) {
  if (argc != 2 || (file = open(argv[1], O_RDONLY)) < 0) return fprintf(stderr, "sendfile FILE\n"), 2;
  int listener = listen_and_tell(), epoll = epoll_create1(0);
  watch(epoll, listener, EPOLLIN);
  for (;;) {
    struct epoll_event events[256];
    int count = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < count; i++) {
      int fd = events[i].data.fd;
      if (fd != listener) {
        serve(fd);
        continue;
      }
      while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        if (fd >= MAX_FD) die("too many connections");
        set_nodelay(fd);
        watch(epoll, fd, EPOLLIN | EPOLLOUT | EPOLLET);
      }
    }
  }
}
