// Workers and their completions. See threads.h.
#include "threads.h"

#include <signal.h>
#include <sys/resource.h>

// Work is system calls on buffers of the caller's.
enum { STACK_BYTES = 256 << 10 };

static void append(struct job **first, struct job **last, struct job *job) {
  job->next = NULL;
  if (*first) (*last)->next = job;
  else *first = job;
  *last = job;
}

void completions_open(struct completions *completions, struct hub *hub) {
  pthread_mutex_init(&completions->mutex, NULL);
  completions->first = completions->last = NULL;
  completions->hub = hub;
}

struct job *completions_take(struct completions *completions) {
  pthread_mutex_lock(&completions->mutex);
  struct job *jobs = completions->first;
  completions->first = completions->last = NULL;
  pthread_mutex_unlock(&completions->mutex);
  return jobs;
}

static void complete(struct job *job) {
  struct completions *completions = job->completions;
  pthread_mutex_lock(&completions->mutex);
  bool wake = completions->first == NULL;
  append(&completions->first, &completions->last, job);
  // Under the lock, so that whoever finds the list empty afterwards may close the hub.
  if (wake) hub_wake(completions->hub);
  pthread_mutex_unlock(&completions->mutex);
}

static void *work(void *data) {
  struct worker *worker = data;
  if (worker->niceness != 0) setpriority(PRIO_PROCESS, 0, worker->niceness);  // of this thread alone, as Linux does it
  for (;;) {
    pthread_mutex_lock(&worker->mutex);
    while (!worker->first && !worker->stopping) pthread_cond_wait(&worker->changed, &worker->mutex);
    struct job *job = worker->first;
    if (job) worker->first = job->next;
    pthread_mutex_unlock(&worker->mutex);
    if (!job) return NULL;
    job->run(job);
    complete(job);
  }
}

struct worker *worker_start(int niceness) {
  struct worker *worker = calloc(1, sizeof *worker);
  if (!worker) return NULL;
  worker->niceness = niceness;
  pthread_mutex_init(&worker->mutex, NULL);
  pthread_cond_init(&worker->changed, NULL);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, STACK_BYTES);
  // Signals are for Node's own threads.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = pthread_create(&worker->thread, &attributes, work, worker);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  if (error == 0) return worker;
  free(worker);
  return NULL;
}

void worker_submit(struct worker *worker, struct job *job) {
  pthread_mutex_lock(&worker->mutex);
  append(&worker->first, &worker->last, job);
  pthread_cond_signal(&worker->changed);
  pthread_mutex_unlock(&worker->mutex);
}

void worker_stop(struct worker *worker) {
  pthread_mutex_lock(&worker->mutex);
  worker->stopping = true;
  pthread_cond_signal(&worker->changed);
  pthread_mutex_unlock(&worker->mutex);
  pthread_join(worker->thread, NULL);
  pthread_mutex_destroy(&worker->mutex);
  pthread_cond_destroy(&worker->changed);
  free(worker);
}
