// The turn, and the life of connections. See reactor.h.
#include "reactor.h"

#include <sys/epoll.h>


enum { EVENTS_PER_WAIT = 256, WAITS_PER_TURN = 4 };

struct connection *connection_at(struct reactor *reactor, double slot, double generation) {
  if (!(slot >= 0 && slot < reactor->slot_count)) return NULL;
  struct connection *connection = reactor->slots[(uint32_t)slot];
  if (!connection || connection->generation != generation || connection->state == CONNECTION_CLOSED) return NULL;
  return connection;
}

// A slot for one more connection; false when memory is out.
static bool slot_take(struct reactor *reactor, uint32_t *slot) {
  if (reactor->free_count > 0) {
    *slot = reactor->free_slots[--reactor->free_count];
    return true;
  }
  if (reactor->slot_count == reactor->slot_capacity) {
    uint32_t capacity = reactor->slot_capacity ? reactor->slot_capacity * 2 : 64;
    void *slots = realloc(reactor->slots, capacity * sizeof *reactor->slots);
    if (slots) reactor->slots = slots;
    void *generations = realloc(reactor->generations, capacity * sizeof *reactor->generations);
    if (generations) reactor->generations = generations;
    void *free_slots = realloc(reactor->free_slots, capacity * sizeof *reactor->free_slots);
    if (free_slots) reactor->free_slots = free_slots;
    if (!slots || !generations || !free_slots) return false;
    reactor->slot_capacity = capacity;
  }
  *slot = reactor->slot_count++;
  reactor->generations[*slot] = 0;
  reactor->slots[*slot] = NULL;
  return true;
}

struct connection *connection_new(struct reactor *reactor, int fd, const struct limits *limits, int32_t listener) {
  struct connection *connection = calloc(1, sizeof *connection);
  uint32_t slot;
  if (!connection || !slot_take(reactor, &slot)) {
    free(connection);
    return NULL;
  }
  struct link *links[] = {&connection->ready, &connection->waiting, &connection->deadline, &connection->closed, &connection->touched};
  for (size_t i = 0; i < COUNT_OF(links); i++) link_init(links[i]);
  connection->fd = fd;
  connection->slot = slot;
  connection->generation = ++reactor->generations[slot];
  connection->listener = listener;
  connection->limits = *limits;
  connection->assembly.large = -1;
  connection->ahead_fd = -1;
  connection->state = listener >= 0 ? CONNECTION_OPEN : CONNECTION_CONNECTING;
  connection->writable = listener >= 0;
  uint64_t data = (uint64_t)(connection->generation & GENERATION_BITS) << 32 | slot;
  if (hub_watch(&reactor->hub, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, data) < 0) {
    reactor->free_slots[reactor->free_count++] = slot;
    free(connection);
    return NULL;
  }
  reactor->slots[slot] = connection;
  hub_hold(&reactor->hub);
  return connection;
}

void connection_close(struct reactor *reactor, struct connection *connection, enum close_reason reason, int error) {
  if (connection->state == CONNECTION_CLOSED) return;
  connection->state = CONNECTION_CLOSED;
  connection->reason = (uint8_t)reason;
  connection->error = error;
  hub_watch(&reactor->hub, EPOLL_CTL_DEL, connection->fd, 0, 0);
  // A reset throws away what the kernel still holds: it may lie in the pages of a range that is no longer to be sent.
  socket_close(connection->fd, reason);
  connection_drop_received(reactor, connection);
  connection_drop_unsent(reactor, connection);
  link_remove(&connection->ready);
  link_remove(&connection->waiting);
  link_remove(&connection->deadline);
  link_remove(&connection->touched);
  link_append(&reactor->closed, &connection->closed);
  if (connection->listener >= 0) reactor->listeners[connection->listener].open--;
  if (reactor->accept_paused) listeners_resume(reactor);
}

void connection_ready(struct reactor *reactor, struct connection *connection) {
  if (link_alone(&connection->ready)) link_append(&reactor->ready, &connection->ready);
}

void connection_woken(struct reactor *reactor, struct connection *connection) {
  if (!link_alone(&connection->ready)) return;
  if (connection->limits.budget->cell[2] != 0) link_prepend(&reactor->ready, &connection->ready);
  else link_append(&reactor->ready, &connection->ready);
}

void reactor_tick_within(struct reactor *reactor, uint32_t delay_ms) {
  uint32_t tick = delay_ms / 10;
  if (tick < TICK_MIN_MS) tick = TICK_MIN_MS;
  if (tick < reactor->tick_ms) {
    reactor->tick_ms = tick;
    reactor->ticking = false;  // the timer that runs would come too late
  }
  if (reactor->ticking) return;
  reactor->ticking = true;
  hub_timer(&reactor->hub, reactor->tick_ms);
}

void connection_deadline(struct reactor *reactor, struct connection *connection, uint32_t delay_ms) {
  if (!link_alone(&connection->deadline)) return;
  connection->deadline_ms = reactor->now_ms + delay_ms;
  link_append(&reactor->deadlines, &connection->deadline);
  reactor_tick_within(reactor, delay_ms);
}

void connection_no_deadline(struct connection *connection) { link_remove(&connection->deadline); }

bool events_full(const struct reactor *reactor) { return reactor->event_count == reactor->event_capacity; }

bool event_add(struct reactor *reactor, enum event_kind kind, uint32_t slot, double a, double b) {
  if (events_full(reactor)) return false;
  double *event = reactor->events + (size_t)reactor->event_count++ * EVENT_FIELDS;
  event[0] = kind;
  event[1] = slot;
  event[2] = a;
  event[3] = b;
  return true;
}

static double *progress_row(struct reactor *reactor) {
  if (!reactor->flushing) return events_full(reactor) ? NULL : reactor->events + (size_t)reactor->event_count++ * EVENT_FIELDS;
  return reactor->result_count == reactor->event_capacity ? NULL : reactor->results + (size_t)reactor->result_count++ * EVENT_FIELDS;
}

void connection_progress(struct reactor *reactor, struct connection *connection) {
  if (connection->unsent == 0 && !connection->told_unsent && connection->ranges_done == 0) return;
  double *row = progress_row(reactor);
  if (!row) {
    connection_ready(reactor, connection);  // told in the next turn
    return;
  }
  row[0] = EVENT_PROGRESS;
  row[1] = connection->slot;
  row[2] = (double)connection->unsent;
  row[3] = connection->ranges_done;
  connection->told_unsent = connection->unsent > 0;
  connection->ranges_done = 0;
}

// Cuts who did not get on in time. The list is short: only connections with an unfinished frame or unsent rest are in it.
static void tick(struct reactor *reactor) {
  reactor->ticking = false;
  if (reactor->accept_paused) listeners_resume(reactor);
  for (struct link *link = reactor->deadlines.next, *next; link != &reactor->deadlines; link = next) {
    next = link->next;
    struct connection *connection = CONTAINER_OF(link, struct connection, deadline);
    if (connection->deadline_ms > reactor->now_ms) continue;
    bool ending = connection->state == CONNECTION_DRAINING;
    connection_close(reactor, connection, ending ? connection->reason : CLOSE_FRAME_TIMEOUT, ending ? ETIMEDOUT : 0);
  }
  if (link_alone(&reactor->deadlines) && !reactor->accept_paused) reactor->tick_ms = TICK_MAX_MS;
  else reactor_tick_within(reactor, TICK_MAX_MS * 10);
}

static void on_connection_event(struct reactor *reactor, struct connection *connection, uint32_t events) {
  if (connection->state == CONNECTION_CONNECTING) {
    if (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) connection_established(reactor, connection);
    if (connection_has_work(connection)) connection_ready(reactor, connection);
    return;
  }
  if (events & EPOLLIN) connection->readable = true;
  if (events & EPOLLOUT) connection->writable = true;
  if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) connection->readable = connection->hung_up = true;
  if (events & (EPOLLERR | EPOLLHUP)) connection->writable = true;
  if (events & EPOLLERR && connection->credits <= 0) {
    // Nobody may read, so nobody would notice.
    connection_close(reactor, connection, CLOSE_RESET, ECONNRESET);
    return;
  }
  connection_woken(reactor, connection);
}

static void take_events(struct reactor *reactor) {
  for (int round = 0; round < WAITS_PER_TURN; round++) {
    struct epoll_event events[EVENTS_PER_WAIT];
    int count = epoll_wait(reactor->hub.epoll_fd, events, EVENTS_PER_WAIT, 0);
    for (int i = 0; i < count; i++) {
      uint64_t data = events[i].data.u64;
      if (data == HUB_TIMER) {
        tick(reactor);
      } else if (data & LISTENER_TAG) {
        if (data != HUB_WAKE) listener_accept(reactor, &reactor->listeners[data & 0xff]);
      } else if ((uint32_t)data < reactor->slot_count) {
        struct connection *connection = reactor->slots[(uint32_t)data];
        if (connection && connection->state != CONNECTION_CLOSED && (connection->generation & GENERATION_BITS) == data >> 32)
          on_connection_event(reactor, connection, events[i].events);
      }
    }
    if (count < EVENTS_PER_WAIT) return;
  }
}

bool connection_has_work(const struct connection *connection) {
  if (connection->state == CONNECTION_CLOSED || connection->state == CONNECTION_CONNECTING) return false;
  if (connection->first && connection->writable && !connection->warming) return true;
  if (connection->state == CONNECTION_DRAINING || connection->credits <= 0 || !link_alone(&connection->waiting)) return false;
  return connection->readable || connection->backlog || assembly_whole(&connection->assembly);
}

// One connection's share of the turn; who has more to do goes to the end of the line.
static void run_connection(struct reactor *reactor, struct connection *connection) {
  link_remove(&connection->ready);
  if (connection->first && !connection_send(reactor, connection)) return;
  connection_progress(reactor, connection);
  if (connection->state == CONNECTION_OPEN) connection_receive(reactor, connection);
  if (connection_has_work(connection)) connection_ready(reactor, connection);
}

static void run_ready(struct reactor *reactor) {
  uint32_t count = 0;
  for (struct link *link = reactor->ready.next; link != &reactor->ready; link = link->next) count++;
  while (count-- > 0 && !link_alone(&reactor->ready)) {
    if (events_full(reactor) || reactor->receive_left <= 0 || reactor->send_left <= 0) return;
    run_connection(reactor, CONTAINER_OF(reactor->ready.next, struct connection, ready));
  }
}

static void connection_free(struct reactor *reactor, struct connection *connection) {
  reactor->slots[connection->slot] = NULL;
  reactor->free_slots[reactor->free_count++] = connection->slot;
  free(connection);
  hub_unhold(&reactor->hub);
}

// Puts closed connections into the table; they are freed once JS has been told. Returns how many fitted.
static uint32_t report_closed(struct reactor *reactor) {
  uint32_t count = 0;
  for (struct link *link = reactor->closed.next; link != &reactor->closed; link = link->next, count++) {
    const struct connection *connection = CONTAINER_OF(link, struct connection, closed);
    if (!event_add(reactor, EVENT_CLOSED, connection->slot, connection->reason, connection->error)) break;
  }
  return count;
}

static void free_reported(struct reactor *reactor, uint32_t count) {
  while (count-- > 0) {
    struct connection *connection = CONTAINER_OF(reactor->closed.next, struct connection, closed);
    link_remove(&connection->closed);
    connection_free(reactor, connection);
  }
}

static void call_js(struct reactor *reactor) {
  napi_value arguments[3];
  arguments[0] = addon_make_number(reactor->hub.env, reactor->frame_count);
  arguments[1] = addon_make_number(reactor->hub.env, reactor->event_count);
  arguments[2] = addon_make_number(reactor->hub.env, reactor->receive_used);
  hub_call(&reactor->hub, 3, arguments);
}

void reactor_rearm(struct reactor *reactor) {
  if (!reactor->in_turn && !reactor->shut && (!link_alone(&reactor->ready) || !link_alone(&reactor->closed))) hub_wake(&reactor->hub);
}

static void take_warmed(struct reactor *reactor) {
  for (struct job *job = completions_take(&reactor->warmed), *next; job; job = next) {
    next = job->next;
    connection_warmed(reactor, job);
  }
}

static void turn(struct hub *hub) {
  struct reactor *reactor = CONTAINER_OF(hub, struct reactor, hub);
  reactor->in_turn = true;
  reactor->now_ms = hub_now_ms();
  reactor->frame_count = reactor->event_count = reactor->receive_used = reactor->large_frames = 0;
  reactor->receive_left = RECEIVE_TURN_BYTES;
  reactor->send_left = SEND_TURN_BYTES;
  take_warmed(reactor);
  take_events(reactor);
  run_ready(reactor);
  uint32_t closed = report_closed(reactor);
  if (reactor->frame_count + reactor->event_count > 0 || reactor->budgets_changed) call_js(reactor);
  reactor->budgets_changed = false;
  reactor->in_turn = false;
  if (reactor->shut) return;
  reactor->send_left = SEND_TURN_BYTES;  // for all flushes until the next turn
  frames_recycle(reactor);
  free_reported(reactor, closed);
  reactor_rearm(reactor);
}

static void close_all(struct reactor *reactor) {
  for (uint32_t i = 0; i < LISTENERS; i++) listener_close(reactor, &reactor->listeners[i]);
  for (uint32_t slot = 0; slot < reactor->slot_count; slot++)
    if (reactor->slots[slot]) connection_close(reactor, reactor->slots[slot], CLOSE_LOCAL, 0);
}

// Gives up everything but the memory around the hub.
void reactor_shutdown(struct reactor *reactor) {
  if (reactor->shut) return;
  reactor->shut = true;
  close_all(reactor);
  uint32_t closed = 0;
  for (struct link *link = reactor->closed.next; link != &reactor->closed; link = link->next) closed++;
  free_reported(reactor, closed);
  for (uint32_t i = 0; i < reactor->warmer_count; i++) worker_stop(reactor->warmers[i].worker);
  take_warmed(reactor);
  parts_free_spares(reactor);
  napi_delete_reference(reactor->hub.env, reactor->shared);
  hub_close(&reactor->hub);
}

static void on_teardown(struct hub *hub) { reactor_shutdown(CONTAINER_OF(hub, struct reactor, hub)); }

void reactor_free(struct reactor *reactor) {
  free(reactor->slots);
  free(reactor->generations);
  free(reactor->free_slots);
  free(reactor->pool);
  free(reactor);
}

static void on_closed(struct hub *hub) {
  struct reactor *reactor = CONTAINER_OF(hub, struct reactor, hub);
  reactor->freed_by_loop = true;
  if (reactor->freed_by_js) reactor_free(reactor);
}

const struct hub_events reactor_events = {.ready = turn, .teardown = on_teardown, .closed = on_closed};
