// Work on files that may wait for the device: syncs, reads into the page cache and, where the disk is slow, writes. Each lane (a device) has a thread
// for each, started when first needed. JS keeps the buffers of a write alive and untouched until it is done; results come back in one call per wake-up.
#include "files.h"
#include "hub.h"
#include "threads.h"

enum { LANES = 64, RESULT_ROWS = 256, RESULT_FIELDS = 3 };
enum work_kind { WORK_SYNC, WORK_WRITE, WORK_WARM, WORK_KINDS };

struct file_threads {
  struct hub hub;
  struct completions done;
  struct worker *workers[LANES][WORK_KINDS];
  double *results;  // rows of id, result and the milliseconds it took, shared with JS
  napi_ref shared;
  bool shut, freed_by_js, freed_by_loop;
};

struct file_job {
  struct job job;
  double id, took_ms;
  int fd;
  int64_t result, position, length;
  int part_count;
  struct iovec parts[];
};

static void run_sync(struct job *job) {
  struct file_job *work = CONTAINER_OF(job, struct file_job, job);
  work->result = fdatasync(work->fd) < 0 ? -errno : 0;  // never tried again: after a failure the kernel has dropped what was dirty
}

static void run_write(struct job *job) {
  struct file_job *work = CONTAINER_OF(job, struct file_job, job);
  double started_ms = hub_now_ms();
  work->result = file_write(work->fd, work->parts, work->part_count, work->position);
  work->took_ms = hub_now_ms() - started_ms;
}

static void run_warm(struct job *job) {
  struct file_job *work = CONTAINER_OF(job, struct file_job, job);
  work->result = file_warm(work->fd, work->position, work->length);
}

// Takes what is done over into the shared table and frees it. Returns the number of rows; `*jobs` is what did not fit.
static uint32_t fill_results(struct file_threads *threads, struct job **jobs) {
  uint32_t rows = 0;
  for (; *jobs && rows < RESULT_ROWS; rows++) {
    struct file_job *work = CONTAINER_OF(*jobs, struct file_job, job);
    *jobs = work->job.next;
    double *row = threads->results + rows * RESULT_FIELDS;
    row[0] = work->id;
    row[1] = (double)work->result;
    row[2] = work->took_ms;
    free(work);
    hub_unhold(&threads->hub);
  }
  return rows;
}

static void free_jobs(struct file_threads *threads, struct job *jobs) {
  while (jobs) fill_results(threads, &jobs);
}

static void on_ready(struct hub *hub) {
  struct file_threads *threads = CONTAINER_OF(hub, struct file_threads, hub);
  hub_clear(hub);
  struct job *jobs = completions_take(&threads->done);
  while (jobs && !threads->shut) {
    napi_value rows = addon_make_number(hub->env, fill_results(threads, &jobs));
    hub_call(hub, 1, &rows);
  }
  free_jobs(threads, jobs);
}

static void shut_down(struct file_threads *threads) {
  if (threads->shut) return;
  threads->shut = true;
  for (uint32_t lane = 0; lane < LANES; lane++)
    for (uint32_t kind = 0; kind < WORK_KINDS; kind++)
      if (threads->workers[lane][kind]) worker_stop(threads->workers[lane][kind]);
  free_jobs(threads, completions_take(&threads->done));
  napi_delete_reference(threads->hub.env, threads->shared);
  hub_close(&threads->hub);
}

static void on_teardown(struct hub *hub) { shut_down(CONTAINER_OF(hub, struct file_threads, hub)); }

static void on_closed(struct hub *hub) {
  struct file_threads *threads = CONTAINER_OF(hub, struct file_threads, hub);
  threads->freed_by_loop = true;
  if (threads->freed_by_js) free(threads);
}

static void finalize(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  struct file_threads *threads = data;
  threads->freed_by_js = true;
  if (threads->freed_by_loop) free(threads);
}

static const struct hub_events events = {.ready = on_ready, .teardown = on_teardown, .closed = on_closed};

// fileThreadsOpen(completed, results) -> handle
static napi_value threads_open(napi_env env, napi_callback_info info) {
  napi_value arguments[2], handle;
  if (!addon_arguments(env, info, arguments, 2)) return NULL;
  struct bytes results = addon_bytes(env, arguments[1]);
  if (results.length < RESULT_ROWS * RESULT_FIELDS * sizeof(double)) addon_throw(env, "the shared memory is too small");
  struct file_threads *threads = addon_pending(env) ? NULL : calloc(1, sizeof *threads);
  if (!threads) return NULL;
  threads->results = (double *)(void *)results.data;
  int error = napi_create_reference(env, arguments[1], 1, &threads->shared) == napi_ok ? 0 : -ENOMEM;
  if (error == 0) error = hub_open(&threads->hub, env, arguments[0], &events);
  if (error < 0) {
    free(threads);
    addon_throw(env, strerror(-error));
    return NULL;
  }
  completions_open(&threads->done, &threads->hub);
  TRY(napi_create_external(env, threads, finalize, NULL, &handle));
  return handle;
}

static struct file_threads *threads_of(napi_env env, napi_value handle) {
  struct file_threads *threads = addon_external(env, handle);
  if (threads && !threads->shut) return threads;
  addon_throw(env, "the threads have ended");
  return NULL;
}

// Hands a job to the thread of its kind and lane. Returns 0 or a negative errno; then the job is still the caller's.
static int submit(struct file_threads *threads, int64_t lane, enum work_kind kind, struct file_job *work) {
  struct worker **worker = &threads->workers[lane % LANES][kind];
  if (!*worker) *worker = worker_start(0);
  if (!*worker) return -EAGAIN;
  static void (*const runs[WORK_KINDS])(struct job *) = {run_sync, run_write, run_warm};
  work->job.run = runs[kind];
  work->job.completions = &threads->done;
  hub_hold(&threads->hub);
  worker_submit(*worker, &work->job);
  return 0;
}

static napi_value submitted(napi_env env, struct file_job *work, int error) {
  if (error < 0) free(work);
  return addon_make_number(env, error);
}

// fileSyncLater(handle, lane, descriptor, id) -> 0
static napi_value sync_later(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  if (!addon_arguments(env, info, arguments, 4)) return NULL;
  struct file_threads *threads = threads_of(env, arguments[0]);
  struct file_job *work = threads ? calloc(1, sizeof *work) : NULL;
  if (!work) return addon_make_number(env, -ENOMEM);
  work->fd = (int)addon_integer(env, arguments[2]);
  work->id = addon_number(env, arguments[3]);
  return submitted(env, work, submit(threads, addon_integer(env, arguments[1]), WORK_SYNC, work));
}

// fileWarmLater(handle, lane, descriptor, position, length, id) -> 0
static napi_value warm_later(napi_env env, napi_callback_info info) {
  napi_value arguments[6];
  if (!addon_arguments(env, info, arguments, 6)) return NULL;
  struct file_threads *threads = threads_of(env, arguments[0]);
  struct file_job *work = threads ? calloc(1, sizeof *work) : NULL;
  if (!work) return addon_make_number(env, -ENOMEM);
  work->fd = (int)addon_integer(env, arguments[2]);
  work->position = addon_integer(env, arguments[3]);
  work->length = addon_integer(env, arguments[4]);
  work->id = addon_number(env, arguments[5]);
  return submitted(env, work, submit(threads, addon_integer(env, arguments[1]), WORK_WARM, work));
}

// Fills the parts of a write from an array of buffers. False with an exception pending when it holds anything else.
static bool read_parts(napi_env env, napi_value array, struct iovec *parts, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    napi_value element;
    if (napi_get_element(env, array, i, &element) != napi_ok) return false;
    struct bytes bytes = addon_bytes(env, element);
    parts[i] = (struct iovec){bytes.data, bytes.length};
  }
  return !addon_pending(env);
}

static bool count_parts(napi_env env, napi_value array, uint32_t *count) {
  if (napi_get_array_length(env, array, count) != napi_ok) addon_throw(env, "an array of buffers was expected");
  if (*count > WRITE_PARTS) *count = WRITE_PARTS;
  return !addon_pending(env);
}

// fileWriteLater(handle, lane, descriptor, parts, position, id) -> 0
static napi_value write_later(napi_env env, napi_callback_info info) {
  napi_value arguments[6];
  uint32_t count = 0;
  if (!addon_arguments(env, info, arguments, 6) || !count_parts(env, arguments[3], &count)) return NULL;
  struct file_threads *threads = threads_of(env, arguments[0]);
  struct file_job *work = threads ? calloc(1, sizeof *work + count * sizeof(struct iovec)) : NULL;
  if (!work) return addon_make_number(env, -ENOMEM);
  work->fd = (int)addon_integer(env, arguments[2]);
  work->position = addon_integer(env, arguments[4]);
  work->id = addon_number(env, arguments[5]);
  work->part_count = (int)count;
  if (!read_parts(env, arguments[3], work->parts, count)) {
    free(work);
    return NULL;
  }
  return submitted(env, work, submit(threads, addon_integer(env, arguments[1]), WORK_WRITE, work));
}

// fileWriteParts(descriptor, parts, position) -> bytes written, inline
static napi_value write_parts(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  uint32_t count = 0;
  struct iovec parts[WRITE_PARTS];
  if (!addon_arguments(env, info, arguments, 3) || !count_parts(env, arguments[1], &count)) return NULL;
  if (!read_parts(env, arguments[1], parts, count)) return NULL;
  int fd = (int)addon_integer(env, arguments[0]);
  return addon_make_number(env, (double)file_write(fd, parts, (int)count, addon_integer(env, arguments[2])));
}

// fileThreadsClose(handle)
static napi_value threads_close(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  if (!addon_arguments(env, info, arguments, 1)) return NULL;
  struct file_threads *threads = threads_of(env, arguments[0]);
  if (threads) shut_down(threads);
  return NULL;
}

bool file_threads_define(napi_env env, napi_value exports) {
  static const struct addon_function functions[] = {
      {"fileThreadsOpen", threads_open}, {"fileThreadsClose", threads_close}, {"fileSyncLater", sync_later},
      {"fileWriteLater", write_later},   {"fileWriteParts", write_parts},     {"fileWarmLater", warm_later},
  };
  return addon_define(env, exports, functions, COUNT_OF(functions));
}
