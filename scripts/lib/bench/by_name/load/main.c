/* tls_load ROLE name=value…: one end of a measurement; prints one line of JSON. */
#include "tls_load.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
  const char *name;
  int (*run)(const struct options *options);
} ROLES[] = {
  {"server", run_server},     {"ask", run_ask},       {"connections", run_connections},
  {"requests", run_requests}, {"upload", run_upload}, {"download", run_download},
  {"greetings", run_greetings},
};
#define ROLE_COUNT (sizeof ROLES / sizeof *ROLES)

static int usage(void)
{
  fputs("Usage: tls_load server|ask|connections|requests|upload|download|greetings [address=A] port=N [seconds=N]"
        " [flows=N] [hello=FILE]\n",
        stderr);
  return 2;
}

static int read_hello(struct options *options, const char *path)
{
  FILE *file = fopen(path, "rb");
  if (file == NULL) die(path);
  options->hello_size = fread(options->hello, 1, sizeof options->hello, file);
  fclose(file);
  return options->hello_size == 0 ? -1 : 0;
}

static int parse(struct options *options, const char *argument)
{
  const char *value = strchr(argument, '=');
  if (value == NULL) return -1;
  size_t length = (size_t)(value++ - argument);
#define IS(name) (length == sizeof name - 1 && !memcmp(argument, name, length))
  if (IS("address")) return inet_pton(AF_INET, value, &options->server.sin_addr) == 1 ? 0 : -1;
  if (IS("hello")) return read_hello(options, value);
  if (IS("port")) options->server.sin_port = htons((uint16_t)atoi(value));
  else if (IS("seconds")) options->seconds = atof(value);
  else if (IS("flows")) options->flows = atoi(value);
  else return -1;
  return 0;
}

int main(int argc, char **argv)
{
  static struct options options = {.seconds = 1, .flows = 1};
  options.server.sin_family = AF_INET;
  if (argc < 2) return usage();
  for (int i = 2; i < argc; i++) {
    if (parse(&options, argv[i]) < 0) return usage();
  }
  if (options.server.sin_port == 0 || options.flows < 1 || options.flows > MAX_FLOWS) return usage();
  for (size_t i = 0; i < ROLE_COUNT; i++) {
    if (!strcmp(argv[1], ROLES[i].name)) return ROLES[i].run(&options);
  }
  return usage();
}
