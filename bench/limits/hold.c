// Many connections that do nothing: opens them, sends one frame on each, prints "held" when as many answers came as were asked for, then waits.
// Once every further answer has come it prints one JSON line with when they came; it ends with its input.
// Usage: hold port= connections= frames=FILE answers=0|1
//   answers=1: each frame is answered before "held" (idle connections). answers=0: the answers are what is waited for (waiting fetches).
#include "frames.h"

#define MAX_CONNECTIONS 20000

static struct frames frames;
static unsigned char *answered;
static int epoll;

// Waits until `count` connections have been answered; returns when the first and the last came.
static void await_answers(int count, double *first_us, double *last_us) {
  unsigned char bytes[1 << 16];
  memset(answered, 0, MAX_CONNECTIONS * 4);
  for (int have = 0; have < count;) {
    struct epoll_event events[256];
    int ready = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < ready; i++) {
      if (events[i].data.fd == 0) exit(0);
      ssize_t got = recv(events[i].data.fd, bytes, sizeof bytes, MSG_DONTWAIT);
      if (got <= 0) {
        fprintf(stderr, "the server closed a connection\n");
        exit(1);
      }
      if (answered[events[i].data.fd]) continue;
      answered[events[i].data.fd] = 1;
      *last_us = now_us();
      if (have++ == 0) *first_us = *last_us;
    }
  }
}

int main(int argc, char **argv) {
  int port = atoi(option(argc, argv, "port", NULL)), count = atoi(option(argc, argv, "connections", NULL));
  int before = atoi(option(argc, argv, "answers", NULL));
  double first_us = 0, last_us = 0;
  if (count < 1 || count > MAX_CONNECTIONS) return fprintf(stderr, "out of range\n"), 2;
  frames = read_frames(option(argc, argv, "frames", NULL));
  answered = calloc(MAX_CONNECTIONS, 4);
  epoll = epoll_create1(0);
  watch(epoll, 0, EPOLLIN);
  for (int i = 0; i < count; i++) {
    int fd = connect_to(port);
    size_t frame = (size_t)i % frames.count, length = frames.starts[frame + 1] - frames.starts[frame];
    if (write(fd, frames.bytes + frames.starts[frame], length) != (ssize_t)length) die("write");
    watch(epoll, fd, EPOLLIN);
  }
  if (before) await_answers(count, &first_us, &last_us);
  puts("held");
  fflush(stdout);
  await_answers(count, &first_us, &last_us);
  printf("{\"firstUs\":%.1f,\"lastUs\":%.1f}\n", first_us, last_us);
  fflush(stdout);
  for (;;) pause();
}
