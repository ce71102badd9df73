// Threads for work that may wait for a device. A worker runs its jobs one after the other; what it has done is collected in a
// `completions` list, in the order it was done, and a hub is woken to fetch it on the JS thread.
#ifndef ODRADEK_THREADS_H
#define ODRADEK_THREADS_H

#include <pthread.h>

#include "addon.h"
#include "hub.h"

struct job;
struct completions;

struct job {
  struct job *next;
  // Does the work, on the worker's thread; must not touch Node-API.
  void (*run)(struct job *job);
  struct completions *completions;
};

struct completions {
  pthread_mutex_t mutex;
  struct job *first, *last;
  struct hub *hub;
};

struct worker {
  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  struct job *first, *last;
  bool stopping;
  int niceness;
};

void completions_open(struct completions *completions, struct hub *hub);
// The jobs done since the last call, linked by `next` in the order they were done; NULL if none.
struct job *completions_take(struct completions *completions);
// Starts a thread, which yields the processor to others by so much niceness. NULL when the system has none to give.
struct worker *worker_start(int niceness);
void worker_submit(struct worker *worker, struct job *job);
// Lets the worker finish what it was given, waits for its thread and frees it.
void worker_stop(struct worker *worker);

#endif
