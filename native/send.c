// Sending: gathered bytes by writev, ranges of files by sendfile, as much as the socket and the connection's share take.
//
// JS gathers what it wants (sends, credits, closes) in the table of operations and hands it over in one call, `reactor_flush`.
// A flush first queues all parts and then sends, so that what one connection was given in pieces leaves in one system call.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "files.h"
#include "reactor.h"

enum {
  GATHER_PARTS = 64,
  GATHER_BYTES = 256 << 10,
  // A connection may send this much though the turn's bytes are used up: small answers do not wait behind large ones.
  SEND_LEAST_BYTES = 64 << 10,
  // Each piece wakes the receiver, so that many small ones cost more than they spare others.
  SEND_PIECE_LEAST_BYTES = 256 << 10,
  // A range is looked up in the page cache, and read ahead when it is not there, in windows of this size.
  WINDOW_BYTES = 1 << 20,
  // Up to here a copy through the arena is not dearer than a sendfile of its own (measured: 11 % less processor time at 2 KiB, equal
  // at 8, 14 % more at 16), and it leaves with its neighbours.
  SMALL_RANGE_BYTES = 8 << 10,
};

// --- parts ---

static struct part *part_new(struct reactor *reactor) {
  struct part *part = reactor->spare_parts;
  if (part) reactor->spare_parts = part->next;
  else part = malloc(sizeof *part);
  if (part) *part = (struct part){.fd = -1};
  return part;
}

static void part_free(struct reactor *reactor, struct part *part) {
  free(part->block);
  if (part->reference) napi_delete_reference(reactor->hub.env, part->reference);
  part->next = reactor->spare_parts;
  reactor->spare_parts = part;
}

void parts_free_spares(struct reactor *reactor) {
  while (reactor->spare_parts) {
    struct part *part = reactor->spare_parts;
    reactor->spare_parts = part->next;
    free(part);
  }
}

static void part_append(struct connection *connection, struct part *part) {
  if (connection->first) connection->last->next = part;
  else connection->first = part;
  connection->last = part;
  if (!connection->borrowed) connection->borrowed = part;
  connection->unsent += part->length;
}

// Drops the first part of a connection.
static void part_done(struct reactor *reactor, struct connection *connection) {
  struct part *part = connection->first;
  if (part->kind == PART_RANGE) connection->ranges_done++;
  if (connection->borrowed == part) connection->borrowed = part->next;
  connection->first = part->next;
  part_free(reactor, part);
}

void connection_drop_unsent(struct reactor *reactor, struct connection *connection) {
  while (connection->first) part_done(reactor, connection);
  connection->unsent = 0;
}

// --- sending ---

// Takes sent bytes off the queue.
static void sent(struct reactor *reactor, struct connection *connection, uint64_t bytes) {
  connection->unsent -= bytes;
  while (connection->first) {
    struct part *part = connection->first;
    uint64_t step = bytes < part->length ? bytes : part->length;
    part->length -= step;
    if (part->kind == PART_RANGE) part->position += (int64_t)step;
    else part->data += step;
    bytes -= step;
    if (part->length > 0) return;
    part_done(reactor, connection);
    if (bytes == 0) return;
  }
}

// A system call on the socket failed. False when that ended the connection.
static bool send_failed(struct reactor *reactor, struct connection *connection, int error, enum close_reason reason) {
  if (error == EINTR) return true;
  if (error == EAGAIN) {
    connection->writable = false;
    return true;
  }
  if (error == EPIPE || error == ECONNRESET || error == ETIMEDOUT) reason = CLOSE_RESET;
  connection_close(reactor, connection, reason, error);
  return false;
}

// Sends the bytes at the head of the queue. False when the connection was closed.
static bool send_bytes(struct reactor *reactor, struct connection *connection, int64_t *share) {
  struct iovec vectors[GATHER_PARTS];
  struct msghdr message = {.msg_iov = vectors};
  int64_t room = *share < GATHER_BYTES ? *share : GATHER_BYTES;
  const struct part *part = connection->first;
  for (; part && part->kind != PART_RANGE && message.msg_iovlen < GATHER_PARTS && room > 0; part = part->next) {
    size_t length = part->length < (uint64_t)room ? part->length : (size_t)room;
    vectors[message.msg_iovlen++] = (struct iovec){(void *)(uintptr_t)part->data, length};
    room -= (int64_t)length;
  }
  // More follows at once only if it is a range: what is cut off by the share may have to wait for others.
  int flags = MSG_NOSIGNAL | (part && part->kind == PART_RANGE && room > 0 ? MSG_MORE : 0);
  ssize_t count = sendmsg(connection->fd, &message, flags);
  if (count < 0) return send_failed(reactor, connection, errno, CLOSE_RESET);
  *share -= count;
  sent(reactor, connection, (uint64_t)count);
  return true;
}

// --- windows of files that are not in memory ---

struct warm_job {
  struct job job;
  int fd, error;
  int64_t position, length;
  uint32_t slot, generation;
  bool ahead;  // nobody waits for it yet
};

static void run_warm(struct job *job) {
  struct warm_job *warm = CONTAINER_OF(job, struct warm_job, job);
  warm->error = file_warm(warm->fd, warm->position, warm->length);
  close(warm->fd);
}

// The thread that reads the files of a device; NULL when there can be no more.
static struct worker *warmer_of(struct reactor *reactor, int fd) {
  struct stat status;
  if (fstat(fd, &status) < 0) return NULL;
  for (uint32_t i = 0; i < reactor->warmer_count; i++)
    if (reactor->warmers[i].device == (uint64_t)status.st_dev) return reactor->warmers[i].worker;
  if (reactor->warmer_count == WARMERS) return reactor->warmers[0].worker;
  struct worker *worker = worker_start(WARMER_NICENESS);
  if (worker) reactor->warmers[reactor->warmer_count++] = (struct warmer){(uint64_t)status.st_dev, worker};
  return worker;
}

// Has a window read by a thread. False when that cannot be.
static bool submit_warming(struct reactor *reactor, struct connection *connection, struct warm_job wanted) {
  struct worker *worker = warmer_of(reactor, wanted.fd);
  struct warm_job *warm = worker ? malloc(sizeof *warm) : NULL;
  // A descriptor of its own: the connection may end, and the file be closed, while the thread reads.
  int fd = warm ? fcntl(wanted.fd, F_DUPFD_CLOEXEC, 0) : -1;
  if (fd < 0) {
    free(warm);
    return false;
  }
  *warm = wanted;
  warm->job = (struct job){.run = run_warm, .completions = &reactor->warmed};
  warm->fd = fd;
  warm->slot = connection->slot;
  warm->generation = connection->generation;
  worker_submit(worker, &warm->job);
  return true;
}

// Has the window after `position` read while what is before it is sent; one at a time for each connection.
static void read_ahead(struct reactor *reactor, struct connection *connection, int fd, int64_t position) {
  if (connection->reading_ahead) return;
  connection->ahead_fd = fd;
  connection->ahead_start = position;
  connection->ahead_end = position + WINDOW_BYTES;
  connection->reading_ahead =
      submit_warming(reactor, connection, (struct warm_job){.fd = fd, .position = position, .length = WINDOW_BYTES, .ahead = true});
}

void connection_warmed(struct reactor *reactor, struct job *job) {
  struct warm_job *warm = CONTAINER_OF(job, struct warm_job, job);
  struct connection *connection = connection_at(reactor, warm->slot, warm->generation);
  if (connection && warm->ahead) {
    connection->reading_ahead = false;
  } else if (connection && connection->warming) {
    struct part *part = connection->first;
    connection->warming = false;
    part->warm_end = warm->position + warm->length;
    if (file_warmth(part->fd, warm->position, warm->length, reactor->cachestat_misleads) == WARMTH_COLD)
      reactor->cachestat_misleads = true;
    if (warm->error < 0) connection_close(reactor, connection, CLOSE_RANGE, -warm->error);
    else {
      read_ahead(reactor, connection, part->fd, part->warm_end);
      connection_ready(reactor, connection);
    }
  }
  free(warm);
}

// Is the next window of the range in memory? If not, a thread reads it and the connection waits; where that cannot be, sending blocks, which
// is better than nothing.
static bool window_ready(struct reactor *reactor, struct connection *connection, struct part *part) {
  if (part->position < part->warm_end) return true;
  int64_t window = part->length < WINDOW_BYTES ? (int64_t)part->length : WINDOW_BYTES, end = part->position + window;
  bool follows = part->fd == connection->ahead_fd && part->position >= connection->ahead_start && part->position < connection->ahead_end;
  bool warm = file_warmth(part->fd, part->position, window, reactor->cachestat_misleads) == WARMTH_WARM;
  if (!warm &&
      submit_warming(reactor, connection, (struct warm_job){.fd = part->fd, .position = part->position, .length = window})) {
    connection->warming = true;
    return false;
  }
  part->warm_end = end;
  // The reader has come to the second half of what was read ahead.
  if (follows && end + WINDOW_BYTES / 2 >= connection->ahead_end)
    read_ahead(reactor, connection, part->fd, end > connection->ahead_end ? end : connection->ahead_end);
  return true;
}

// While corked, the kernel sends full segments only: what follows a range (an answer's last few bytes) leaves with the end of it and not in a packet of
// its own, which would wake the receiver once more.
static void set_cork(struct connection *connection, bool on) {
  int value = on;
  if (connection->corked != on) setsockopt(connection->fd, IPPROTO_TCP, TCP_CORK, &value, sizeof value);
  connection->corked = on;
}

// Bytes of a range that go out in one call: what takes about a share of time, as the last ones did.
static int64_t piece_bytes(const struct reactor *reactor) {
  double piece = SEND_SHARE_MS / reactor->send_ms_per_byte;
  return piece > SEND_SHARE_BYTES ? SEND_SHARE_BYTES : piece < SEND_PIECE_LEAST_BYTES ? SEND_PIECE_LEAST_BYTES : (int64_t)piece;
}

static void note_piece(struct reactor *reactor, int64_t bytes, double took_ms) {
  if (bytes < SEND_LEAST_BYTES) return;
  // One that was interrupted says little.
  double sample = took_ms / (double)bytes, most = 2 * reactor->send_ms_per_byte;
  if (sample > most) sample = most;
  reactor->send_ms_per_byte += (sample - reactor->send_ms_per_byte) / 8;
}

// Sends of the range at the head of the queue. False when the connection was closed.
static bool send_range(struct reactor *reactor, struct connection *connection, int64_t *share) {
  struct part *part = connection->first;
  if (!window_ready(reactor, connection, part)) return true;
  int64_t length = part->warm_end - part->position;
  if (length > *share) length = *share;
  int64_t piece = piece_bytes(reactor);
  if (length > piece) length = piece;
  off_t position = part->position;
  if (part->next) set_cork(connection, true);
  double start_ms = hub_now_ms();
  // Node ignores SIGPIPE, so a closed socket is an error here too.
  ssize_t count = sendfile(connection->fd, part->fd, &position, (size_t)length);
  if (count < 0) return send_failed(reactor, connection, errno, CLOSE_RANGE);
  if (count == 0) {
    connection_close(reactor, connection, CLOSE_RANGE, 0);  // the file ends before the range does
    return false;
  }
  note_piece(reactor, count, hub_now_ms() - start_ms);
  *share -= count;
  sent(reactor, connection, (uint64_t)count);
  return true;
}

bool connection_send(struct reactor *reactor, struct connection *connection) {
  int64_t share = reactor->send_left < SEND_SHARE_BYTES ? reactor->send_left : SEND_SHARE_BYTES;
  if (share < SEND_LEAST_BYTES) share = SEND_LEAST_BYTES;
  int64_t given = share;
  double end_ms = hub_now_ms() + SEND_SHARE_MS;
  while (connection->first && connection->writable && !connection->warming && share > 0) {
    bool range = connection->first->kind == PART_RANGE;
    if (!(range ? send_range(reactor, connection, &share) : send_bytes(reactor, connection, &share))) return false;
    if (range && hub_now_ms() > end_ms) break;
  }
  reactor->send_left -= given - share;
  if (!connection->first) set_cork(connection, false);
  if (connection->first || connection->state != CONNECTION_DRAINING) return true;
  connection_close(reactor, connection, connection->reason, 0);
  return false;
}

// --- what JS asks for ---

// Copies a range into the arena if it is small, in memory and whole.
static bool copy_range(struct reactor *reactor, struct part *part) {
  if (part->length > SMALL_RANGE_BYTES || reactor->arena.length - reactor->arena_used < part->length) return false;
  uint8_t *target = reactor->arena.data + reactor->arena_used;
  struct iovec vector = {target, (size_t)part->length};
  if (preadv2(part->fd, &vector, 1, part->position, RWF_NOWAIT) != (ssize_t)part->length) return false;
  reactor->arena_used += (uint32_t)part->length;
  part->kind = PART_ARENA;
  part->data = target;
  return true;
}

static bool read_part(struct reactor *reactor, napi_value buffers, const double *fields, struct part *part) {
  napi_env env = reactor->hub.env;
  part->kind = (enum part_kind)fields[0];
  part->length = (uint64_t)fields[2];
  if (part->kind == PART_ARENA) {
    if (fields[1] + fields[2] > (double)reactor->arena_used) return false;
    part->data = reactor->arena.data + (size_t)fields[1];
    return true;
  }
  if (part->kind == PART_BUFFER) {
    napi_value buffer;
    part->index = (uint32_t)fields[1];
    if (napi_get_element(env, buffers, part->index, &buffer) != napi_ok) return false;
    struct bytes bytes = addon_bytes(env, buffer);
    part->data = bytes.data;
    return bytes.data && bytes.length == part->length;
  }
  part->fd = (int)fields[1];
  part->position = (int64_t)fields[3];
  return part->kind == PART_RANGE;
}

// Queues the parts of one send. False if they make no sense.
static bool queue_parts(struct reactor *reactor, struct connection *connection, napi_value buffers, const double *fields, uint32_t count) {
  for (; count > 0; count--, fields += PART_FIELDS) {
    struct part *part = part_new(reactor);
    if (!part) return false;
    if (!read_part(reactor, buffers, fields, part)) {
      part_free(reactor, part);
      return false;
    }
    if (part->kind == PART_RANGE && copy_range(reactor, part)) connection->ranges_done++;
    part_append(connection, part);
  }
  if (link_alone(&connection->touched)) link_append(&reactor->touched, &connection->touched);
  return true;
}

static void request_close(struct reactor *reactor, struct connection *connection, enum close_how how) {
  if (how == CLOSE_HOW_DRAIN && connection->first && connection->state == CONNECTION_OPEN) {
    connection->state = CONNECTION_DRAINING;
    connection->reason = CLOSE_LOCAL;
    connection_drop_received(reactor, connection);
    connection_no_deadline(connection);
    connection_deadline(reactor, connection, DRAIN_MS);
  } else if (how != CLOSE_HOW_DRAIN || connection->state != CONNECTION_DRAINING) {
    connection_close(reactor, connection, how == CLOSE_HOW_RANGE ? CLOSE_RANGE : CLOSE_LOCAL, 0);
  }
}

// Makes what is left of the borrowed parts last beyond the flush. False when memory is out.
static bool keep_borrowed(struct reactor *reactor, struct connection *connection, napi_value buffers) {
  napi_env env = reactor->hub.env;
  for (struct part *part = connection->borrowed; part; part = part->next) {
    if (part->kind == PART_ARENA) {
      part->block = malloc(part->length);
      if (!part->block) return false;
      part->data = memcpy(part->block, part->data, part->length);
    } else if (part->kind == PART_BUFFER) {
      napi_value buffer;
      if (napi_get_element(env, buffers, part->index, &buffer) != napi_ok ||
          napi_create_reference(env, buffer, 1, &part->reference) != napi_ok)
        return false;
    }
  }
  connection->borrowed = NULL;
  return true;
}

static void send_touched(struct reactor *reactor, napi_value buffers) {
  while (!link_alone(&reactor->touched)) {
    struct connection *connection = CONTAINER_OF(reactor->touched.next, struct connection, touched);
    link_remove(&connection->touched);
    if (!connection_send(reactor, connection)) continue;
    if (!keep_borrowed(reactor, connection, buffers)) {
      connection_close(reactor, connection, CLOSE_RESET, ENOMEM);
      continue;
    }
    if (connection_has_work(connection)) connection_ready(reactor, connection);
    connection_progress(reactor, connection);
  }
}

bool reactor_flush(struct reactor *reactor, uint32_t count, uint32_t arena_used) {
  napi_value shared, buffers;
  if (napi_get_reference_value(reactor->hub.env, reactor->shared, &shared) != napi_ok ||
      napi_get_element(reactor->hub.env, shared, SHARED_PARTS, &buffers) != napi_ok)
    return false;
  reactor->flushing = true;
  reactor->result_count = 0;
  reactor->arena_used = arena_used;
  if (!reactor->in_turn) reactor->now_ms = hub_now_ms();
  bool sane = true;
  for (const double *fields = reactor->operations, *end = fields + count; sane && end - fields >= OPERATION_FIELDS;) {
    enum operation_kind kind = (enum operation_kind)fields[0];
    struct connection *connection = connection_at(reactor, fields[1], fields[2]);
    double value = fields[3];
    fields += OPERATION_FIELDS;
    if (kind == OPERATION_SEND) {
      if (value * PART_FIELDS > (double)(end - fields)) sane = false;
      else if (connection && connection->state != CONNECTION_DRAINING)
        sane = queue_parts(reactor, connection, buffers, fields, (uint32_t)value);
      fields += (size_t)value * PART_FIELDS;
    } else if (connection) {
      if (kind == OPERATION_CREDITS) connection_set_credits(reactor, connection, (int32_t)value);
      else request_close(reactor, connection, (enum close_how)value);
    }
  }
  send_touched(reactor, buffers);
  reactor->flushing = false;
  reactor_rearm(reactor);
  return sane;
}
