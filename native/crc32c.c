// CRC-32C as JS calls it.
#include "addon.h"
#include "checksum.h"

static napi_value crc_with(napi_env env, napi_callback_info info, crc_function function) {
  napi_value arguments[4];
  if (!addon_arguments(env, info, arguments, 4)) return NULL;
  struct bytes bytes = addon_bytes(env, arguments[0]);
  int64_t start = addon_integer(env, arguments[1]), end = addon_integer(env, arguments[2]);
  uint32_t seed = (uint32_t)addon_integer(env, arguments[3]);
  if (start < 0 || end < start || (uint64_t)end > bytes.length) addon_throw(env, "the range is not inside the buffer");
  if (addon_pending(env)) return NULL;
  return addon_make_number(env, ~function(~seed, bytes.data + start, (size_t)(end - start)));
}

// crc32c(buffer, start, end, seed) -> unsigned number
static napi_value crc32c(napi_env env, napi_callback_info info) { return crc_with(env, info, crc32c_by_processor()); }

// crc32cByTables: the same without the processor's help, for tests
static napi_value crc32c_with_tables(napi_env env, napi_callback_info info) { return crc_with(env, info, crc32c_by_tables()); }

bool crc32c_define(napi_env env, napi_value exports) {
  static const struct addon_function functions[] = {{"crc32c", crc32c}, {"crc32cByTables", crc32c_with_tables}};
  return addon_define(env, exports, functions, COUNT_OF(functions));
}
