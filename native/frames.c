// Receiving: from socket to frames.
//
// Bytes are received into the shared buffer and the whole frames among them are handed over where they lie. What is left of
// them is kept per connection: the start of a frame in its `assembly`, and bytes nobody has credits for in its `backlog`. A
// large frame's assembly is a buffer of its own into which the rest is received directly.
#include <sys/socket.h>
#include <sys/uio.h>

#include "reactor.h"

// Less room than this in the shared buffer is not worth a system call.
enum { RECEIVE_MIN_BYTES = 4 << 10, ASSEMBLY_MIN_BYTES = 512 };

static uint32_t read_size(const uint8_t *prefix) {
  return (uint32_t)prefix[0] << 24 | (uint32_t)prefix[1] << 16 | (uint32_t)prefix[2] << 8 | prefix[3];
}

// --- the budget ---

// Those that may not read on get another chance: all of them when there is room again, else the first.
static void budget_resume(struct reactor *reactor, struct budget *budget) {
  while (!link_alone(&budget->waiting)) {
    bool room = budget->cell[1] < budget->cell[0];
    if (!room && budget->progressing) return;
    struct connection *connection = CONTAINER_OF(budget->waiting.next, struct connection, waiting);
    link_remove(&connection->waiting);
    connection_ready(reactor, connection);
    if (!room) return;
  }
}

static void budget_hold(struct reactor *reactor, struct connection *connection, uint64_t bytes) {
  reactor->budgets_changed |= bytes > 0;
  connection->held += bytes;
  connection->limits.budget->cell[1] += (double)bytes;
}

// Whoever calls this calls `budget_settle` when the connection's turn is over.
static void budget_return(struct reactor *reactor, struct connection *connection, uint64_t bytes) {
  reactor->budgets_changed |= bytes > 0;
  connection->held -= bytes;
  connection->limits.budget->cell[1] -= (double)bytes;
}

// May the connection read on? Past the bound one may, so that there is always progress; the others wait. One that waits may come by
// here before its turn, since its socket wakes it.
static bool budget_admits(struct connection *connection) {
  struct budget *budget = connection->limits.budget;
  bool room = budget->cell[1] < budget->cell[0];
  if (!room && !budget->progressing) budget->progressing = connection;
  if (room || budget->progressing == connection) {
    link_remove(&connection->waiting);
    return true;
  }
  if (link_alone(&connection->waiting)) link_append(&budget->waiting, &connection->waiting);
  return false;
}

// The one that may read on past the bound gives way once it holds nothing, or nobody wants its frames. Called after every change of
// those, also for one that was let through and then had no use for it: the next must not wait in vain.
static void budget_settle(struct reactor *reactor, struct connection *connection) {
  struct budget *budget = connection->limits.budget;
  bool uses = connection->state == CONNECTION_OPEN && connection->credits > 0 && connection->held > 0;
  if (budget->progressing == connection && !uses) budget->progressing = NULL;
  budget_resume(reactor, budget);
}

// --- buffers of large frames ---

static bool pool_set(struct reactor *reactor, uint32_t index, napi_value value) {
  napi_env env = reactor->hub.env;
  napi_value shared, array;
  return napi_get_reference_value(env, reactor->shared, &shared) == napi_ok &&
         napi_get_element(env, shared, SHARED_POOL, &array) == napi_ok &&
         napi_set_element(env, array, index, value) == napi_ok;
}

static void large_drop(struct reactor *reactor, uint32_t index) {
  reactor->pool[index] = (struct large){0};
  napi_value undefined;
  if (!reactor->shut && napi_get_undefined(reactor->hub.env, &undefined) == napi_ok) pool_set(reactor, index, undefined);
}

static void large_return(struct reactor *reactor, uint32_t index) {
  struct large *large = &reactor->pool[index];
  large->busy = false;
  if (large->capacity > POOL_BUFFER_BYTES || reactor->pool_idle_bytes + large->capacity > POOL_IDLE_BYTES)
    large_drop(reactor, index);
  else reactor->pool_idle_bytes += large->capacity;
}

static uint32_t large_capacity(uint32_t wanted) {
  uint32_t capacity = 2 * SMALL_FRAME_BYTES;
  while (capacity < wanted && capacity < POOL_BUFFER_BYTES) capacity *= 2;
  if (capacity >= wanted) return capacity;
  return (wanted + FRAME_AHEAD_BYTES - 1) / FRAME_AHEAD_BYTES * FRAME_AHEAD_BYTES;
}

// A place in the pool for one more buffer; -1 when memory is out.
static int32_t large_place(struct reactor *reactor) {
  for (uint32_t i = 0; i < reactor->pool_count; i++)
    if (!reactor->pool[i].data) return (int32_t)i;
  void *pool = realloc(reactor->pool, (reactor->pool_count + 16) * sizeof *reactor->pool);
  if (!pool) return -1;
  reactor->pool = pool;
  memset(reactor->pool + reactor->pool_count, 0, 16 * sizeof *reactor->pool);
  reactor->pool_count += 16;
  return (int32_t)reactor->pool_count - 16;
}

int32_t large_adopt(struct reactor *reactor, uint8_t *data, size_t capacity) {
  bool fits = capacity <= POOL_BUFFER_BYTES && capacity == large_capacity((uint32_t)capacity) &&
              reactor->pool_idle_bytes + capacity <= POOL_IDLE_BYTES;
  int32_t place = fits ? large_place(reactor) : -1;
  if (place < 0) return -1;
  reactor->pool[place] = (struct large){.data = data, .capacity = (uint32_t)capacity};
  reactor->pool_idle_bytes += capacity;
  return place;
}

// A buffer of at least `wanted` bytes; an idle one if it is not much too large. -1 when memory is out.
static int32_t large_take(struct reactor *reactor, uint32_t wanted) {
  uint32_t capacity = large_capacity(wanted);
  for (uint32_t i = 0; i < reactor->pool_count; i++) {
    struct large *large = &reactor->pool[i];
    if (!large->data || large->busy || large->capacity != capacity) continue;
    large->busy = true;
    reactor->pool_idle_bytes -= capacity;
    return (int32_t)i;
  }
  int32_t place = large_place(reactor);
  napi_value buffer;
  void *data;
  if (place < 0 || napi_create_buffer(reactor->hub.env, capacity, &data, &buffer) != napi_ok ||
      !pool_set(reactor, (uint32_t)place, buffer)) {
    napi_value exception;
    if (addon_pending(reactor->hub.env)) napi_get_and_clear_last_exception(reactor->hub.env, &exception);
    return -1;
  }
  reactor->pool[place] = (struct large){.data = data, .capacity = capacity, .busy = true};
  return place;
}

// --- frames that have not arrived whole ---

static void assembly_release(struct reactor *reactor, struct connection *connection) {
  struct assembly *assembly = &connection->assembly;
  uint32_t held = assembly->capacity;
  if (assembly->large >= 0) large_return(reactor, (uint32_t)assembly->large);
  else free(assembly->data);
  *assembly = (struct assembly){.large = -1};
  budget_return(reactor, connection, held);
}

// How much memory a frame is given that has `wanted` bytes or is about to: what arrived, and a bound.
static uint32_t assembly_capacity(uint32_t size, uint32_t wanted) {
  uint64_t capacity = (uint64_t)wanted * 2;
  if (wanted >= FRAME_TRUST_BYTES && wanted < FRAME_AHEAD_BYTES) capacity = (uint64_t)wanted + FRAME_AHEAD_BYTES;
  if (capacity < ASSEMBLY_MIN_BYTES) capacity = ASSEMBLY_MIN_BYTES;
  return capacity < size ? (uint32_t)capacity : size;
}

// Makes room for at least one more byte and at most `incoming`. False when memory is out.
static bool assembly_reserve(struct reactor *reactor, struct connection *connection, uint32_t incoming) {
  struct assembly *assembly = &connection->assembly;
  uint32_t missing = assembly->size - assembly->have;
  uint32_t wanted = assembly->have + (incoming < missing ? incoming : missing);
  if (wanted <= assembly->capacity) return true;
  uint32_t capacity = assembly_capacity(assembly->size, wanted);
  if (capacity <= SMALL_FRAME_BYTES) {
    uint8_t *data = realloc(assembly->data, capacity);
    if (!data) return false;
    assembly->data = data;
  } else {
    int32_t index = large_take(reactor, capacity);
    if (index < 0) return false;
    uint8_t *data = reactor->pool[index].data;
    if (assembly->have > 0) memcpy(data, assembly->data, assembly->have);
    if (assembly->large >= 0) large_return(reactor, (uint32_t)assembly->large);
    else free(assembly->data);
    assembly->data = data;
    assembly->large = index;
  }
  budget_hold(reactor, connection, capacity - assembly->capacity);
  assembly->capacity = capacity;
  return true;
}

// Adds bytes to the frame being assembled, up to its end. Returns how many it took; closes the connection on a bad size.
static uint32_t assemble(struct reactor *reactor, struct connection *connection, const uint8_t *data, uint32_t length) {
  struct assembly *assembly = &connection->assembly;
  uint32_t used = 0;
  if (assembly->prefix_bytes < 4) {
    while (assembly->prefix_bytes < 4 && used < length) assembly->prefix[assembly->prefix_bytes++] = data[used++];
    if (assembly->prefix_bytes < 4) return used;
    assembly->size = read_size(assembly->prefix);
    if (assembly->size > connection->limits.max_frame_bytes) {
      connection_close(reactor, connection, CLOSE_FRAME_SIZE, (int)assembly->size);
      return used;
    }
  }
  uint32_t take = assembly->size - assembly->have;
  if (take > length - used) take = length - used;
  if (take == 0) return used;
  if (!assembly_reserve(reactor, connection, take)) {
    connection_close(reactor, connection, CLOSE_RESET, ENOMEM);
    return used;
  }
  memcpy(assembly->data + assembly->have, data + used, take);
  assembly->have += take;
  return used + take;
}

// --- handing over ---

static void add_frame(struct reactor *reactor, struct connection *connection, int32_t buffer, uint32_t start, uint32_t end) {
  int32_t *row = reactor->frames + (size_t)reactor->frame_count++ * FRAME_FIELDS;
  row[0] = (int32_t)connection->slot;
  row[1] = buffer;
  row[2] = (int32_t)start;
  row[3] = (int32_t)end;
  connection->credits--;
  connection_no_deadline(connection);
}

// Hands over a small frame: where it lies in the shared buffer, else as a copy there. False without room.
static bool hand_over(struct reactor *reactor, struct connection *connection, const uint8_t *data, uint32_t size, bool shared) {
  if (reactor->frame_count == reactor->frame_capacity) return false;
  uint32_t start = reactor->receive_used;
  if (shared) {
    start = (uint32_t)(data - reactor->receive.data);
  } else {
    if (reactor->receive.length - start < size) return false;
    if (size > 0) memcpy(reactor->receive.data + start, data, size);
    reactor->receive_used = start + size;
  }
  add_frame(reactor, connection, FRAME_SHARED, start, start + size);
  return true;
}

static bool hand_over_assembly(struct reactor *reactor, struct connection *connection) {
  struct assembly *assembly = &connection->assembly;
  if (connection->credits <= 0) return false;
  if (assembly->large < 0) {
    if (!hand_over(reactor, connection, assembly->data, assembly->size, false)) return false;
    assembly_release(reactor, connection);
    return true;
  }
  if (reactor->frame_count == reactor->frame_capacity) return false;
  add_frame(reactor, connection, 1 + assembly->large, 0, assembly->size);
  reactor->large_frames++;
  uint32_t held = assembly->capacity;
  *assembly = (struct assembly){.large = -1};
  budget_return(reactor, connection, held);
  return true;
}

// Takes received bytes apart as far as credits and room go; returns how many were used. `shared`: they lie in the shared buffer.
static uint32_t take_apart(struct reactor *reactor, struct connection *connection, const uint8_t *data, uint32_t length, bool shared) {
  uint32_t at = 0;
  while (at < length && connection->credits > 0 && connection->state == CONNECTION_OPEN) {
    uint32_t left = length - at;
    if (!assembly_started(&connection->assembly) && left >= 4) {
      uint32_t size = read_size(data + at);
      if (size > connection->limits.max_frame_bytes) {
        connection_close(reactor, connection, CLOSE_FRAME_SIZE, (int)size);
        return at;
      }
      if (size <= SMALL_FRAME_BYTES && left - 4 >= size) {
        if (!hand_over(reactor, connection, data + at + 4, size, shared)) return at;
        at += 4 + size;
        continue;
      }
    }
    at += assemble(reactor, connection, data + at, left);
    if (assembly_whole(&connection->assembly) && !hand_over_assembly(reactor, connection)) return at;
  }
  return at;
}

static void backlog_free(struct reactor *reactor, struct connection *connection) {
  uint32_t held = connection->backlog_end;
  free(connection->backlog);
  connection->backlog = NULL;
  connection->backlog_start = connection->backlog_end = 0;
  budget_return(reactor, connection, held);
}

static void backlog_keep(struct reactor *reactor, struct connection *connection, const uint8_t *data, uint32_t length) {
  connection->backlog = malloc(length);
  if (!connection->backlog) {
    connection_close(reactor, connection, CLOSE_RESET, ENOMEM);
    return;
  }
  memcpy(connection->backlog, data, length);
  connection->backlog_end = length;
  budget_hold(reactor, connection, length);
}

// Hands over what has been received before. False if some of that has to wait on.
static bool hand_over_received(struct reactor *reactor, struct connection *connection) {
  if (assembly_whole(&connection->assembly) && !hand_over_assembly(reactor, connection)) return false;
  if (!connection->backlog) return true;
  uint32_t start = connection->backlog_start, left = connection->backlog_end - start;
  uint32_t used = take_apart(reactor, connection, connection->backlog + start, left, false);
  if (connection->state != CONNECTION_OPEN) return false;
  connection->backlog_start = start + used;
  if (used < left) return false;
  backlog_free(reactor, connection);
  return true;
}

// --- receiving ---

static void end_of_input(struct reactor *reactor, struct connection *connection) {
  if (connection->unsent == 0) {
    connection_close(reactor, connection, CLOSE_PEER, 0);
    return;
  }
  // Half closed: the other side may still be waiting for its answers.
  connection->state = CONNECTION_DRAINING;
  connection->reason = CLOSE_PEER;
  connection_drop_received(reactor, connection);
  connection_no_deadline(connection);
  connection_deadline(reactor, connection, DRAIN_MS);
}

// Receives into one or two places. Returns how many bytes came; 0 when there are none now or the connection has ended.
static uint32_t receive_bytes(struct reactor *reactor, struct connection *connection, struct iovec *places, int count) {
  size_t capacity = places[0].iov_len + (count > 1 ? places[1].iov_len : 0);
  ssize_t got;
  do got = count > 1 ? readv(connection->fd, places, count) : recv(connection->fd, places->iov_base, capacity, 0);
  while (got < 0 && errno == EINTR);
  if (got > 0) {
    // Less than asked for: nothing is left, and what comes next is an edge of its own. The end of the input is not.
    if ((size_t)got < capacity && !connection->hung_up) connection->readable = false;
    return (uint32_t)got;
  }
  if (got == 0) end_of_input(reactor, connection);
  else if (errno == EAGAIN) connection->readable = connection->hung_up = false;
  else connection_close(reactor, connection, CLOSE_RESET, errno);
  return 0;
}

// Room in the shared buffer for one receive; 0 when there is too little.
static size_t shared_room(const struct reactor *reactor) {
  size_t room = reactor->receive.length - reactor->receive_used;
  if (room < RECEIVE_MIN_BYTES || reactor->frame_count == reactor->frame_capacity) return 0;
  return room < SMALL_FRAME_BYTES ? room : SMALL_FRAME_BYTES;
}

// Hands over what was received into the free part of the shared buffer, and keeps the rest.
static void take_shared(struct reactor *reactor, struct connection *connection, uint32_t got) {
  uint32_t start = reactor->receive_used, frames = reactor->frame_count;
  const uint8_t *data = reactor->receive.data + start;
  reactor->receive_used = start + got;
  uint32_t used = take_apart(reactor, connection, data, got, true);
  if (connection->state == CONNECTION_OPEN && used < got) backlog_keep(reactor, connection, data + used, got - used);
  // What was copied elsewhere is room for the next.
  if (reactor->receive_used != start + got) return;
  const int32_t *last = reactor->frames + (size_t)(reactor->frame_count - 1) * FRAME_FIELDS;
  reactor->receive_used = reactor->frame_count > frames && last[1] == FRAME_SHARED ? (uint32_t)last[3] : start;
}

static uint32_t receive_shared(struct reactor *reactor, struct connection *connection) {
  struct iovec place = {reactor->receive.data + reactor->receive_used, shared_room(reactor)};
  if (place.iov_len == 0) return 0;
  uint32_t got = receive_bytes(reactor, connection, &place, 1);
  if (got > 0) take_shared(reactor, connection, got);
  return got;
}

// Receives the rest of a large frame into its buffer, and what follows it into the shared one: so the call that ends the frame also
// tells whether more is there.
static uint32_t receive_large(struct reactor *reactor, struct connection *connection, int64_t share) {
  struct assembly *assembly = &connection->assembly;
  if (!assembly_reserve(reactor, connection, 1)) {
    connection_close(reactor, connection, CLOSE_RESET, ENOMEM);
    return 0;
  }
  uint32_t room = assembly->capacity - assembly->have;
  bool ends = assembly->capacity == assembly->size && room <= share;
  if (room > share) room = (uint32_t)share;
  struct iovec places[2] = {{assembly->data + assembly->have, room},
                            {reactor->receive.data + reactor->receive_used, ends ? shared_room(reactor) : 0}};
  uint32_t got = receive_bytes(reactor, connection, places, places[1].iov_len > 0 ? 2 : 1);
  if (got == 0) return 0;
  assembly->have += got < room ? got : room;
  // There were credits and room for the frame before, so it is handed over.
  if (got > room && hand_over_assembly(reactor, connection)) take_shared(reactor, connection, got - room);
  return got;
}

// Starts or stops the clock of an unfinished frame: it runs while only the other side can finish the frame.
static void frame_clock(struct reactor *reactor, struct connection *connection) {
  if (connection->state != CONNECTION_OPEN) return;
  const struct assembly *assembly = &connection->assembly;
  bool runs = connection->credits > 0 && link_alone(&connection->waiting) && assembly_started(assembly) && !assembly_whole(assembly);
  if (runs && connection->limits.frame_timeout_ms > 0) connection_deadline(reactor, connection, connection->limits.frame_timeout_ms);
  else connection_no_deadline(connection);
}

void connection_receive(struct reactor *reactor, struct connection *connection) {
  int64_t share = reactor->receive_left < RECEIVE_SHARE_BYTES ? reactor->receive_left : RECEIVE_SHARE_BYTES;
  uint32_t frames = reactor->frame_count;
  while (connection->state == CONNECTION_OPEN && hand_over_received(reactor, connection)) {
    if (connection->credits <= 0 || !connection->readable || share <= 0) break;
    // The end is looked for in a later turn, so that what is answered to these frames at once still leaves.
    if (connection->hung_up && reactor->frame_count > frames) break;
    if (!budget_admits(connection)) break;
    bool large = connection->assembly.large >= 0;
    uint32_t got = large ? receive_large(reactor, connection, share) : receive_shared(reactor, connection);
    if (got == 0) break;
    share -= got;
    reactor->receive_left -= got;
  }
  budget_settle(reactor, connection);
  frame_clock(reactor, connection);
}

void connection_set_credits(struct reactor *reactor, struct connection *connection, int32_t credits) {
  connection->credits = credits;
  if (credits <= 0) link_remove(&connection->waiting);
  budget_settle(reactor, connection);
  frame_clock(reactor, connection);
  if (connection_has_work(connection)) connection_ready(reactor, connection);
}

void connection_drop_received(struct reactor *reactor, struct connection *connection) {
  if (connection->backlog) backlog_free(reactor, connection);
  assembly_release(reactor, connection);
  link_remove(&connection->waiting);
  budget_settle(reactor, connection);
}

void frames_recycle(struct reactor *reactor) {
  for (uint32_t i = 0; reactor->large_frames > 0 && i < reactor->frame_count; i++) {
    int32_t buffer = reactor->frames[(size_t)i * FRAME_FIELDS + 1];
    if (buffer == FRAME_SHARED) continue;
    if (buffer > 0) large_return(reactor, (uint32_t)buffer - 1);
    else reactor->pool[-(buffer + 1)] = (struct large){0};
    reactor->large_frames--;
  }
}
