// The hub: an epoll set inside Node's loop. See hub.h.
#include "hub.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>

// The few entries of libuv that a descriptor in its loop takes. They and the number of the handle kind are part of its stable ABI;
// declared here because not every machine that compiles the addon has its headers.
#define ODRADEK_UV_POLL 8
#define ODRADEK_UV_READABLE 1
struct uv_handle_s;
size_t uv_handle_size(int kind);
int uv_poll_init(struct uv_loop_s *loop, struct uv_poll_s *handle, int fd);
int uv_poll_start(struct uv_poll_s *handle, int events, void (*callback)(struct uv_poll_s *, int, int));
void uv_close(struct uv_handle_s *handle, void (*callback)(struct uv_handle_s *));
void uv_ref(struct uv_handle_s *handle);
void uv_unref(struct uv_handle_s *handle);
void *uv_handle_get_data(const struct uv_handle_s *handle);
void uv_handle_set_data(struct uv_handle_s *handle, void *data);

static struct uv_handle_s *as_handle(struct uv_poll_s *poll) { return (struct uv_handle_s *)(void *)poll; }

static void on_poll(struct uv_poll_s *poll, int status, int events) {
  (void)status, (void)events;
  struct hub *hub = uv_handle_get_data(as_handle(poll));
  if (hub->closing) return;
  napi_handle_scope scope;
  if (napi_open_handle_scope(hub->env, &scope) != napi_ok) return;
  napi_env env = hub->env;
  hub->events->ready(hub);
  napi_close_handle_scope(env, scope);
}

static void on_closed(struct uv_handle_s *handle) {
  struct hub *hub = uv_handle_get_data(handle);
  free(hub->poll);
  napi_async_cleanup_hook_handle cleanup = hub->cleanup;
  hub->events->closed(hub);
  napi_remove_async_cleanup_hook(cleanup);
}

static void on_teardown(napi_async_cleanup_hook_handle handle, void *data) {
  (void)handle;
  struct hub *hub = data;
  if (!hub->closing) hub->events->teardown(hub);
}

static void close_descriptors(struct hub *hub) {
  if (hub->epoll_fd >= 0) close(hub->epoll_fd);
  if (hub->event_fd >= 0) close(hub->event_fd);
  if (hub->timer_fd >= 0) close(hub->timer_fd);
  hub->epoll_fd = hub->event_fd = hub->timer_fd = -1;
}

// Opens the three descriptors and puts the inner two into the set, edge-triggered: then neither has to be read.
static int open_descriptors(struct hub *hub) {
  hub->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  hub->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  hub->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (hub->epoll_fd < 0 || hub->event_fd < 0 || hub->timer_fd < 0) return -errno;
  int error = hub_watch(hub, EPOLL_CTL_ADD, hub->event_fd, EPOLLIN | EPOLLET, HUB_WAKE);
  return error < 0 ? error : hub_watch(hub, EPOLL_CTL_ADD, hub->timer_fd, EPOLLIN | EPOLLET, HUB_TIMER);
}

// Sets up what JS is called with.
static bool open_callback(struct hub *hub, napi_value callback) {
  napi_value name;
  return napi_create_string_utf8(hub->env, "odradek", NAPI_AUTO_LENGTH, &name) == napi_ok &&
         napi_async_init(hub->env, NULL, name, &hub->context) == napi_ok &&
         napi_create_reference(hub->env, callback, 1, &hub->callback) == napi_ok;
}

static int open_poll(struct hub *hub) {
  struct uv_loop_s *loop = NULL;
  if (napi_get_uv_event_loop(hub->env, &loop) != napi_ok) return -ENOSYS;
  hub->poll = calloc(1, uv_handle_size(ODRADEK_UV_POLL));
  if (!hub->poll) return -ENOMEM;
  int error = uv_poll_init(loop, hub->poll, hub->epoll_fd);
  if (error < 0) {
    free(hub->poll);
    return error;
  }
  uv_handle_set_data(as_handle(hub->poll), hub);
  uv_poll_start(hub->poll, ODRADEK_UV_READABLE, on_poll);
  uv_unref(as_handle(hub->poll));
  napi_add_async_cleanup_hook(hub->env, on_teardown, hub, &hub->cleanup);
  return 0;
}

static void close_callback(struct hub *hub) {
  if (hub->callback) napi_delete_reference(hub->env, hub->callback);
  if (hub->context) napi_async_destroy(hub->env, hub->context);
  hub->callback = NULL;
  hub->context = NULL;
}

int hub_open(struct hub *hub, napi_env env, napi_value callback, const struct hub_events *events) {
  *hub = (struct hub){.env = env, .events = events, .epoll_fd = -1, .event_fd = -1, .timer_fd = -1};
  int error = open_descriptors(hub);
  if (error == 0 && !open_callback(hub, callback)) error = -EINVAL;
  if (error == 0) error = open_poll(hub);
  if (error == 0) return 0;
  close_callback(hub);
  close_descriptors(hub);
  return error;
}

void hub_close(struct hub *hub) {
  if (hub->closing) return;
  hub->closing = true;
  close_callback(hub);
  uv_close(as_handle(hub->poll), on_closed);
  close_descriptors(hub);
}

void hub_wake(struct hub *hub) {
  const uint64_t one = 1;
  ssize_t written = write(hub->event_fd, &one, sizeof one);
  (void)written;  // fails only when 2^64 wakes went unread, which no process lives to see
}

void hub_clear(struct hub *hub) {
  struct epoll_event events[2];
  epoll_wait(hub->epoll_fd, events, 2, 0);
}

void hub_timer(struct hub *hub, uint64_t delay_ms) {
  if (delay_ms == 0) delay_ms = 1;
  struct itimerspec spec = {.it_value = {.tv_sec = (time_t)(delay_ms / 1000), .tv_nsec = (long)(delay_ms % 1000) * 1000000}};
  timerfd_settime(hub->timer_fd, 0, &spec, NULL);
}

int hub_watch(struct hub *hub, int operation, int fd, uint32_t events, uint64_t data) {
  struct epoll_event event = {.events = events, .data.u64 = data};
  return epoll_ctl(hub->epoll_fd, operation, fd, &event) < 0 ? -errno : 0;
}

void hub_hold(struct hub *hub) {
  if (hub->holds++ == 0 && !hub->closing) uv_ref(as_handle(hub->poll));
}

void hub_unhold(struct hub *hub) {
  if (--hub->holds == 0 && !hub->closing) uv_unref(as_handle(hub->poll));
}

void hub_call(struct hub *hub, size_t count, const napi_value *arguments) {
  napi_env env = hub->env;
  napi_value callback, receiver, exception;
  if (napi_get_reference_value(env, hub->callback, &callback) != napi_ok || napi_get_global(env, &receiver) != napi_ok) return;
  if (napi_make_callback(env, hub->context, receiver, callback, count, arguments, NULL) != napi_pending_exception) return;
  if (napi_get_and_clear_last_exception(env, &exception) == napi_ok) napi_fatal_exception(env, exception);
}

double hub_now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}
