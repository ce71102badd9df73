// Load for any server that answers Kafka frames in order: keeps `depth` copies of one frame in flight on each connection for some
// seconds, and prints one JSON line with the count and the latencies.
// Usage: load PORT CONNECTIONS DEPTH SECONDS FRAME_HEX   (the frame without its size prefix)
#include "frames.h"

#define MAX_CONNECTIONS 4096
#define MAX_DEPTH 64
#define MAX_SAMPLES 4000000
#define BUFFER_BYTES (1 << 16)

struct connection {
  int fd;
  size_t skip;              // bytes of the current answer still to come
  unsigned char prefix[4];  // size prefix as far as it has arrived
  int prefix_bytes;
  double sent_us[MAX_DEPTH];
  int oldest;
};

static struct connection connections[MAX_CONNECTIONS];
static unsigned char frame[BUFFER_BYTES];
static size_t frame_bytes;
static float *samples;
static size_t answers;
static int depth;

static void send_frame(struct connection *to, int slot) {
  to->sent_us[slot] = now_us();
  if (write(to->fd, frame, frame_bytes) != (ssize_t)frame_bytes) die("write");
}

static void answered(struct connection *from) {
  if (answers < MAX_SAMPLES) samples[answers] = (float)(now_us() - from->sent_us[from->oldest]);
  answers++;
  send_frame(from, from->oldest);
  from->oldest = (from->oldest + 1) % depth;
}

// Counts the answers in what arrived.
static void take(struct connection *from, const unsigned char *bytes, size_t length) {
  for (size_t at = 0; at < length;) {
    if (from->prefix_bytes < 4) {
      from->prefix[from->prefix_bytes++] = bytes[at++];
      if (from->prefix_bytes == 4) from->skip = read_u32(from->prefix);
    } else {
      size_t step = from->skip < length - at ? from->skip : length - at;
      from->skip -= step;
      at += step;
    }
    if (from->prefix_bytes == 4 && from->skip == 0) {
      from->prefix_bytes = 0;
      answered(from);
    }
  }
}

static void parse_frame(const char *hex) {
  size_t bytes = strlen(hex) / 2;
  if (bytes + 4 > sizeof frame) die("frame too long");
  for (size_t i = 0; i < bytes; i++) sscanf(hex + 2 * i, "%2hhx", &frame[4 + i]);
  for (int i = 0; i < 4; i++) frame[i] = (unsigned char)(bytes >> (24 - 8 * i));
  frame_bytes = bytes + 4;
}

static int ascending(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  if (argc != 6) return fprintf(stderr, "load PORT CONNECTIONS DEPTH SECONDS FRAME_HEX\n"), 2;
  int count = atoi(argv[2]);
  depth = atoi(argv[3]);
  if (count < 1 || count > MAX_CONNECTIONS || depth < 1 || depth > MAX_DEPTH) return fprintf(stderr, "out of range\n"), 2;
  parse_frame(argv[5]);
  samples = malloc(MAX_SAMPLES * sizeof *samples);
  struct sockaddr_in address = loopback(atoi(argv[1]));
  int epoll = epoll_create1(0);
  for (int i = 0; i < count; i++) {
    int fd = connections[i].fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) die("connect");
    set_nodelay(fd);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &connections[i]};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) die("epoll_ctl");
  }
  double start = now_us(), end = start + atof(argv[4]) * 1e6;
  for (int i = 0; i < count; i++)
    for (int slot = 0; slot < depth; slot++) send_frame(&connections[i], slot);
  while (now_us() < end) {
    struct epoll_event events[256];
    unsigned char bytes[BUFFER_BYTES];
    int ready = epoll_wait(epoll, events, 256, 100);
    for (int i = 0; i < ready; i++) {
      struct connection *from = events[i].data.ptr;
      ssize_t got = read(from->fd, bytes, sizeof bytes);
      if (got <= 0) return fprintf(stderr, "the server closed a connection\n"), 1;
      take(from, bytes, (size_t)got);
    }
  }
  double seconds = (now_us() - start) / 1e6;
  size_t kept = answers < MAX_SAMPLES ? answers : MAX_SAMPLES;
  qsort(samples, kept, sizeof *samples, ascending);
  printf("{\"answers\":%zu,\"seconds\":%.3f,\"p50Us\":%.1f,\"p99Us\":%.1f}\n", answers, seconds,
         kept ? samples[kept / 2] : 0.0, kept ? samples[kept * 99 / 100] : 0.0);
  return 0;
}
