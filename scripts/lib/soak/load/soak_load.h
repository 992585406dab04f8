/* Load for the soak: flows of every kind, each byte of which both ends know beforehand. */
#ifndef SOAK_LOAD_H
#define SOAK_LOAD_H

#include <netinet/in.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* Who waits longer than this has failed: the proxy, and the machine, may be slow. */
#define PATIENCE_SECONDS 30
#define CHUNK (32 << 10)

/* The client's words, padded to HEAD_BYTES: a head of HTTP, so that a name can be read in them. */
#define HEAD_BYTES 256
#define HEAD_FORMAT "GET /soak HTTP/1.1\r\nHost: %s\r\nX-Soak: %d %llx %llu %llu %d\r\nX-Pad: "
#define HEAD_SCAN "GET /soak HTTP/1.1\r\nHost: %*s\r\nX-Soak: %d %llx %llu %llu %d\r\n"
/* The size of a question, and of an answer. */
#define WORD_BYTES 600

/* What is done on a connection; the order is that of KINDS in client.c. */
enum kind {
  DOWNLOAD, /* `down` bytes, and the end */
  SLOW,     /* the same, taken slowly */
  UPLOAD,   /* `up` bytes, then a word */
  REQUESTS, /* `rounds` words and their answers */
  HALF,     /* `up` bytes and the end; then `down` bytes and the other end */
  IDLE,     /* a word, silence of `rounds` seconds, another word */
  RESET,    /* a word, then the client resets */
  HANG_UP,  /* a word, then the server resets */
  VANISH,   /* a word, then the client is gone without a packet */
  BLOCKED,  /* its name is refused: no byte comes back */
  REFUSED,  /* nobody listens */
  KIND_COUNT
};

struct flow {
  enum kind kind;
  uint64_t seed, up, down;
  int rounds;
};

struct options {
  struct in_addr v4;
  struct in6_addr v6;
  int threads, udp_threads;
  int calm; /* nothing that leaves sessions behind for longer than a moment */
};

/* One end of a flow, as a line about it names it. */
struct end {
  const char *what;
  int port, peer; /* the server's port, and the client's as it is seen at this end */
  uint64_t begin;
  uint64_t id; /* the flow's seed, which both ends know */
};

/* What went well, for the lines of progress; failures have a line each. `lost`: questions that were never
 * answered and had to be asked again; `late`: those that were asked again in vain. */
struct counts {
  atomic_ulong flows, bytes, exchanges, lost, late, failed, wrong;
  atomic_long live;
};
extern struct counts counts;
extern atomic_int ending; /* set when standard input has ended */

/* common.c */
void die(const char *what) __attribute__((noreturn));
uint64_t milliseconds(void); /* since 1970 */
void sleep_ms(long ms);
void be_patient(int fd);
void reset(int fd); /* closes it with RST */
/* One line for a flow that has failed: F, or W where a byte was wrong. */
void tell_failure(const struct end *end, const char *why);
/* One line for a flow of UDP that goes on by another port of the client's at the server: M. */
void tell_move(const struct end *end, const char *how);
int port_of(int fd, int is_own); /* of the socket's own end, or of the other */
void start_thread(void *(*run)(void *), void *argument);

/* bytes.c: the stream of a seed */
uint64_t mix(uint64_t value);
void fill(unsigned char *buffer, size_t size, uint64_t seed, uint64_t offset);
int is_right(const unsigned char *buffer, size_t size, uint64_t seed, uint64_t offset);
/* 0, or why not; WRONG_BYTES where one was wrong. */
extern const char WRONG_BYTES[];
const char *send_stream(int fd, uint64_t seed, uint64_t size);
const char *take_stream(int fd, uint64_t seed, uint64_t size, long pause_ms);
const char *take_end(int fd);   /* the end of the stream comes next */
const char *take_reset(int fd); /* a reset comes next */

/* server.c, client.c, udp.c: until standard input ends */
void run_server(const struct options *options);
void run_client(const struct options *options);
void run_udp_server(const struct options *options);
void run_udp_client(const struct options *options);

#endif
