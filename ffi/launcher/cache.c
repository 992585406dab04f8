/* Layers on disk: CACHE/<id of the layer>/, complete or absent, for they are renamed into place.
 *
 * Locks: CACHE/.lock, exclusive, while unpacking or removing; each layer's directory, shared, for as long as
 * a process runs from it (the descriptor survives exec), exclusive to remove it. All are flock(2), so they
 * vanish with their processes. Temporary names begin with a dot, and only the holder of CACHE/.lock makes and
 * removes them. */
#include "launcher.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Opens a layer's directory and holds it: the descriptor, or -1 when it is not there or not whole. */
static int hold_layer(int cache, const struct layer *layer)
{
  int fd = hold_directory(cache, layer->id);
  if (fd < 0 || !missing_file(layer, fd, 1)) return fd;
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

/* Removes the leavings of killed unpackers, and the layers of other versions that no process uses. */
static void sweep(int cache, const struct payload *payload)
{
  int fd = openat(cache, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *listing = fd < 0 ? NULL : fdopendir(fd);
  if (!listing) return;
  for (struct dirent *entry; (entry = readdir(listing));) {
    const char *name = entry->d_name;
    if (!strncmp(name, ".unpack-", 8) || !strncmp(name, ".trash-", 7)) remove_tree(cache, name);
    else if (is_old_layer(payload, name)) remove_unless_held(cache, name);
  }
  closedir(listing);
}

static off_t missing_bytes(const struct payload *payload, const int held[MAX_LAYERS])
{
  off_t sum = 0;
  for (int i = 0; i < payload->layer_count; i++) {
    if (held[i] < 0) sum += payload->layers[i].unpacked_size;
  }
  return sum;
}

/* Unpacks one layer beside its place and renames it into it. */
static int place_layer(int cache, const char *path, const struct payload *payload, const struct layer *layer,
                       off_t missing, struct failure *failure)
{
  char temporary[NAME_SIZE];
  snprintf(temporary, sizeof temporary, ".unpack-%d", getpid());
  remove_tree(cache, temporary);
  if (mkdirat(cache, temporary, 0755)) {
    return errno == ENOSPC ? no_room(cache, missing, failure) : fail(failure, "cannot be written: %s", strerror(errno));
  }
  int fd = openat(cache, temporary, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) (void)fchmod(fd, 0755); /* whatever the umask */
  int result = fd < 0 ? fail(failure, "%s", strerror(errno)) : unpack_layer(payload, layer, fd, path, failure);
  if (fd >= 0) close(fd);
  if (result == 0) {
    discard_tree(cache, layer->id); /* a damaged one, if any */
    if (renameat(cache, temporary, cache, layer->id) && errno != ENOTEMPTY && errno != EEXIST)
      result = fail(failure, "cannot rename in it: %s", strerror(errno));
  }
  if (result == UNPACK_NO_ROOM) no_room(cache, missing, failure);
  remove_tree(cache, temporary);
  return result == UNPACK_NO_ROOM ? -1 : result;
}

/* Unpacks what is missing, alone. */
static int fill_cache(int cache, const char *path, const struct payload *payload, int held[MAX_LAYERS],
                      struct failure *failure)
{
  int lock = lock_cache(cache, path);
  if (lock < 0) {
    return errno == ENOSPC ? no_room(cache, missing_bytes(payload, held), failure)
                           : fail(failure, "cannot be written: %s", strerror(errno));
  }
  int result = 0;
  if (hold_layers(cache, payload, held)) { /* else another process has done it meanwhile */
    off_t missing = missing_bytes(payload, held);
    for (int i = 0; i < payload->layer_count; i++) {
      if (held[i] < 0) discard_tree(cache, payload->layers[i].id);
    }
    if (free_room(cache) < room_for(cache, missing)) sweep(cache, payload);
    if (free_room(cache) < room_for(cache, missing)) result = no_room(cache, missing, failure);
    for (int i = 0; i < payload->layer_count && result == 0; i++) {
      if (held[i] < 0) result = place_layer(cache, path, payload, &payload->layers[i], missing, failure);
    }
    if (result == 0 && hold_layers(cache, payload, held))
      result = fail(failure, "what was unpacked there is not there any more");
    if (result == 0) sweep(cache, payload);
  }
  close(lock);
  return result;
}

static int use_place(const struct place *place, const struct payload *payload, struct ready *ready,
                     struct failure *failure)
{
  int held[MAX_LAYERS] = { -1, -1, -1, -1 };
  int cache = open_place(place, failure);
  if (cache < 0) return -1;
  int result = hold_layers(cache, payload, held) ? fill_cache(cache, place->path, payload, held, failure) : 0;
  close(cache);
  for (int i = 0; i < payload->layer_count; i++) {
    if (result && held[i] >= 0) close(held[i]);
  }
  if (result) return result;
  ready->program = held[payload->program - payload->layers];
  ready->runtime = held[payload->runtime - payload->layers];
  strcpy(ready->cache, place->path);
  snprintf(ready->program_path, PATH_SIZE, "%s/%s", place->path, payload->program->id);
  snprintf(ready->runtime_path, PATH_SIZE, "%s/%s", place->path, payload->runtime->id);
  return 0;
}

int cache_prepare(const struct payload *payload, const char *instead, struct ready *ready, struct failure *failure)
{
  static struct places places;
  static struct failure reason;
  const int nothing[MAX_LAYERS] = { -1, -1, -1, -1 };
  static char text[ERROR_SIZE];
  size_t length = 0;

  list_places(&places);
  for (int i = 0; i < places.count; i++) {
    reason.damaged = 0;
    if (use_place(&places.list[i], payload, ready, &reason) == 0) return 0;
    if (reason.damaged) {
      *failure = reason;
      return -1;
    }
    int more = snprintf(text + length, sizeof text - length, "  %s: %s\n", places.list[i].path, reason.text);
    length = length + (size_t)more < sizeof text ? length + (size_t)more : sizeof text - 1;
  }
  return fail(failure, "%s%s%sthere is no place to unpack into:\n%sSet " CACHE_VARIABLE " to a directory of your own with"
              " %lld MiB free, on a file system that is writable and not mounted noexec",
              instead ? "cannot mount my image (" : "", instead ? instead : "", instead ? "), and " : "", text,
              (long long)(room_for(-1, missing_bytes(payload, nothing)) + 1024 * 1024 - 1) >> 20);
}
