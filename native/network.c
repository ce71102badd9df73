// The network as JS calls it; src/io/node/addon/network.ts is its only caller, binding.ts describes the functions.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "reactor.h"

static void finalize(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  struct reactor *reactor = data;
  reactor->freed_by_js = true;
  if (reactor->freed_by_loop) reactor_free(reactor);
}

static struct bytes shared_bytes(napi_env env, napi_value shared, uint32_t index) {
  napi_value value;
  if (napi_get_element(env, shared, index, &value) == napi_ok) return addon_bytes(env, value);
  addon_throw(env, "the shared memory is not there");
  return (struct bytes){NULL, 0};
}

// Takes over the memory that JS has laid out. False with an exception pending.
static bool attach(struct reactor *reactor, napi_env env, napi_value shared) {
  reactor->receive = shared_bytes(env, shared, SHARED_RECEIVE);
  reactor->arena = shared_bytes(env, shared, SHARED_ARENA);
  struct bytes frames = shared_bytes(env, shared, SHARED_FRAMES), events = shared_bytes(env, shared, SHARED_EVENTS);
  struct bytes results = shared_bytes(env, shared, SHARED_RESULTS), operations = shared_bytes(env, shared, SHARED_OPERATIONS);
  struct bytes budgets = shared_bytes(env, shared, SHARED_BUDGETS);
  if (addon_pending(env)) return false;
  reactor->frames = (int32_t *)(void *)frames.data;
  reactor->events = (double *)(void *)events.data;
  reactor->results = (double *)(void *)results.data;
  reactor->operations = (double *)(void *)operations.data;
  reactor->frame_capacity = (uint32_t)(frames.length / (FRAME_FIELDS * sizeof(int32_t)));
  reactor->event_capacity = (uint32_t)(events.length / (EVENT_FIELDS * sizeof(double)));
  reactor->operation_capacity = (uint32_t)(operations.length / sizeof(double));
  bool fits = results.length >= events.length && budgets.length >= BUDGETS * BUDGET_FIELDS * sizeof(double) &&
              reactor->receive.length >= 2 * SMALL_FRAME_BYTES && reactor->frame_capacity > 0 && reactor->event_capacity >= 4096;
  if (!fits) addon_throw(env, "the shared memory is too small");
  for (uint32_t i = 0; fits && i < BUDGETS; i++) {
    reactor->budgets[i].cell = (double *)(void *)budgets.data + (size_t)i * BUDGET_FIELDS;
    link_init(&reactor->budgets[i].waiting);
  }
  return fits && napi_create_reference(env, shared, 1, &reactor->shared) == napi_ok;
}

// networkOpen(callback, shared) -> handle
static napi_value network_open(napi_env env, napi_callback_info info) {
  napi_value arguments[2], handle;
  if (!addon_arguments(env, info, arguments, 2)) return NULL;
  struct reactor *reactor = calloc(1, sizeof *reactor);
  if (!reactor || !attach(reactor, env, arguments[1])) {
    addon_throw(env, "no memory for the reactor");
    free(reactor);
    return NULL;
  }
  struct link *lists[] = {&reactor->ready, &reactor->deadlines, &reactor->closed, &reactor->touched};
  for (size_t i = 0; i < COUNT_OF(lists); i++) link_init(lists[i]);
  for (uint32_t i = 0; i < LISTENERS; i++) reactor->listeners[i].fd = -1;
  reactor->tick_ms = TICK_MAX_MS;
  reactor->send_left = SEND_TURN_BYTES;
  reactor->send_ms_per_byte = SEND_FIRST_MS_PER_BYTE;
  int error = hub_open(&reactor->hub, env, arguments[0], &reactor_events);
  if (error < 0) {
    napi_delete_reference(env, reactor->shared);
    free(reactor);
    addon_throw(env, strerror(-error));
    return NULL;
  }
  completions_open(&reactor->warmed, &reactor->hub);
  TRY(napi_create_external(env, reactor, finalize, NULL, &handle));
  return handle;
}

// The reactor of a handle that is still open; NULL with an exception pending.
static struct reactor *reactor_of(napi_env env, napi_value handle) {
  struct reactor *reactor = addon_external(env, handle);
  if (reactor && !reactor->shut) return reactor;
  addon_throw(env, "the network has been closed");
  return NULL;
}

// Reads maxFrameBytes, frameTimeoutMs, socketBufferBytes, budget.
static bool read_limits(napi_env env, struct reactor *reactor, const napi_value *values, struct limits *limits) {
  limits->max_frame_bytes = (uint32_t)addon_integer(env, values[0]);
  limits->frame_timeout_ms = (uint32_t)addon_integer(env, values[1]);
  limits->socket_buffer_bytes = (int)addon_integer(env, values[2]);
  int64_t budget = addon_integer(env, values[3]);
  if (budget < 0 || budget >= BUDGETS || limits->max_frame_bytes > INT32_MAX) addon_throw(env, "a limit is out of range");
  if (addon_pending(env)) return false;
  limits->budget = &reactor->budgets[budget];
  return true;
}

// networkListen(handle, host, port, backlog, maxConnections, ...limits) -> index * 65536 + port, or -errno
static napi_value network_listen(napi_env env, napi_callback_info info) {
  napi_value arguments[9];
  char host[256];
  struct limits limits;
  if (!addon_arguments(env, info, arguments, COUNT_OF(arguments))) return NULL;
  struct reactor *reactor = reactor_of(env, arguments[0]);
  if (!reactor || !addon_string(env, arguments[1], host, sizeof host)) return NULL;
  uint16_t port = (uint16_t)addon_integer(env, arguments[2]), bound = 0;
  int backlog = (int)addon_integer(env, arguments[3]);
  uint32_t max_connections = (uint32_t)addon_integer(env, arguments[4]);
  if (!read_limits(env, reactor, arguments + 5, &limits)) return NULL;
  int index = listener_open(reactor, host, port, backlog, &limits, max_connections, &bound);
  return addon_make_number(env, index < 0 ? index : (double)index * 65536 + bound);
}

// networkUnlisten(handle, index)
static napi_value network_unlisten(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  if (!addon_arguments(env, info, arguments, 2)) return NULL;
  struct reactor *reactor = reactor_of(env, arguments[0]);
  int64_t index = addon_integer(env, arguments[1]);
  if (reactor && index >= 0 && index < LISTENERS) listener_close(reactor, &reactor->listeners[index]);
  return NULL;
}

// networkConnect(handle, host, port, ...limits) -> 0 with slot and generation in the results, or -errno
static napi_value network_connect(napi_env env, napi_callback_info info) {
  napi_value arguments[7];
  char host[64];
  struct limits limits;
  struct connection *connection;
  if (!addon_arguments(env, info, arguments, COUNT_OF(arguments))) return NULL;
  struct reactor *reactor = reactor_of(env, arguments[0]);
  if (!reactor || !addon_string(env, arguments[1], host, sizeof host)) return NULL;
  uint16_t port = (uint16_t)addon_integer(env, arguments[2]);
  if (!read_limits(env, reactor, arguments + 3, &limits)) return NULL;
  int error = connection_start(reactor, host, port, &limits, &connection);
  if (error == 0) {
    reactor->results[0] = connection->slot;
    reactor->results[1] = connection->generation;
  }
  return addon_make_number(env, error);
}

// networkPeer(handle, slot, generation) -> "host port"; the host is "" when the system does not tell
static napi_value network_peer(napi_env env, napi_callback_info info) {
  napi_value arguments[3], result;
  if (!addon_arguments(env, info, arguments, 3)) return NULL;
  struct reactor *reactor = reactor_of(env, arguments[0]);
  if (!reactor) return NULL;
  const struct connection *connection = connection_at(reactor, addon_number(env, arguments[1]), addon_number(env, arguments[2]));
  struct sockaddr_storage address = {0};
  socklen_t length = sizeof address;
  char host[INET6_ADDRSTRLEN] = "", text[INET6_ADDRSTRLEN + 8];
  uint16_t port = 0;
  if (connection && getpeername(connection->fd, (struct sockaddr *)&address, &length) == 0) {
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address;
    bool is_v6 = address.ss_family == AF_INET6, mapped = is_v6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr);
    port = ntohs(is_v6 ? v6->sin6_port : v4->sin_port);
    if (mapped) inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, host, sizeof host);
    else inet_ntop(address.ss_family, is_v6 ? (const void *)&v6->sin6_addr : (const void *)&v4->sin_addr, host, sizeof host);
  }
  int size = snprintf(text, sizeof text, "%s %u", host, port);
  TRY(napi_create_string_latin1(env, text, (size_t)size, &result));
  return result;
}

// networkFlush(handle, count, arenaUsed) -> number of results
static napi_value network_flush(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  if (!addon_arguments(env, info, arguments, 3)) return NULL;
  struct reactor *reactor = reactor_of(env, arguments[0]);
  uint32_t count = (uint32_t)addon_number(env, arguments[1]), arena_used = (uint32_t)addon_number(env, arguments[2]);
  if (!reactor) return NULL;
  if (count > reactor->operation_capacity || arena_used > reactor->arena.length || !reactor_flush(reactor, count, arena_used)) {
    addon_throw(env, "operations that make no sense");
    return NULL;
  }
  return addon_make_number(env, reactor->result_count);
}

// networkAdopt(handle, buffer) -> place in the pool, where JS puts the buffer; -1 when it is not wanted
static napi_value network_adopt(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  if (!addon_arguments(env, info, arguments, 2)) return NULL;
  struct reactor *reactor = reactor_of(env, arguments[0]);
  struct bytes bytes = addon_bytes(env, arguments[1]);
  if (!reactor || !bytes.data) return NULL;
  return addon_make_number(env, large_adopt(reactor, bytes.data, bytes.length));
}

// networkClose(handle)
static napi_value network_close(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  if (!addon_arguments(env, info, arguments, 1)) return NULL;
  struct reactor *reactor = reactor_of(env, arguments[0]);
  if (reactor) reactor_shutdown(reactor);
  return NULL;
}

bool network_define(napi_env env, napi_value exports) {
  static const struct addon_function functions[] = {
      {"networkOpen", network_open},       {"networkListen", network_listen}, {"networkUnlisten", network_unlisten},
      {"networkConnect", network_connect}, {"networkPeer", network_peer},     {"networkFlush", network_flush},
      {"networkAdopt", network_adopt},     {"networkClose", network_close},
  };
  return addon_define(env, exports, functions, COUNT_OF(functions));
}
