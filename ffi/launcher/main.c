/* Arguments and environment of the program, and exec. From then on this process is the Deno runtime: same pid, same
 * descriptors, same signals, its exit code is ours. */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Everything that Deno is told. All permissions: to read /proc/sys, to call into libc and to start itself are parts of
 * the work, and Deno gives /proc only to programs with every permission. Nothing is ever fetched.
 * No flags for V8: smaller young generations, one thread of garbage collection and fewer malloc arenas changed neither
 * memory nor speed of the proxy under load, and --optimize-for-size made hot loops eight times slower. */
static const char *const RUN_FLAGS[] = {
  "run", "--allow-all", "--no-prompt", "--no-config", "--no-lock", "--no-npm", "--no-remote", "--cached-only",
};
#define RUN_FLAG_COUNT (sizeof RUN_FLAGS / sizeof *RUN_FLAGS)

int fail(struct failure *failure, const char *format, ...)
{
  va_list values;
  va_start(values, format);
  vsnprintf(failure->text, sizeof failure->text, format, values);
  va_end(values);
  return -1;
}

/* A descriptor opened in the place of a closed standard stream would be taken for it. */
static void open_standard_streams(void)
{
  for (int fd = 0; fd <= 2; fd++) {
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0) return;
  }
}

static const struct layer *find_layer(const struct payload *payload, const char *name, int *index)
{
  for (*index = 0; *index < payload->layer_count; ++*index) {
    if (!strcmp(payload->layers[*index].name, name)) return &payload->layers[*index];
  }
  return NULL;
}

static void set_environment(const struct payload *payload, const char *cache, const char *program, int argc, char **argv)
{
  char text[PATH_SIZE + NAME_SIZE];
  snprintf(text, sizeof text, "%s/deno-dir", program);
  setenv("DENO_DIR", text, 1);
  setenv("DENO_NO_UPDATE_CHECK", "1", 1);
  setenv("DENO_NO_PROMPT", "1", 1);
  setenv("TPROXY_SELF", payload->path, 1);
  setenv(CACHE_VARIABLE, cache, 1); /* for children in other namespaces, where /home and uids look different */
  /* Made for the libraries of this system, not for those in the file. */
  unsetenv("LD_PRELOAD");
  unsetenv("LD_LIBRARY_PATH");
  unsetenv("LD_AUDIT");

  if (argc < 2 || strcmp(argv[1], "selftest") != 0) return;
  int entered = enter_user_namespace();
  if (entered == 1) setenv("TPROXY_USER_NAMESPACE", "1", 1);
  else if (entered < 0) setenv("TPROXY_USER_NAMESPACE", strerrorname_np(-entered), 1);
}

int main(int argc, char **argv)
{
  static struct payload payload;
  static struct failure failure;
  static char cache[PATH_SIZE], paths[MAX_LAYERS][PATH_SIZE];
  char loader[PATH_SIZE + NAME_SIZE], deno[PATH_SIZE + NAME_SIZE], program[PATH_SIZE + NAME_SIZE];
  int runtime = 0, code = 0;

  open_standard_streams();
  if (payload_open(&payload, &failure) || cache_prepare(&payload, cache, paths, &failure)) {
    fprintf(stderr, "tproxy: %s.\n", failure.text);
    return 1;
  }
  if (!find_layer(&payload, "runtime", &runtime) || !find_layer(&payload, "program", &code)) {
    fprintf(stderr, "tproxy: %s holds no runtime or no program.\n", payload.path);
    return 1;
  }
  snprintf(loader, sizeof loader, "%s/tproxy", paths[runtime]); /* the dynamic loader; its name is what ps shows */
  snprintf(deno, sizeof deno, "%s/deno", paths[runtime]);
  snprintf(program, sizeof program, "%s/tproxy.js", paths[code]);
  set_environment(&payload, cache, paths[code], argc, argv);

  const char **arguments = calloc((size_t)argc + RUN_FLAG_COUNT + 16, sizeof *arguments);
  if (!arguments) return 1;
  const char **next = arguments;
  *next++ = "tproxy";
  *next++ = "--inhibit-cache"; /* of the host's own libraries */
  *next++ = "--library-path";
  *next++ = paths[runtime];
  *next++ = deno;
  for (size_t i = 0; i < RUN_FLAG_COUNT; i++) *next++ = RUN_FLAGS[i];
  *next++ = program;
  for (int i = 1; i < argc; i++) *next++ = argv[i];

  execv(loader, (char **)arguments);
  fprintf(stderr, "tproxy: cannot start %s: %s.\n", loader, strerror(errno));
  return 1;
}
