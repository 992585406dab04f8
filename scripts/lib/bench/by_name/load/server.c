/* The server. */
#include "tls_load.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_FDS 65536
#define EVENTS 128
#define RECORD_HEADER 5

/* A SOCKS5 client's two messages: the offer of one method, and the request of an IPv4 address. */
#define SOCKS_OFFER_BYTES 3
#define SOCKS_REQUEST_BYTES 10

enum state { FREE, SOCKS_OFFER, SOCKS_REQUEST, HELLO, WORDS, UPLOAD, DOWNLOAD };
struct connection {
  enum state state;
  size_t got;  /* bytes of what is awaited */
  unsigned char header[RECORD_HEADER];
};

static struct connection connections[MAX_FDS];
static unsigned char memory[BULK_BYTES];

/* Those that speak first, as MariaDB, OpenSSH and Exim begin. */
static const struct {
  uint16_t port;
  const char *words;
} GREETINGS[] = {
  {22, "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u7\r\n"},
  {25, "220 mail.test ESMTP Exim 4.96\r\n"},
  {3306, "n\001\001\001\n5.5.5-10.11.14-MariaDB-0+deb12u2"},
};
/* Where it is a SOCKS5 proxy, and the server behind it as well. */
#define SOCKS_PORT 1080
#define GREETING_COUNT (sizeof GREETINGS / sizeof *GREETINGS)

static int listen_at(uint16_t port)
{
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
  if (fd < 0) die("socket");
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0) die("SO_REUSEADDR");
  if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0) die("bind");
  if (listen(fd, 4096) < 0) die("listen");
  return fd;
}

static void forget(int fd)
{
  connections[fd].state = FREE;
  close(fd);
}

static void write_more(int fd)
{
  while (send(fd, memory, sizeof memory, MSG_NOSIGNAL) > 0) continue;
  if (errno != EAGAIN) forget(fd);
}

static void begin_download(int epoll, int fd)
{
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.u32 = (uint32_t)fd};
  connections[fd].state = DOWNLOAD;
  if (epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event) < 0) die("epoll_ctl");
  write_more(fd);
}

static void take_hello(int fd, size_t size)
{
  struct connection *c = &connections[fd];
  for (size_t i = 0; i < size && c->got + i < RECORD_HEADER; i++) c->header[c->got + i] = memory[i];
  c->got += size;
  if (c->got < RECORD_HEADER || c->got < (size_t)(RECORD_HEADER + c->header[3] * 256 + c->header[4])) return;
  c->state = WORDS;
  c->got = 0;
  if (send(fd, memory, ANSWER_BYTES, MSG_NOSIGNAL) < 0) forget(fd);
}

static void take_words(int epoll, int fd, size_t size)
{
  struct connection *c = &connections[fd];
  unsigned char wish = memory[0];
  if (wish == WISH_UPLOAD) {
    c->state = UPLOAD;
    return;
  }
  if (wish == WISH_DOWNLOAD) {
    begin_download(epoll, fd);
    return;
  }
  for (c->got += size; c->got >= REQUEST_BYTES; c->got -= REQUEST_BYTES) {
    if (send(fd, memory, RESPONSE_BYTES, MSG_NOSIGNAL) < 0) {
      forget(fd);
      return;
    }
  }
}

/* The client is told that it is connected with whatever it wants: with this server. */
static void take_socks(int fd)
{
  static const unsigned char accepted[SOCKS_REQUEST_BYTES] = {5, 0, 0, 1};
  struct connection *c = &connections[fd];
  int offers = c->state == SOCKS_OFFER;
  size_t whole = offers ? SOCKS_OFFER_BYTES : SOCKS_REQUEST_BYTES;
  ssize_t size = recv(fd, memory, whole - c->got, 0);
  if (size < 0 && errno == EAGAIN) return;
  if (size > 0 && (c->got += (size_t)size) < whole) return;
  if (size <= 0 || send(fd, accepted, offers ? 2 : sizeof accepted, MSG_NOSIGNAL) < 0) {
    forget(fd);
    return;
  }
  c->state = offers ? SOCKS_REQUEST : HELLO;
  c->got = 0;
}

static void serve(int epoll, int fd)
{
  enum state state = connections[fd].state;
  if (state == DOWNLOAD) {
    write_more(fd);
    return;
  }
  if (state == SOCKS_OFFER || state == SOCKS_REQUEST) {
    take_socks(fd);
    return;
  }
  /* MSG_TRUNC: the bytes are not copied. */
  ssize_t size = recv(fd, memory, sizeof memory, state == UPLOAD ? MSG_TRUNC : 0);
  if (size > 0 && state == HELLO) take_hello(fd, (size_t)size);
  else if (size > 0 && state == WORDS) take_words(epoll, fd, (size_t)size);
  else if (size <= 0 && !(size < 0 && errno == EAGAIN)) forget(fd);
}

static void take_in(int epoll, int listener, enum state first)
{
  for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
    if (fd >= MAX_FDS) die("descriptors");
    connections[fd] = (struct connection){.state = first};
    add_to_epoll(epoll, fd, (uint32_t)fd);
  }
}

static void greet(int listener, const char *words)
{
  for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0; close(fd)) {
    if (send(fd, words, strlen(words), MSG_NOSIGNAL) < 0) continue;
  }
}

int run_server(const struct options *options)
{
  int epoll = epoll_create1(EPOLL_CLOEXEC), listener = listen_at(ntohs(options->server.sin_port));
  int socks = listen_at(SOCKS_PORT);
  int greeters[GREETING_COUNT];
  if (epoll < 0) die("epoll_create1");
  add_to_epoll(epoll, 0, 0);
  add_to_epoll(epoll, listener, (uint32_t)listener);
  add_to_epoll(epoll, socks, (uint32_t)socks);
  for (size_t i = 0; i < GREETING_COUNT; i++) {
    greeters[i] = listen_at(GREETINGS[i].port);
    add_to_epoll(epoll, greeters[i], (uint32_t)greeters[i]);
  }
  for (;;) {
    struct epoll_event events[EVENTS];
    int count = epoll_wait(epoll, events, EVENTS, -1);
    for (int i = 0; i < count; i++) {
      int fd = (int)events[i].data.u32;
      if (fd == 0) return 0;
      if (fd == listener || fd == socks) take_in(epoll, fd, fd == socks ? SOCKS_OFFER : HELLO);
      else if (connections[fd].state != FREE) serve(epoll, fd);
      else for (size_t g = 0; g < GREETING_COUNT; g++) if (fd == greeters[g]) greet(fd, GREETINGS[g].words);
    }
  }
}
