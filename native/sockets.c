// Listening, accepting, connecting, closing.
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "reactor.h"

// What is read and thrown away before a close, so that the kernel ends the stream and does not reset it under our last bytes.
enum { DISCARD_BYTES = 1 << 20 };

static void set_option(int fd, int level, int name, int value) { setsockopt(fd, level, name, &value, sizeof value); }

static void set_options(int fd, const struct limits *limits) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  if (limits->socket_buffer_bytes <= 0) return;
  set_option(fd, SOL_SOCKET, SO_SNDBUF, limits->socket_buffer_bytes);
  set_option(fd, SOL_SOCKET, SO_RCVBUF, limits->socket_buffer_bytes);
}

// Resolves; blocks only for a name, which `listen` alone may be given. Returns 0 or a negative errno.
static int resolve(const char *host, uint16_t port, int flags, struct addrinfo **found) {
  char service[8];
  snprintf(service, sizeof service, "%u", (unsigned)port);
  struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
  int error = getaddrinfo(host, service, &hints, found);
  if (error == 0) return 0;
  return error == EAI_SYSTEM ? -errno : error == EAI_MEMORY ? -ENOMEM : -ENXIO;
}

static int bind_to(const struct addrinfo *address, int backlog, const struct limits *limits) {
  int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  // The wildcard of version 6 takes version 4 too, whatever the system's default.
  if (address->ai_family == AF_INET6) set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (limits->socket_buffer_bytes > 0) set_option(fd, SOL_SOCKET, SO_RCVBUF, limits->socket_buffer_bytes);
  if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, backlog) == 0) return fd;
  int error = -errno;
  close(fd);
  return error;
}

static uint16_t port_of(int fd) {
  struct sockaddr_storage address;
  socklen_t length = sizeof address;
  if (getsockname(fd, (struct sockaddr *)&address, &length) < 0) return 0;
  return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                             : ((struct sockaddr_in *)&address)->sin_port);
}

int listener_open(struct reactor *reactor, const char *host, uint16_t port, int backlog, const struct limits *limits,
                  uint32_t max_connections, uint16_t *bound_port) {
  int index = 0;
  while (index < LISTENERS && (reactor->listeners[index].fd >= 0 || reactor->listeners[index].open > 0)) index++;
  if (index == LISTENERS) return -EMFILE;
  struct addrinfo *addresses;
  int fd = resolve(host, port, AI_PASSIVE, &addresses);
  if (fd < 0) return fd;
  fd = -EADDRNOTAVAIL;
  for (const struct addrinfo *address = addresses; address && fd < 0; address = address->ai_next)
    fd = bind_to(address, backlog, limits);
  freeaddrinfo(addresses);
  if (fd < 0) return fd;
  int error = hub_watch(&reactor->hub, EPOLL_CTL_ADD, fd, EPOLLIN, LISTENER_TAG | (uint64_t)index);
  if (error < 0) {
    close(fd);
    return error;
  }
  reactor->listeners[index] = (struct listener){.fd = fd, .limits = *limits, .max_connections = max_connections};
  *bound_port = port_of(fd);
  hub_hold(&reactor->hub);
  return index;
}

void listener_close(struct reactor *reactor, struct listener *listener) {
  if (listener->fd < 0) return;
  hub_watch(&reactor->hub, EPOLL_CTL_DEL, listener->fd, 0, 0);
  close(listener->fd);
  listener->fd = -1;
  hub_unhold(&reactor->hub);
}

// Stops accepting until a connection closes or the next tick.
static void pause_accepting(struct reactor *reactor, struct listener *listener) {
  hub_watch(&reactor->hub, EPOLL_CTL_MOD, listener->fd, 0, LISTENER_TAG | (uint64_t)(listener - reactor->listeners));
  listener->paused = reactor->accept_paused = true;
}

void listeners_resume(struct reactor *reactor) {
  reactor->accept_paused = false;
  for (uint32_t i = 0; i < LISTENERS; i++) {
    struct listener *listener = &reactor->listeners[i];
    if (listener->fd < 0 || !listener->paused) continue;
    if (listener->open >= listener->max_connections) {
      reactor->accept_paused = true;
      continue;
    }
    listener->paused = false;
    hub_watch(&reactor->hub, EPOLL_CTL_MOD, listener->fd, EPOLLIN, LISTENER_TAG | (uint64_t)i);
  }
}

void listener_accept(struct reactor *reactor, struct listener *listener) {
  for (int i = 0; i < ACCEPTS_PER_TURN && reactor->event_count < reactor->event_capacity / 2; i++) {
    if (listener->fd < 0) return;
    if (listener->open >= listener->max_connections) {
      pause_accepting(reactor, listener);
      return;
    }
    int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      // Out of descriptors or memory: the connection stays in the kernel's queue until there are some again.
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        pause_accepting(reactor, listener);
        reactor_tick_within(reactor, ACCEPT_RETRY_MS * 10);
      } else if (errno == ECONNABORTED || errno == EINTR || errno == EPROTO) {
        continue;
      }
      return;
    }
    set_options(fd, &listener->limits);
    struct connection *connection = connection_new(reactor, fd, &listener->limits, (int32_t)(listener - reactor->listeners));
    if (!connection) {
      close(fd);
      continue;
    }
    listener->open++;
    event_add(reactor, EVENT_ACCEPTED, connection->slot, connection->generation, connection->listener);
  }
}

int connection_start(struct reactor *reactor, const char *host, uint16_t port, const struct limits *limits,
                     struct connection **started) {
  struct addrinfo *address;
  int error = resolve(host, port, AI_NUMERICHOST, &address);
  if (error < 0) return error;
  int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    error = -errno;
  } else {
    set_options(fd, limits);
    if (connect(fd, address->ai_addr, address->ai_addrlen) < 0 && errno != EINPROGRESS) error = -errno;
  }
  freeaddrinfo(address);
  if (error == 0) {
    *started = connection_new(reactor, fd, limits, -1);
    if (*started) return 0;
    error = -ENOMEM;
  }
  if (fd >= 0) close(fd);
  return error;
}

void connection_established(struct reactor *reactor, struct connection *connection) {
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0) error = errno;
  if (error != 0) {
    connection_close(reactor, connection, CLOSE_CONNECT, error);
    return;
  }
  connection->state = CONNECTION_OPEN;
  connection->writable = true;
  connection->readable = true;
  event_add(reactor, EVENT_CONNECTED, connection->slot, connection->generation, 0);
}

void socket_close(int fd, enum close_reason reason) {
  if (reason == CLOSE_RANGE) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
  } else if (reason != CLOSE_PEER) {
    char discarded[16 << 10];
    size_t left = DISCARD_BYTES;
    for (ssize_t got; left > 0 && (got = recv(fd, discarded, sizeof discarded, MSG_DONTWAIT)) > 0;)
      left -= (size_t)got < left ? (size_t)got : left;
  }
  close(fd);
}
