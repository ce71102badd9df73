// The reactor: listening sockets and connections of one `AddonNetwork`, driven by one epoll set.
//
// Life of a connection:
//   CONNECTING --established--> OPEN --close('drain') or end of input with bytes unsent--> DRAINING
//   any --close('now'), error, deadline, all sent while DRAINING--> CLOSED --told to JS--> freed, the slot is used again
//
// One turn (reactor.c): take the ready events, run every ready connection within its share (send.c, then frames.c), hand the
// frames and what happened to JS in one call, send what JS answered. Sockets are watched edge-triggered, once; `readable` and
// `writable` remember what the kernel said last, and the ready list holds who has something left to do.
#ifndef ODRADEK_REACTOR_H
#define ODRADEK_REACTOR_H

#include "addon.h"
#include "hub.h"
#include "threads.h"

enum {
  // Bytes that one connection may receive, and send, in one turn (the defaults of max.request.size and max.partition.fetch.bytes
  // go through in one), and all of them together. A turn stays in the low milliseconds.
  RECEIVE_SHARE_BYTES = (1 << 20) + (128 << 10),
  RECEIVE_TURN_BYTES = 4 << 20,
  SEND_SHARE_BYTES = (1 << 20) + (128 << 10),
  SEND_TURN_BYTES = 4 << 20,
  // One receive into the shared buffer; also the largest frame that is handed over there. Larger ones have a buffer of their own.
  SMALL_FRAME_BYTES = 64 << 10,
  // A frame's own buffer starts at this much beyond what has arrived, and doubles.
  FRAME_AHEAD_BYTES = 1 << 20,
  // Below this many arrived bytes a started frame is given no more than twice what it has.
  FRAME_TRUST_BYTES = 16 << 10,
  BUDGET_FIELDS = 3,
  // Large buffers that lie idle, together and each.
  POOL_IDLE_BYTES = 8 << 20,
  POOL_BUFFER_BYTES = 4 << 20,
  // Threads that read cold ranges, one per device.
  WARMERS = 16,
  // Whoever reads old data yields to the loop where there are more threads than processors.
  WARMER_NICENESS = 5,
  BUDGETS = 256,
  LISTENERS = 64,
  ACCEPTS_PER_TURN = 64,
  ACCEPT_RETRY_MS = 100,
  // How long a connection that is to end may take to send what is queued.
  DRAIN_MS = 30000,
  TICK_MIN_MS = 5,
  TICK_MAX_MS = 1000,
};

// Time that a connection's ranges may take in one turn, about. What a megabyte takes depends on the receiver and on who else wants the processor: between
// 0.1 and 3 ms were seen.
#define SEND_SHARE_MS 0.5
#define SEND_FIRST_MS_PER_BYTE (0.3 / (1 << 20))

// Epoll data: a connection is its slot below 30 bits of its generation, a listener its index below this bit.
#define LISTENER_TAG (UINT64_C(1) << 62)
#define GENERATION_BITS UINT32_C(0x3fffffff)

// Why a connection ended; the order is that of `CLOSE_REASONS` in layout.ts.
enum close_reason { CLOSE_PEER, CLOSE_LOCAL, CLOSE_RESET, CLOSE_FRAME_SIZE, CLOSE_FRAME_TIMEOUT, CLOSE_RANGE, CLOSE_CONNECT };

// What a turn tells JS besides frames: four doubles each, the kind, the slot, and two values.
enum event_kind {
  EVENT_ACCEPTED,   // generation, listener
  EVENT_CONNECTED,  // generation
  EVENT_PROGRESS,   // bytes still unsent, file ranges done since the last time
  EVENT_CLOSED,     // reason, and the errno, or the size of a frame that is too large
};
enum { EVENT_FIELDS = 4, FRAME_FIELDS = 4 };

// Buffer column of a frame's row: 0 is the shared buffer, 1 + i the pool's buffer i, -(1 + i) the same after JS has taken it over.
enum { FRAME_SHARED = 0 };

enum connection_state { CONNECTION_CONNECTING, CONNECTION_OPEN, CONNECTION_DRAINING, CONNECTION_CLOSED };

struct reactor;
struct connection;

// A bound on received bytes; `cell[0]` is the maximum, `cell[1]` what is taken, `cell[2]` is not 0 when its connections go first; shared with JS.
struct budget {
  double *cell;
  struct link waiting;            // connections that may not read on
  struct connection *progressing;  // the one that may, though the bound is reached
};

// A large frame's buffer. JS keeps the memory alive in its pool array at the same index.
struct large {
  uint8_t *data;
  uint32_t capacity;
  bool busy;
};

// A frame that has not arrived whole.
struct assembly {
  uint8_t prefix[4];
  uint8_t prefix_bytes;
  uint8_t *data;
  uint32_t size, have, capacity;  // known once the prefix has arrived
  int32_t large;         // index of the large buffer that `data` lies in, or -1 if it is malloc'ed
};

static inline bool assembly_started(const struct assembly *assembly) { return assembly->prefix_bytes > 0; }
static inline bool assembly_whole(const struct assembly *assembly) {
  return assembly->prefix_bytes == 4 && assembly->have == assembly->size;
}

// The kinds as JS writes them: bytes in the arena, a JS buffer, a range of a file.
enum part_kind { PART_ARENA, PART_BUFFER, PART_RANGE };

// Something to send. Bytes in the arena and JS buffers are borrowed within the flush that brought them; what is not sent by its
// end is copied (`block`) or referenced (`reference`).
struct part {
  struct part *next;
  enum part_kind kind;
  const uint8_t *data;  // bytes: the next one to send
  void *block;
  napi_ref reference;
  uint32_t index;     // of a JS buffer in the array of the flush
  int fd;             // of a range
  int64_t position;   // the next byte of a range to send
  int64_t warm_end;   // up to here the range is known to be in memory
  uint64_t length;    // bytes left
};

// What JS asks for, in doubles: the kind, slot, generation, and a value; after a send, `value` parts of PART_FIELDS each.
enum operation_kind { OPERATION_CREDITS, OPERATION_CLOSE, OPERATION_SEND };
enum close_how { CLOSE_HOW_DRAIN, CLOSE_HOW_NOW, CLOSE_HOW_RANGE };
// Part: kind, then arena start and length; or index in the array of buffers, and length; or descriptor, length and position.
enum { OPERATION_FIELDS = 4, PART_FIELDS = 4 };

// Elements of the array of shared objects.
enum { SHARED_RECEIVE, SHARED_FRAMES, SHARED_EVENTS, SHARED_OPERATIONS, SHARED_RESULTS, SHARED_ARENA, SHARED_BUDGETS, SHARED_PARTS, SHARED_POOL };

struct limits {
  uint32_t max_frame_bytes, frame_timeout_ms;
  int socket_buffer_bytes;  // 0 leaves the system's
  struct budget *budget;
};

struct connection {
  struct link ready;     // in `reactor.ready`: has something to do
  struct link waiting;   // in `budget.waiting`: may not read on
  struct link deadline;  // in `reactor.deadlines`
  struct link closed;    // in `reactor.closed`: JS is to be told
  struct link touched;   // in `reactor.touched`: got something to send in this flush
  int fd;
  uint32_t slot, generation;
  int32_t listener;  // -1 for an outgoing one
  enum connection_state state;
  bool readable, writable, hung_up, warming, input_ended, corked;
  uint8_t reason;
  int error;
  int32_t credits;
  struct limits limits;
  double deadline_ms;
  uint64_t held;  // bytes counted in the budget
  uint8_t *backlog;  // received, waiting for credits or room
  uint32_t backlog_start, backlog_end;
  struct assembly assembly;
  struct part *first, *last;
  struct part *borrowed;  // the first one that came with this flush
  bool told_unsent;  // JS last heard of a number of unsent bytes that was not 0
  uint64_t unsent;
  uint32_t ranges_done;
  // What was read ahead of this reader of old data: a window of the file with this descriptor. A wrong guess costs a read and nothing else.
  int ahead_fd;
  int64_t ahead_start, ahead_end;
  bool reading_ahead;
};

struct listener {
  int fd;  // -1 when closed
  struct limits limits;
  uint32_t open, max_connections;
  bool paused;
};

struct reactor {
  struct hub hub;
  struct completions warmed;  // windows of files that a thread has read
  bool in_turn, flushing, shut, freed_by_js, freed_by_loop;
  struct warmer {
    uint64_t device;
    struct worker *worker;
  } warmers[WARMERS];
  uint32_t warmer_count;
  bool cachestat_misleads;  // on this file system it does not see what is in memory
  struct link ready, deadlines, closed, touched;
  struct connection **slots;
  uint32_t *generations, *free_slots;
  uint32_t slot_count, slot_capacity, free_count;
  struct listener listeners[LISTENERS];
  struct budget budgets[BUDGETS];
  struct large *pool;
  uint32_t pool_count;
  uint64_t pool_idle_bytes;
  struct part *spare_parts;
  double send_ms_per_byte;  // of ranges, a running mean
  double now_ms;
  uint32_t tick_ms;
  bool ticking, accept_paused;
  bool budgets_changed;  // JS carries the counts over, so it is called even if nothing else is to be told
  // Memory shared with JS, and the references that keep it there.
  struct bytes receive, arena;
  int32_t *frames;
  double *events, *results, *operations, *budget_cells;
  uint32_t frame_capacity, event_capacity, operation_capacity;  // there are as many results as events
  napi_ref shared;  // a JS array of all of it and of the two arrays below
  // Of this turn.
  uint32_t frame_count, event_count, result_count, receive_used, large_frames, arena_used;
  int64_t receive_left, send_left;
};

// reactor.c
struct connection *connection_at(struct reactor *reactor, double slot, double generation);
struct connection *connection_new(struct reactor *reactor, int fd, const struct limits *limits, int32_t listener);
void connection_close(struct reactor *reactor, struct connection *connection, enum close_reason reason, int error);
// True if it could get on now: parts to send, or input that it has the credits for.
bool connection_has_work(const struct connection *connection);
void connection_ready(struct reactor *reactor, struct connection *connection);
// The same for one that has just been woken: it goes before the others if its budget says so.
void connection_woken(struct reactor *reactor, struct connection *connection);
// Sets the time by which the connection must have got on; one that is running stays.
void connection_deadline(struct reactor *reactor, struct connection *connection, uint32_t delay_ms);
void connection_no_deadline(struct connection *connection);
bool event_add(struct reactor *reactor, enum event_kind kind, uint32_t slot, double a, double b);
// Tells JS what is still unsent and which ranges are done, if that is news: as an event of the turn, or a result of the flush.
void connection_progress(struct reactor *reactor, struct connection *connection);
bool events_full(const struct reactor *reactor);
void reactor_tick_within(struct reactor *reactor, uint32_t delay_ms);
// Whatever is left to do gets another turn.
void reactor_rearm(struct reactor *reactor);
void reactor_shutdown(struct reactor *reactor);
void reactor_free(struct reactor *reactor);
extern const struct hub_events reactor_events;

// sockets.c
int listener_open(struct reactor *reactor, const char *host, uint16_t port, int backlog, const struct limits *limits,
                  uint32_t max_connections, uint16_t *bound_port);
void listener_close(struct reactor *reactor, struct listener *listener);
void listener_accept(struct reactor *reactor, struct listener *listener);
void listeners_resume(struct reactor *reactor);
int connection_start(struct reactor *reactor, const char *host, uint16_t port, const struct limits *limits,
                     struct connection **started);
void connection_established(struct reactor *reactor, struct connection *connection);
// Ends the stream in order unless the reason demands a reset.
void socket_close(int fd, enum close_reason reason);

// frames.c
void connection_receive(struct reactor *reactor, struct connection *connection);
void connection_set_credits(struct reactor *reactor, struct connection *connection, int32_t credits);
void connection_drop_received(struct reactor *reactor, struct connection *connection);
// Takes a buffer into the pool that JS had taken out of it. Returns its place, -1 if it is not wanted.
int32_t large_adopt(struct reactor *reactor, uint8_t *data, size_t capacity);
// After JS has seen the frames: large buffers go back to the pool unless JS took them.
void frames_recycle(struct reactor *reactor);

// send.c
// Sends what the socket takes, up to a share. False when the connection was closed.
bool connection_send(struct reactor *reactor, struct connection *connection);
void connection_drop_unsent(struct reactor *reactor, struct connection *connection);
// Goes on with the connection that waited for a window of a file; frees the job.
void connection_warmed(struct reactor *reactor, struct job *job);
// Carries out the operations that JS wrote, `count` doubles of them with `arena_used` bytes; fills the results. False if they make no sense.
bool reactor_flush(struct reactor *reactor, uint32_t count, uint32_t arena_used);
void parts_free_spares(struct reactor *reactor);

#endif
