// A hub: one epoll set that Node's loop polls through a single handle, an event descriptor that any thread may wake it by, a timer,
// and the way into JS. The reactor has one, and so have the threads.
#ifndef ODRADEK_HUB_H
#define ODRADEK_HUB_H

#include "addon.h"

// Epoll data of the hub's own descriptors; users of the hub tag theirs with values below 2^63.
#define HUB_WAKE UINT64_MAX
#define HUB_TIMER (UINT64_MAX - 1)

struct uv_poll_s;
struct hub;

struct hub_events {
  // Something in the epoll set is ready, `hub_wake` was called, or the timer fired. On the JS thread, in a handle scope.
  void (*ready)(struct hub *hub);
  // The environment is going away: let go of everything and call `hub_close`.
  void (*teardown)(struct hub *hub);
  // After `hub_close`, when the loop has let go: the memory around the hub may be freed.
  void (*closed)(struct hub *hub);
};

struct hub {
  napi_env env;
  const struct hub_events *events;
  int epoll_fd, event_fd, timer_fd;
  struct uv_poll_s *poll;
  uint32_t holds;  // reasons to keep the loop alive
  bool closing;
  napi_ref callback;
  napi_async_context context;
  napi_async_cleanup_hook_handle cleanup;
};

// Opens a hub that calls `callback`. Returns 0 or a negative errno; after a failure nothing is left to close.
int hub_open(struct hub *hub, napi_env env, napi_value callback, const struct hub_events *events);
// Closes it; `events->closed` follows. More calls do nothing.
void hub_close(struct hub *hub);
// Makes `ready` be called in a later turn. From any thread, while the hub is open.
void hub_wake(struct hub *hub);
// For users that watch nothing themselves: takes what woke the hub, so that it does not wake it again.
void hub_clear(struct hub *hub);
// Makes `ready` be called after so many milliseconds; a later call replaces the time.
void hub_timer(struct hub *hub, uint64_t delay_ms);
// Watches a descriptor. Returns 0 or a negative errno.
int hub_watch(struct hub *hub, int operation, int fd, uint32_t events, uint64_t data);
// While held, the loop stays alive.
void hub_hold(struct hub *hub);
void hub_unhold(struct hub *hub);
// Calls the JS callback from `ready`; what it throws becomes an uncaught exception.
void hub_call(struct hub *hub, size_t count, const napi_value *arguments);
// Milliseconds of the monotonic clock.
double hub_now_ms(void);

#endif
