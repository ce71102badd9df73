// The module's entry and the helpers over Node-API.
#include "addon.h"

bool addon_pending(napi_env env) {
  bool pending = true;
  napi_is_exception_pending(env, &pending);
  return pending;
}

void addon_throw(napi_env env, const char *message) {
  if (!addon_pending(env)) napi_throw_type_error(env, NULL, message);
}

bool addon_arguments(napi_env env, napi_callback_info info, napi_value *values, size_t count) {
  size_t given = count;
  if (napi_get_cb_info(env, info, &given, values, NULL, NULL) == napi_ok && given >= count) return true;
  addon_throw(env, "too few arguments");
  return false;
}

double addon_number(napi_env env, napi_value value) {
  double number = 0;
  if (napi_get_value_double(env, value, &number) != napi_ok) addon_throw(env, "a number was expected");
  return number;
}

int64_t addon_integer(napi_env env, napi_value value) {
  int64_t number = 0;
  if (napi_get_value_int64(env, value, &number) != napi_ok) addon_throw(env, "a number was expected");
  return number;
}

static size_t element_bytes(napi_typedarray_type type) {
  switch (type) {
    case napi_int8_array:
    case napi_uint8_array:
    case napi_uint8_clamped_array:
      return 1;
    case napi_int16_array:
    case napi_uint16_array:
      return 2;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array:
      return 4;
    default:
      return 8;
  }
}

struct bytes addon_bytes(napi_env env, napi_value value) {
  napi_typedarray_type type = napi_uint8_array;
  size_t length = 0;
  void *data = NULL;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, NULL, NULL) != napi_ok) {
    addon_throw(env, "a buffer was expected");
    return (struct bytes){NULL, 0};
  }
  return (struct bytes){data, length * element_bytes(type)};
}

void *addon_external(napi_env env, napi_value value) {
  void *pointer = NULL;
  if (napi_get_value_external(env, value, &pointer) != napi_ok) addon_throw(env, "a handle was expected");
  return pointer;
}

bool addon_string(napi_env env, napi_value value, char *text, size_t capacity) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) == napi_ok && length < capacity &&
      napi_get_value_string_utf8(env, value, text, capacity, &length) == napi_ok && strlen(text) == length)
    return true;
  addon_throw(env, "a shorter string was expected");
  return false;
}

napi_value addon_make_number(napi_env env, double number) {
  napi_value value = NULL;
  napi_create_double(env, number, &value);
  return value;
}

bool addon_define(napi_env env, napi_value exports, const struct addon_function *functions, size_t count) {
  for (size_t i = 0; i < count; i++) {
    napi_value function;
    if (napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].callback, NULL, &function) != napi_ok ||
        napi_set_named_property(env, exports, functions[i].name, function) != napi_ok)
      return false;
  }
  return true;
}

NAPI_MODULE_INIT() {
  if (!crc32c_define(env, exports) || !records_define(env, exports) || !files_define(env, exports) ||
      !file_threads_define(env, exports) || !network_define(env, exports)) {
    addon_throw(env, "the addon could not be set up");
    return NULL;
  }
  return exports;
}
