// The walk over the records of a batch, magic 2 (docs of Apache Kafka: "Message Format"): every length is checked against what is really there
// before it is believed.
//
//   record := length varint, attributes int8, timestampDelta varlong, offsetDelta varint, key, value, headerCount varint, headers
//   key, value, header value := length varint (negative: null), bytes;  header := key length varint (not negative), key, value
#include "addon.h"

enum walk_status { WALK_OK, WALK_CORRUPT, WALK_OVERFLOW };
// Fields of the shared result; walk-result of compute.ts has the same order.
enum { RESULT_STATUS, RESULT_COUNT, RESULT_MAX, RESULT_MAX_OFFSET, RESULT_MIN, RESULT_SEQUENTIAL, RESULT_NULL_KEY, RESULT_FIELDS };
#define MAX_SAFE_INTEGER INT64_C(0x1fffffffffffff)

struct cursor {
  const uint8_t *at, *end;
};

struct record {
  int64_t timestamp_delta;
  int32_t offset_delta;
  bool null_key;
};

// An unsigned varint of at most `max_bytes` bytes; the last of them must end it. Bits beyond the type's are dropped, as Kafka does.
static bool read_unsigned(struct cursor *cursor, int max_bytes, uint64_t *value) {
  uint64_t result = 0;
  for (int i = 0; i < max_bytes && cursor->at < cursor->end; i++) {
    uint8_t byte = *cursor->at++;
    result |= (uint64_t)(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      *value = result;
      return true;
    }
  }
  return false;
}

static inline bool read_varint(struct cursor *cursor, int32_t *value) {
  uint64_t zigzag;
  if (cursor->at < cursor->end && *cursor->at < 0x80) zigzag = *cursor->at++;
  else if (!read_unsigned(cursor, 5, &zigzag)) return false;
  uint32_t word = (uint32_t)zigzag;
  *value = (int32_t)(word >> 1 ^ (0 - (word & 1)));
  return true;
}

static inline bool read_varlong(struct cursor *cursor, int64_t *value) {
  uint64_t zigzag;
  if (cursor->at < cursor->end && *cursor->at < 0x80) zigzag = *cursor->at++;
  else if (!read_unsigned(cursor, 10, &zigzag)) return false;
  *value = (int64_t)(zigzag >> 1 ^ (0 - (zigzag & 1)));
  return true;
}

static inline bool skip(struct cursor *cursor, int32_t length) {
  if (length < 0) return true;  // null
  if (length > cursor->end - cursor->at) return false;
  cursor->at += length;
  return true;
}

static bool walk_headers(struct cursor *cursor) {
  int32_t count, length;
  if (!read_varint(cursor, &count) || count < 0) return false;
  for (; count > 0; count--) {
    if (!read_varint(cursor, &length) || length < 0 || !skip(cursor, length)) return false;
    if (!read_varint(cursor, &length) || !skip(cursor, length)) return false;
  }
  return true;
}

// Reads one record and moves past it. False if it is malformed.
static bool walk_record(struct cursor *cursor, struct record *record) {
  int32_t length;
  if (!read_varint(cursor, &length) || length < 1 || length > cursor->end - cursor->at) return false;
  struct cursor body = {cursor->at + 1, cursor->at + length};  // past the attributes, which have no meaning yet
  if (!read_varlong(&body, &record->timestamp_delta) || !read_varint(&body, &record->offset_delta)) return false;
  if (!read_varint(&body, &length)) return false;
  record->null_key = length < 0;
  if (!skip(&body, length) || !read_varint(&body, &length) || !skip(&body, length)) return false;
  if (!walk_headers(&body) || body.at != body.end) return false;
  cursor->at = body.end;
  return true;
}

static void walk(struct cursor cursor, int64_t expected, int64_t first_offset, double *result) {
  int64_t count = 0, max = INT64_MIN, min = INT64_MAX, null_key = -1;
  int32_t offset_of_max = -1;
  bool sequential = true;
  struct record record;
  while (count < expected && walk_record(&cursor, &record)) {
    if (record.timestamp_delta > max) {
      max = record.timestamp_delta;
      offset_of_max = record.offset_delta;
    }
    if (record.timestamp_delta < min) min = record.timestamp_delta;
    if (record.offset_delta != first_offset + count) sequential = false;
    if (record.null_key && null_key < 0) null_key = count;
    count++;
  }
  bool whole = count == expected && cursor.at == cursor.end;
  bool safe = count == 0 || (max <= MAX_SAFE_INTEGER && min >= -MAX_SAFE_INTEGER);
  result[RESULT_STATUS] = !whole ? WALK_CORRUPT : safe ? WALK_OK : WALK_OVERFLOW;
  result[RESULT_COUNT] = (double)count;
  result[RESULT_MAX] = count == 0 ? 0 : (double)max;
  result[RESULT_MAX_OFFSET] = offset_of_max;
  result[RESULT_MIN] = count == 0 ? 0 : (double)min;
  result[RESULT_SEQUENTIAL] = sequential;
  result[RESULT_NULL_KEY] = (double)null_key;
}

// walkRecords(buffer, start, end, expectedCount, result, firstOffsetDelta)
static napi_value walk_records(napi_env env, napi_callback_info info) {
  napi_value arguments[6];
  if (!addon_arguments(env, info, arguments, 6)) return NULL;
  struct bytes bytes = addon_bytes(env, arguments[0]), result = addon_bytes(env, arguments[4]);
  int64_t start = addon_integer(env, arguments[1]), end = addon_integer(env, arguments[2]);
  int64_t expected = addon_integer(env, arguments[3]), first_offset = addon_integer(env, arguments[5]);
  if (start < 0 || end < start || (uint64_t)end > bytes.length) addon_throw(env, "the range is not inside the buffer");
  if (result.length < RESULT_FIELDS * sizeof(double)) addon_throw(env, "the shared memory is too small");
  if (addon_pending(env)) return NULL;
  walk((struct cursor){bytes.data + start, bytes.data + end}, expected, first_offset, (double *)(void *)result.data);
  return NULL;
}

bool records_define(napi_env env, napi_value exports) {
  static const struct addon_function functions[] = {{"walkRecords", walk_records}};
  return addon_define(env, exports, functions, COUNT_OF(functions));
}
