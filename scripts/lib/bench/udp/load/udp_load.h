/* Load for the UDP benchmark: the common part of all roles. Every datagram is one of its own (no segmentation
 * offload), sent and received in batches: the generator leaves the processors to the router between. */
#ifndef UDP_LOAD_H
#define UDP_LOAD_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

/* Datagrams per sendmmsg or recvmmsg, at most. */
#define BATCH 64
#define MAX_SIZE 65507

/* The arguments, all `name=value`. */
struct options {
  struct sockaddr_in server; /* address= and port= */
  double seconds;            /* seconds=, of sending */
  double rate;               /* rate=, datagrams/s; 0: as fast as it goes */
  int size;                  /* size=, bytes of payload */
  int flows;                 /* flows=, client sockets */
  int burst;                 /* burst=, datagrams of a flow in one go; hold: sessions that begin at once */
  int first;                 /* first=, hold: the first of its ports; 0: whatever the kernel gives */
};

enum kind { HELLO = 0x68656c6f, DATA = 0x64617461 };

/* The first bytes of each payload. */
struct header {
  uint32_t kind;
  uint32_t flow;
  uint64_t sequence; /* from 0, in each flow */
};

/* common.c */
void die(const char *what) __attribute__((noreturn));
double now(void); /* seconds, monotonic */
int open_server(const struct options *options);
int open_client(const struct options *options, int port); /* 0: whatever the kernel gives */
void add_to_epoll(int epoll, int fd, uint32_t number);
/* Until standard input ends: the one who started this closes it. */
void wait_for_end(void);

/* send.c */
int run_send(const struct options *options);   /* client: sends to the server */
int run_source(const struct options *options); /* server: waits for hellos of all flows, then sends to them */

/* receive.c */
int run_sink(const struct options *options); /* server: counts until standard input ends */
int run_pull(const struct options *options); /* client: says hello, then counts until standard input ends */

/* tally.c: what has arrived */
struct tally {
  uint64_t received;   /* duplicates included */
  uint64_t duplicates;
  uint64_t reordered;  /* came after a later one of its flow */
  uint64_t malformed;
  double first, last;
  struct arrivals *flows;
};
void tally_begin(struct tally *tally, int flows);
void tally_add(struct tally *tally, const struct header *header, int flows);

/* exchange.c: the client of one socket, one request at a time */
#define LOST_AFTER 0.2 /* seconds without an answer */
struct pinger {
  int fd;
  uint64_t sequence;
  double sent_at;
};
void request(struct pinger *pinger, const struct options *options);
/* Seconds that the response took; negative: none that was awaited. */
double response(struct pinger *pinger, const struct options *options);
void sort_times(float *times, size_t count);

int run_echo(const struct options *options); /* server: sends back what comes until standard input ends */
int run_ping(const struct options *options); /* client: one request at a time from each socket */
int run_hold(const struct options *options); /* client: one exchange from each of many sockets, left open */

#endif
