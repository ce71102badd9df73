// What every file of the addon shares: the includes, Node-API helpers, the intrusive list.
//
// House rules: a function that JS calls returns a result >= 0 or a negative errno; it throws only when it was called
// with the wrong kinds of arguments, which is a bug of its caller. All state hangs off one object per instance, so
// that several instances and several threads of Node can live in one process.
#ifndef ODRADEK_ADDON_H
#define ODRADEK_ADDON_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAPI_VERSION 8
#include <node_api.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define CONTAINER_OF(pointer, type, member) ((type *)(void *)((char *)(pointer) - offsetof(type, member)))

// Returns from the calling function with a JS exception pending when a Node-API call fails.
#define TRY(call)                                                   \
  do {                                                              \
    if ((call) != napi_ok) return addon_throw(env, #call), (napi_value)NULL; \
  } while (0)

// A list element; an element that is in no list points to itself.
struct link {
  struct link *next, *previous;
};

static inline void link_init(struct link *link) { link->next = link->previous = link; }
static inline bool link_alone(const struct link *link) { return link->next == link; }

static inline void link_append(struct link *list, struct link *link) {
  link->previous = list->previous;
  link->next = list;
  list->previous->next = link;
  list->previous = link;
}

static inline void link_prepend(struct link *list, struct link *link) { link_append(list->next, link); }

static inline void link_remove(struct link *link) {
  link->previous->next = link->next;
  link->next->previous = link->previous;
  link_init(link);
}

// Bytes that a JS buffer or typed array lies over; valid while the JS object lives.
struct bytes {
  uint8_t *data;
  size_t length;
};

// Throws an error unless one is pending already.
void addon_throw(napi_env env, const char *message);
// Fetches exactly `count` arguments. False with an exception pending when there are fewer.
bool addon_arguments(napi_env env, napi_callback_info info, napi_value *values, size_t count);
// The conversions throw and return 0, an empty range or NULL when the value is of another kind.
double addon_number(napi_env env, napi_value value);
int64_t addon_integer(napi_env env, napi_value value);
struct bytes addon_bytes(napi_env env, napi_value value);
void *addon_external(napi_env env, napi_value value);
// Copies a string; false with an exception pending when it is none or longer than `capacity - 1`.
bool addon_string(napi_env env, napi_value value, char *text, size_t capacity);
bool addon_pending(napi_env env);
napi_value addon_make_number(napi_env env, double number);

// A function of the module under the name that JS calls it by.
struct addon_function {
  const char *name;
  napi_callback callback;
};
bool addon_define(napi_env env, napi_value exports, const struct addon_function *functions, size_t count);

// Each part of the addon adds its functions to the module.
bool crc32c_define(napi_env env, napi_value exports);
bool records_define(napi_env env, napi_value exports);
bool files_define(napi_env env, napi_value exports);
bool file_threads_define(napi_env env, napi_value exports);
bool network_define(napi_env env, napi_value exports);

#endif
