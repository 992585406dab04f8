/* Arguments and environment of the program, and exec. From then on this process is the Deno runtime: same
 * pid, same descriptors, same signals, its exit code is ours. */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Everything that Deno is told. All permissions: to read /proc/sys, to call into libc and to start itself are
 * parts of the work, and Deno gives /proc only to programs with every permission. Nothing is ever fetched. V8
 * is told only that ffi/pages.ts may ask it to collect garbage (9 MB less): smaller young generations, one
 * thread of garbage collection and fewer malloc arenas changed neither memory nor speed of the proxy under
 * load, and --optimize-for-size made hot loops eight times slower. */
static const char *const RUN_FLAGS[] = {
  "run", "--allow-all", "--no-prompt", "--no-config", "--no-lock", "--no-npm", "--no-remote", "--cached-only",
  "--v8-flags=--expose-gc",
};
/* Of Deno's C library: a buffer of this size or more is a mapping of its own, whose pages cost nothing until
 * they are written. Left to itself malloc(3) raises the limit to what was freed last, and a worker's buffers
 * were zeroed in its heap: 1 to 2 MB for each. */
static const char MALLOC[] = "glibc.malloc.mmap_threshold=131072";
#define RUN_FLAG_COUNT (sizeof RUN_FLAGS / sizeof *RUN_FLAGS)

/* A descriptor opened in the place of a closed standard stream would be taken for it. */
static void open_standard_streams(void)
{
  for (int fd = 0; fd <= 2; fd++) {
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0) return;
  }
}

/* Numbers that the directories have in the program: fixed, because the path of a script is part of the key
 * under which Deno keeps what it has compiled, and the product comes with that. A tproxy that starts another
 * hands its own descriptors down, so what has these numbers already is closed. */
enum { PROGRAM_FD = 100, FREE_FD = 110 }; /* then runtime, mount, compiled code, who opens files */

/* Gives descriptors their numbers; where limits forbid that they keep what they have. */
static void number_descriptors(int *const held[], int count)
{
  for (int i = 0; i < count; i++) { /* one may have the number of another */
    int aside = *held[i] < 0 ? -1 : fcntl(*held[i], F_DUPFD, FREE_FD);
    if (aside < 0) continue;
    close(*held[i]);
    *held[i] = aside;
  }
  for (int i = 0; i < count; i++) {
    if (*held[i] < 0 || dup2(*held[i], PROGRAM_FD + i) < 0) continue;
    close(*held[i]);
    *held[i] = PROGRAM_FD + i;
  }
}

/* Paths for the loader and for Deno: through the descriptors where /proc is there. */
static void name_directories(struct ready *ready)
{
  int *const held[] = { &ready->program, &ready->runtime, &ready->mount, &ready->compiled, &ready->files };
  number_descriptors(held, 5);

  char text[PATH_SIZE];
  snprintf(text, sizeof text, "/proc/self/fd/%d", ready->program);
  if (access(text, X_OK) == 0) strcpy(ready->program_path, text);
  /* Another user may have no way to it. */
  if (!ready->runtime_path[0] || access(ready->runtime_path, X_OK)) snprintf(ready->runtime_path, PATH_SIZE, "/proc/self/fd/%d", ready->runtime);
}

static void set_environment(const struct payload *payload, const struct ready *ready, int is_selftest)
{
  setenv("DENO_DIR", ready->deno_dir, 1);
  setenv("DENO_NO_UPDATE_CHECK", "1", 1);
  setenv("DENO_NO_PROMPT", "1", 1);
  setenv("TPROXY_SELF", payload->path, 1);
  /* For children in other namespaces, where /home and uids look different. */
  if (ready->cache[0]) setenv(CACHE_VARIABLE, ready->cache, 1);
  /* Made for the libraries of this system, not for those in the file. */
  unsetenv("LD_PRELOAD");
  unsetenv("LD_LIBRARY_PATH");
  unsetenv("LD_AUDIT");
  setenv("GLIBC_TUNABLES", MALLOC, 1);

  if (!is_selftest) return;
  int entered = enter_user_namespace();
  if (entered == 1) setenv("TPROXY_USER_NAMESPACE", "1", 1);
  else if (entered < 0) setenv("TPROXY_USER_NAMESPACE", strerrorname_np(-entered), 1);
}

static int prepare(const struct payload *payload, struct ready *ready, struct failure *failure)
{
  static struct failure reason;
  if (payload->form == INSTALLED) return installed_prepare(payload, ready, failure);
  if (payload->form == PACKED) return cache_prepare(payload, NULL, ready, failure);
  if (image_prepare(payload, ready, &reason) == 0) return 0;
  if (!reason.damaged) return cache_prepare(payload, reason.text, ready, failure);
  *failure = reason;
  return -1;
}

int main(int argc, char **argv)
{
  static struct payload payload;
  static struct failure failure;
  static struct ready ready = { .program = -1, .runtime = -1, .mount = -1, .compiled = -1, .files = -1, .netlink = -1 };
  char loader[PATH_SIZE + NAME_SIZE], deno[PATH_SIZE + NAME_SIZE], program[PATH_SIZE + NAME_SIZE];
  const char *command = argc > 1 ? argv[1] : "";

  open_standard_streams();
  mode_t mask = umask(022); /* modes are given where files are made */
  if (check_machine(&failure) || payload_open(&payload, &failure) || prepare(&payload, &ready, &failure)) {
    fprintf(stderr, "tproxy: %s.\n", failure.text);
    return 1;
  }
  int runs = !strcmp(command, "run");
  if (runs && drop_privileges(argv + 2, &ready, &failure)) {
    fprintf(stderr, "tproxy: %s.\n", failure.text);
    return 2;
  }
  compiled_prepare(&payload, &ready);
  umask(mask);
  if (ready.mount >= 0 && runs && ready.files < 0) start_guard();
  name_directories(&ready);
  snprintf(loader, sizeof loader, "%s/tproxy", ready.runtime_path); /* its name is what ps shows */
  snprintf(deno, sizeof deno, "%s/deno", ready.runtime_path);
  snprintf(program, sizeof program, "%s/run.js", ready.program_path); /* the proxy alone: 2 MB less of text */
  if (!runs || access(program, R_OK)) snprintf(program, sizeof program, "%s/tproxy.js", ready.program_path);
  set_environment(&payload, &ready, !strcmp(command, "selftest"));

  const char **arguments = calloc((size_t)argc + RUN_FLAG_COUNT + 16, sizeof *arguments);
  if (!arguments) return 1;
  const char **next = arguments;
  *next++ = "tproxy";
  *next++ = "--inhibit-cache"; /* of the host's own libraries */
  *next++ = "--library-path";
  *next++ = ready.runtime_path;
  *next++ = deno;
  for (size_t i = 0; i < RUN_FLAG_COUNT; i++) *next++ = RUN_FLAGS[i];
  *next++ = program;
  for (int i = 1; i < argc; i++) *next++ = argv[i];
  if (ready.confined) confine(&ready);

  execv(loader, (char **)arguments);
  fprintf(stderr, "tproxy: cannot start %s: %s.\n", loader, strerror(errno));
  return 1;
}
