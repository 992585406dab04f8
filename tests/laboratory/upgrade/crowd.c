/* Load for tests of upgrades, and the server for it.
 *   crowd serve ADDRESS PORT             sends back what comes, over UDP with the port that it came from, and
 *                                        the one that a PROXY header before it tells
 *   crowd udp ADDRESS PORT COUNT MS      COUNT clients, each with an exchange every MS milliseconds
 *   crowd tcp ADDRESS PORT MS            a new connection every MS milliseconds, with an exchange
 *   crowd fresh ADDRESS PORT MS          the same over UDP: a new socket, one datagram
 * Each client goes on until its input ends, and prints then what it has counted. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

#define BATCH 256
#define PATIENCE_MS 2000

struct packet {
  uint32_t number, sequence;
  uint16_t port, told; /* 0: nobody has told it */
};

/* PROXY header, version 2, of UDP over IPv4: 16 bytes, two addresses, two ports. */
static const uint8_t SIGNATURE[12] = { 0x0d, 0x0a, 0x0d, 0x0a, 0, 0x0d, 0x0a, 'Q', 'U', 'I', 'T', 0x0a };
#define PROXY_HEADER 28
#define TOLD_PORT_AT 24

static void watch(int epoll, int fd, uint32_t number)
{
  struct epoll_event event = { .events = EPOLLIN, .data.u32 = number };
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) die("epoll_ctl");
}

static void echo_datagrams(int fd)
{
  uint8_t bytes[PROXY_HEADER + sizeof(struct packet)];
  struct packet packet;
  struct sockaddr_in from;
  for (int i = 0; i < BATCH; i++) {
    socklen_t length = sizeof from;
    ssize_t got = recvfrom(fd, bytes, sizeof bytes, MSG_DONTWAIT, (struct sockaddr *)&from, &length);
    if (got < (ssize_t)sizeof packet) return;
    int has_header = got == sizeof bytes && !memcmp(bytes, SIGNATURE, sizeof SIGNATURE);
    memcpy(&packet, bytes + (has_header ? PROXY_HEADER : 0), sizeof packet);
    packet.port = ntohs(from.sin_port);
    packet.told = has_header ? (uint16_t)(bytes[TOLD_PORT_AT] << 8 | bytes[TOLD_PORT_AT + 1]) : 0;
    (void)sendto(fd, &packet, sizeof packet, 0, (struct sockaddr *)&from, length);
  }
}

static void serve(const struct sockaddr_in *address)
{
  int udp = socket(AF_INET, SOCK_DGRAM, 0), tcp = socket(AF_INET, SOCK_STREAM, 0), one = 1, size = 16 << 20;
  setsockopt(udp, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  setsockopt(udp, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
  setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(udp, (const struct sockaddr *)address, sizeof *address)) die("bind");
  if (bind(tcp, (const struct sockaddr *)address, sizeof *address) || listen(tcp, 1024)) die("listen");
  int epoll = epoll_create1(0);
  watch(epoll, udp, (uint32_t)udp);
  watch(epoll, tcp, (uint32_t)tcp);
  for (;;) {
    struct epoll_event events[BATCH];
    int count = epoll_wait(epoll, events, BATCH, -1);
    for (int i = 0; i < count; i++) {
      int fd = (int)events[i].data.u32;
      char bytes[4096];
      if (fd == udp) echo_datagrams(fd);
      else if (fd == tcp) {
        int client = accept(tcp, NULL, NULL);
        if (client >= 0) watch(epoll, client, (uint32_t)client);
      } else {
        ssize_t length = read(fd, bytes, sizeof bytes);
        if (length <= 0 || write(fd, bytes, (size_t)length) < 0) close(fd);
      }
    }
  }
}

/* One that exchanges datagrams. */
struct client {
  int fd;
  uint32_t asked, answered; /* sequence numbers; 0: none */
  uint16_t port, own;
};

struct tally {
  long sent, answered, lost, moved, doubled, told;
  double sent_at, longest;
};

static uint16_t own_port(int fd)
{
  struct sockaddr_in own = { 0 };
  socklen_t length = sizeof own;
  getsockname(fd, (struct sockaddr *)&own, &length);
  return ntohs(own.sin_port);
}

static void answers(struct client *client, struct tally *tally)
{
  struct packet packet;
  while (recv(client->fd, &packet, sizeof packet, MSG_DONTWAIT) == sizeof packet) {
    if (packet.sequence == client->answered) {
      tally->doubled++;
      continue;
    }
    client->answered = packet.sequence;
    tally->answered++;
    if (client->port != 0 && client->port != packet.port) tally->moved++;
    client->port = packet.port;
    if (packet.told == client->own) tally->told++;
  }
}

static void take(int epoll, struct client *clients, struct tally *tally, int timeout)
{
  struct epoll_event events[BATCH];
  int count = epoll_wait(epoll, events, BATCH, timeout);
  for (int i = 0; i < count; i++) answers(&clients[events[i].data.u32], tally);
}

static void udp(const struct sockaddr_in *address, int count, int every)
{
  struct client *clients = calloc((size_t)count, sizeof *clients);
  struct tally tally = { 0 };
  int epoll = epoll_create1(0);
  for (int i = 0; i < count; i++) {
    clients[i].fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (clients[i].fd < 0 || connect(clients[i].fd, (const struct sockaddr *)address, sizeof *address)) die("connect");
    clients[i].own = own_port(clients[i].fd);
    watch(epoll, clients[i].fd, (uint32_t)i);
  }
  double start = now_ms();
  long begun = 0;
  int ready = 0;
  while (!input_has_ended()) {
    long due = (long)((now_ms() - start) * count / every);
    if (due > begun + count) due = begun + count; /* it was not let run: no burst of all */
    for (; begun < due; begun++) {
      struct client *client = &clients[begun % count];
      struct packet packet = { (uint32_t)(begun % count), ++client->asked, 0, 0 };
      if (send(client->fd, &packet, sizeof packet, 0) == sizeof packet) tally.sent++;
    }
    if (!ready && begun >= 3L * count) {
      ready = 1;
      printf("ready %ld of %ld\n", tally.answered, tally.sent);
      fflush(stdout);
    }
    take(epoll, clients, &tally, 1);
  }
  for (double end = now_ms() + PATIENCE_MS; tally.answered < tally.sent && now_ms() < end;) take(epoll, clients, &tally, 10);
  printf("{\"sent\":%ld,\"answered\":%ld,\"lost\":%ld,\"moved\":%ld,\"doubled\":%ld,\"told\":%ld}\n", tally.sent,
         tally.answered, tally.sent - tally.answered, tally.moved, tally.doubled, tally.told);
}

/* Milliseconds of a connection with an exchange, or -1: it has failed. */
static double connection(const struct sockaddr_in *address, int type)
{
  double start = now_ms();
  struct packet packet = { 0, 1, 0, 0 };
  int fd = socket(AF_INET, type, 0);
  struct timeval patience = { 10, 0 };
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  int failed = connect(fd, (const struct sockaddr *)address, sizeof *address) || write(fd, &packet, sizeof packet) != sizeof packet ||
               read(fd, &packet, sizeof packet) <= 0;
  int reason = errno;
  close(fd);
  if (failed) fprintf(stderr, "failed after %.0f ms: %s\n", now_ms() - start, strerror(reason));
  return failed ? -1 : now_ms() - start;
}

static void connections(const struct sockaddr_in *address, int type, int every)
{
  long made = 0, failed = 0, slow = 0;
  double longest = 0, start = now_ms();
  while (!input_has_ended()) {
    double took = connection(address, type), wait = start + (double)(made + 1) * every - now_ms();
    made++;
    if (took < 0) failed++;
    if (took > longest) longest = took;
    if (took > 900) slow++;
    if (wait > 0) usleep((useconds_t)(wait * 1000));
  }
  printf("{\"made\":%ld,\"failed\":%ld,\"slow\":%ld,\"longest\":%.0f}\n", made, failed, slow, longest);
}

int main(int argc, char **argv)
{
  take_all_descriptors();
  if (argc < 4) return 2;
  struct sockaddr_in address = address_of(argv[2], argv[3]);
  if (!strcmp(argv[1], "serve")) serve(&address);
  else if (!strcmp(argv[1], "udp") && argc == 6) udp(&address, atoi(argv[4]), atoi(argv[5]));
  else if (!strcmp(argv[1], "tcp") && argc == 5) connections(&address, SOCK_STREAM, atoi(argv[4]));
  else if (!strcmp(argv[1], "fresh") && argc == 5) connections(&address, SOCK_DGRAM, atoi(argv[4]));
  else return 2;
  return 0;
}
