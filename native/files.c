// Positional I/O as JS calls it, inline: on warm data a call takes a microsecond or two. What may wait for the device goes through
// file-threads.c. src/io/node/addon/file-operations.ts is the only caller.
#include "files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>

// The portable names of the modes; layout as in FileMode of file-operations.ts.
enum file_mode { MODE_CREATE, MODE_OPEN_OR_CREATE, MODE_READ_WRITE, MODE_READ };
static const int mode_flags[] = {O_RDWR | O_CREAT | O_EXCL, O_RDWR | O_CREAT, O_RDWR, O_RDONLY};
enum { PATH_BYTES = 4096, PERMISSIONS = 0644 };

static int open_uninterrupted(const char *path, int flags) {
  int fd;
  do fd = open(path, flags | O_CLOEXEC, PERMISSIONS);
  while (fd < 0 && errno == EINTR);
  return fd < 0 ? -errno : fd;
}

int64_t file_write(int fd, const struct iovec *parts, int count, int64_t position) {
  ssize_t written;
  do written = pwritev(fd, parts, count, position);
  while (written < 0 && errno == EINTR);
  return written < 0 ? -errno : written;
}

// fileOpen(path, mode) -> descriptor
static napi_value file_open(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  char path[PATH_BYTES];
  if (!addon_arguments(env, info, arguments, 2)) return NULL;
  int64_t mode = addon_integer(env, arguments[1]);
  if (mode < 0 || mode > MODE_READ) addon_throw(env, "not a mode");
  size_t length = 0;
  if (napi_get_value_string_utf8(env, arguments[0], NULL, 0, &length) == napi_ok && length >= sizeof path)
    return addon_make_number(env, -ENAMETOOLONG);
  if (!addon_string(env, arguments[0], path, sizeof path)) return NULL;
  return addon_make_number(env, open_uninterrupted(path, mode_flags[mode]));
}

// fileClose(descriptor)
static napi_value file_close(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  if (addon_arguments(env, info, arguments, 1)) close((int)addon_integer(env, arguments[0]));
  return NULL;
}

// fileWrite(descriptor, buffer, start, position) -> bytes written, from `start` to the end of the buffer at most
static napi_value file_write_one(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  if (!addon_arguments(env, info, arguments, 4)) return NULL;
  struct bytes bytes = addon_bytes(env, arguments[1]);
  int64_t start = addon_integer(env, arguments[2]), position = addon_integer(env, arguments[3]);
  if (start < 0 || (uint64_t)start > bytes.length) addon_throw(env, "the start is not inside the buffer");
  if (addon_pending(env)) return NULL;
  struct iovec part = {bytes.data + start, bytes.length - (size_t)start};
  return addon_make_number(env, (double)file_write((int)addon_integer(env, arguments[0]), &part, 1, position));
}

// fileRead(descriptor, target, start, length, position) -> bytes read, 0 at the end
static napi_value file_read(napi_env env, napi_callback_info info) {
  napi_value arguments[5];
  if (!addon_arguments(env, info, arguments, 5)) return NULL;
  int fd = (int)addon_integer(env, arguments[0]);
  struct bytes target = addon_bytes(env, arguments[1]);
  int64_t start = addon_integer(env, arguments[2]), length = addon_integer(env, arguments[3]);
  int64_t position = addon_integer(env, arguments[4]);
  if (start < 0 || length < 0 || (uint64_t)(start + length) > target.length) addon_throw(env, "the target is too small");
  if (addon_pending(env)) return NULL;
  ssize_t got;
  do got = pread(fd, target.data + start, (size_t)length, position);
  while (got < 0 && errno == EINTR);
  return addon_make_number(env, got < 0 ? -errno : (double)got);
}

// Reads what is in memory. Returns the bytes read, fewer only at the end of the file; -EAGAIN when some are not there.
static int64_t read_cached(int fd, struct iovec wanted, int64_t position) {
  size_t have = 0;
  while (have < wanted.iov_len) {
    struct iovec rest = {(uint8_t *)wanted.iov_base + have, wanted.iov_len - have};
    ssize_t got = preadv2(fd, &rest, 1, position + (int64_t)have, RWF_NOWAIT);
    if (got < 0 && (errno == EOPNOTSUPP || errno == ENOSYS)) got = preadv(fd, &rest, 1, position + (int64_t)have);
    if (got < 0 && errno != EINTR) return -errno;
    if (got == 0) break;
    if (got > 0) have += (size_t)got;
  }
  return (int64_t)have;
}

// fileReadCached(descriptor, target, start, length, position) -> bytes read, 0 at the end; -EAGAIN when it would have to wait for the device
static napi_value file_read_cached(napi_env env, napi_callback_info info) {
  napi_value arguments[5];
  if (!addon_arguments(env, info, arguments, 5)) return NULL;
  struct bytes target = addon_bytes(env, arguments[1]);
  int64_t start = addon_integer(env, arguments[2]), length = addon_integer(env, arguments[3]);
  if (start < 0 || length < 0 || (uint64_t)(start + length) > target.length) addon_throw(env, "the target is too small");
  if (addon_pending(env)) return NULL;
  struct iovec wanted = {target.data + start, (size_t)length};
  return addon_make_number(env, (double)read_cached((int)addon_integer(env, arguments[0]), wanted, addon_integer(env, arguments[4])));
}

// fileTruncate(descriptor, size) -> 0
static napi_value file_truncate(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  if (!addon_arguments(env, info, arguments, 2)) return NULL;
  int fd = (int)addon_integer(env, arguments[0]), result;
  int64_t size = addon_integer(env, arguments[1]);
  do result = ftruncate(fd, size);
  while (result < 0 && errno == EINTR);
  return addon_make_number(env, result < 0 ? -errno : 0);
}

// Locks the whole file for writing. The lock belongs to the open file, so that no other descriptor of this process can drop it; it
// conflicts with the record locks of processes, which Apache Kafka takes. Kernels before 3.15 have only those.
static int lock_descriptor(int fd) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  int result = fcntl(fd, F_OFD_SETLK, &lock);
  if (result < 0 && errno == EINVAL) result = fcntl(fd, F_SETLK, &lock);
  return result < 0 ? -errno : 0;
}

// fileLock(path) -> descriptor that holds the lock until it is closed; -EAGAIN when another holds it
static napi_value file_lock(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  char path[PATH_BYTES];
  if (!addon_arguments(env, info, arguments, 1) || !addon_string(env, arguments[0], path, sizeof path)) return NULL;
  int fd = open_uninterrupted(path, O_RDWR | O_CREAT);
  int error = fd < 0 ? fd : lock_descriptor(fd);
  if (error < 0 && fd >= 0) close(fd);
  return addon_make_number(env, error == -EACCES && fd >= 0 ? -EAGAIN : error < 0 ? error : fd);
}

// fileWarmth(descriptor, position, length, probe) -> enum warmth; for tests and diagnosis
static napi_value file_warmth_of(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  bool probe = false;
  if (!addon_arguments(env, info, arguments, 4)) return NULL;
  napi_get_value_bool(env, arguments[3], &probe);
  int fd = (int)addon_integer(env, arguments[0]);
  return addon_make_number(env, file_warmth(fd, addon_integer(env, arguments[1]), addon_integer(env, arguments[2]), probe));
}

bool files_define(napi_env env, napi_value exports) {
  static const struct addon_function functions[] = {
      {"fileOpen", file_open},         {"fileClose", file_close}, {"fileWrite", file_write_one}, {"fileRead", file_read},
      {"fileTruncate", file_truncate}, {"fileLock", file_lock},   {"fileWarmth", file_warmth_of},
      {"fileReadCached", file_read_cached},
  };
  return addon_define(env, exports, functions, COUNT_OF(functions));
}
