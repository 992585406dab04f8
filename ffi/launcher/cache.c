/* Layers on disk: CACHE/<id of the layer>/, complete or absent, for they are renamed into place.
 *
 * Locks: CACHE/.lock, exclusive, while unpacking or removing; each layer's directory, shared, for as long as a process
 * runs from it (the descriptor survives exec), exclusive to remove it. All are flock(2), so they vanish with their
 * processes. Temporary names begin with a dot, and only the holder of CACHE/.lock makes and removes them. */
#include "launcher.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define MIB (1024 * 1024)
/* Room for what the runtime itself writes (compiled code), and for directories. */
#define SPARE_ROOM (3 * MIB)

/* Opens a layer's directory and holds it: the descriptor (which survives exec), or -1 when it is not there or not whole. */
static int hold_layer(int cache, const struct layer *layer)
{
  struct stat held, named;
  int fd = openat(cache, layer->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (fd < 0) return -1;
  while (flock(fd, LOCK_SH) && errno == EINTR) continue;
  /* Removed or replaced while we waited for the lock? */
  if (fstat(fd, &held) == 0 && fstatat(cache, layer->id, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
      held.st_ino == named.st_ino && held.st_dev == named.st_dev && layer_is_complete(layer, fd))
    return fd;
  close(fd);
  return -1;
}

static int hold_layers(int cache, const struct payload *payload, int held[MAX_LAYERS])
{
  int missing = 0;
  for (int i = 0; i < payload->layer_count; i++) {
    if (held[i] < 0) held[i] = hold_layer(cache, &payload->layers[i]);
    missing += held[i] < 0;
  }
  return missing;
}

/* CACHE/.lock, locked; -1 with errno when it cannot be made. */
static int lock_cache(int cache, const char *path)
{
  const struct timespec pause = { 0, 20 * 1000 * 1000 };
  int fd = openat(cache, ".lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return -1;
  for (int tries = 0; flock(fd, LOCK_EX | LOCK_NB) && (errno == EWOULDBLOCK || errno == EINTR); tries++) {
    if (tries == 50) fprintf(stderr, "Waiting for another tproxy that unpacks into %s …\n", path);
    nanosleep(&pause, NULL);
  }
  return fd;
}

/* Takes a directory out of its place and removes it. */
static void discard(int cache, const char *name)
{
  char trash[NAME_SIZE];
  snprintf(trash, sizeof trash, ".trash-%d", getpid());
  remove_tree(cache, renameat(cache, name, cache, trash) ? name : trash);
}

static int is_old_layer(const struct payload *payload, const char *name)
{
  int ours = 0;
  for (int i = 0; i < payload->layer_count; i++) {
    const struct layer *layer = &payload->layers[i];
    size_t length = strlen(layer->name);
    if (!strcmp(layer->id, name)) return 0;
    ours |= !strncmp(name, layer->name, length) && name[length] == '-';
  }
  return ours;
}

/* Unless a process runs from it. The lock is held until the name is gone, so nobody can begin to. */
static void discard_if_unused(int cache, const char *name)
{
  int fd = openat(cache, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return;
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) discard(cache, name);
  close(fd);
}

/* What killed unpackers left, and the layers of other versions that no process uses. */
static void sweep(int cache, const struct payload *payload)
{
  int fd = openat(cache, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *listing = fd < 0 ? NULL : fdopendir(fd);
  if (!listing) return;
  for (struct dirent *entry; (entry = readdir(listing));) {
    const char *name = entry->d_name;
    if (!strncmp(name, ".unpack-", 8) || !strncmp(name, ".trash-", 7)) remove_tree(cache, name);
    else if (is_old_layer(payload, name)) discard_if_unused(cache, name);
  }
  closedir(listing);
}

static off_t needed_bytes(const struct payload *payload, const int held[MAX_LAYERS])
{
  off_t sum = SPARE_ROOM;
  for (int i = 0; i < payload->layer_count; i++) {
    if (held[i] < 0) sum += payload->layers[i].unpacked_size;
  }
  return sum;
}

static off_t free_bytes(int cache)
{
  struct statvfs mount;
  if (fstatvfs(cache, &mount) || mount.f_blocks == 0) return INT64_MAX;
  return (off_t)(geteuid() ? mount.f_bavail : mount.f_bfree) * (off_t)mount.f_frsize;
}

static int no_room(int cache, off_t needed, struct failure *failure)
{
  if (free_bytes(cache) >= needed) return fail(failure, "no room: a quota or the inodes are used up");
  return fail(failure, "no room: %lld MiB are needed, %lld MiB are free", (long long)(needed + MIB - 1) / MIB,
              (long long)free_bytes(cache) / MIB);
}

/* Unpacks one layer beside its place and renames it into it. */
static int place_layer(int cache, const char *path, const struct payload *payload, const struct layer *layer,
                       off_t needed, struct failure *failure)
{
  char temporary[NAME_SIZE];
  snprintf(temporary, sizeof temporary, ".unpack-%d", getpid());
  remove_tree(cache, temporary);
  if (mkdirat(cache, temporary, 0755)) {
    return errno == ENOSPC ? no_room(cache, needed, failure) : fail(failure, "cannot be written: %s", strerror(errno));
  }
  int fd = openat(cache, temporary, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) (void)fchmod(fd, 0755); /* whatever the umask */
  int result = fd < 0 ? fail(failure, "%s", strerror(errno)) : unpack_layer(payload, layer, fd, path, failure);
  if (fd >= 0) close(fd);
  if (result == 0) {
    discard(cache, layer->id); /* a damaged one, if any */
    if (renameat(cache, temporary, cache, layer->id) && errno != ENOTEMPTY && errno != EEXIST)
      result = fail(failure, "cannot rename in it: %s", strerror(errno));
  }
  if (result == UNPACK_NO_ROOM) no_room(cache, needed, failure);
  remove_tree(cache, temporary);
  return result == UNPACK_NO_ROOM ? -1 : result;
}

/* Unpacks what is missing, alone. */
static int fill_cache(int cache, const char *path, const struct payload *payload, int held[MAX_LAYERS],
                      struct failure *failure)
{
  int lock = lock_cache(cache, path);
  if (lock < 0) {
    return errno == ENOSPC ? no_room(cache, needed_bytes(payload, held), failure)
                           : fail(failure, "cannot be written: %s", strerror(errno));
  }
  int result = 0;
  if (hold_layers(cache, payload, held)) { /* else another process has done it meanwhile */
    off_t needed = needed_bytes(payload, held);
    for (int i = 0; i < payload->layer_count; i++) {
      if (held[i] < 0) discard(cache, payload->layers[i].id);
    }
    if (free_bytes(cache) < needed) sweep(cache, payload);
    if (free_bytes(cache) < needed) result = no_room(cache, needed, failure);
    for (int i = 0; i < payload->layer_count && result == 0; i++) {
      if (held[i] < 0) result = place_layer(cache, path, payload, &payload->layers[i], needed, failure);
    }
    if (result == 0 && hold_layers(cache, payload, held))
      result = fail(failure, "what was unpacked there is not there any more");
    if (result == 0) sweep(cache, payload);
  }
  close(lock);
  return result;
}

static int use_place(const struct place *place, const struct payload *payload, char paths[MAX_LAYERS][PATH_SIZE],
                     struct failure *failure)
{
  int held[MAX_LAYERS] = { -1, -1, -1, -1 };
  int cache = open_place(place, failure);
  if (cache < 0) return -1;
  int result = hold_layers(cache, payload, held) ? fill_cache(cache, place->path, payload, held, failure) : 0;
  close(cache);
  for (int i = 0; i < payload->layer_count; i++) {
    if (result && held[i] >= 0) close(held[i]);
    snprintf(paths[i], PATH_SIZE, "%s/%s", place->path, payload->layers[i].id);
  }
  return result;
}

int cache_prepare(const struct payload *payload, char cache[PATH_SIZE], char paths[MAX_LAYERS][PATH_SIZE],
                  struct failure *failure)
{
  static struct places places;
  static struct failure reason;
  const int nothing[MAX_LAYERS] = { -1, -1, -1, -1 };
  static char text[ERROR_SIZE];
  size_t length = 0;

  list_places(&places);
  for (int i = 0; i < places.count; i++) {
    reason.damaged = 0;
    if (use_place(&places.list[i], payload, paths, &reason) == 0) {
      strcpy(cache, places.list[i].path);
      return 0;
    }
    if (reason.damaged) {
      *failure = reason;
      return -1;
    }
    int more = snprintf(text + length, sizeof text - length, "  %s: %s\n", places.list[i].path, reason.text);
    length = length + (size_t)more < sizeof text ? length + (size_t)more : sizeof text - 1;
  }
  return fail(failure, "there is no place to unpack into:\n%sSet " CACHE_VARIABLE " to a directory of your own with %lld MiB free,"
              " on a file system that is writable and not mounted noexec", text,
              (long long)(needed_bytes(payload, nothing) + MIB - 1) / MIB);
}
