// Load for any server that answers Kafka frames in order. Keeps `depth` frames in flight on each connection, or sends at a given rate, for some
// seconds or some answers, and prints one JSON line with counts, sizes and latencies.
// Usage: load port= frames=FILE [connections=1] [depth=1] [seconds=3] [answers=N] [rate=PER_SECOND] [discard=1]
//   The file holds frames with their size prefixes; connection i starts at the i-th part of it and goes round.
//   With a rate, frames are due at even times, and latency counts from when they were due: a slow server cannot hide by slowing the load.
#include "frames.h"

#include <poll.h>

#define MAX_CONNECTIONS 4096
#define MAX_DEPTH 64
#define MAX_SAMPLES 4000000
#define BUFFER_BYTES (1 << 18)
#define DISCARD_BYTES (1 << 12)

struct connection {
  int fd;
  uint32_t skip;            // bytes of the current answer still to come
  unsigned char prefix[4];  // size prefix as far as it has arrived
  int prefix_bytes;
  double sent_us[MAX_DEPTH];
  int oldest, in_flight;
  size_t next_frame;
};

static struct connection connections[MAX_CONNECTIONS];
static struct frames frames;
static float *samples;
static size_t answers, sent_frames, most_answers;
static double received_bytes, sent_bytes;
static uint32_t smallest = UINT32_MAX, largest;
static int depth;
static double rate;
static int discards;

static void send_frame(struct connection *to, double due_us) {
  if (sent_frames == most_answers) return;
  size_t start = frames.starts[to->next_frame], length = frames.starts[to->next_frame + 1] - start;
  to->next_frame = (to->next_frame + 1) % frames.count;
  to->sent_us[(to->oldest + to->in_flight++) % MAX_DEPTH] = due_us;
  sent_frames++;
  sent_bytes += (double)length;
  for (size_t at = 0; at < length;) {
    ssize_t count = write(to->fd, frames.bytes + start + at, length - at);
    if (count < 0) die("write");
    at += (size_t)count;
  }
}

static void answered(struct connection *from) {
  uint32_t size = read_u32(from->prefix);
  if (size < smallest) smallest = size;
  if (size > largest) largest = size;
  received_bytes += size + 4.0;
  double now = now_us();
  if (answers < MAX_SAMPLES) samples[answers] = (float)(now - from->sent_us[from->oldest]);
  answers++;
  from->oldest = (from->oldest + 1) % MAX_DEPTH;
  from->in_flight--;
  if (rate == 0) send_frame(from, now);
}

// Counts the answers in what arrived.
static void take(struct connection *from, const unsigned char *bytes, size_t length) {
  for (size_t at = 0; at < length;) {
    if (from->prefix_bytes < 4) {
      from->prefix[from->prefix_bytes++] = bytes[at++];
      if (from->prefix_bytes == 4) from->skip = read_u32(from->prefix);
    } else {
      size_t step = from->skip < length - at ? from->skip : length - at;
      from->skip -= (uint32_t)step;
      at += step;
    }
    if (from->prefix_bytes == 4 && from->skip == 0) {
      from->prefix_bytes = 0;
      answered(from);
    }
  }
}

// Throws the bulk of a large answer away in the kernel, so that this program takes little time from the server on a small machine.
static int discard_some(struct connection *from) {
  if (from->prefix_bytes < 4 || from->skip <= DISCARD_BYTES) return 0;
  ssize_t got = recv(from->fd, NULL, from->skip - DISCARD_BYTES, MSG_TRUNC | MSG_DONTWAIT);
  if (got > 0) from->skip -= (uint32_t)got;
  return got > 0;
}

// Takes what has arrived. A read that is not full has emptied the socket.
static void receive(struct connection *from) {
  if (discards && discard_some(from)) return;

  static unsigned char bytes[BUFFER_BYTES];
  ssize_t got;
  do {
    got = recv(from->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      fprintf(stderr, "the server closed a connection\n");
      exit(1);
    }
    take(from, bytes, (size_t)got);
  } while (got == sizeof bytes);
}

static int ascending(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

static double quantile(size_t kept, double part) {
  size_t at = (size_t)((double)kept * part);
  return kept == 0 ? 0 : samples[at < kept ? at : kept - 1];
}

// Sends what is due; returns the microseconds until more is.
static double send_due(int count, double *due_us) {
  static int next;
  double now = now_us();
  for (; *due_us <= now; *due_us += 1e6 / rate) {
    struct connection *to = &connections[next++ % count];
    if (to->in_flight == MAX_DEPTH) return 1000;  // still late: its latency has been counted from then
    send_frame(to, *due_us);
  }
  return *due_us - now;
}

int main(int argc, char **argv) {
  int port = atoi(option(argc, argv, "port", NULL)), count = atoi(option(argc, argv, "connections", "1"));
  double seconds = atof(option(argc, argv, "seconds", "3"));
  depth = atoi(option(argc, argv, "depth", "1"));
  rate = atof(option(argc, argv, "rate", "0"));
  discards = atoi(option(argc, argv, "discard", "0"));
  most_answers = strtoull(option(argc, argv, "answers", "18446744073709551615"), NULL, 10);
  if (count < 1 || count > MAX_CONNECTIONS || depth < 1 || depth > MAX_DEPTH) return fprintf(stderr, "out of range\n"), 2;
  frames = read_frames(option(argc, argv, "frames", NULL));
  samples = malloc(MAX_SAMPLES * sizeof *samples);
  int epoll = epoll_create1(0);
  for (int i = 0; i < count; i++) {
    connections[i].fd = connect_to(port);
    connections[i].next_frame = frames.count * (size_t)i / (size_t)count;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &connections[i]};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, connections[i].fd, &event) < 0) die("epoll_ctl");
  }
  double start = now_us(), end = start + seconds * 1e6, due_us = start;
  for (int slot = 0; slot < depth && rate == 0; slot++)
    for (int i = 0; i < count; i++) send_frame(&connections[i], now_us());
  while (now_us() < end && answers < most_answers) {
    double wait_us = 100e3;
    if (rate > 0) wait_us = send_due(count, &due_us);
    struct pollfd poll = {.fd = epoll, .events = POLLIN};
    struct timespec timeout = {.tv_sec = (time_t)(wait_us / 1e6), .tv_nsec = (long)wait_us % 1000000 * 1000};
    if (ppoll(&poll, 1, &timeout, NULL) <= 0) continue;
    struct epoll_event events[256];
    int ready = epoll_wait(epoll, events, 256, 0);
    for (int i = 0; i < ready; i++) receive(events[i].data.ptr);
  }
  double took = (now_us() - start) / 1e6;
  size_t kept = answers < MAX_SAMPLES ? answers : MAX_SAMPLES;
  qsort(samples, kept, sizeof *samples, ascending);
  printf("{\"answers\":%zu,\"seconds\":%.4f,\"sentBytes\":%.0f,\"receivedBytes\":%.0f,\"smallest\":%u,\"largest\":%u,"
         "\"p50Us\":%.1f,\"p99Us\":%.1f,\"maxUs\":%.1f}\n",
         answers, took, sent_bytes, received_bytes, answers ? smallest : 0, largest, quantile(kept, 0.5), quantile(kept, 0.99),
         quantile(kept, 1));
  return 0;
}
