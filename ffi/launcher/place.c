/* Which directory holds the cache: the candidates, and whether one can be trusted and used. Code is executed
 * from there, so nobody else may be able to write to it. */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Names of layers and files are appended to it. */
#define LONGEST_PLACE (PATH_SIZE - 2 * NAME_SIZE)

static void add_place(struct places *places, enum place_kind kind, const char *format, const char *base)
{
  struct place *place = &places->list[places->count];
  place->kind = kind;
  place->data = 0;
  if (snprintf(place->path, sizeof place->path, format, base) < LONGEST_PLACE) places->count++;
}

void list_places(struct places *places)
{
  const char *chosen = getenv(CACHE_VARIABLE), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
  char uid[16];
  struct stat found;

  places->count = 0;
  if (chosen && *chosen) { /* an order, not a wish: no fallback */
    char here[PATH_SIZE] = "";
    if (*chosen != '/' && getcwd(here, sizeof here - 1)) strcat(here, "/");
    struct place *place = &places->list[places->count++];
    place->kind = CHOSEN;
    place->data = 0;
    int length = snprintf(place->path, sizeof place->path, "%s%s", *chosen == '/' ? "" : here, chosen);
    if (length >= LONGEST_PLACE) place->path[0] = 0; /* too long: one that cannot be made */
    return;
  }
  snprintf(uid, sizeof uid, "%u", geteuid());
  if (geteuid() == 0) add_place(places, USUAL, "%s/cache/tproxy", "/var");
  if (xdg && *xdg == '/') add_place(places, USUAL, "%s/tproxy", xdg);
  else if (home && *home == '/' && stat(home, &found) == 0) add_place(places, USUAL, "%s/.cache/tproxy", home);
  add_place(places, SHARED, "/tmp/tproxy-%s", uid);
}

void list_data_places(struct places *places)
{
  const char *runtime = getenv("RUNTIME_DIRECTORY"); /* systemd's, for RuntimeDirectory= */
  struct stat found;
  char uid[16];

  places->count = 0;
  /* A proxy that was root has been given its own there. */
  if (!runtime && geteuid() != 0 && access(RUN_DIRECTORY, W_OK) == 0) runtime = RUN_DIRECTORY;
  if (runtime && *runtime == '/') add_place(places, USUAL, "%s/compiled", runtime);
  if (geteuid() == 0 && stat("/run", &found) == 0) add_place(places, USUAL, "%s/tproxy-compiled", "/run");
  snprintf(uid, sizeof uid, "%u", geteuid());
  add_place(places, SHARED, "/tmp/tproxy-%s", uid);
  for (int i = 0; i < places->count; i++) places->list[i].data = 1;
}

/* Could somebody else replace an entry of this directory? */
static int writable_by_others(const struct stat *directory)
{
  if (directory->st_uid != 0 && directory->st_uid != geteuid()) return 1;
  if (directory->st_mode & S_ISVTX) return 0;
  if (directory->st_mode & S_IWOTH) return 1;
  return directory->st_mode & S_IWGRP && directory->st_gid != 0 && directory->st_gid != getegid();
}

/* The directories above: whoever can write there can put another cache in the place of ours. */
static int check_above(const char *path, struct failure *failure)
{
  char above[PATH_MAX];
  struct stat found;
  if (!realpath(path, above)) return fail(failure, "%s", strerror(errno));
  for (char *slash; (slash = strrchr(above, '/'));) {
    slash[slash == above] = 0; /* keeps the "/" of the root */
    if (stat(above, &found)) return fail(failure, "%s: %s", above, strerror(errno));
    if (writable_by_others(&found)) return fail(failure, "others can write to %s", above);
    if (slash == above) break;
  }
  return 0;
}

/* Root's files are no secret, and a service that runs as another user starts from it. */
#define OPEN_TO_ALL 0755

static int is_for_all(const struct place *place)
{
  return geteuid() == 0 && !place->data && place->kind != SHARED;
}

int open_place(const struct place *place, struct failure *failure)
{
  struct stat found;
  struct statvfs mount;

  if (strpbrk(place->path, ":;$")) return fail(failure, "the loader cannot use a path with ':', ';' or '$'");
  if (make_directories(place->path, is_for_all(place) ? OPEN_TO_ALL : 0700))
    return fail(failure, "cannot be made: %s", strerror(errno));
  int fd = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (place->kind == SHARED ? O_NOFOLLOW : 0));
  if (fd < 0 || fstat(fd, &found) || fstatvfs(fd, &mount)) {
    int reason = errno;
    if (fd >= 0) close(fd);
    return fail(failure, "cannot be opened: %s", strerror(reason));
  }
  int bad = 0;
  if (mount.f_flag & ST_NOEXEC && !place->data) bad = fail(failure, "is mounted noexec, so nothing can be started from there");
  else if (found.st_uid != geteuid() && (found.st_uid != 0 || place->kind == SHARED))
    bad = fail(failure, "belongs to the user %u, not to you (%u)", found.st_uid, geteuid());
  else if (found.st_mode & (place->kind == SHARED ? 077 : 022))
    bad = fail(failure, "is open to other users (mode %04o; %s is right)", found.st_mode & 07777,
               is_for_all(place) ? "0755" : "0700");
  else if (place->kind != CHOSEN) bad = check_above(place->path, failure);
  if (bad) {
    close(fd);
    return -1;
  }
  /* Earlier versions made it for root alone. */
  if (place->kind == USUAL && is_for_all(place) && found.st_uid == 0 && (found.st_mode & 07777) == 0700)
    (void)fchmod(fd, OPEN_TO_ALL);
  return fd;
}
