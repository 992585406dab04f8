/* The image form: the squashfs in our own file, mounted.
 *
 * The mount is attached nowhere: it is a descriptor, which survives exec, and its files are reached through
 * /proc/self/fd. So it needs no mount namespace, nobody sees it, and mounts and network namespaces that
 * others make or remove are seen as ever. It ends, and the loop device with it, when the last process that
 * holds it ends. */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK (256 * 1024)

static int image_is_whole(const struct payload *payload)
{
  static uint8_t buffer[CHUNK];
  struct sha256 hash;
  uint8_t digest[32];
  sha256_start(&hash);
  for (off_t at = 0; at < payload->image.size;) {
    off_t left = payload->image.size - at;
    ssize_t n = pread(payload->fd, buffer, left < CHUNK ? (size_t)left : CHUNK, payload->image.offset + at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return 0;
    sha256_add(&hash, buffer, (size_t)n);
    at += n;
  }
  sha256_end(&hash, digest);
  return memcmp(digest, payload->image_sha256, sizeof digest) == 0;
}

/* Checks the image by its hash, once as long as the file does not change and the machine is not started
 * again: reading all of it takes seconds on slow flash. */
static int check_image(const struct payload *payload, struct failure *failure)
{
  char path[PATH_SIZE], name[NAME_SIZE + 16], state[160], known[160] = "";
  struct stat self;
  int result = 0;
  if (fstat(payload->fd, &self)) return fail(failure, "%s", strerror(errno));
  snprintf(name, sizeof name, "checked-%s", payload->program->id);
  snprintf(state, sizeof state, "%llx %llx %llx %lld.%09ld\n", (unsigned long long)self.st_dev,
           (unsigned long long)self.st_ino, (unsigned long long)self.st_size, (long long)self.st_ctim.tv_sec,
           self.st_ctim.tv_nsec);
  int place = open_data_place(path);
  int fd = place < 0 ? -1 : openat(place, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  ssize_t length = fd < 0 ? 0 : read(fd, known, sizeof known - 1);
  if (length <= 0 || strcmp(known, state) != 0) {
    if (image_is_whole(payload)) {
      size_t size = strlen(state);
      if (fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, state, size, 0) != (ssize_t)size) unlinkat(place, name, 0);
    } else {
      failure->damaged = 1;
      result = fail(failure, "%s is damaged: the hash of its image is wrong. Copy it again", payload->path);
    }
  }
  if (fd >= 0) close(fd);
  if (place >= 0) close(place);
  return result;
}

/* Mounts a squashfs without attaching it anywhere: its root, or -1. */
static int mount_detached(const char *device, struct failure *failure)
{
  int context = fsopen("squashfs", FSOPEN_CLOEXEC), root = -1;
  if (context < 0) {
    return fail(failure, errno == ENODEV ? "this kernel has no squashfs" : errno == ENOSYS
                ? "this kernel is older than Linux 5.2" : "mounting: %s", strerror(errno));
  }
  if (fsconfig(context, FSCONFIG_SET_STRING, "source", device, 0) == 0 &&
      fsconfig(context, FSCONFIG_SET_FLAG, "ro", NULL, 0) == 0 &&
      fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
    root = fsmount(context, 0, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
  if (root < 0) fail(failure, "mounting: %s", strerror(errno));
  close(context);
  return root;
}

static int open_inside(int root, const struct layer *layer, struct failure *failure)
{
  int fd = openat(root, layer->name, O_RDONLY | O_DIRECTORY);
  if (fd < 0) return fail(failure, "its %s cannot be opened: %s", layer->name, strerror(errno));
  const char *missing = missing_file(layer, fd, 0);
  if (!missing) return fd;
  close(fd);
  return fail(failure, "its file %s is not as it should be", missing);
}

int image_prepare(const struct payload *payload, struct ready *ready, struct failure *failure)
{
  const char *chosen = getenv(CACHE_VARIABLE);
  char device[PATH_SIZE];
  if (geteuid() != 0) return fail(failure, "only root can mount");
  if (chosen && *chosen) return fail(failure, CACHE_VARIABLE " is set");

  /* One at a time, or each would make a device. */
  while (flock(payload->fd, LOCK_EX) && errno == EINTR) continue;
  int loop = check_image(payload, failure) ? -1 : open_loop(payload->fd, &payload->image, device, failure);
  if (loop >= 0) {
    ready->mount = mount_detached(device, failure);
    close(loop);
  }
  flock(payload->fd, LOCK_UN);
  if (ready->mount < 0) return -1;

  ready->runtime = open_inside(ready->mount, payload->runtime, failure);
  ready->program = ready->runtime < 0 ? -1 : open_inside(ready->mount, payload->program, failure);
  if (ready->program >= 0) return 0;
  if (ready->runtime >= 0) close(ready->runtime);
  close(ready->mount);
  ready->runtime = ready->mount = -1;
  return -1;
}
