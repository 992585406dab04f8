/* The server: a thread for each connection, which does what the client's head says. */
#include "soak_load.h"
#include "ports.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const int LISTENED[] = {DIRECT_PORT,  UPSTREAM_PORT,     NAMED_PORT,
                               WATCHED_PORT, FIRST_PROBED_PORT, SECOND_PROBED_PORT};

struct connection {
  int fd, port;
};

static const char *exchange(int fd, uint64_t seed, int round)
{
  const char *why = take_stream(fd, seed + (uint64_t)round * 2, WORD_BYTES, 0);
  return why != NULL ? why : send_stream(fd, seed + (uint64_t)round * 2 + 1, WORD_BYTES);
}

static const char *serve(int fd, const struct flow *flow)
{
  const char *why = NULL;
  switch (flow->kind) {
    case DOWNLOAD:
    case SLOW:
      return send_stream(fd, flow->seed, flow->down);
    case UPLOAD:
      why = take_stream(fd, flow->seed, flow->up, 0);
      return why != NULL ? why : send_stream(fd, flow->seed + 1, WORD_BYTES);
    case REQUESTS:
      for (int i = 0; i < flow->rounds && why == NULL; i++) why = exchange(fd, flow->seed, i);
      return why != NULL ? why : take_end(fd);
    case HALF:
      why = take_stream(fd, flow->seed, flow->up, 0);
      if (why == NULL) why = take_end(fd);
      return why != NULL ? why : send_stream(fd, flow->seed + 1, flow->down);
    case IDLE:
      why = exchange(fd, flow->seed, 0);
      if (why == NULL) why = exchange(fd, flow->seed, 1);
      return why != NULL ? why : take_end(fd);
    case RESET:
      why = exchange(fd, flow->seed, 0);
      return why != NULL ? why : take_reset(fd);
    case HANG_UP:
      return exchange(fd, flow->seed, 0);
    case VANISH:
      why = exchange(fd, flow->seed, 0);
      if (why == NULL) take_end(fd); /* whatever the proxy makes of it */
      return why;
    default:
      return "a flow that should not have come";
  }
}

/* Its end is the client's that has sent nothing: the client tells. */
static int take_head(int fd, struct flow *flow)
{
  char head[HEAD_BYTES + 1] = {0};
  unsigned long long seed, up, down;
  int kind;
  for (size_t got = 0; got < HEAD_BYTES;) {
    ssize_t come = recv(fd, head + got, HEAD_BYTES - got, 0);
    if (come <= 0) return 0;
    got += (size_t)come;
  }
  if (sscanf(head, HEAD_SCAN, &kind, &seed, &up, &down, &flow->rounds) != 5) return -1;
  flow->kind = (enum kind)kind;
  flow->seed = seed;
  flow->up = up;
  flow->down = down;
  return 1;
}

/* When the connection came: on a busy machine that may be long before its thread begins. */
static uint64_t begin_of(int fd)
{
  struct tcp_info info = {0};
  socklen_t size = sizeof info;
  uint64_t now = milliseconds();
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0) return now;
  /* It has sent nothing yet: its last sending is its begin. */
  uint64_t waited = info.tcpi_last_data_sent;
  return waited < now ? now - waited : now;
}

static void *run_connection(void *argument)
{
  struct connection connection = *(struct connection *)argument;
  uint64_t begin = begin_of(connection.fd);
  struct flow flow = {0};
  free(argument);
  int peer = port_of(connection.fd, 0);
  be_patient(connection.fd);
  int is_probe = connection.port == FIRST_PROBED_PORT || connection.port == SECOND_PROBED_PORT;
  int read = is_probe ? 0 : take_head(connection.fd, &flow);
  const char *why = read < 0 ? WRONG_BYTES : read == 0 ? NULL : serve(connection.fd, &flow);
  if (why != NULL) {
    char what[32];
    snprintf(what, sizeof what, "server-%d", (int)flow.kind);
    tell_failure(&(struct end){what, connection.port, peer, begin, flow.seed}, why);
  }
  else atomic_fetch_add(&counts.flows, 1);
  if (read > 0 && flow.kind == HANG_UP) reset(connection.fd);
  else close(connection.fd);
  atomic_fetch_sub(&counts.live, 1);
  return NULL;
}

static void *take_in(void *argument)
{
  struct connection *listener = argument;
  for (;;) {
    int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) continue;
    struct connection *connection = malloc(sizeof *connection);
    if (connection == NULL) die("malloc");
    *connection = (struct connection){fd, listener->port};
    atomic_fetch_add(&counts.live, 1);
    start_thread(run_connection, connection);
  }
}

void run_server(const struct options *options)
{
  (void)options;
  static struct connection listeners[sizeof LISTENED / sizeof *LISTENED];
  for (size_t i = 0; i < sizeof LISTENED / sizeof *LISTENED; i++) {
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)LISTENED[i])};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0) die("socket");
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0) die("SO_REUSEADDR");
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0) die("bind");
    if (listen(fd, 1024) < 0) die("listen");
    listeners[i] = (struct connection){fd, LISTENED[i]};
    start_thread(take_in, &listeners[i]);
  }
}
