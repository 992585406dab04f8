/* udp_load ROLE name=value…: one end of a measurement; prints one line of JSON. */
#include "udp_load.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

static const struct {
  const char *name;
  int (*run)(const struct options *options);
} ROLES[] = {
  {"send", run_send}, {"source", run_source}, {"sink", run_sink}, {"pull", run_pull},
  {"echo", run_echo}, {"ping", run_ping},     {"hold", run_hold},
};
#define ROLE_COUNT (sizeof ROLES / sizeof *ROLES)

static int usage(void)
{
  fputs("Usage: udp_load send|source|sink|pull|echo|ping|hold [address=A] port=N [seconds=N] [rate=N] [size=N] [flows=N]"
        " [burst=N] [first=N]\n",
        stderr);
  return 2;
}

static int parse(struct options *options, const char *argument)
{
  const char *value = strchr(argument, '=');
  if (value == NULL) return -1;
  size_t length = (size_t)(value++ - argument);
#define IS(name) (length == sizeof name - 1 && !memcmp(argument, name, length))
  if (IS("address")) return inet_pton(AF_INET, value, &options->server.sin_addr) == 1 ? 0 : -1;
  if (IS("port")) options->server.sin_port = htons((uint16_t)atoi(value));
  else if (IS("seconds")) options->seconds = atof(value);
  else if (IS("rate")) options->rate = atof(value);
  else if (IS("size")) options->size = atoi(value);
  else if (IS("flows")) options->flows = atoi(value);
  else if (IS("burst")) options->burst = atoi(value);
  else if (IS("first")) options->first = atoi(value);
  else return -1;
  return 0;
}

static int is_sound(const struct options *options)
{
  return options->server.sin_port != 0 && options->size >= (int)sizeof(struct header) && options->size <= MAX_SIZE &&
         options->flows >= 1 && options->burst >= 1 && options->burst <= BATCH;
}

int main(int argc, char **argv)
{
  struct options options = {.seconds = 1, .size = 64, .flows = 1, .burst = 32};
  options.server.sin_family = AF_INET;
  if (argc < 2) return usage();
  for (int i = 2; i < argc; i++) {
    if (parse(&options, argv[i]) < 0) return usage();
  }
  if (!is_sound(&options)) return usage();
  /* The kernel may delay sleeps by 50 µs otherwise, a fifth of the pace. */
  prctl(PR_SET_TIMERSLACK, 1000UL, 0, 0, 0);
  for (size_t i = 0; i < ROLE_COUNT; i++) {
    if (!strcmp(argv[1], ROLES[i].name)) return ROLES[i].run(&options);
  }
  return usage();
}
