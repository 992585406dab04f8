/* Deno's cache of compiled code: databases of SQLite, which a run without writes does not use at all.
 * The program's layer brings them full, made for the paths that main.c gives the program; they are copied
 * once into a directory that can be written to. */
#include "launcher.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const DATABASES[] = { "v8_code_cache_v2", "dep_analysis_cache_v2" };
#define DATABASE_COUNT (sizeof DATABASES / sizeof *DATABASES)
#define SEED ".seed-"
#define KIND "deno-"

static int copy_file(int from, int to, const char *name)
{
  struct stat source;
  off_t at = 0;
  int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (in < 0) return errno == ENOENT ? 0 : -1; /* a program without compiled code works as well */
  int out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  int bad = out < 0 || fstat(in, &source);
  while (!bad && at < source.st_size) bad = sendfile(out, in, &at, (size_t)(source.st_size - at)) <= 0;
  if (out >= 0 && close(out)) bad = -1;
  close(in);
  return bad;
}

/* Makes the directory beside its place, full, and renames it into it. */
static void seed(int parent, const char *name, int program)
{
  char temporary[NAME_SIZE];
  snprintf(temporary, sizeof temporary, SEED "%d", getpid());
  if (mkdirat(parent, temporary, 0700)) return;
  int fd = openat(parent, temporary, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  int bad = fd < 0 || flock(fd, LOCK_SH | LOCK_NB);
  for (size_t i = 0; i < DATABASE_COUNT && !bad; i++) bad = copy_file(program, fd, DATABASES[i]);
  if (bad || renameat(parent, temporary, parent, name)) remove_tree(parent, temporary); /* or not first */
  if (fd >= 0) close(fd);
}

/* Removes the leavings of killed launchers, and the directories but ours that no process uses. */
static void sweep(int parent, const char *ours)
{
  int fd = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *listing = fd < 0 ? NULL : fdopendir(fd);
  if (!listing) {
    if (fd >= 0) close(fd);
    return;
  }
  for (struct dirent *entry; (entry = readdir(listing));) {
    const char *name = entry->d_name;
    if (!strncmp(name, SEED, strlen(SEED)) || (!strncmp(name, KIND, strlen(KIND)) && strcmp(name, ours) != 0))
      remove_unless_held(parent, name);
  }
  closedir(listing);
}

/* Holds the directory of this name, made if need be: 0, or -1 when that is not possible or it cannot be
 * written to. */
static int use_directory(int parent, const char *path, const char *name, int program, struct ready *ready)
{
  for (int tries = 0; tries < 3; tries++) { /* somebody may remove it between two steps */
    int fd = hold_directory(parent, name);
    if (fd >= 0 && faccessat(fd, ".", W_OK, AT_EACCESS) == 0) {
      ready->compiled = fd;
      snprintf(ready->deno_dir, PATH_SIZE, "%s/%s", path, name);
      return 0;
    }
    if (fd >= 0) {
      close(fd);
      return -1;
    }
    sweep(parent, name);
    seed(parent, name, program);
  }
  return -1;
}

int open_data_place(char path[PATH_SIZE])
{
  static struct places places;
  static struct failure ignored;
  list_data_places(&places);
  for (int i = 0; i < places.count; i++) {
    int fd = open_place(&places.list[i], &ignored);
    if (fd < 0) continue;
    if (faccessat(fd, ".", W_OK, AT_EACCESS) == 0) {
      strcpy(path, places.list[i].path);
      return fd;
    }
    close(fd);
  }
  return -1;
}

/* A proxy takes what strangers send. If one of them once takes the proxy, what it leaves here is not to be
 * executed by the next: a confined one begins with a directory of its own, made anew. */
static void name_own(const struct payload *payload, char *name, size_t size)
{
  snprintf(name, size, KIND "%s-%d", payload->program->id, getpid());
}

void compiled_prepare(const struct payload *payload, struct ready *ready)
{
  char place[PATH_SIZE], name[NAME_SIZE + sizeof KIND + 16];
  if (!ready->confined && ready->cache[0] &&
      use_directory(ready->program, ready->program_path, "deno-dir", ready->program, ready) == 0)
    return;
  int fd = open_data_place(place);
  if (ready->confined) {
    name_own(payload, name, sizeof name);
    if (fd >= 0) sweep(fd, "");
  } else {
    snprintf(name, sizeof name, KIND "%s", payload->program->id);
  }
  int bad = fd < 0 || use_directory(fd, place, name, ready->program, ready);
  if (fd >= 0) close(fd);
  /* No place: Deno compiles everything anew, in memory. */
  if (bad) snprintf(ready->deno_dir, PATH_SIZE, "/proc/self/fd/%s", "none");
}
