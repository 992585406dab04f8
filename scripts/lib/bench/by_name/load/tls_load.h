/* Load for the benchmark by name: the common part of both ends. No TLS: the client says a hello that was
 * recorded, the server answers with as many bytes whatever it says. So the ends cost little, and the router
 * between has the processors. */
#ifndef TLS_LOAD_H
#define TLS_LOAD_H

#include <netinet/in.h>
#include <stddef.h>

/* The server's answer to a hello, to a request, and the size of a request: as of a short page. */
#define ANSWER_BYTES 1400
#define RESPONSE_BYTES 1000
#define REQUEST_BYTES 200
/* A buffer of bulk. */
#define BULK_BYTES (128 << 10)
#define MAX_HELLO 16384
#define MAX_FLOWS 1024

/* What the client wants after the answer: the first byte of its words. */
enum wish { WISH_RESPONSE = 'r', WISH_UPLOAD = 'u', WISH_DOWNLOAD = 'd' };

/* The arguments, all `name=value`. */
struct options {
  struct sockaddr_in server; /* address= and port= */
  double seconds;            /* seconds= */
  int flows;                 /* flows=, connections at once; of greetings at most, one by one */
  unsigned char hello[MAX_HELLO]; /* hello=, a file */
  size_t hello_size;
};

/* common.c */
void die(const char *what) __attribute__((noreturn));
double now(void); /* seconds, monotonic */
void add_to_epoll(int epoll, int fd, uint32_t number);
int begin_connection(const struct options *options); /* it goes on by itself */
int connect_to(const struct options *options);       /* until it stands; -1: refused */

/* server.c: until standard input ends */
int run_server(const struct options *options);

/* client.c */
int run_ask(const struct options *options);         /* one connection: is it answered? */
int run_connections(const struct options *options); /* each with a hello and its answer */
int run_requests(const struct options *options);    /* one at a time on each connection, which stays */
int run_upload(const struct options *options);
int run_download(const struct options *options);

/* greetings.c: time from a SYN to the server's first byte */
int run_greetings(const struct options *options);

#endif
