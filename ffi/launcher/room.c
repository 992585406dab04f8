/* Room for layers. Routers' flash often has a file system that compresses: there they take about half. */
#include "launcher.h"

#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MIB (1024 * 1024)
/* Room for what the runtime itself writes (compiled code), and for directories. */
#define SPARE_ROOM (3 * MIB)
/* Share of the runtime that is left where single pages are compressed: 52 % with deflate; LZO, which UBIFS
 * takes, needs more. */
#define COMPRESSED_PERCENT 60

/* The line of /proc/self/mountinfo for the mount of this descriptor. */
static int find_mount(int fd, char line[], int size)
{
  char path[64], start[32];
  int id = -1;
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
  FILE *file = fopen(path, "re");
  if (!file) return -1;
  while (fgets(line, size, file) && sscanf(line, "mnt_id: %d", &id) != 1) continue;
  fclose(file);
  if (id < 0 || !(file = fopen("/proc/self/mountinfo", "re"))) return -1;
  snprintf(start, sizeof start, "%d ", id);
  int found = 0;
  while (!found && fgets(line, size, file)) found = !strncmp(line, start, strlen(start));
  fclose(file);
  return found ? 0 : -1;
}

static int compresses(int fd, int depth)
{
  static char line[8192];
  char type[32], upper[PATH_SIZE];
  if (find_mount(fd, line, sizeof line)) return 0;
  const char *rest = strstr(line, " - "), *place;
  if (!rest || sscanf(rest, " - %31s", type) != 1) return 0;
  if (!strcmp(type, "ubifs") || !strcmp(type, "jffs2")) return 1; /* zfs tells its free room otherwise */
  if (!strcmp(type, "btrfs")) return strstr(rest, "compress") != NULL; /* f2fs gives no room back */
  if (strcmp(type, "overlay") != 0 || depth || !(place = strstr(rest, "upperdir="))) return 0;
  if (sscanf(place, "upperdir=%1023[^, \n]", upper) != 1) return 0;
  int above = open(upper, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (above < 0) return 0;
  int result = compresses(above, depth + 1);
  close(above);
  return result;
}

off_t room_for(int directory, off_t bytes)
{
  if (directory >= 0 && bytes && compresses(directory, 0)) bytes = bytes / 100 * COMPRESSED_PERCENT;
  return bytes + SPARE_ROOM;
}

off_t free_room(int directory)
{
  struct statvfs mount;
  if (fstatvfs(directory, &mount) || mount.f_blocks == 0) return INT64_MAX;
  return (off_t)(geteuid() ? mount.f_bavail : mount.f_bfree) * (off_t)mount.f_frsize;
}

int no_room(int directory, off_t bytes, struct failure *failure)
{
  off_t needed = room_for(directory, bytes), available = free_room(directory);
  int guessed = needed < bytes; /* it compresses */
  if (available >= needed && !guessed) return fail(failure, "no room: a quota or the inodes are used up");
  return fail(failure, "no room: %s%lld MiB are needed%s, %lld MiB are free", guessed ? "about " : "",
              (long long)(needed + MIB - 1) / MIB, guessed ? " (this file system compresses)" : "",
              (long long)available / MIB);
}
