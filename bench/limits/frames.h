// Shared by the bare programs: sockets, clocks, options and the int32 frame prefix.
#ifndef ODRADEK_BENCH_FRAMES_H
#define ODRADEK_BENCH_FRAMES_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static inline void die(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

static inline uint32_t read_u32(const unsigned char *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline void write_u32(unsigned char *at, uint32_t value) {
  for (int i = 0; i < 4; i++) at[i] = (unsigned char)(value >> (24 - 8 * i));
}

static inline double now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static inline void set_nodelay(int fd) {
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static inline struct sockaddr_in loopback(int port) {
  struct sockaddr_in address = {0};
  address.sin_family = AF_INET;
  address.sin_port = htons((uint16_t)port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// Connects, blocking, without Nagle's delay.
static inline int connect_to(int port) {
  struct sockaddr_in address = loopback(port);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket");
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) die("connect");
  set_nodelay(fd);
  return fd;
}

// Listens on a free port of the loopback and prints it. A connection that the other side has closed is an error, not a signal.
static inline int listen_and_tell(void) {
  signal(SIGPIPE, SIG_IGN);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0) die("bind");
  if (listen(listener, 4096) < 0) die("listen");
  getsockname(listener, (struct sockaddr *)&address, &length);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  return listener;
}

static inline void watch(int epoll, int fd, uint32_t events) {
  struct epoll_event event = {.events = events, .data.fd = fd};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) die("epoll_ctl");
}

// The text of the option `name=...`, or `otherwise`; without that it must be there.
static inline const char *option(int argc, char **argv, const char *name, const char *otherwise) {
  size_t length = strlen(name);
  for (int i = 1; i < argc; i++)
    if (strncmp(argv[i], name, length) == 0 && argv[i][length] == '=') return argv[i] + length + 1;
  if (!otherwise) {
    fprintf(stderr, "%s= is missing\n", name);
    exit(2);
  }
  return otherwise;
}

// Frames with their size prefixes, back to back in one file.
struct frames {
  unsigned char *bytes;
  size_t *starts;  // of each frame; one more for the end
  size_t count;
};

static inline struct frames read_frames(const char *path) {
  struct stat status;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &status) < 0) die(path);
  size_t size = (size_t)status.st_size, room = 16;
  struct frames frames = {malloc(size), malloc(room * sizeof(size_t)), 0};
  for (size_t have = 0; have < size;) {
    ssize_t got = read(fd, frames.bytes + have, size - have);
    if (got <= 0) die(path);
    have += (size_t)got;
  }
  close(fd);
  for (size_t at = 0; at + 4 <= size; at += 4 + read_u32(frames.bytes + at)) {
    if (frames.count + 2 > room) frames.starts = realloc(frames.starts, (room *= 2) * sizeof(size_t));
    frames.starts[frames.count++] = at;
    frames.starts[frames.count] = at + 4 + read_u32(frames.bytes + at);
  }
  if (frames.count == 0 || frames.starts[frames.count] != size) {
    fprintf(stderr, "%s holds no whole frames\n", path);
    exit(2);
  }
  return frames;
}

#endif
