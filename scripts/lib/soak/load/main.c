/* soak_load server|client v4=A v6=A [threads=N] [udp-threads=N] [calm=1]: one end, until standard
 * input ends. Each failure is a line, and each second one of counts. */
#include "soak_load.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <poll.h>
#include <unistd.h>

static int parse(struct options *options, const char *argument)
{
  const char *value = strchr(argument, '=');
  if (value == NULL) return 0;
  size_t length = (size_t)(value++ - argument);
#define IS(name) (length == sizeof name - 1 && !memcmp(argument, name, length))
  if (IS("v4")) return inet_pton(AF_INET, value, &options->v4) == 1;
  if (IS("v6")) return inet_pton(AF_INET6, value, &options->v6) == 1;
  if (IS("threads")) return (options->threads = atoi(value)) > 0;
  if (IS("udp-threads")) return (options->udp_threads = atoi(value)) > 0;
  if (IS("calm")) return (options->calm = atoi(value)) > 0;
  return 0;
}

static void tell_counts(void)
{
  printf("S {\"flows\":%lu,\"bytes\":%lu,\"exchanges\":%lu,\"lost\":%lu,\"late\":%lu,\"failed\":%lu,\"wrong\":%lu,"
         "\"live\":%ld}\n",
         counts.flows, counts.bytes, counts.exchanges, counts.lost, counts.late, counts.failed, counts.wrong,
         counts.live);
}

int main(int argc, char **argv)
{
  struct options options = {.threads = 16, .udp_threads = 4};
  int sound = argc >= 4;
  for (int i = 2; i < argc; i++) sound = sound && parse(&options, argv[i]);
  int serves = sound && !strcmp(argv[1], "server");
  if (!sound || (!serves && strcmp(argv[1], "client") != 0)) {
    fputs("Usage: soak_load server|client v4=A v6=A [threads=N] [udp-threads=N] [calm=1]\n", stderr);
    return 2;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  signal(SIGPIPE, SIG_IGN);
  if (serves) {
    run_udp_server(&options);
    run_server(&options);
  } else {
    run_udp_client(&options);
    run_client(&options);
  }
  struct pollfd input = {.fd = 0, .events = POLLIN};
  for (char rest[64]; poll(&input, 1, 1000) == 0 || read(0, rest, sizeof rest) > 0;) tell_counts();
  atomic_store(&ending, 1);
  /* Flows that have begun end by themselves; a server's are the client's affair. */
  while (!serves && counts.live > 0) sleep_ms(20);
  tell_counts();
  return 0;
}
